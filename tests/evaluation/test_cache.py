"""Statistics on disk: whole or not at all, whoever writes, whatever happens to the file."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from jaxgan.evaluation import cache

ARRAYS = {
    "features": np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32),
    "mean": np.random.default_rng(1).normal(size=16),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "statistics"))
    return tmp_path / "statistics"


class Computed:
    """Counts how often it is called."""

    def __init__(self, arrays=ARRAYS):
        self.times, self.arrays = 0, arrays

    def __call__(self):
        self.times += 1
        return self.arrays


def assert_equal(found, expected=ARRAYS):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_what_was_computed_once_is_read(place):
    compute = Computed()
    assert_equal(cache.cached("abc", compute))
    assert_equal(cache.cached("abc", compute))
    assert compute.times == 1
    assert [path.name for path in place.iterdir()] == ["abc.npz"]
    cache.cached("abd", compute)
    assert compute.times == 2


def damaged(data):
    yield "empty", b""
    for share in (0.001, 0.01, 0.5, 0.999):
        yield f"cut to {share}", data[: int(share * len(data))]
    yield "longer", data + b"x"
    for place in np.random.default_rng(0).integers(0, len(data), 20):
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(place) % 8
        yield f"bit flipped at {place}", bytes(flipped)
    yield "no such file", b"x" * len(data)


def test_a_damaged_file_is_replaced(place):
    compute = Computed()
    cache.cached("abc", compute)
    path = place / "abc.npz"
    whole = path.read_bytes()
    for times, (how, data) in enumerate(damaged(whole), start=2):
        path.write_bytes(data)
        assert_equal(cache.cached("abc", compute))
        assert compute.times == times, how
        assert path.read_bytes() == whole, how


def test_arrays_that_hash_well_but_are_none(place):
    place.mkdir()
    body = b"no arrays"
    magic, sha = cache._MAGIC, cache.hashlib.sha256(body).digest()
    (place / "abc.npz").write_bytes(magic + sha + body)
    compute = Computed()
    assert_equal(cache.cached("abc", compute))
    assert compute.times == 1


def _many(folder, number, results):
    os.environ[cache.VARIABLE] = folder
    seen = []
    for round_ in range(30):
        # Every process wants the same digests at the same time, in orders of their own.
        digest = f"d{(round_ * (number + 1)) % 7}"
        expected = np.full(20_000, int(digest[1:]), np.float32)
        found = cache.cached(digest, lambda array=expected: {"x": array})
        seen.append(bool((found["x"] == expected).all()))
    results.put(all(seen))


@pytest.mark.slow
def test_processes_that_want_the_same_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [
        context.Process(target=_many, args=(str(tmp_path), number, results)) for number in range(6)
    ]
    for process in processes:
        process.start()
    outcomes = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    assert outcomes == [True] * 6
    assert [process.exitcode for process in processes] == [0] * 6
    # Nothing but whole files is left.
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"d{i}.npz" for i in range(7)]
    for path in tmp_path.iterdir():
        assert cache.read(path) is not None


def _killed(folder):
    os.environ[cache.VARIABLE] = folder
    os.fsync = lambda descriptor: os._exit(9)
    cache.cached("abc", lambda: ARRAYS)


def test_a_process_that_dies_while_it_writes(place):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_killed, args=(str(place),))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert not (place / "abc.npz").exists()
    compute = Computed()
    assert_equal(cache.cached("abc", compute))
    assert_equal(cache.cached("abc", compute))
    assert compute.times == 1


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "statistics"))
    compute = Computed()
    for times in (1, 2):
        assert_equal(cache.cached("abc", compute))
        assert compute.times == times


def test_a_disk_that_is_full(place, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "fsync", full)
    compute = Computed()
    assert_equal(cache.cached("abc", compute))
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("off", ["off", "OFF", "0", "false", "no"])
def test_it_can_be_turned_off(tmp_path, monkeypatch, off):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(cache.VARIABLE, off)
    compute = Computed()
    for times in (1, 2):
        assert_equal(cache.cached("abc", compute))
        assert compute.times == times
    assert list(tmp_path.iterdir()) == []


def test_where_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "jaxgan" / "statistics"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.folder() == tmp_path / "home" / ".cache" / "jaxgan" / "statistics"
    monkeypatch.setenv(cache.VARIABLE, "~/kept")
    assert cache.folder() == Path(tmp_path / "home" / "kept")


def test_digests_are_names_of_files():
    with pytest.raises(ValueError, match=r"letters and digits only, got '\.\./abc'"):
        cache.cached("../abc", Computed())
