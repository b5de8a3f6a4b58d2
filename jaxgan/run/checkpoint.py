"""Checkpoints: state, position and configuration, saved and restored as one thing by Orbax.

For the one process that writes a run. Whoever only reads uses `jaxgan.run.restore`.

``FOLDER/STEP/`` holds the arrays of the state and a JSON document with the rest: the experiment,
the position of the data iterator, whatever else the loop needs to go on, and the state's digest. A
save is asynchronous and atomic: the folder appears under its name when everything is in it. The
digest is verified on restore, so damage that a file system lets through is noticed as well.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxgan.run import restore
from jaxgan.run.config_json import JSON
from jaxgan.run.restore import CheckpointError, Restored, digest


class Best(NamedTuple):
    """Which checkpoint to keep beside the newest ones.

    Attributes:
        metric: name among the metrics given to `Checkpoints.save`.
        mode: whether smaller or larger is better.
    """

    metric: str
    mode: Literal["min", "max"] = "min"


class Checkpoints:
    """The checkpoints of one run; a context manager.

    Args:
        folder: where they are; made if it is not there.
        keep: how many of the newest to keep.
        best: which one to keep besides; None: no other.
    """

    def __init__(self, folder: str | Path, *, keep: int = 2, best: Best | None = None) -> None:
        self._folder, self._shown = Path(folder).absolute(), folder
        self._keep, self._best = keep, best
        self._opened: Any = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # An empty folder is left alone until the first save: a new run's first step need not
            # wait for Orbax to be imported.
            if any(self._folder.iterdir()):
                self._opened = self._open()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> CheckpointError:
        return CheckpointError(f"cannot write checkpoints to {self._shown}: {error}")

    @property
    def _manager(self) -> Any:
        if self._opened is None:
            try:
                self._opened = self._open()
            except OSError as error:
                raise self._unwritable(error) from error
        return self._opened

    def _open(self) -> Any:
        import orbax.checkpoint as ocp
        from orbax.checkpoint.checkpoint_managers import preservation_policy as policy

        newest, best = policy.LatestN(self._keep), self._best
        preserve: Any = newest
        tracked: dict[str, Any] = {}
        if best is not None:
            worst = math.inf if best.mode == "min" else -math.inf

            def metric(metrics: Mapping[str, float]) -> float:
                return float(metrics.get(best.metric, worst))

            # Without this Orbax forgets the metrics when the folder is opened again.
            tracked = {"best_fn": metric, "best_mode": best.mode}
            # Orbax keeps the last of the sorted ones.
            best_one = policy.BestN(get_metric_fn=metric, reverse=best.mode == "min", n=1)
            preserve = policy.AnyPreservationPolicy([newest, best_one])
        options = ocp.CheckpointManagerOptions(
            preservation_policy=preserve,
            # A save that was cut off leaves a temporary folder; nobody will ever finish it.
            cleanup_tmp_directories=True,
            **tracked,
        )
        return ocp.CheckpointManager(
            self._folder, options=options, item_names=("state", "document")
        )

    def steps(self) -> list[int]:
        """Steps of the finished checkpoints, oldest first."""
        return sorted(self._opened.all_steps()) if self._opened else []

    def save(
        self,
        step: int,
        state: Any,
        document: Mapping[str, Any],
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Starts a save and returns; the state may be donated or changed right after.

        Args:
            step: steps done.
            state: a pytree of arrays, equal on all processes.
            document: JSON data to keep with it.
            metrics: what `Best` chooses by; None: this checkpoint is none of the best.

        Raises:
            CheckpointError: this save, or the one before it, failed. Earlier checkpoints stay.
        """
        import orbax.checkpoint as ocp

        host = jax.tree.map(np.asarray, jax.device_get(state))
        document = {**document, "step": step, "digest": digest(host)}
        try:
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(host), document=ocp.args.JsonSave(document)
                ),
                # Orbax warns of a checkpoint without; an empty one is the worst.
                metrics=dict(metrics or {}) if self._best else None,
                force=True,
            )
        except Exception as error:
            raise self._failed(error) from error

    def wait(self) -> None:
        """Returns when the last save is on disk.

        Raises:
            CheckpointError: it failed.
        """
        try:
            if self._opened is not None:
                self._opened.wait_until_finished()
        except Exception as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> CheckpointError:
        # Orbax wraps what the operating system said; the last line has it.
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)
        if found := re.search(r"([^:]+) \[os_error_code", reason):
            reason = found[1].strip()
        kept = ", ".join(map(str, self.steps())) or "none"
        return CheckpointError(
            f"cannot save a checkpoint to {self._folder}: {reason} (on disk: {kept})"
        )

    def restore(self, like: Any, experiment: JSON = None) -> Restored | None:
        """The newest checkpoint that can be read; None where there is none at all.

        Newer ones that are damaged, or of another run, are moved to ``FOLDER/../damaged/`` and
        reported.

        Args:
            like: as in `jaxgan.run.restore.newest`.
            experiment: see there.

        Raises:
            CheckpointError: there are checkpoints, but none can be read.
        """
        self.wait()
        found = restore.newest(self._folder, like, experiment)
        if found is not None and found.skipped:
            self._set_aside([s for s in self.steps() if s > found.step])
        return found

    def at(self, step: int, like: Any, experiment: JSON = None) -> Any:
        """The state of one step's checkpoint.

        Args:
            step: of the checkpoint.
            like: as in `restore`.
            experiment: as in `restore`.

        Raises:
            CheckpointError: there is none, or it cannot be read.
        """
        self.wait()
        return restore.at(self._folder, step, like, experiment)[0]

    def _set_aside(self, steps: list[int]) -> None:
        self._manager.close()
        if jax.process_index() == 0:
            aside = self._folder.parent / "damaged"
            aside.mkdir(exist_ok=True)
            for step in steps:
                target = aside / str(step)
                number = 1
                while target.exists():
                    target, number = aside / f"{step}.{number}", number + 1
                (self._folder / str(step)).rename(target)
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices("damaged checkpoints set aside")
        self._opened = self._open()

    def close(self) -> None:
        """Waits for the last save and lets go of the folder."""
        try:
            self.wait()
        finally:
            if self._opened is not None:
                self._opened.close()

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.close()
        else:
            # The run already fails for a reason of its own, which is the one to report.
            with contextlib.suppress(CheckpointError):
                self.close()
