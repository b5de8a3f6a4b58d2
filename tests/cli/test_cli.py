"""The command line: what it prints for whom, and with which exit code."""

import json
import re
import shutil
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest
import tiny
from disk import largest_file
from mistakes import CANNOT_WORK, MISTAKES
from PIL import Image

from jaxgan import cli, load
from jaxgan.cli import entry, usage
from jaxgan.config import Run
from jaxgan.measurement import runs
from jaxgan.run import workdir
from jaxgan.training import loop

TRAIN = "train tiny_vae.py --parallel none --no-tensorboard --workdir"

STUDY = """
from pathlib import Path
from jaxgan.study.comparison import Entry, Study

study = Study("s", "S", (Entry(str(Path(__file__).parent / "tiny_vae.py")),), seeds=(0,))
"""

UNIFORM = """
import dataclasses
import tiny
from jaxgan.objectives.priors import Uniform

experiment = tiny.gan()
experiment = dataclasses.replace(
    experiment, model=dataclasses.replace(experiment.model, prior=Uniform(8))
)
"""

FLAT = """
import dataclasses
import flax.linen as nn
import tiny

class Flat(nn.Module):
    @nn.compact
    def __call__(self, latents, *, image_shape, train, axis_name=None):
        return nn.Dense(64)(latents)

experiment = tiny.gan()
experiment = dataclasses.replace(
    experiment, model=dataclasses.replace(experiment.model, generator=Flat())
)
"""


def write_idx(folder, missing=0):
    """Four IDX files of twenty images; the first lacks its last bytes."""
    folder.mkdir()
    for name, shape in (
        ("train-images-idx3", (20, 28, 28)),
        ("train-labels-idx1", (20,)),
        ("t10k-images-idx3", (20, 28, 28)),
        ("t10k-labels-idx1", (20,)),
    ):
        header = struct.pack(f">{1 + len(shape)}I", 0x800 + len(shape), *shape)
        data = header + bytes(int(np.prod(shape)))
        (folder / f"{name}-ubyte").write_bytes(data[: len(data) - missing])
        missing = 0


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with experiments, good and bad, and a finished run."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "tiny_vae.py").write_text(
        '"""A tiny VAE."""\nimport tiny\nexperiment = tiny.vae(steps=20)\n'
    )
    (folder / "study.py").write_text(STUDY)
    (folder / "uniform.py").write_text(UNIFORM)
    (folder / "flat.py").write_text(FLAT)
    (folder / "again.py").write_text("import tiny\nexperiment = tiny.vae(steps=20)\n")
    (folder / "quits.py").write_text("import sys\n\nsys.exit(0)\n")
    (folder / "empty.py").write_text("x = 1\n")
    (folder / "syntax.py").write_text("x = (\n")
    write_idx(folder / "cut", missing=100)
    (folder / "notes").mkdir()
    (folder / "notes" / "todo.txt").write_text("")
    workdir.create(folder / "fresh", tiny.vae(), Run(), file=None, command="")
    run = Run(
        workdir=str(folder / "done"), checkpoint_every=10, parallel="none", quiet=True,
        tensorboard=False, log_every=5,
    )  # fmt: skip
    loop.train(tiny.vae(steps=20), run)
    return folder


@pytest.fixture(autouse=True)
def contained(monkeypatch):
    """Keeps commands from changing what outlasts a test."""
    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)
    # The user's folder of compiled programs is none of the tests' business.
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "unused")


@pytest.fixture
def jaxgan(place, monkeypatch, capfd):
    """Runs a command line; returns the exit code, standard output and standard error."""
    monkeypatch.chdir(place)

    def run(line):
        code = 0
        try:
            cli.main(line.split())
        except SystemExit as stopped:
            code = stopped.code
        seen = capfd.readouterr()
        return code, seen.out, seen.err

    return run


@pytest.mark.parametrize(("line", "message", "code"), MISTAKES)
def test_a_mistake_gets_one_clear_line(place, jaxgan, line, message, code):
    found, out, err = jaxgan(line)
    assert err == f"error: {message.replace('PLACE', str(place))}\n"
    assert found == code
    assert "Traceback" not in out


def test_refused_commands_leave_nothing_behind(place, jaxgan):
    before = sorted(place.iterdir())
    for line in CANNOT_WORK:
        if re.match(r"train (tiny_vae|uniform|flat)\.py", line) and "--workdir" not in line:
            jaxgan(f"{line} --workdir left")
    assert sorted(place.iterdir()) == before


def test_flags_that_messages_name_are_there(jaxgan):
    commands = (
        *("train tiny_vae.py", "resume done", "sample", "evaluate", "compare", "plan", "run"),
    )
    there = "".join(jaxgan(f"{command} --help")[1] for command in commands)
    there += jaxgan("train tiny_vae.py --help-all")[1]
    for line, message, _ in MISTAKES:
        for flag in re.findall(r"--[a-z][\w.-]*\w", message):
            # What was typed may be just what is not there.
            assert flag in line.split() or re.search(rf"{re.escape(flag)}\b", there), (line, flag)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--help", r"usage: jaxgan COMMAND \.\.\.\n(.*\n)*  compare FILES"),
        ("-h", r"usage: jaxgan COMMAND"),
        ("--version", r"jaxgan \d+\.\d+\.\d+\n$"),
        ("train --help", r"usage: jaxgan train FILE \[OPTIONS\]"),
        ("resume --help", r"usage: jaxgan resume RUN \[OPTIONS\]"),
        ("train tiny_vae.py --help", r"usage: jaxgan train tiny_vae.py (.*\n)*.*latent-size"),
        ("resume done --help", r"usage: jaxgan resume done (.*\n)*.*log-every 5 "),
        ("train tiny_vae.py --help-all", r"parts by name(.*\n)*usage: jaxgan train tiny_vae.py "),
        ("sample --help", r"usage: jaxgan sample (.*\n)*.*--seed INT"),
        ("evaluate --help", r"usage: jaxgan evaluate "),
        ("snapshot --help", r"usage: jaxgan snapshot (.*\n)*.*--dtype "),
        ("compare --help", r"usage: jaxgan compare (.*\n)*.*--seeds"),
        ("plan --help", r"usage: jaxgan plan (.*\n)*.*--seeds"),
        ("run --help", r"usage: jaxgan run (.*\n)*.*--missing(.*\n)*.*sbatch --array"),
    ],
)  # fmt: skip
def test_help(jaxgan, line, expected):
    code, out, err = jaxgan(line)
    assert (code, err) == (0, "")
    assert re.match(expected, out), out


def test_an_experiment_is_a_script_with_the_same_options(place, jaxgan, monkeypatch, capfd):
    def script(line):
        monkeypatch.setattr("sys.argv", ["tiny_vae.py", *line.split()])
        with pytest.raises(SystemExit) as stopped:
            entry.run_experiment(tiny.vae(steps=20), str(place / "tiny_vae.py"))
        return stopped.value.code, capfd.readouterr()

    code, seen = script("--help")
    assert code == 0
    assert seen.out.startswith("usage: python tiny_vae.py [OPTIONS]")
    code, seen = script("--resume --workdir done --model.latent-size 7")
    assert code == 2
    assert "\n  model.latent_size: 4 -> 7\nLeave these as they were" in seen.err


def test_help_waits_for_nothing():
    """It is there in a tenth of a second, where importing JAX takes one."""
    code = (
        "import atexit, sys; from jaxgan.cli import main;"
        "atexit.register(lambda: print(*sys.modules)); main(['--help'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    *help_, modules = done.stdout.splitlines()
    assert "\n".join(help_) + "\n" == usage.USAGE
    assert "jaxgan.cli.usage" in modules.split()
    assert not {"jax", "numpy", "tyro", "jaxgan.config", "jaxgan.cli.entry"} & set(modules.split())


def test_no_command_is_a_mistake_that_shows_the_commands(jaxgan):
    code, out, _ = jaxgan("")
    assert code == 2
    assert out == usage.USAGE


def test_train_sample_evaluate_resume(place, jaxgan):
    code, out, err = jaxgan(f"{TRAIN} trip --log-every 5 --seed 3")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "results, pictures and checkpoints are in trip"
    result = json.loads((place / "trip" / "result.json").read_text())
    assert (result["seed"], result["steps"], result["images_seen"]) == (3, 20, 320)
    document = json.loads((place / "trip" / "config.json").read_text())
    assert document["file"] == str((place / "tiny_vae.py").resolve())
    assert document["run"]["log_every"] == 5
    lines = (place / "trip" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [5, 10, 15, 20, 20]
    for name in ("samples", "interpolation", "neighbors", "reconstructions"):
        assert Image.open(place / "trip" / "pictures" / f"{name}.png").size[0] > 100
    assert not (place / "trip" / "tensorboard").exists()

    code, out, err = jaxgan("sample trip --count 12 --seed 4 --out some.npz")
    assert (code, out, err) == (0, "12 samples of step 20 are in some.npz\n", "")
    images = np.load(place / "some.npz")["images"]
    np.testing.assert_array_equal(images, load(place / "trip").sample(12, seed=4))

    code, out, err = jaxgan("evaluate trip --json")
    assert (code, err) == (0, "fid, kid: 100 samples\n")
    document = json.loads(out)
    estimates = document.pop("estimates")
    same = {key: result[key] for key in ("metrics", "intervals", "protocols", "warnings")}
    assert document == {"name": "tiny", "step": 20, **same}
    assert estimates.keys() == result["metrics"].keys()

    code, out, err = jaxgan("resume trip")
    assert (code, err) == (0, "")
    assert out == "trip is finished; its numbers are in trip/result.json\n"


def halfway(place, name):
    """The finished run as it was between its first checkpoint and its second; and its result."""
    run = shutil.copytree(place / "done", place / name)
    result = json.loads((run / "result.json").read_text())
    (run / "result.json").unlink()
    shutil.rmtree(run / "checkpoints" / "20")
    return run, result


def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays(place, jaxgan):
    run, result = halfway(place, "full")
    with largest_file(4096):
        code, out, err = jaxgan("resume full")
    assert code == 1
    assert err == (
        f"error: cannot save a checkpoint to {run}/checkpoints: File too large (on disk: 10)\n"
    )
    assert "Traceback" not in out
    assert runs.load(run).step == 10
    code, _, err = jaxgan("resume full")
    assert (code, err) == (0, "")
    assert json.loads((run / "result.json").read_text())["digest"] == result["digest"]
    # What had been logged after the checkpoint is not there twice.
    log = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert log == [5, 10, 15, 20, 20]  # and what was measured at the end


def test_a_full_log_is_one_line(place, jaxgan):
    run, result = halfway(place, "full-log")
    size = (run / "metrics.jsonl").stat().st_size
    with largest_file(size // 2 + 10):  # what was logged after the checkpoint is dropped first
        code, _, err = jaxgan("resume full-log")
    assert code == 1
    assert err == "error: cannot write full-log/metrics.jsonl: File too large\n"
    assert jaxgan("resume full-log")[0] == 0
    assert json.loads((run / "result.json").read_text())["digest"] == result["digest"]


def test_when_no_checkpoint_can_be_read(place, jaxgan):
    run, _ = halfway(place, "damaged")
    for file in (run / "checkpoints" / "10").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:10])
    code, _, err = jaxgan("sample damaged")
    assert code == 1
    assert re.fullmatch(
        r"error: no checkpoint in damaged/checkpoints can be read: checkpoint 10 cannot be"
        r" read \(.*\)\n",
        err,
    ), err


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (loop.Interrupted("SIGTERM: saved", signal.SIGTERM), "SIGTERM: saved\n", 143),
        (loop.Interrupted("SIGINT: saved", signal.SIGINT), "SIGINT: saved\n", 130),
        (
            KeyboardInterrupt(),
            "interrupted; a run that was training keeps its last checkpoint\n",
            130,
        ),
        (OSError(28, "No space left on device", "/x"), "error: No space left on device (/x)\n", 1),
        (OSError("odd"), "error: odd\n", 1),
    ],
)
def test_what_ends_a_command(capsys, error, message, code):
    def body():
        raise error

    with pytest.raises(SystemExit) as stopped:
        entry.guarded(body)
    assert stopped.value.code == code
    assert capsys.readouterr().err == message


def test_an_error_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        entry.guarded(lambda: print(1 // 0))
