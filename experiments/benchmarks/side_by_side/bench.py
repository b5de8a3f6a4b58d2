"""The contract between an implementation of a step and the process that runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from side_by_side.steps import Layers


class Bench(NamedTuple):
    """One step in one implementation, ready to run.

    Attributes:
        parameters: how many numbers the networks' optimizers update.
        layers: operations of each layer's forward pass on one batch.
        check: takes the checked steps from the reference's weights; see `Outcome`.
        run: takes so many steps, one after the other, and returns when all are done.
        counted: operations of one step as the framework's own counter has them; None without one.
    """

    parameters: int
    layers: Layers
    check: Callable[[], Outcome]
    run: Callable[[int], None]
    counted: Callable[[], int] | None = None

    def facts(self) -> dict[str, Any]:
        """What `side_by_side.agreement.compare` compares, as plain data."""
        return {
            "parameters": self.parameters,
            "layers": dict(self.layers),
            "counted": self.counted() if self.counted else None,
            **self.check()._asdict(),
        }


class Outcome(NamedTuple):
    """What the checked steps came to.

    Attributes:
        losses: of each step, by name.
        moments: by parameter, the length of Adam's running mean after the first step, which is
            ``1 - b1`` times the gradient's. Adam's updates alone would hide a gradient that is
            wrong by a factor.
    """

    losses: list[dict[str, float]]
    moments: dict[str, float]
