"""The scaling benchmark: fair turns, true rows, and one clear line for what cannot work."""

import json
import sys
from pathlib import Path

import pytest
import tiny

FOLDER = Path(__file__).parents[2] / "experiments" / "benchmarks"


@pytest.fixture(scope="module")
def modules():
    """The benchmark's modules, imported as the script imports them."""
    sys.path.insert(0, str(FOLDER))
    try:
        import scaling
        import scaling_devices
        import scaling_loop
        import scaling_members
        import scaling_memory
        import scaling_report
        import scaling_seeds
        import scaling_startup
    finally:
        sys.path.remove(str(FOLDER))
    return {
        "main": scaling, "devices": scaling_devices, "loop": scaling_loop,
        "report": scaling_report, "seeds": scaling_seeds, "startup": scaling_startup,
        "memory": scaling_memory, "members": scaling_members,
    }  # fmt: skip


def test_turns_alternate_and_the_first_is_not_counted(modules):
    order, times = [], {"a": iter([9.0, 1.0, 5.0, 2.0]), "b": iter([9.0, 4.0, 3.0, 8.0])}

    def turn(name):
        order.append(name)
        return next(times[name])

    found = modules["report"].alternate({n: lambda n=n: turn(n) for n in ("a", "b")}, 3)
    assert found == {"a": 2.0, "b": 4.0}
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"


def test_tables_are_markdown(modules):
    rows = [
        {"measure": "x", "experiment": "dcgan", "ms_per_step": 1.2345, "images_per_s": 51845.0},
        {"measure": "x", "experiment": "vae", "ms_per_step": 12.0, "images_per_s": 9.5},
    ]
    assert modules["report"].table(rows).splitlines() == [
        "| experiment | ms per step | images per s |",
        "| ---------- | ----------: | -----------: |",
        "| dcgan      |        1.23 |       51,845 |",
        "| vae        |          12 |          9.5 |",
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--only", "loop,speed"],
            "--only speed: no such measure; there are loop, batch, width, seeds, members, devices,"
            " startup, memory",
        ),
        (["--rounds", "0"], "--rounds 0: must be at least 1"),
        (["--json", "/nowhere/x.json"], "/nowhere/x.json: there is no folder /nowhere"),
    ],
)
def test_what_cannot_work_is_one_line(modules, capsys, words, line):
    with pytest.raises(SystemExit) as stopped:
        modules["main"].main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr() == ("", f"error: {line}\n")


def test_rows_and_tables_are_written(modules, tmp_path, monkeypatch, capsys):
    def measured(name):
        return lambda rounds: [{"measure": name, "rounds": rounds, "seconds": 0.5}]

    monkeypatch.setattr(
        modules["main"], "MEASURES", {name: measured(name) for name in ("loop", "seeds", "batch")}
    )
    json_file, markdown = tmp_path / "rows.json", tmp_path / "tables.md"
    modules["main"].main(
        ["--only", "batch, loop", "--rounds", "2", "--json", str(json_file),
         "--markdown", str(markdown)]
    )  # fmt: skip
    rows = json.loads(json_file.read_text())
    assert [row["measure"] for row in rows] == ["loop", "batch"]
    for row in rows:
        assert (row["rounds"], row["seconds"]) == (2, 0.5)
        assert row["cores"] >= 1
        assert {"processor", "device", "python", "jax", "jaxlib"} <= row.keys()
        assert not any(isinstance(value, dict | list) for value in row.values())
    for text in (markdown.read_text(), capsys.readouterr().out):
        assert text.index("## loop") < text.index("## batch")
        assert f"jax {rows[0]['jax']}" in text.splitlines()[0]


@pytest.mark.slow
def test_the_loop_is_measured_against_the_bare_step(modules):
    (row,) = modules["loop"].loop(1, ("vae",), steps=60)
    assert (row["measure"], row["experiment"], row["steps"]) == ("loop", "vae", 60)
    assert row["ratio"] == pytest.approx(row["loop_ms_per_step"] / row["bare_ms_per_step"])
    assert 0 < row["bare_ms_per_step"] < 1000


@pytest.mark.slow
def test_networks_get_the_size_asked_for(modules):
    setting = modules["loop"].dcgan_32(width=16, batch_size=32)
    assert (setting.model.generator.width, setting.model.discriminator.width) == (16, 16)
    assert (setting.batch_size, setting.data.image_shape) == (32, (32, 32, 1))
    rows = modules["loop"].batch(1, sizes=(2, 4), image_size=8)
    assert [row["batch_size"] for row in rows] == [2, 4]
    for row in rows:
        assert row["images_per_s"] == pytest.approx(row["batch_size"] * 1e3 / row["ms_per_step"])


@pytest.mark.slow
def test_members_with_rates_of_their_own(modules, monkeypatch):
    rates = {"tiny": tiny.gan()}
    monkeypatch.setattr(modules["members"], "experiment", rates.__getitem__)
    monkeypatch.setattr(modules["members"], "enough", lambda stepper, seconds: 10)
    rows = modules["members"].members(1, "tiny", counts=(1, 2))
    assert [row["members"] for row in rows] == [1, 2]
    for row in rows:
        ratio = row["one_by_one_ms_per_step"] / row["together_ms_per_step"]
        assert row["throughput_ratio"] == pytest.approx(ratio)


@pytest.mark.slow
def test_seeds_together_and_one_by_one(modules, monkeypatch):
    # Any experiment does: what is looked at is how the rows come about.
    monkeypatch.setattr(modules["seeds"], "experiment", {"tiny": tiny.gan()}.__getitem__)
    rows = modules["seeds"].seeds(1, ("tiny",), counts=(1, 2))
    assert [(row["experiment"], row["seeds"]) for row in rows] == [("tiny", 1), ("tiny", 2)]
    for row in rows:
        assert row["throughput_ratio"] == pytest.approx(
            row["one_by_one_ms_per_step"] / row["together_ms_per_step"]
        )


@pytest.mark.slow
def test_devices_are_counted_in_their_own_process(modules):
    # Tests run with eight virtual devices, which the flag of the other process must overrule.
    (row,) = modules["devices"].devices(1, ("vae",), counts=(2,))
    assert (row["devices"], row["mode"], row["batch_size"]) == (2, "pmap", 64)
    assert row["ratio_to_first"] == 1.0


def test_a_run_that_cannot_start_says_why(modules, tmp_path):
    with pytest.raises(modules["startup"].StartError, match=r"no_such ended before its first step"):
        modules["startup"].first_step("no_such", tmp_path, "run")


def test_starts_are_medians_without_the_first_turn(modules, monkeypatch):
    times = {"cold": iter([90.0, 4.0, 8.0, 5.0]), "warm": iter([0.5, 2.0, 3.0, 1.0])}
    folders = []

    def scripted(name, folder, start):
        folders.append((name, start, folder))
        assert folder.is_dir()
        return next(times[start])

    monkeypatch.setattr(modules["startup"], "first_step", scripted)
    cold, warm = modules["startup"].startup(3, "vae")
    assert (cold["start"], cold["seconds_to_first_step"], cold["ratio_to_cold"]) == ("cold", 5.0, 1)
    assert (warm["start"], warm["seconds_to_first_step"], warm["ratio_to_cold"]) == (
        "warm", 2.0, pytest.approx(0.4),
    )  # fmt: skip
    assert [(name, start) for name, start, _ in folders] == [("vae", "cold"), ("vae", "warm")] * 4
    # Each turn has a folder of its own, which its two starts share.
    assert len({folder for *_, folder in folders}) == 4
    assert all(a[2] == b[2] for a, b in zip(folders[::2], folders[1::2], strict=True))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_is_told_apart(modules, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")  # compiles sooner
    rows = modules["memory"].memory(1, kept=(False,), steps=2)
    starts = [(row["start"], row["freed_memory_kept"]) for row in rows]
    assert starts == [("cold", "False"), ("warm", "False")]
    for row in rows:
        # 1,728,194 parameters with two moments each, the generator's average, and the digits.
        assert 20 < row["of_which_arrays_mb"] < row["before_steps_mb"] < row["peak_of_steps_mb"]
    cold, warm = rows
    assert warm["before_steps_mb"] < cold["before_steps_mb"]


@pytest.mark.slow
def test_a_second_start_is_faster(modules, tmp_path):
    cold, warm = (modules["startup"].first_step("vae", tmp_path, run) for run in ("cold", "warm"))
    assert 0 < warm < cold
