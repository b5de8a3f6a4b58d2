"""``experiments/benchmarks/train_step.py``: what is typed, what is written, how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import train_step
from side_by_side.process import Task, Worker, WorkerError
from small_steps import SIZES

SCRIPT = Path(train_step.__file__)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "dcgna"], "--only: there is no 'dcgna'; there are dcgan, wgan_gp, resnet"),
        (["--precision", "float16"], "there is no 'float16'; there are float32, bfloat16"),
        (["--implementations", "jaxgan,flax"], "there is no 'flax'; there are jaxgan, linen"),
        (["--rounds", "0"], "--rounds: '0' is not a whole number above 0"),
        (["--seconds", "nan"], "--seconds: 'nan' is not a number of seconds above 0"),
        (["--round", "3"], "unrecognized arguments: --round 3"),
    ],
)
def test_a_bad_flag_is_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as raised:
        train_step.main(arguments)
    assert raised.value.code == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1


def options(*arguments):
    return train_step._options(["--rounds", "2", "--seconds", "0.01", *arguments])


def test_names_come_in_the_order_of_the_table():
    found = options("--only", "mlp_vae, dcgan", "--precision", "bfloat16")
    assert found.only == ["dcgan", "mlp_vae"]
    assert found.precision == ["bfloat16"]
    assert options().only == list(SIZES)


@pytest.mark.slow
def test_a_small_run_without_pytorch(tmp_path):
    chosen = options(
        *("--only", "mlp_vae", "--precision", "float32", "--torch-python", "/nowhere/python"),
        *("--json", str(tmp_path / "rows.json"), "--markdown", str(tmp_path / "table.md")),
    )
    said = []
    groups, notes = train_step.run(chosen, SIZES, said.append)
    assert len(groups) == 1
    assert "no PyTorch in /nowhere/python" in notes[0]
    assert "install the extra `bench`" in notes[0]
    assert any("measuring jaxgan, linen" in line for line in said)

    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["implementation"] for row in rows] == ["jaxgan", "linen"]
    for row in rows:
        assert set(row) == {
            *("step", "precision", "implementation", "ms_per_step", "images_per_s", "peak_mb")
        }
        assert row["ms_per_step"] > 0
        assert row["images_per_s"] == pytest.approx(1000 * 4 / row["ms_per_step"])
        assert row["peak_mb"] is None or 0 < row["peak_mb"] < 2000

    meta = json.loads((tmp_path / "rows.meta.json").read_text())
    assert meta["cores"] >= 1
    assert {"python", "jax", "jaxlib", "flax"} <= meta["versions"]["linen"].keys()
    assert meta["notes"] == notes
    losses = meta["groups"][0]["losses_of_checked_steps"]
    assert losses["jaxgan"][0] == pytest.approx(losses["linen"][0], rel=1e-4)
    assert len(meta["groups"][0]["ms_of_rounds"]["jaxgan"]) == 2
    text = (tmp_path / "table.md").read_text()
    assert "| mlp_vae | float32 | linen |" in text
    assert notes[0] in text
    assert meta["date"] in text


def test_pytorch_alone_without_pytorch_is_an_error(capsys):
    code = train_step.main(["--implementations", "torch_eager", "--torch-python", "/nowhere/py"])
    assert code == 1
    assert capsys.readouterr().err.startswith("error: no PyTorch in /nowhere/py")


@pytest.mark.slow
def test_a_worker_that_dies_says_why(tmp_path):
    task = Task("nothing", "dcgan", "float32", SIZES["dcgan"], tmp_path / "r.npz")
    worker = Worker(task, sys.executable, tmp_path / "log")
    with pytest.raises(WorkerError, match=r"No module named 'side_by_side\.in_nothing'"):
        worker.ask("make")
    worker.close()


@pytest.mark.slow
def test_ctrl_c_ends_the_workers():
    command = [sys.executable, str(SCRIPT), "--only", "dcgan", "--implementations", "jaxgan"]
    root = SCRIPT.parents[2]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    # A shell that starts the tests in the background has them ignore Ctrl-C, which is inherited.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, env=environment, text=True, start_new_session=True
    ) as process:
        signal.signal(signal.SIGINT, before)
        assert "preparing jaxgan" in process.stderr.readline()
        workers = children(process.pid)
        assert len(workers) == 1
        process.send_signal(signal.SIGINT)
        assert "interrupted" in process.stderr.read()
        assert process.wait(timeout=120) == 130
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "a worker is still there"
        time.sleep(0.05)


def children(pid):
    """Processes that another one has started; it may be about to."""
    deadline = time.monotonic() + 60
    found = []
    while not found and time.monotonic() < deadline:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return found
