"""Runs that are killed and resumed end with the very state of runs that were not."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jaxgan.cli import entry

ROOT = Path(__file__).parents[2]
GAN = """
from jaxgan.algorithms.gan import Gan
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.priors import Normal

experiment = Experiment(
    name="gan",
    model=Gan(
        MlpGenerator(widths=(16,), batch_norm=True),
        MlpDiscriminator(widths=(16,), dropout=0.3),
        prior=Normal(8),
        n_critic=2,
    ),
    data=Data(),
    steps=4000,
    batch_size=16,
    evaluation=Evaluation(samples=50, backbone="pixels"),
)
"""
VAE = """
from jaxgan.algorithms.vae import Vae
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder

experiment = Experiment(
    name="vae",
    model=Vae(MlpEncoder(widths=(16,)), MlpDecoder(widths=(16,)), latent_size=4),
    data=Data(),
    steps=4000,
    batch_size=16,
    evaluation=Evaluation(samples=50, backbone="pixels"),
)
"""
RUN = ["--checkpoint-every", "250", "--images-every", "0", "--no-tensorboard"]

pytestmark = pytest.mark.slow


class Folder:
    """Experiments' files, their environment, and one finished run of each kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in (("gan", GAN), ("vae", VAE)):
            (path / f"{name}.py").write_text(text)
        # Starts skip compilation, as they do for users; the folder is new for each test session.
        self.environment = {
            **os.environ,
            "JAX_COMPILATION_CACHE_DIR": str(path / "programs"),
            "PYTHONPATH": str(ROOT),
            "XLA_FLAGS": "",
        }
        self.digests: dict[tuple[str, ...], str] = {}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "jaxgan", *words],
            cwd=self.path, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def finish(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=300)
        return process.returncode, out + err

    def train_words(self, name: str, run: str, *changes: str) -> list[str]:
        return ["train", f"{name}.py", "--workdir", run, *RUN, *changes]

    def result(self, run: str) -> dict[str, Any]:
        return json.loads((self.path / run / "result.json").read_text())

    def steps(self, run: str) -> list[int]:
        names = [p.name for p in (self.path / run / "checkpoints").glob("*") if p.name.isdigit()]
        return sorted(map(int, names))

    def undisturbed(self, name: str, *changes: str) -> str:
        """The digest of a run that nobody stops; made once."""
        if (name, *changes) not in self.digests:
            run = f"undisturbed-{len(self.digests)}"
            code, said = self.finish(*self.train_words(name, run, *changes))
            assert code == 0, said
            self.digests[(name, *changes)] = self.result(run)["digest"]
        return self.digests[(name, *changes)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("resume"))


def wait_until(condition: Any, process: subprocess.Popen[str], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


def stop(process: subprocess.Popen[str], number: int) -> str:
    """Sends a signal, unless the process was faster, and returns what it said."""
    if process.poll() is None:
        process.send_signal(number)
    out, err = process.communicate(timeout=300)
    return out + err


@pytest.mark.parametrize("name", ["gan", "vae"])
@pytest.mark.parametrize("changes", [(), ("--data.streaming", "always", "--steps", "1000")],
                         ids=["resident", "grain"])  # fmt: skip
def test_killed_at_any_moment(folder: Folder, name: str, changes: tuple[str, ...]):
    seed = random.randrange(10**6)
    print(f"moments from random.Random({seed})")
    moment = random.Random(seed)
    run = f"killed-{name}-{len(changes)}"
    config = folder.path / run / "config.json"

    # Once before there is any checkpoint, and then at moments after one more.
    process = folder.start(*folder.train_words(name, run, *changes))
    wait_until(config.exists, process)
    stop(process, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not folder.steps(run)
    for _ in range(1 if changes else 2):
        before = folder.steps(run)[-1:]
        process = folder.start("resume", run)
        wait_until(lambda known=before: folder.steps(run)[-1:] > known, process)
        time.sleep(moment.uniform(0.0, 0.3))
        stop(process, signal.SIGKILL)
    code, said = folder.finish("resume", run)
    assert code == 0, said
    assert folder.result(run)["digest"] == folder.undisturbed(name, *changes)
    lines = (folder.path / run / "metrics.jsonl").read_text().splitlines()
    *logged, final = [json.loads(line)["step"] for line in lines]
    assert final == logged[-1], "the last line is what was measured at the end"
    assert logged == sorted(set(logged)), "a step was logged twice or out of order"


def asked_to_stop(folder: Folder, run: str, number: int, *words: str) -> str:
    """Starts a command, stops it after a checkpoint; returns the command that goes on."""
    known = folder.steps(run)[-1:]
    process = folder.start(*words)
    wait_until(lambda: len(now := folder.steps(run)) > 1 and now[-1:] > known, process)
    said = stop(process, number)
    assert process.returncode == 128 + number, said
    found = re.search(r"saved at step (\d+) of 4000; go on by `jaxgan (resume \S+)`", said)
    assert found, said
    assert int(found[1]) == folder.steps(run)[-1]
    assert "Traceback" not in said
    return found[2]


@pytest.fixture(scope="module")
def stopped(folder: Folder) -> str:
    """A run that was ended by SIGTERM after two checkpoints or more; to be copied."""
    line = asked_to_stop(folder, "stopped", signal.SIGTERM, *folder.train_words("gan", "stopped"))
    assert line == "resume stopped"
    return "stopped"


def copy(folder: Folder, run: str, name: str) -> str:
    shutil.copytree(folder.path / run, folder.path / name)
    return name


def finishes_as_undisturbed(folder: Folder, run: str) -> str:
    code, said = folder.finish("resume", run)
    assert code == 0, said
    assert folder.result(run)["digest"] == folder.undisturbed("gan")
    return said


def test_asked_to_stop(folder: Folder, stopped: str):
    finishes_as_undisturbed(folder, copy(folder, stopped, "terminated"))


def test_asked_to_stop_again(folder: Folder, stopped: str):
    run = copy(folder, stopped, "interrupted")
    assert asked_to_stop(folder, run, signal.SIGINT, "resume", run) == f"resume {run}"
    finishes_as_undisturbed(folder, run)


def test_a_changed_configuration_is_refused(
    folder: Folder, stopped: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(folder.path)
    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)

    def refused(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            entry.main(words)
        assert ended.value.code == 2
        return "".join(capfd.readouterr())

    run = copy(folder, stopped, "changed")
    said = refused("resume", run, "--batch-size", "32", "--model.prior.size", "7")
    assert "batch_size: 16 -> 32" in said
    assert "model.prior.size: 8 -> 7" in said
    assert "Traceback" not in said
    said = refused(*folder.train_words("gan", run, "--resume", "--seed", "3"))
    assert "seed: 0 -> 3" in said
    said = refused(*folder.train_words("gan", run))
    assert f"jaxgan resume {run}" in said


def test_more_steps_and_killed_on_the_way(folder: Folder):
    run = "extended"
    code, said = folder.finish(*folder.train_words("gan", run, "--steps", "1100"))
    assert code == 0, said
    short = folder.result(run)
    process = folder.start("resume", run, "--steps", "4000")
    wait_until(lambda: folder.steps(run)[-1:] > [1100], process)
    stop(process, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    said = finishes_as_undisturbed(folder, run)
    assert "from step 1100" not in said
    assert json.loads((folder.path / run / "result-1100.json").read_text()) == short
    # Once more is nothing to do.
    code, said = folder.finish("resume", run, "--steps", "4000")
    assert (code, said) == (0, f"{run} is finished; its numbers are in {run}/result.json\n")
    code, said = folder.finish("resume", run, "--steps", "3000")
    assert (code, said) == (
        2,
        f"error: steps = 3000: {run} is a run of 4000 steps, 4000 of which are done, and can only"
        " be given more\n",
    )


def test_a_damaged_newest_checkpoint_gives_way(folder: Folder, stopped: str):
    run = copy(folder, stopped, "damaged")
    older, newest = folder.steps(run)[-2:]
    shutil.rmtree(folder.path / run / "checkpoints" / str(newest) / "state")
    said = finishes_as_undisturbed(folder, run)
    assert f"checkpoint {newest} cannot be read" in said
    assert f"from step {older}" in said
    assert (folder.path / run / "damaged" / str(newest)).is_dir()


def test_early_stopping_is_resumed(folder: Folder):
    changes = ("--data.validation", "200", "--evaluation.every", "100", "--early-stopping.metric",
               "elbo", "--early-stopping.mode", "min",
               "--early-stopping.patience", "15")  # fmt: skip
    # The ELBO rises while we ask for less of it, so the run ends 15 evaluations after its first.
    digest = folder.undisturbed("vae", *changes)
    run = "early"
    process = folder.start(*folder.train_words("vae", run, *changes))
    wait_until(lambda: folder.steps(run)[-1:] >= [500], process)
    stop(process, signal.SIGTERM)
    code, said = folder.finish("resume", run)
    assert code == 0, said
    assert "stopped early at step" in said
    result = folder.result(run)
    assert result["stopped_early"]
    assert result["steps"] < 4000
    assert result["digest"] == digest
