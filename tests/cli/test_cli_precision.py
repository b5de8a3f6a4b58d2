"""Every command sets the flags of the experiment's precision before it touches a device."""

import os
import sys

import pytest
import tiny

from jaxgan.cli import entry
from jaxgan.cli.options import read_entry
from jaxgan.config import Run
from jaxgan.machine import xla
from jaxgan.measurement import runs
from jaxgan.run import workdir
from jaxgan.run.experiment_file import load_experiment
from jaxgan.study import plan
from jaxgan.study.comparison import Entry, Study
from jaxgan.study.trials import drawn, lines_of
from jaxgan.training import loop

FILE = """
import tiny

experiment = tiny.vae(name="{name}", precision="{precision}")
"""
AMX = "flags : amx_bf16"
DEVICES = "--xla_force_host_platform_device_count=8"
BOTH = "--xla_cpu_use_onednn=true --xla_cpu_experimental_onednn_custom_call=true"


class Devices(Exception):
    """Raised where a command would start to use devices."""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A processor with matrix units, two experiments and a run; nothing is trained or loaded."""

    def stop(*arguments, **settings):
        raise Devices

    monkeypatch.setattr(loop, "train", stop)
    monkeypatch.setattr(runs, "load", stop)
    monkeypatch.setattr(xla, "_cpuinfo", lambda: AMX)
    monkeypatch.setattr(xla, "_has_plugins", lambda: False)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setenv("XLA_FLAGS", DEVICES)
    # Compiled programs stay where the other tests keep theirs.
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for precision in ("float32", "bfloat16"):
        (tmp_path / f"{precision}.py").write_text(FILE.format(name=precision, precision=precision))
        workdir.create(
            tmp_path / f"run-{precision}", tiny.vae(precision=precision), Run(),
            file=None, command="",
        )  # fmt: skip
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "real.json").write_text("{}")
    for name, others in (("float32", ()), ("both", ("bfloat16",))):
        entries = tuple(Entry(f"{one}.py") for one in ("float32", *others))
        study = Study("s", "S", entries, (0,), 160, metrics=("fid",))
        lines = lines_of(study, drawn(study, read_entry), tmp_path / "work")
        plan.write(tmp_path / f"{name}.jsonl", lines)


COMMANDS = {
    "train bfloat16.py": True,
    "train float32.py": False,
    "train float32.py --precision bfloat16": True,
    "train bfloat16.py --precision float32": False,
    "resume run-bfloat16": True,
    "resume run-float32": False,
    "sample run-bfloat16": True,
    "sample run-float32": False,
    "evaluate run-bfloat16": True,
    "evaluate run-float32": False,
    # Flags hold for the whole process: one of several experiments is enough.
    "compare float32.py bfloat16.py --images 100": True,
    "compare float32.py other.py --images 100": False,
    # A line of a plan has those of the whole plan, so that it gives the numbers of all in one.
    "run --plan float32.jsonl --index 0": False,
    "run --plan both.jsonl --index 0": True,
    "run --plan both.jsonl --all": True,
}


def run(command):
    with pytest.raises(Devices):
        entry.main(command.split())
    return os.environ["XLA_FLAGS"]


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_come_before_devices(machine, tmp_path, command):
    (tmp_path / "other.py").write_text(FILE.format(name="other", precision="float32"))
    assert run(command) == (f"{DEVICES} {BOTH}" if COMMANDS[command] else DEVICES)


@pytest.mark.parametrize("own", ["--xla_cpu_use_onednn=false", f"{DEVICES} {BOTH}", "flags.txt"])
def test_flags_of_a_person_are_left_alone(machine, monkeypatch, own):
    monkeypatch.setenv("XLA_FLAGS", own)
    assert run("train bfloat16.py") == own


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_file_that_is_run(machine, monkeypatch, precision):
    monkeypatch.setattr(sys, "argv", ["float32.py", "--precision", precision])
    with pytest.raises(Devices):
        entry.run_experiment(load_experiment("float32.py"), "float32.py")
    assert (BOTH in os.environ["XLA_FLAGS"]) == (precision == "bfloat16")
