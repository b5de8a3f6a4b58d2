"""Runs that are healthy raise no alarm, and runs that have collapsed the one that they should."""

import dataclasses
import json

import pytest

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import report
from jaxgan.config import Evaluation, Experiment, Run
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.losses import Minimax, Wasserstein
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam
from jaxgan.run.logs import read_jsonl
from jaxgan.training import loop
from jaxgan.training.alarms import SPREAD

pytestmark = pytest.mark.slow

SLOW, USUAL, FAST = Adam(1e-5, b1=0.5), Adam(2e-4, b1=0.5), Adam(5e-3, b1=0.5)
HEALTHY = Gan(
    MlpGenerator((64,)),
    MlpDiscriminator((64,)),
    generator_optimizer=USUAL,
    discriminator_optimizer=USUAL,
    prior=Normal(16),
    diagnostics=True,
)
COLLAPSED = {
    # A generator that outruns its discriminator ends in one image.
    "no_variety": {"generator_optimizer": Adam(2e-2), "discriminator_optimizer": SLOW},
    "discriminator_won": {
        "loss": Minimax(), "generator_optimizer": SLOW, "discriminator_optimizer": FAST,
    },
    # A critic that nothing keeps Lipschitz.
    "logits_exploded": {"loss": Wasserstein(), "discriminator_optimizer": Adam(5e-2, b1=0.5)},
}  # fmt: skip


def trained(folder, name, model, capsys):
    """The result of a run, and what it printed."""
    experiment = Experiment(
        name=name, model=model, data=Data(), steps=650, batch_size=32,
        evaluation=Evaluation(samples=100, metrics=("kid",)),
    )  # fmt: skip
    run = Run(workdir=str(folder), log_every=50, images_every=0, checkpoint_every=650)
    result = loop.train(experiment, dataclasses.replace(run, tensorboard=False))
    assert json.loads((folder / "result.json").read_text())["alarms"] == result["alarms"]
    spread = [one["diagnostics/spread"] for one in read_jsonl(folder / "metrics.jsonl")[:13]]
    return result, spread, capsys.readouterr().out


def test_a_healthy_run_raises_none(tmp_path, capsys):
    result, spread, printed = trained(tmp_path / "run", "healthy", HEALTHY, capsys)
    assert result["alarms"] == []
    assert "alarm" not in printed
    assert min(spread) > 5 * SPREAD


@pytest.mark.parametrize("name", COLLAPSED)
def test_a_run_that_has_collapsed_says_so(name, tmp_path, capsys, monkeypatch):
    model = dataclasses.replace(HEALTHY, **COLLAPSED[name])
    result, spread, printed = trained(tmp_path / "run", "collapsed", model, capsys)
    (alarm,) = result["alarms"]
    assert alarm["name"] == name
    assert alarm["since"] <= 150
    assert alarm["raised"] == alarm["since"] + 500
    assert printed.count(f"alarm, since step {alarm['since']}: {alarm['text']}") == 1
    assert (max(spread[4:]) < SPREAD / 2) == (name == "no_variety")
    # The report of the run says so as well.
    monkeypatch.chdir(tmp_path)
    report.report(["run", "--out", "page"])
    page = (tmp_path / "page" / "index.html").read_text()
    assert f"Alarm: collapsed, seed 0, since step {alarm['since']}: " in page
