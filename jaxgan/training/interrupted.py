"""What a run says that a signal has ended: nothing of it is lost, and how to go on."""

from __future__ import annotations

from pathlib import Path
from signal import Signals


class Interrupted(Exception):
    """A signal ended the run, after a checkpoint; the message says how to go on.

    Attributes:
        signal_number: of `jaxgan.machine.interrupts.SIGNALS`.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


def while_training(step: int, steps: int, folder: Path, signal: Signals) -> Interrupted:
    """Between two steps, the first of which is saved."""
    return Interrupted(
        f"{signal.name}: saved at step {step} of {steps}; go on by `jaxgan resume {folder}`", signal
    )


def while_measuring(folder: Path, signal: Signals) -> Interrupted:
    """After the last step, which is saved."""
    return Interrupted(
        f"{signal.name}: trained to the end and saved, but not measured; `jaxgan resume {folder}`"
        " measures it",
        signal,
    )


def population(done: str, folder: Path, signal: Signals) -> Interrupted:
    """Of runs that are trained together.

    Args:
        done: what has been, such as ``32 runs saved at step 10 of 20``.
        folder: around the runs'.
        signal: that came.
    """
    return Interrupted(f"{signal.name}: {done} in {folder}; go on by the same command", signal)
