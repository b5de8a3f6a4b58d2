"""Further terms of class information: a second classifier against the generator, and margins.

`jaxgan.objectives.gan.auxiliaries.AuxiliaryClassifier` is the first of the kind;
`jaxgan.objectives.gan.contrastive` has those that compare pairs of images.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Latents, PerExample


def _scores(name: str, head: str, network: str, verdict: Verdict, given: Latents) -> Any:
    """A head's scores of the classes, and the labels."""
    if head not in verdict.heads:
        raise ValueError(f"{name} needs a discriminator with a head {head!r}, such as {network}")
    if not isinstance(given, Mapping) or given.get("label") is None:
        raise ValueError(f"{name} needs a prior with labels, such as Labelled")
    return verdict.heads[head], given["label"]


def _check(term: Any) -> None:
    if not 0.0 < term.weight < math.inf:
        raise ValueError(f"weight = {term.weight}: must be above 0 and finite")


@dataclasses.dataclass(frozen=True)
class TwinClassifier:
    """A second classifier of generated images, which the generator plays against.

    An auxiliary classifier alone rewards images that are easy to classify, and so too little
    variety within a class: its term leaves out the entropy ``H(y | x)`` of the generated images.
    The twin, trained on generated images alone, estimates it; the generator wants it wrong. Both
    have their optimum where the classes of generated images overlap as those of real ones do.

    It goes beside `jaxgan.objectives.gan.auxiliaries.AuxiliaryClassifier`, with the same weight,
    and reads the head ``twin``, logits ``(batch, classes)``.

    >>> import jax.numpy as jnp
    >>> head = jnp.log(jnp.array([[0.25, 0.75]]))
    >>> verdict, given = Verdict(jnp.zeros(1), {"twin": head}), {"label": jnp.array([1])}
    >>> twin = TwinClassifier()
    >>> [round(float(f(verdict, given)[0]), 4) for f in (twin.fake, twin.generator)]
    [0.2877, -0.2877]

    Raises:
        ValueError: for a weight that is not positive and finite; when called, for a verdict without
            a head ``twin`` or latents without a label.

    References:
        Gong, Xu, Li, Zhang and Batmanghelich, Twin Auxiliary Classifiers GAN, 2019, section 3.
    """

    name: ClassVar[str] = "twin"

    weight: float = 1.0
    """Factor of the cross-entropy; 1 in the paper."""

    def __post_init__(self) -> None:
        _check(self)

    def real(self, verdict: Verdict, given: Latents) -> None:
        """Nothing: the twin is of generated images."""
        del verdict, given

    def fake(self, verdict: Verdict, given: Latents) -> PerExample:
        """``weight`` times the cross-entropy of the head ``twin`` with the label, in nats."""
        logits, labels = _scores("TwinClassifier", "twin", "TwinDcganDiscriminator", verdict, given)
        return self.weight * optax.softmax_cross_entropy_with_integer_labels(logits, labels)

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """The negative of the same."""
        return -self.fake(verdict, given)


@dataclasses.dataclass(frozen=True)
class HingeClassifier:
    """An auxiliary classifier with a margin: ``max(0, 1 - C_y(x) + max_{k != y} C_k(x))``.

    In place of the cross-entropy, the hinge of Crammer and Singer over several classes: an image
    whose class is ahead of all others by the margin costs nothing, so that the generator is not
    driven to ever more typical ones. It reads the head ``class``, ``(batch, classes)``, of real
    images in the discriminator's loss and of generated ones in the generator's.

    >>> import jax.numpy as jnp
    >>> head = jnp.array([[2.0, 0.5, 0.0], [2.0, 1.5, 0.0]])
    >>> verdict = Verdict(jnp.zeros(2), {"class": head})
    >>> HingeClassifier().real(verdict, {"label": jnp.array([0, 1])}).tolist()
    [0.0, 1.5]

    Raises:
        ValueError: for a weight that is not positive and finite; when called, for a verdict without
            a head ``class`` of two classes or more, or latents without a label.

    References:
        Kavalerov, Czaja and Chellappa, A Multi-Class Hinge Loss for Conditional GANs, 2021. Crammer
        and Singer, On the Algorithmic Implementation of Multiclass Kernel-Based Vector Machines,
        2001.
    """

    name: ClassVar[str] = "margin"

    weight: float = 1.0
    """Factor of the hinge."""

    def __post_init__(self) -> None:
        _check(self)

    def real(self, verdict: Verdict, given: Latents) -> PerExample:
        """Of real images, for the discriminator."""
        return self._values(verdict, given)

    def fake(self, verdict: Verdict, given: Latents) -> None:
        """Nothing: the discriminator learns classes from real images alone."""
        del verdict, given

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """Of generated images, for the generator."""
        return self._values(verdict, given)

    def _values(self, verdict: Verdict, given: Latents) -> PerExample:
        scores, labels = _scores(
            "HingeClassifier", "class", "AuxiliaryDcganDiscriminator", verdict, given
        )
        return self.weight * jax.nn.relu(1.0 - margin(scores, labels))


def margin(scores: Any, labels: Any) -> PerExample:
    """How far the score of each example's own class is ahead of the largest other one.

    >>> import jax.numpy as jnp
    >>> margin(jnp.array([[2.0, 0.5, 0.0], [2.0, 1.5, 0.0]]), jnp.array([0, 1])).tolist()
    [1.5, -0.5]

    Args:
        scores: ``(batch, classes)``.
        labels: one of the classes each.

    Raises:
        ValueError: there is one class alone.
    """
    classes = scores.shape[-1]
    if classes < 2:
        raise ValueError(f"a margin between {classes} class: there must be at least 2")
    own = jnp.arange(classes) == labels[:, None]
    # No index, whose gradient would be a scatter.
    target = jnp.sum(jnp.where(own, scores, 0.0), axis=-1)
    return target - jnp.max(jnp.where(own, -jnp.inf, scores), axis=-1)
