"""The command that compiles for TPUs that are not here; with libtpu it is run as it stands."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import compile_for
import jax
import pytest
import tiny
from compiled import measure, programs
from compiled.topology import of_devices
from two_phases import TwoPhases

from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "experiments" / "benchmarks" / "compile_for.py"
LIBTPU = pytest.mark.skipif(
    importlib.util.find_spec("libtpu") is None,
    reason="needs libtpu: the extra `tpu-check`, on a Python and a system that it is made for",
)


@pytest.fixture
def here(monkeypatch):
    """One device of this machine in place of a topology."""
    monkeypatch.setattr(compile_for, "chips", lambda name: of_devices(name, jax.devices()[:1]))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.py"
    path.write_text("import tiny\n\nexperiment = tiny.gan()\n")
    return str(path)


def test_programs_are_compiled_and_told(here, file, tmp_path, capsys):
    out, table = tmp_path / "rows.json", tmp_path / "table.md"
    words = ["--topology", "one", "--json", str(out), "--markdown", str(table)]
    assert compile_for.main([*words, file, "--batch-size", "8"]) == 0
    rows = json.loads(out.read_text())
    assert [row["program"] for row in rows] == ["step", "sampler", "features"]
    for row in rows:
        assert (row["experiment"], row["topology"], row["chips"]) == ("small", "one", 1)
        assert row["compile_s"] > 0
        assert row["main_mb"] == row["all_mb"] > 0
        assert (row["padding"], row["collectives"], row["host_calls"]) == (0, "", "")
        assert {"jax", "processor"} <= row.keys()
        assert not any(isinstance(value, dict | list) for value in row.values())
    # A generator of 8 x 16 x 64 units and its average, a discriminator of 64 x 16 x 1: read and
    # written in float32; then images of 64 bytes and some numbers.
    units = 2 * (8 * 16 + 16 + 16 * 64 + 64) + (64 * 16 + 16 + 16 + 1)
    state, batch = 2 * 4 * units / 1e6, 2 * 8 * 64 / 1e6
    assert state + batch < rows[0]["least_main_mb"] < state + batch + 0.001
    assert rows[0]["least_all_mb"] > rows[0]["least_main_mb"]
    assert rows[0]["all_ratio"] == pytest.approx(rows[0]["all_mb"] / rows[0]["least_all_mb"])
    assert "least_all_mb" not in rows[1]
    for text in (table.read_text(), capsys.readouterr().out):
        assert text.count("| small") == 3
        assert f"jax {rows[0]['jax']}" in text.splitlines()[0]


def test_a_batch_is_what_one_chip_gets():
    experiment = tiny.gan(batch_size=12)
    for count in (1, 4):
        chips = of_devices("some", jax.devices()[:count])
        assert programs.on(chips, experiment).batch_size == 12 * count
        assert chips.plan.mode == ("none" if count == 1 else "shard_map")


def test_every_phase_has_a_step():
    experiment = Experiment(name="two", model=TwoPhases(), data=Data(), steps=12, batch_size=8)
    chips = of_devices("one", jax.devices()[:1])
    assert [*programs.lowered(experiment, chips, ("step",))] == ["step 1", "step 2"]
    assert [*programs.floors(experiment)] == ["step 1", "step 2"]


ROW = {"experiment": "a", "program": "step", "topology": "v5e:1x1", "temporaries_mb": 300.0}


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        ({"host_calls": ""}, []),
        ({"host_calls": "", "temporaries_mb": 1024.0}, []),
        (
            {"host_calls": "", "temporaries_mb": 1500.0},
            ["a, step, v5e:1x1: 1500 MB of temporaries, where 1024 are allowed"],
        ),
        ({"host_calls": "outfeed"}, ["a, step, v5e:1x1: it waits for the host (outfeed)"]),
        ({"error": "no memory"}, ["a, step, v5e:1x1: not compiled: no memory"]),
    ],
)
def test_what_is_wrong_with_a_program_is_a_line(row, lines):
    assert measure.complaints({**ROW, **row}) == lines


def test_what_is_wrong_is_the_exit_status(here, file, capsys):
    words = ["--topology", "one", "--programs", "sampler", "--temporaries", "-1", file]
    assert compile_for.main(words) == 1
    assert (
        "error: small, sampler, one: 0 MB of temporaries, where -1 are" in capsys.readouterr().err
    )


def test_an_experiment_that_cannot_work_is_told_and_the_others_go_on(here, monkeypatch, capsys):
    wanted = [("bad", tiny.gan(data=Data(image_size=4))), ("good", tiny.vae())]
    monkeypatch.setattr(compile_for, "shipped", lambda: iter(wanted))
    monkeypatch.setattr(compile_for.jax, "clear_caches", lambda: None)
    words = ["--topology", "one", "--programs", "features", "--all"]
    assert compile_for.main(words) == 1
    said = capsys.readouterr()
    assert "bad, features, one: not compiled: " in said.err
    assert "| good " in said.out


def test_shipped_experiments_are_found():
    found = dict(compile_for.shipped())
    assert {"dcgan", "vae", "stylegan2"} <= found.keys()
    assert "compare_digits" not in found
    assert all(name == experiment.name for name, experiment in found.items())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "name an experiment such as dcgan; or --all"),
        (
            ["--batch-size", "8", "dcgan"],
            "name an experiment such as dcgan, before its flag --batch-size; or --all",
        ),
        (["dcgan", "--all"], "'dcgan' does not go together with --all"),
        (["--programs", "step,loop", "vae"],
         "--programs loop: no such program; there are step, sampler, features"),
        (["dcgann"], "dcgann is no Python file: name an experiment such as dcgan.py"),
        (["vae", "--bach-size", "8"],
         "there is no option --bach-size, did you mean --batch-size? --help-all lists all"),
        (["--json", "/nowhere/x.json", "vae"], "/nowhere/x.json: there is no folder /nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_one_line(here, words, line, capsys):
    with pytest.raises(SystemExit) as stopped:
        compile_for.main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr() == ("", f"error: {line}\n")


def test_without_libtpu_it_says_what_to_install(monkeypatch, capsys):
    from compiled import topology

    def missing(**_):
        raise RuntimeError("JAX TPU support not installed; cannot generate TPU topology.")

    monkeypatch.setattr(topology.topologies, "get_topology_desc", missing)
    with pytest.raises(SystemExit):
        compile_for.main(["--topology", "v5e:2x2", "vae"])
    line = "--topology v5e:2x2: it needs the package libtpu: install the extra `tpu-check`"
    assert capsys.readouterr().err == f"error: {line}\n"


def run(*words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("XLA_FLAGS", "JAX_PLATFORMS"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False
    )


@LIBTPU
@pytest.mark.slow
def test_topologies_that_there_are_not_are_one_line():
    done = run(str(SCRIPT), "--topology", "v5e:3x3", "vae")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: --topology v5e:3x3: INVALID_ARGUMENT:")


@LIBTPU
@pytest.mark.slow
def test_padding_is_that_of_the_compiler():
    """What the text says of parameters is what XLA keeps for them, to the byte."""
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        "from compiled import hlo, topology\n"
        "import jax\n"
        "topology.settle()\n"
        "chips = topology.chips('v5e:1x1')\n"
        "shapes = [(3, 64), (64, 5), (7,), (), (2, 9, 9, 130)]\n"
        "given = chips.whole([jax.ShapeDtypeStruct(s, t) for s in shapes for t in ('float32',"
        " 'bfloat16')])\n"
        "f = jax.jit(lambda *xs: [x + 1 for x in xs])\n"
        "done = f.lower(*given).compile()\n"
        "module = hlo.read(done.as_text())\n"
        "found = [b for i in module.computations[module.entry] if i.opcode == 'parameter'"
        " for b in i.buffers]\n"
        "print(len(found), sum(b.padded for b in found), sum(b.bytes for b in found))\n"
        "print(done.memory_analysis().argument_size_in_bytes)\n"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr[-2000:]
    (count, padded, plain), (kept,) = (
        [int(word) for word in line.split()] for line in done.stdout.splitlines()[-2:]
    )
    assert (count, padded) == (10, kept)
    assert padded > 2 * plain > 0


@LIBTPU
@pytest.mark.slow
def test_small_experiments_compile_for_1_4_and_256_chips(tmp_path):
    out = tmp_path / "rows.json"
    done = run(str(SCRIPT), "--json", str(out), "gan_mlp")
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads(out.read_text())
    assert [row["chips"] for row in rows] == [1] * 3 + [4] * 3 + [256] * 3
    steps = [row for row in rows if row["program"] == "step"]
    for row in steps:
        assert row["least_main_mb"] <= row["main_mb"] < 2 * row["least_main_mb"]
        assert ("all-reduce" in row["collectives"]) == (row["chips"] > 1)
    # Every chip does the same work, however many there are.
    assert steps[1]["gflop"] == pytest.approx(steps[0]["gflop"], rel=0.05)
    assert steps[2]["gflop"] == pytest.approx(steps[1]["gflop"], rel=0.01)
