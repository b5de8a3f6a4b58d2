"""A study with a model of a person's own, which is neither a GAN nor a VAE."""

import dataclasses
import json
from pathlib import Path

import pytest
import tiny

from jaxgan.algorithms.base import Sheet
from jaxgan.config import Evaluation, Model
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.study import comparison, runner
from jaxgan.study import rows as rows_module
from jaxgan.study.comparison import Entry, Study, Trained
from jaxgan.study.rows import Outcome
from jaxgan.study.runner import StudyOptions


@dataclasses.dataclass(frozen=True)
class Own(Model):
    """Trains as another model does. Its field ``loss`` is a number, and not a loss of a GAN."""

    family = "own"

    loss: float = 1.0
    """A weight."""
    body: Model = tiny.vae().model
    """What trains."""

    def build(self, experiment, *, axis_name=None):
        algorithm = self.body.build(experiment, axis_name=axis_name)
        generation = algorithm.generation

        def sheets(key):
            return {"own_sheet": Sheet(generation.prior(key, 4), 2)}

        return algorithm._replace(generation=generation._replace(sheets=sheets), density=None)


EXPERIMENTS = {
    "own": tiny.vae(
        name="own", model=Own(loss=0.5), evaluation=Evaluation(samples=20, backbone="pixels")
    ),
    "gan": tiny.gan(name="gan", evaluation=Evaluation(samples=20, backbone="pixels")),
}


@pytest.mark.parametrize(
    ("model", "objective"),
    [
        (Own(), "Own"),
        (Own(loss=0.5), "loss = 0.5"),
    ],
)
def test_its_row_says_what_is_not_as_usual(model, objective):
    experiment = dataclasses.replace(EXPERIMENTS["own"], model=model)
    result = {
        "metrics": {"fid[x]": 1.0, "kl[x]": 2.0, "reconstruction[x]": -3.0},
        "parameters": {"network": 10}, "seconds": {"training": 1.0}, "hardware": {}, "versions": {},
    }  # fmt: skip
    outcome = Outcome(0, Path("absent"), result, None)
    rows = [Trained(Entry("own.py"), experiment, "Mine.", (outcome,))]
    study = Study("s", "S", (), (0,), 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "read_jsonl", lambda path: [])
        made = comparison.report(study, rows, command="c", seconds=1.0)
    (row,) = made.rows
    assert (row.objective, row.family, row.metrics["fid"].mean) == (objective, "own", 1.0)
    # Without a likelihood, there is no rate and distortion.
    assert made.plots == ()


def test_a_loss_of_a_gan_is_shown_as_such_a_field_too():
    @dataclasses.dataclass(frozen=True)
    class Judged(Model):
        loss: Hinge = Hinge()
        weight: float = 1.0

    assert Judged().objective() == "Judged"
    assert Judged(weight=2.0).objective() == "weight = 2.0"


@pytest.mark.slow
def test_it_is_trained_and_compared(tmp_path):
    entries = (Entry("own"), Entry("gan"))
    study = Study("own", "Own and other", entries, (0,), images=64, curve_points=0)
    settings = StudyOptions(workdir=str(tmp_path), parallel="none")
    runner.run(
        study, settings, read=lambda entry: (EXPERIMENTS[entry.file], "Mine."), command="python s"
    )
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    found = {row["name"]: row for row in rows}
    assert (found["own"]["family"], found["own"]["objective"]) == ("own", "loss = 0.5")
    assert found["own"]["failed"] is None
    assert {"fid", "kid", "elbo"} <= found["own"]["metrics"].keys()
    assert "<h3>Own sheet</h3>" in (tmp_path / "index.html").read_text()
    assert found["gan"]["objective"] == "NonSaturating(), 2 critic updates a step"
