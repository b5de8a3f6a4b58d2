"""Where a run begins: at its first step, or at its newest checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxgan.algorithms.state import State
from jaxgan.config import EarlyStopping, Experiment
from jaxgan.program import Program, example_batch
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.config_json import to_json
from jaxgan.run.restore import CheckpointError
from jaxgan.run.weights import Weights
from jaxgan.training import initial


class Position(NamedTuple):
    """Where a run is: all that the loop carries from step to step, besides the arrays.

    Attributes:
        step: steps done.
        seconds: time spent in the loop, over all starts.
        best: best validation value so far; None before the first.
        bad: evaluations since it was seen.
        best_step: step at which it was seen; the state that is reported.
        stopped: whether early stopping has ended the run.
        data: position of the data stream.
    """

    step: int = 0
    seconds: float = 0.0
    best: float | None = None
    bad: int = 0
    stopped: bool = False
    data: Any = None
    best_step: int = 0

    def judged(self, value: float, stopping: EarlyStopping) -> Position:
        """After one more validation value."""
        if stopping.improves(value, self.best):
            return self._replace(best=value, bad=0, best_step=self.step)
        return self._replace(bad=self.bad + 1, stopped=self.bad + 1 >= stopping.patience)

    def why(self, metric: str) -> str:
        """Why a run has stopped early, in words."""
        if self.best is None:
            return f"{metric} was NaN or infinite in all {self.bad} evaluations"
        count = f"in the last {self.bad} evaluations"
        return f"{metric} was {self.best:.6g} at best, and no better {count}"


def start(
    experiment: Experiment,
    program: Program,
    checkpoints: Checkpoints,
    folder: Path,
    weights: Weights | None,
) -> tuple[State, Position, tuple[str, ...]]:
    """The state to start from, newly made or restored, on all devices.

    Args:
        experiment: to be trained.
        program: of the experiment.
        checkpoints: of the run.
        folder: of the run, which says where its first weights are from.
        weights: those, where they have been read already.

    Returns:
        The state, where it is in the run, and what people are to be told.

    Raises:
        RunError: the run starts from the weights of another, which are not there any more.
        CheckpointError: there are checkpoints, but none can be read.
    """
    blank = example_batch(experiment)
    like = jax.eval_shape(program.init, 0, blank)
    restored = checkpoints.restore(like, to_json(experiment))
    if restored is not None:
        try:
            position = Position(**restored.document["position"])
        except (KeyError, TypeError) as error:
            raise CheckpointError(
                f"checkpoint {restored.step} does not say where the run was: {error}"
            ) from error
        return program.plan.replicate(restored.state), position, restored.skipped
    state, notes = jax.device_get(program.init(experiment.seed, blank)), ()
    if other := experiment.init_from:
        weights = weights or initial.recorded(folder)
        state = initial.with_weights(state, weights, other)
        notes = (f"weights are those of {other} at step {weights.step:,}",)
    return program.plan.replicate(state), Position(), notes
