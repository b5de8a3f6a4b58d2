"""What a report says of an experiment, as plain text: no model is needed to show it."""

from __future__ import annotations

from typing import NamedTuple

from jaxgan.config import Experiment, describe
from jaxgan.study.agreement import likelihood_of

_WEIGHTS = {
    "ema": "exponential moving average of the generator or autoencoder",
    "raw": "as trained, not averaged",
}


class Subject(NamedTuple):
    """An experiment in words."""

    name: str
    objective: str
    """The loss on one line."""
    family: str
    """GAN, VAE or another."""
    steps: int
    likelihood: str = ""
    """Kind of the model's likelihood; empty for models without."""
    mark: str = ""
    """Stands beside a point of a plot; empty: nothing."""
    data: str = ""
    """The data set and its transforms."""
    weights: str = ""
    """Which weights are measured."""
    selection: str = ""
    """By what the measured state was selected."""


def subject_of(experiment: Experiment) -> Subject:
    """An experiment in words."""
    model = experiment.model
    precision = "" if experiment.precision == "float32" else f", {experiment.precision}"
    return Subject(
        name=experiment.name,
        objective=f"{model.objective()}{precision}",
        family=model.family,
        steps=experiment.steps,
        likelihood=likelihood_of(experiment),
        mark=model.mark(),
        data=describe(experiment.data),
        weights=weights_told(experiment.evaluation.weights),
        selection=selection_told(experiment.early_stopping.metric),
    )


def weights_told(weights: str) -> str:
    """What weights are measured, in words."""
    return _WEIGHTS.get(weights, weights)


def selection_told(metric: str) -> str:
    """How the measured state was selected, in words."""
    if not metric:
        return "none: the state after the last step is measured"
    return f"by {metric} on the validation split; measured on the test split"
