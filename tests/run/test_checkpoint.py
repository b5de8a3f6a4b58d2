"""Checkpoints: exact, atomic, and robust against damage."""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.run.checkpoint import Best, Checkpoints
from jaxgan.run.restore import CheckpointError, digest


class Odd(NamedTuple):
    none: None
    value: jax.Array


def state(value: float = 1.0):
    params = {"w": jnp.full((3, 2), value), "b": jnp.arange(2.0, dtype=jnp.bfloat16)}
    return {
        "params": params,
        "opt": optax.adam(1e-3).init(params),
        "empty": {},
        "odd": Odd(None, jnp.int32(7)),
    }


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert np.asarray(x).dtype == np.asarray(y).dtype
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def test_what_is_restored_equals_what_was_saved(tmp_path: Path):
    with Checkpoints(tmp_path / "c") as checkpoints:
        checkpoints.save(10, state(2.0), {"data": {"position": 3}})
    with Checkpoints(tmp_path / "c") as checkpoints:
        restored = checkpoints.restore(jax.eval_shape(state))
    assert restored is not None
    assert restored.step == 10
    assert restored.document["data"] == {"position": 3}
    assert restored.skipped == ()
    assert_same(restored.state, state(2.0))
    assert (tmp_path / "c" / "10").is_dir()


def test_nothing_to_restore(tmp_path: Path):
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.restore(jax.eval_shape(state)) is None


def test_the_state_may_be_donated_while_it_is_written(tmp_path: Path):
    with Checkpoints(tmp_path) as checkpoints:
        tree = {"w": jnp.arange(100_000.0)}
        checkpoints.save(1, tree, {})
        jax.jit(lambda t: jax.tree.map(jnp.zeros_like, t), donate_argnums=0)(tree)
        restored = checkpoints.restore({"w": jax.ShapeDtypeStruct((100_000,), jnp.float32)})
    assert restored is not None
    np.testing.assert_array_equal(restored.state["w"], np.arange(100_000, dtype=np.float32))


def test_keeps_the_newest_and_the_best(tmp_path: Path):
    for mode, expected in (("min", [20, 40, 50]), ("max", [30, 40, 50])):
        with Checkpoints(tmp_path / mode, keep=2, best=Best("fid", mode)) as checkpoints:
            for step, value in ((10, 5.0), (20, 1.0), (30, 9.0), (40, 6.0), (50, None)):
                metrics = None if value is None else {"fid": value}
                checkpoints.save(step, state(), {}, metrics)
                checkpoints.wait()
            assert checkpoints.steps() == expected, mode


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_best_stays_the_best_when_the_folder_is_opened_again(tmp_path: Path, mode):
    best = Best("fid", mode)
    sign = 1.0 if mode == "min" else -1.0
    with Checkpoints(tmp_path, keep=2, best=best) as checkpoints:
        checkpoints.save(10, state(), {}, {"fid": sign * 3.0})
        checkpoints.save(15, state(), {})
    with Checkpoints(tmp_path, keep=2, best=best) as checkpoints:
        for step in (20, 30, 40):
            checkpoints.save(step, state(), {})
            checkpoints.wait()
        assert checkpoints.steps() == [10, 30, 40]
        checkpoints.save(50, state(), {}, {"fid": sign * 2.0})
        checkpoints.save(60, state(), {})
        checkpoints.save(70, state(), {})
        checkpoints.wait()
        assert checkpoints.steps() == [50, 60, 70]


def flip_a_byte_in_the_largest_file(folder: Path):
    largest = max((f for f in folder.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    largest.write_bytes(bytes(content))


def truncate_every_file(folder: Path):
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def delete_the_arrays(folder: Path):
    for file in (folder / "state").rglob("*"):
        if file.is_file():
            file.unlink()


def forge_the_digest(folder: Path):
    good = digest(jax.device_get(state(30.0)))
    (document,) = [
        f for f in (folder / "document").rglob("*") if f.is_file() and good in f.read_text()
    ]
    document.write_text(document.read_text().replace(good, "0" * 64))


@pytest.mark.parametrize(
    "damage",
    [flip_a_byte_in_the_largest_file, truncate_every_file, delete_the_arrays, forge_the_digest],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, damage):
    folder = tmp_path / "checkpoints"
    with Checkpoints(folder, keep=3) as checkpoints:
        for step in (10, 20, 30):
            checkpoints.save(step, state(float(step)), {})
    damage(folder / "30")
    with Checkpoints(folder, keep=3) as checkpoints:
        restored = checkpoints.restore(jax.eval_shape(state))
        assert restored is not None
        assert restored.step == 20
        assert_same(restored.state, state(20.0))
        assert len(restored.skipped) == 1
        assert restored.skipped[0].startswith("checkpoint 30 cannot be read (")
        assert (tmp_path / "damaged" / "30").is_dir()
        # The run comes to step 30 once more.
        checkpoints.save(30, state(31.0), {})
    with Checkpoints(folder) as checkpoints:
        again = checkpoints.restore(jax.eval_shape(state))
    assert again is not None
    assert_same(again.state, state(31.0))


def test_when_all_are_damaged_the_error_says_so(tmp_path: Path):
    with Checkpoints(tmp_path / "c") as checkpoints:
        checkpoints.save(1, state(), {})
    delete_the_arrays(tmp_path / "c" / "1")
    with (
        Checkpoints(tmp_path / "c") as checkpoints,
        pytest.raises(CheckpointError, match=r"no checkpoint in .* can be read: checkpoint 1"),
    ):
        checkpoints.restore(jax.eval_shape(state))


def test_a_half_written_folder_is_ignored(tmp_path: Path):
    with Checkpoints(tmp_path / "c") as checkpoints:
        checkpoints.save(1, state(), {})
    (tmp_path / "c" / "2.orbax-checkpoint-tmp-1" / "state").mkdir(parents=True)
    with Checkpoints(tmp_path / "c") as checkpoints:
        restored = checkpoints.restore(jax.eval_shape(state))
    assert restored is not None
    assert restored.step == 1


def test_another_shape_is_no_match(tmp_path: Path):
    with Checkpoints(tmp_path / "c") as checkpoints:
        checkpoints.save(1, {"w": jnp.ones(3)}, {})
        with pytest.raises(CheckpointError):
            checkpoints.restore({"w": jax.ShapeDtypeStruct((4,), jnp.float32)})


def test_digest_sees_every_difference():
    base = {"a": np.zeros(4, np.float32), "b": np.ones(2, np.int32)}
    others = [
        {"a": np.zeros(4, np.float32), "c": np.ones(2, np.int32)},
        {"a": np.zeros((2, 2), np.float32), "b": np.ones(2, np.int32)},
        {"a": np.zeros(4, np.int32), "b": np.ones(2, np.int32)},
        {"a": -np.zeros(4, np.float32), "b": np.ones(2, np.int32)},
        {"a": np.zeros(4, np.float32), "b": np.array([1, 2], np.int32)},
    ]
    digests = {digest(tree) for tree in [base, *others]}
    assert len(digests) == len(others) + 1
    assert digest(base) == digest({"b": np.ones(2, np.int32), "a": np.zeros(4, np.float32)})
