"""Checkpoints read back: checked, and without changing anything, even while the run goes on."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan.run.config_json import JSON
from jaxgan.run.difference import difference

# Orbax logs every save and restore, and a failure once for each of its threads, with tracebacks.
# What matters is raised as well, and told to people in one line.
logging.getLogger("absl").setLevel(logging.ERROR)
logging.getLogger("absl").addFilter(lambda record: "orbax" not in record.pathname)

TRIES = 5
"""How often the newest checkpoint is looked for, where a run deletes them while they are read."""


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written or read. The message is one line for people."""


class Restored(NamedTuple):
    """What a checkpoint held.

    Attributes:
        step: the step it was saved after.
        state: the same pytree as was saved, of NumPy arrays.
        document: the JSON document saved with it.
        skipped: for each newer checkpoint that could not be read, a line that says why.
    """

    step: int
    state: Any
    document: dict[str, Any]
    skipped: tuple[str, ...]


def digest(tree: Any) -> str:
    """SHA-256 over a pytree of arrays: every leaf's path, type, shape and bytes, in order."""
    sha = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = np.asarray(leaf)
        sha.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}\n".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def steps_in(folder: Path) -> list[int]:
    """Steps of the finished checkpoints in a folder, oldest first.

    One that is being written has another name until everything is in it.
    """
    try:
        names = [path.name for path in folder.iterdir() if path.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError(f"cannot read {folder}: {error.strerror or error}") from error
    return sorted(int(name) for name in names if re.fullmatch(r"0|[1-9][0-9]{0,18}", name, re.A))


def newest(folder: Path, like: Any, experiment: JSON = None) -> Restored | None:
    """The newest checkpoint that can be read; None where there is none at all.

    Args:
        folder: of the checkpoints.
        like: a pytree with the structure, shapes and types to expect, such as ``jax.eval_shape``
            returns.
        experiment: the configuration that they must be of, as `read` says.

    Raises:
        CheckpointError: there are checkpoints, but none can be read.
    """
    skipped: list[str] = []
    for step in reversed(steps_in(folder)):
        try:
            state, document = read(folder, step, like, experiment)
        except Exception as error:
            skipped.append(f"checkpoint {step} cannot be read ({reason_of(error)})")
            continue
        return Restored(step, state, document, tuple(skipped))
    if skipped:
        raise CheckpointError(f"no checkpoint in {folder} can be read: {'; '.join(skipped)}")
    return None


def selected(folder: Path, like: Any, experiment: JSON = None) -> Restored | None:
    """The checkpoint whose state a run reports: the best one so far where validation selects, else
    the newest.

    Args:
        folder: as in `newest`, like the rest.
        like: see there.
        experiment: see there.

    Raises:
        CheckpointError: there are checkpoints, but none can be read.
    """

    def look() -> Restored | None:
        found = newest(folder, like, experiment)
        position = found.document.get("position") if found else None
        best = position.get("best_step") if isinstance(position, dict) else None
        if found is None or not best or best == found.step:
            return found
        state, document = at(folder, best, like, experiment)
        return Restored(best, state, document, found.skipped)

    return _unhurried(folder, look)


def _unhurried(folder: Path, look: Callable[[], Restored | None]) -> Restored | None:
    """Looks again where checkpoints came or went meanwhile, for then one may have been half gone
    that was to be read."""
    for _ in range(TRIES):
        before = steps_in(folder)
        try:
            found = look()
        except CheckpointError:
            if steps_in(folder) == before:
                raise
            continue
        if found is None or not found.skipped or steps_in(folder) == before:
            return found
    return look()


def at(folder: Path, step: Any, like: Any, experiment: JSON = None) -> tuple[Any, dict[str, Any]]:
    """State and document of one step's checkpoint.

    Args:
        folder: of the checkpoints.
        step: of the checkpoint.
        like: as in `newest`.
        experiment: as in `read`.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    if step not in steps_in(folder):
        raise CheckpointError(f"there is no checkpoint {step} in {folder}")
    try:
        return read(folder, step, like, experiment)
    except Exception as error:
        raise CheckpointError(
            f"checkpoint {step} in {folder} cannot be read ({reason_of(error)})"
        ) from error


def reason_of(error: Exception) -> str:
    """What an error says, on one line."""
    return (str(error).strip().splitlines() or [repr(error)])[0][:200]


def read(folder: Path, step: int, like: Any, experiment: JSON) -> tuple[Any, dict[str, Any]]:
    """State and document of one checkpoint, all of it checked.

    Args:
        folder: of the checkpoints.
        step: of the checkpoint, which must be the one that it says.
        like: what to expect.
        experiment: the configuration of the run, as `jaxgan.run.config_json.to_json` gives it; the
            checkpoint must be of the same one, but for the number of steps, which a run may be
            given more of. None: of any.

    Raises:
        Exception: of any kind, where something is missing or damaged.
    """
    import orbax.checkpoint as ocp

    handler = ocp.CompositeCheckpointHandler(
        state=ocp.StandardCheckpointHandler(), document=ocp.JsonCheckpointHandler()
    )
    where = (folder / str(step)).absolute()
    with ocp.Checkpointer(handler) as reader:
        # The small part first: what is of another run need not be read, and may be of any size.
        asked = ocp.args.Composite(document=ocp.args.JsonRestore())
        document = reader.restore(where, args=asked)["document"]
        _check(document, step, experiment)
        expected = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), like)
        asked = ocp.args.Composite(state=ocp.args.StandardRestore(expected))
        state = jax.tree.map(np.asarray, reader.restore(where, args=asked)["state"])
    if digest(state) != document["digest"]:
        raise ValueError("its arrays do not have the digest that was saved with them")
    for have, want in zip(jax.tree.leaves(state), jax.tree.leaves(like), strict=True):
        if (have.shape, have.dtype) != (want.shape, want.dtype):
            raise ValueError(
                f"it holds an array {have.dtype}{have.shape} where this experiment has"
                f" {want.dtype}{want.shape}"
            )
    return state, document


def _check(document: Any, step: int, experiment: JSON) -> None:
    """Refuses a checkpoint that is of another step or run than its place says."""
    if not isinstance(document, dict):
        raise ValueError("its document is none")
    if document.get("step") != step:
        raise ValueError(f"it is of step {document.get('step')!r}")
    saved = document.get("experiment")
    if experiment is None or saved is None:
        return
    changed = [
        line
        for line in difference(saved, experiment)
        # Fields that came with a later version are not told; and a run may be given more steps.
        if not line.startswith("steps: ") and ": (absent) -> " not in line
    ]
    if changed:
        raise ValueError(f"it is of another run: {'; '.join(changed[:3])}")
