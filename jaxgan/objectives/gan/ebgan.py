"""Energy-based GANs: an autoencoder as the discriminator, a margin, and codes that pull away."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Latents, Logits, PerExample


@dataclasses.dataclass(frozen=True)
class Ebgan:
    """Low energies for real images, and for generated ones energies of at least the margin.

    Energies ``E`` are the errors of a reconstruction, means over pixels, and the logits are their
    negatives. Where real images have an energy near 0, a margin is a bound on what the
    discriminator cares for: it is to be above what real images have at the start of the training.

    >>> real, fake = -jnp.array([0.5, 0.25]), -jnp.array([0.75, 2.0])
    >>> Ebgan(margin=1.0).discriminator(real=real, fake=fake).tolist()
    [0.75, 0.25]

    Raises:
        ValueError: the margin is not above 0 and finite.

    References:
        Zhao, Mathieu and LeCun, Energy-Based Generative Adversarial Networks, 2017, eq. 1 and 2.
    """

    margin: float = 1.0
    """Energy (m) above which a generated image is none of the discriminator's business."""

    def __post_init__(self) -> None:
        if not 0.0 < self.margin < math.inf:
            raise ValueError(f"margin = {self.margin}: an energy, above 0 and finite")

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``E(x) + max(0, m - E(G(z)))``."""
        return jax.nn.relu(self.margin + fake) - real

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``E(G(z))``."""
        del real
        return -fake

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """Nothing: no energy divides real images from generated ones that have become good."""
        del real, fake
        return {}


@dataclasses.dataclass(frozen=True)
class PullAway:
    """The generator makes the codes of its images orthogonal to each other.

    The mean over all pairs of different images of a batch of the squared cosine of the angle
    between their codes, ``1 / (N (N - 1)) sum_{i != j} cos^2(s_i, s_j)``, from 0 to 1. It reads the
    head ``code`` of an autoencoding discriminator, and the discriminator does not minimize it.

    >>> codes = jnp.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    >>> values = PullAway(weight=1.0).generator(Verdict(jnp.zeros(3), {"code": codes}), None)
    >>> values.round(4).tolist(), round(float(values.mean()), 4)
    ([0.25, 0.25, 0.5], 0.3333)

    Raises:
        ValueError: for a weight that is not positive and finite; when called, for a verdict without
            a head ``code``, or of a single image.

    References:
        Zhao et al., Energy-Based Generative Adversarial Networks, 2017, section 2.4; weight 0.1.
    """

    name: ClassVar[str] = "pull_away"

    weight: float = 0.1
    """Factor of the term; 0.1 in the paper."""

    def __post_init__(self) -> None:
        if not 0.0 < self.weight < math.inf:
            raise ValueError(f"weight = {self.weight}: must be above 0 and finite")

    def real(self, verdict: Verdict, given: Latents) -> None:
        """There is none."""

    def fake(self, verdict: Verdict, given: Latents) -> None:
        """There is none."""

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """``weight`` times the mean squared cosine of each code with all others."""
        del given
        if "code" not in verdict.heads:
            raise ValueError("the pull-away term needs a discriminator with a head 'code'")
        return self.weight * _squared_cosines(verdict.heads["code"])


def _squared_cosines(codes: Float[Array, "batch size"]) -> PerExample:
    """The mean of each code's squared cosines with the others; a code of 0 is orthogonal to all."""
    count = codes.shape[0]
    if count < 2:
        raise ValueError("a batch of 1: the pull-away term compares the images of a batch")
    squares = jnp.sum(jnp.square(codes), axis=1, keepdims=True)
    units = codes * jax.lax.rsqrt(jnp.maximum(squares, 1e-24))
    # A sum over products, because matrix products are rounded on accelerators.
    cosines = jnp.sum(units[:, None] * units[None], axis=-1)
    others = jnp.where(jnp.eye(count, dtype=bool), 0.0, jnp.square(cosines))
    return jnp.sum(others, axis=1) / (count - 1)
