"""Where a population is: what its members share, its checkpoints, and its first states."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan.algorithms.state import State
from jaxgan.config import Experiment, Run
from jaxgan.program import example_batch
from jaxgan.run import workdir
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.config_json import to_json
from jaxgan.run.restore import CheckpointError, steps_in
from jaxgan.training.membership import Members
from jaxgan.training.population import Population
from jaxgan.training.start import Position


class Together(NamedTuple):
    """What all members share, and the numbers that they do not.

    Attributes:
        experiments: of the members.
        runs: how they are executed, which differs in the folders alone.
        folders: of the members.
        home: where the states of all are while they train.
        population: their program.
        seeds: uint32 ``(members,)``.
        values: numbers that differ, float32 ``(members,)`` by path.
    """

    experiments: tuple[Experiment, ...]
    runs: tuple[Run, ...]
    folders: tuple[Path, ...]
    home: Path
    population: Population
    seeds: jax.Array
    values: dict[str, jax.Array]

    @property
    def steps(self) -> int:
        """Of every member."""
        return self.experiments[0].steps

    def document(self) -> dict[str, Any]:
        """What a checkpoint must be of."""
        return {"members": [to_json(one) for one in self.experiments]}


class Begun(NamedTuple):
    """Where a population is.

    Attributes:
        states: of all members.
        position: steps and seconds behind.
        died: as in `jaxgan.training.population.Steps`.
        spent: see `Members`.
        failed: why some have ended already, by place.
    """

    states: State
    position: Position
    died: np.ndarray
    spent: np.ndarray
    failed: dict[int, str]


def trained(together: Together, place: int) -> bool:
    """Whether a member has a checkpoint of its own after the last step."""
    return together.steps in steps_in(together.folders[place] / workdir.CHECKPOINTS)


def start(together: Together, checkpoints: Checkpoints) -> tuple[Begun, tuple[str, ...]]:
    """At the first step, or at the newest checkpoint; and what people are to be told."""
    blank, count = example_batch(together.experiments[0]), len(together.experiments)
    given = (together.seeds, blank, together.values)
    like = jax.eval_shape(together.population.init, *given)
    restored = checkpoints.restore(like, together.document())
    if restored is None:
        states, none = together.population.init(*given), np.zeros(count)
        return Begun(states, Position(), none.astype(np.int32), none, {}), ()
    kept = restored.document
    try:
        failed = {int(place): str(why) for place, why in kept["failed"].items()}
        begun = Begun(
            jax.device_put(restored.state), Position(**kept["position"]),
            np.asarray(kept["died"], np.int32).reshape(count),
            np.asarray(kept["spent"], np.float64).reshape(count), failed,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"checkpoint {restored.step} does not say where the population was: {error}"
        ) from error
    return begun, restored.skipped


def document(
    together: Together, members: Members, position: Position, died: np.ndarray
) -> dict[str, Any]:
    """What a checkpoint says besides the states."""
    return {
        "experiment": together.document(),
        "position": position._asdict(),
        "died": died.tolist(),
        "spent": members.spent.tolist(),
        "failed": {str(n): end.failed for n, end in members.known.items() if end.failed},
    }
