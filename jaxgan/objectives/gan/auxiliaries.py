"""Terms that players minimize beside the game they play against each other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

import optax

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.protocols import subclasses_have
from jaxgan.typing import Latents, PerExample


@runtime_checkable
class Auxiliary(Protocol):
    """What an algorithm asks of an auxiliary term.

    It has up to three parts; what is None is not there, whatever the arguments. Verdicts (their
    logits and heads) and what is given are those of the whole batch, however many devices share it.
    """

    __subclasshook__ = subclasses_have("name", "real", "fake", "generator")

    name: ClassVar[str]
    """Under which its means are reported: ``<name>/real``, ``<name>/fake``,
    ``<name>/generator``."""

    def real(self, verdict: Verdict, given: Latents) -> PerExample | None:
        """Values ``(batch,)`` that the discriminator minimizes, of real images.

        Args:
            verdict: of the images.
            given: what is known of them, ``{"label": labels}``.
        """
        ...

    def fake(self, verdict: Verdict, given: Latents) -> PerExample | None:
        """Values ``(batch,)`` that the discriminator minimizes, of generated images.

        Args:
            verdict: of the images.
            given: the latents that they were made from, as the prior draws them.
        """
        ...

    def generator(self, verdict: Verdict, given: Latents) -> PerExample | None:
        """Values ``(batch,)`` that the generator minimizes; arguments as of `fake`."""
        ...


@dataclasses.dataclass(frozen=True)
class AuxiliaryClassifier:
    """The discriminator names the class of an image: ``-weight log P(class = label | x)``.

    It reads the head ``class``, logits ``(batch, classes)``, and the label that the generator was
    given or the real image has. Both players want it right: the discriminator on real and
    generated images, the generator on its own.

    >>> import jax.numpy as jnp
    >>> head = jnp.log(jnp.array([[0.25, 0.75], [0.5, 0.5]]))
    >>> verdict = Verdict(logits=jnp.zeros(2), heads={"class": head})
    >>> values = AuxiliaryClassifier().real(verdict, {"label": jnp.array([1, 0])})
    >>> jnp.exp(-values).round(4).tolist()
    [0.75, 0.5]

    Raises:
        ValueError: for a weight that is not positive and finite; when called, for a verdict without
            a head ``class`` or latents without a label.

    References:
        Odena et al., Conditional Image Synthesis with Auxiliary Classifier GANs, 2017: the
        term L_C, whose weight is 1.
    """

    name: ClassVar[str] = "classification"
    weight: float = 1.0
    """Factor of the cross-entropy; 1 in the paper."""
    real_alone: bool = False
    """Whether the discriminator learns classes from real images alone, as in StudioGAN."""

    def __post_init__(self) -> None:
        if not 0.0 < self.weight < math.inf:
            raise ValueError(f"weight = {self.weight}: must be above 0 and finite")

    def fake(self, verdict: Verdict, given: Latents) -> PerExample | None:
        """As `real`, or nothing."""
        return None if self.real_alone else self.real(verdict, given)

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """As `real`: both players want it right."""
        return self.real(verdict, given)

    def real(self, verdict: Verdict, given: Latents) -> PerExample:
        """``weight`` times the cross-entropy of the head ``class`` with the label, in nats."""
        if "class" not in verdict.heads:
            raise ValueError("an auxiliary classifier needs a discriminator with a head 'class'")
        if not isinstance(given, Mapping) or "label" not in given:
            raise ValueError("an auxiliary classifier needs a prior with labels, such as Labelled")
        values = optax.softmax_cross_entropy_with_integer_labels(
            verdict.heads["class"], given["label"]
        )
        return self.weight * values
