"""The weights of a run, read as arrays: none of its code runs, and its folder stays as it is.

The digest of a checkpoint covers its optimizers too, in a structure that only the run's own
settings know, so it is not verified here; what Orbax itself finds damaged is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan.run import workdir
from jaxgan.run.restore import CheckpointError, digest, reason_of, steps_in


class Weights(NamedTuple):
    """What the networks of a run have learned.

    Attributes:
        step: of the run, after which these were saved.
        players: variables of each network in training: ``params`` and its other collections.
        averages: averaged variables, of those that are averaged.
        digest: SHA-256 of both.
    """

    step: int
    players: Mapping[str, Mapping[str, Any]]
    averages: Mapping[str, Mapping[str, Any]]
    digest: str


def read_weights(folder: Path, step: int | None = None) -> Weights:
    """The weights of a run's newest checkpoint; of the best one, where validation selects.

    Args:
        folder: of the run.
        step: of the checkpoint; None: as above.

    Raises:
        RunError: there is no run, or it has no such checkpoint.
        CheckpointError: the checkpoint cannot be read.
    """
    workdir.read_config(folder)
    checkpoints = (folder / workdir.CHECKPOINTS).absolute()
    steps = steps_in(checkpoints)
    if not steps:
        raise workdir.RunError(f"{folder} has no checkpoint yet: `jaxgan resume {folder}`")
    if step is not None and step not in steps:
        raise workdir.RunError(f"{folder} has no checkpoint {step} any more")
    chosen = max(steps) if step is None else step
    try:
        if step is None:
            position = _read(checkpoints, chosen, "document")["position"]
            chosen = position.get("best_step") or chosen
        state = _read(checkpoints, chosen, "state")
        players = {
            name: {"params": player["params"], **player["model_state"]}
            for name, player in state["players"].items()
        }
        averages = state["ema"]
    except Exception as error:
        reason = reason_of(error)
        raise CheckpointError(
            f"checkpoint {chosen} of {folder} cannot be read ({reason})"
        ) from error
    return Weights(chosen, players, averages, digest({"players": players, "averages": averages}))


def _read(checkpoints: Path, step: int, item: str) -> Any:
    """The state of a checkpoint as nested dictionaries of NumPy arrays, or its document."""
    import orbax.checkpoint as ocp

    handler: Any = ocp.JsonCheckpointHandler() if item == "document" else None
    with ocp.Checkpointer(handler or ocp.StandardCheckpointHandler()) as reader:
        found = reader.restore(checkpoints / str(step) / item)
    return found if handler else jax.tree.map(np.asarray, found)
