"""What is due on the way of a training, and after how many steps."""

from __future__ import annotations

from typing import NamedTuple

from jaxgan.config import Experiment, Run
from jaxgan.intervals import in_steps


class Periods(NamedTuple):
    """Steps from one to the next; 0: never.

    Attributes:
        log: lines of ``metrics.jsonl``.
        images: pictures of samples.
        checkpoint: checkpoints.
        measure: measurements.
    """

    log: int
    images: int
    checkpoint: int
    measure: int


def periods_of(experiment: Experiment, run: Run) -> Periods:
    """The periods of a run, whose settings may be in thousands of images.

    Args:
        experiment: its measurements and images a step apply.
        run: the rest.
    """
    wanted = (run.log_every, run.images_every, run.checkpoint_every, experiment.evaluation.every)
    return Periods(*(in_steps(one, experiment.images_per_step) for one in wanted))
