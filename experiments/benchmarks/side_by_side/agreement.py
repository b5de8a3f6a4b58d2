"""Whether two implementations of a step do the same, so that their times may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from side_by_side.steps import torch_flops

LOSS_TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2}
"""Largest difference of two first losses, relative to the reference's where that is above 1."""

LATER_TOLERANCE = {"float32": 2e-3, "bfloat16": 5e-2}
"""The same for later steps. Adam's first update has one size for all gradients, so that those which
are nothing but rounding move their weights as far as others."""

MOMENT_TOLERANCE = {"float32": 1e-2, "bfloat16": 1e-1}
"""Largest difference in length of two gradients, relative to the longest of the network's. The
generator's comes through a discriminator that Adam has just updated; see above."""

COUNT_TOLERANCE = 0.01
"""Largest relative difference of the operations that a framework's own counter finds."""


class Mismatch(ValueError):
    """Two implementations differ; the message says in what."""


def compare(
    step: str, precision: str, name: str, reference: Mapping[str, Any], found: Mapping[str, Any]
) -> None:
    """Holds what a worker said of its step against what the reference's said.

    Args:
        step: which one.
        precision: of both.
        name: of the implementation.
        reference: answer of the reference's worker to ``make``.
        found: answer of the other worker.

    Raises:
        Mismatch: with the first difference.
    """
    where = f"{step} in {precision}: {name}"
    if found["parameters"] != reference["parameters"]:
        raise Mismatch(
            f"{where} has {found['parameters']} parameters, jaxgan {reference['parameters']}"
        )
    if found["layers"] != reference["layers"]:
        odd = dict(reference["layers"].items() ^ found["layers"].items())
        raise Mismatch(f"{where} and jaxgan count the operations of {', '.join(odd)} differently")
    if found["counted"] is not None:
        expected = torch_flops(step, reference["layers"])
        if abs(found["counted"] - expected) > COUNT_TOLERANCE * expected:
            raise Mismatch(
                f"{where} does {found['counted']} operations a step by its own counter, not"
                f" {expected}"
            )
    if len(found["losses"]) != len(reference["losses"]):
        raise Mismatch(f"{where} took another number of steps than jaxgan")
    for number, (right, other) in enumerate(
        zip(reference["losses"], found["losses"], strict=True), start=1
    ):
        tolerance = (LOSS_TOLERANCE if number == 1 else LATER_TOLERANCE)[precision]
        _compare_losses(f"{where}, step {number}", tolerance, right, other)
    moments = reference["moments"], found["moments"]
    if precision == "bfloat16":
        # Plain Flax sums the gradients of biases in bfloat16, which goes wrong on CPUs.
        moments = tuple({k: v for k, v in m.items() if not k.endswith("/bias")} for m in moments)
    _compare_moments(where, MOMENT_TOLERANCE[precision], *moments)


def _compare_losses(
    where: str, tolerance: float, right: Mapping[str, float], other: Mapping[str, float]
) -> None:
    if right.keys() != other.keys():
        raise Mismatch(f"{where} has the losses {', '.join(other)}, jaxgan {', '.join(right)}")
    for name, value in right.items():
        # Written so that a NaN is a mismatch.
        if not abs(other[name] - value) <= tolerance * max(1.0, abs(value)):
            raise Mismatch(
                f"{where}: loss of the {name} is {other[name]:.7g}, jaxgan's {value:.7g}"
            )


def _compare_moments(
    where: str, tolerance: float, right: Mapping[str, float], other: Mapping[str, float]
) -> None:
    if right.keys() != other.keys():
        raise Mismatch(f"{where} trains other parameters: {', '.join(right.keys() ^ other.keys())}")
    for name, value in right.items():
        network = name.partition("/")[0]
        longest = max(v for k, v in right.items() if k.startswith(f"{network}/"))
        if not abs(other[name] - value) <= tolerance * longest:
            raise Mismatch(
                f"{where}: gradient of {name} has the length {other[name]:.7g} (times 1 - b1),"
                f" jaxgan's {value:.7g}"
            )
