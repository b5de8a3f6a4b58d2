"""Multi-hinge: one classifier of K classes and of generated images in place of a discriminator."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxgan.objectives.gan.class_terms import margin
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Latents, PerExample

HEAD = "class_or_fake"
"""Head that is read: a score for each class, and last that of being generated."""


@dataclasses.dataclass(frozen=True)
class MultiHinge:
    """The hinge of Crammer and Singer over K + 1 classes, the last of which is "generated".

    With scores ``s`` of an image and ``H(s, y) = max(0, 1 - s_y + max_{k != y} s_k)`` over all
    K + 1, the discriminator minimizes ``H(s(x), y)`` of real images and ``H(s(G(z, y)), K)`` of
    generated ones, the generator ``generator_weight H(s(G(z, y)), y)``. With K = 1 and the scores
    ``(D / 2, -D / 2)`` the discriminator's is the common hinge loss of a logit D.

    It is a whole game, in which the logits take no part: beside a loss that would train the
    discriminator by them, it is a mixture. `jaxgan.objectives.gan.feature_matching` has one that
    need not, ``AbsoluteFeatureMatching(adversarial=False)``, whose generator's term the authors'
    code has too.

    >>> scores = jnp.array([[2.0, 0.5, 1.5], [0.0, 0.5, 2.0]])
    >>> verdict, given = Verdict(jnp.zeros(2), {HEAD: scores}), {"label": jnp.array([0, 1])}
    >>> term = MultiHinge(generator_weight=0.5)
    >>> [f(verdict, given).tolist() for f in (term.real, term.fake, term.generator)]
    [[0.5, 2.5], [1.5, 0.0], [0.25, 1.25]]

    Raises:
        ValueError: for a weight that is not positive and finite; when called, for a verdict without
            a head ``class_or_fake`` or latents without a label.

    References:
        Kavalerov, Czaja and Chellappa, cGANs with Multi-Hinge Loss, 2019. The terms and the factor
        0.05 are those of the authors' published code for CIFAR-10; the paper's own equations were
        not compared with. Crammer and Singer, On the Algorithmic Implementation of Multiclass
        Kernel-Based Vector Machines, 2001 (the hinge).
    """

    name: ClassVar[str] = "multi_hinge"

    weight: float = 1.0
    """Factor of the discriminator's terms."""
    generator_weight: float = 0.05
    """Factor of the generator's."""

    def __post_init__(self) -> None:
        for name in ("weight", "generator_weight"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} = {getattr(self, name)}: must be above 0 and finite")

    def real(self, verdict: Verdict, given: Latents) -> PerExample:
        """``weight H(s(x), y)``: a real image is of its class."""
        return self.weight * _hinge(_scores(verdict), _labels(given))

    def fake(self, verdict: Verdict, given: Latents) -> PerExample:
        """``weight H(s(G(z, y)), K)``: a generated image is of the last class."""
        del given
        scores = _scores(verdict)
        return self.weight * _hinge(scores, jnp.full(scores.shape[0], scores.shape[1] - 1))

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """``generator_weight H(s(G(z, y)), y)``: it is to be of the class asked for."""
        return self.generator_weight * _hinge(_scores(verdict), _labels(given))


def _hinge(scores: Any, labels: Any) -> PerExample:
    return jax.nn.relu(1.0 - margin(scores, labels))


def _scores(verdict: Verdict) -> Any:
    if HEAD not in verdict.heads:
        raise ValueError(
            f"MultiHinge needs a discriminator with a head {HEAD!r}, such as"
            " ClassOrFakeDcganDiscriminator"
        )
    return verdict.heads[HEAD]


def _labels(given: Latents) -> Any:
    if not isinstance(given, Mapping) or given.get("label") is None:
        raise ValueError("MultiHinge needs a prior with labels, such as Labelled")
    return given["label"]
