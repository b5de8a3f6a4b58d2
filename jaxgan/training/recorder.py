"""Metrics on their way from the device to the log, without a transfer a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgan.run.finite import DIVERGED, NonFiniteError
from jaxgan.run.logs import Logger
from jaxgan.training.alarms import Watch
from jaxgan.training.pace import Pace

GRAD_NORM = "_grad_norm"
DIAGNOSTICS = "diagnostics/"
"""End and start of the names of metrics that files get and the terminal has no room for."""


@runtime_checkable
class _HasSteps(Protocol):
    def steps(self) -> list[int]: ...


def _on_host(tree: Any) -> Any:
    """Device arrays as NumPy arrays."""
    if jax.default_backend() == "cpu":
        # NumPy reads them where they are; `jax.device_get` takes ten times as long for scalars.
        return jax.tree.map(np.asarray, tree)
    return jax.device_get(tree)


def _is_beside(name: str) -> bool:
    """Whether a metric is for files alone."""
    return name.endswith(GRAD_NORM) or name.startswith(DIAGNOSTICS)


def _is_computed(metrics: Mapping[str, Array | np.ndarray]) -> bool:
    """Whether reading them would not wait; those of one step come from one program."""
    first: Any = next(iter(metrics.values()), None)
    # What is NumPy's is on the host already.
    return first is None or isinstance(first, np.ndarray) or first.is_ready()


class Recorder:
    """Holds the metrics of steps on the device until they are logged as one mean.

    A name's mean is over the steps that reported it: phases may differ in what they report.

    `log` ends an interval and does not wait for it: its mean is written by the first call that
    finds it computed, at the latest by the end of the next interval. Waiting would let the device
    run out of steps to do. `flush` waits.

    Args:
        logger: where means go.
        images_per_step: real images a step.
        checkpoints: asked for the last good step when a run has to end.
        rates: from a step to what is logged beside its metrics, such as learning rates.
        watch: what is remembered of the log so far, for alarms.
    """

    def __init__(
        self,
        logger: Logger,
        images_per_step: int,
        checkpoints: _HasSteps,
        rates: Callable[[int], Mapping[str, float]] = lambda step: {},
        watch: Watch = Watch(),  # noqa: B008 (an immutable value)
    ) -> None:
        self.pace = Pace()
        self._logger, self._rates = logger, rates
        self._images_per_step = images_per_step
        self._checkpoints = checkpoints
        self._watch = watch
        self._held: list[tuple[range, Any]] = []
        self._ended: list[tuple[range, Any]] = []
        self._timed = False
        self._speed: float | None = None

    def add(self, step: int, metrics: Mapping[str, Array | np.ndarray], count: int = 1) -> None:
        """Takes the metrics of ``count`` steps, the last of which is ``step``, without waiting.

        Args:
            step: the step done last.
            metrics: scalars; of several steps arrays, whose first ``count`` numbers are theirs.
            count: how many steps they are of.

        Raises:
            NonFiniteError: an interval that ended before holds NaN or infinity.
        """
        self._held.append((range(step - count + 1, step + 1), metrics))
        if self._ended and _is_computed(self._ended[-1][1]):
            self._write_ended()

    def log(self) -> None:
        """Ends an interval; its mean is logged once it is there, under the last of its steps.

        Raises:
            NonFiniteError: the interval before holds NaN or infinity.
        """
        self._write_ended()
        self._ended, self._held = self._held, []
        self._timed = False
        if self._ended and _is_computed(self._ended[-1][1]):
            # Written later, but this is when it was there.
            self._time_ended()

    def flush(self) -> None:
        """Logs all that is held, and waits for it.

        Raises:
            NonFiniteError: a value is NaN or infinite. Nothing may be saved after that.
        """
        self.log()
        self._write_ended()

    def _time_ended(self, ended: list[tuple[range, Any]] | None = None) -> None:
        """Notes, once, that the interval that ended has been computed by now."""
        if not self._timed:
            self._speed = self.pace.reached((ended or self._ended)[-1][0][-1])
            self._timed = True

    def _write_ended(self) -> None:
        if not self._ended:
            return
        ended, self._ended = self._ended, []
        chunks = _on_host([metrics for _, metrics in ended])
        self._time_ended(ended)
        found: dict[str, list[np.ndarray]] = {}
        for (steps, _), metrics in zip(ended, chunks, strict=True):
            for name, numbers in metrics.items():
                pairs = np.stack([steps, np.atleast_1d(numbers)[: len(steps)]], dtype=float)
                found.setdefault(name, []).append(pairs)
        # By name, steps and their numbers in two rows. In double precision: a mean of large numbers
        # must not overflow.
        reported = {name: np.concatenate(pairs, axis=1) for name, pairs in found.items()}
        bad = [
            (*pairs[:, ~np.isfinite(pairs[1])][:, 0], name)
            for name, pairs in reported.items()
            if not np.isfinite(pairs[1]).all()
        ]
        if bad:
            # Of the same step the loss, which says more than the gradients that it has spoiled.
            step, value, name = min(bad, key=lambda one: (one[0], _is_beside(one[2])))
            raise self._non_finite(int(step), name, float(value))
        means = {name: float(np.mean(numbers)) for name, (_, numbers) in reported.items()}
        step = ended[-1][0][-1]
        known, told = means.copy(), self._watch.alarms
        beside = {name: means.pop(name) for name in sorted(means) if _is_beside(name)}
        beside |= self._rates(step)
        if self._speed is not None:
            beside["steps_per_second"] = self._speed
        self.record(step, means, beside, self.pace.recent)
        self._watch = self._watch.after(int(step), known)
        for alarm in self._watch.alarms[len(told) :]:
            self._logger.message(alarm.line)

    def check(self, step: int, state: Any) -> None:
        """Looks for numbers that the last update has spoiled, which no metric has seen yet.

        Raises:
            NonFiniteError: the state holds NaN or infinity, and must not be saved.
        """
        for path, leaf in jax.tree_util.tree_leaves_with_path(jax.device_get(state)):
            if jnp.issubdtype(leaf.dtype, jnp.floating) and not np.isfinite(leaf).all():
                name = jax.tree_util.keystr(path, simple=True, separator="/")
                raise self._non_finite(step, name, float(leaf[~np.isfinite(leaf)][0]))

    def record(
        self,
        step: int,
        values: Mapping[str, float],
        beside: Mapping[str, float] | None = None,
        speed: float | None = None,
    ) -> None:
        """Logs numbers that are on the host already; see `Logger.scalars`."""
        images_seen = step * self._images_per_step
        self._logger.scalars(step, images_seen, values, beside=beside or {}, speed=speed)

    def _non_finite(self, step: int, name: str, value: float) -> NonFiniteError:
        good = self._checkpoints.steps()
        kept = (
            f"the last good checkpoint is step {good[-1]}" if good else "there is no checkpoint yet"
        )
        return NonFiniteError(
            f"{name} is {value} at step {step}: {DIVERGED}; {kept}."
            " Try a smaller learning rate, or gradient clipping (clip_norm of the optimizers)."
        )
