"""MMD-GAN: the discriminator embeds images where a kernel tells the real from the generated ones.

The estimates are unbiased and compare all pairs of the whole batch; what a loss gives for an
example is the part of the estimate that the example (and the generated one beside it) has, and the
mean over the batch is the estimate.
"""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.gan.kernels import (
    Gaussians,
    Kernel,
    Pairs,
    RationalQuadratic,
    Vectors,
    added,
    squared_distances,
)
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import PerExample


class _Embedded:
    """What losses on embeddings have in common."""

    def reads(self, verdict: Verdict) -> Vectors:
        """The head ``embedding``, ``(batch, size)``.

        Raises:
            ValueError: there is no such head.
        """
        if "embedding" not in verdict.heads:
            raise ValueError("a loss of embeddings needs a discriminator with a head 'embedding'")
        return verdict.heads["embedding"]

    def correct(self, *, real: Vectors, fake: Vectors) -> dict[str, PerExample]:
        """Nothing: sets of images are compared, and none of them is judged by itself."""
        del real, fake
        return {}


@dataclasses.dataclass(frozen=True)
class Mmd(_Embedded):
    """Both players play for the squared maximum mean discrepancy, summed over kernels.

    ``MMD^2 = E k(x, x') - 2 E k(x, y) + E k(y, y')`` of the embeddings of real images x and of
    generated ones y, estimated by the U-statistic: pairs of one image with itself do not count.
    The discriminator maximizes it, the generator minimizes it.

    Without a bound on the discriminator's slope its embeddings grow without end: clip its weights
    (Li et al.), or penalize gradients. Leave-outs of Li et al.: their autoencoder, and the
    constraint that real images have the larger mean.

    >>> real, fake = jnp.array([[0.0], [2.0]]), jnp.array([[1.0], [4.0]])
    >>> from jaxgan.objectives.gan.kernels import Linear
    >>> float(Mmd((Linear(),)).generator(real=real, fake=fake).mean())  # 0 + 4 - 2 * 1 * 2.5
    -1.0

    Raises:
        ValueError: there are no kernels; when called, for fewer than two examples or for different
            numbers of real and generated ones.

    References:
        Gretton et al., A Kernel Two-Sample Test, 2012, eq. 3. Li et al., MMD GAN: Towards Deeper
        Understanding of Moment Matching Network, 2017 (`Gaussians`). Binkowski et al., Demystifying
        MMD GANs, 2018 (`RationalQuadratic`, alone or with `Linear`).
    """

    kernels: tuple[Kernel, ...] = (RationalQuadratic(),)
    """Their values are added."""

    def __post_init__(self) -> None:
        if not self.kernels:
            raise ValueError("kernels = (): a discrepancy needs at least one")

    def discriminator(self, *, real: Vectors, fake: Vectors) -> PerExample:
        """Parts of ``-MMD^2``."""
        return -self.generator(real=real, fake=fake)

    def generator(self, *, real: Vectors, fake: Vectors) -> PerExample:
        """Parts of ``MMD^2``."""
        check_sizes(real, fake)

        def values(x: Vectors, y: Vectors) -> Pairs:
            return added(kernel(x, y) for kernel in self.kernels)

        return discrepancy(values(real, real), values(real, fake), values(fake, fake))


@dataclasses.dataclass(frozen=True)
class RepulsiveMmd(_Embedded):
    """The discriminator separates real images from each other and draws generated ones together.

    It minimizes ``E k(x, x') - E k(y, y')``, where that of `Mmd` has both signs the other way
    round: in ``-MMD^2`` it contracts the real images, and with them what distinguishes them. The
    generator minimizes ``MMD^2``. The kernel is Gaussian, ``exp(-|x - y|^2 / (2 scale^2))``; in the
    discriminator's loss, real images further apart than ``upper`` and generated ones nearer than
    ``lower`` (squared distances) are left alone, as by a hinge.

    The authors' code leaves pairs ``(x_i, y_i)`` out of the generator's mean over ``(x_i, y_j)``;
    here all pairs count.

    >>> real, fake = jnp.array([[0.0], [1.0]]), jnp.array([[0.0], [0.1]])
    >>> values = RepulsiveMmd().discriminator(real=real, fake=fake)  # exp(-1/2) - exp(-1/8)
    >>> round(float(values.mean()), 4)
    -0.276

    Raises:
        ValueError: the scale is not above 0 and finite, or the bounds are not ``0 <= lower <
            upper``; when called, for fewer than two examples or for different numbers of real and
            generated ones.

    References:
        Wang, Sun and Halgamuge, Improving MMD-GAN Training with Repulsive Loss Function, 2019
        (their discriminator has spectral normalization and 16 outputs).
    """

    scale: float = 1.0
    """Standard deviation of the kernel."""
    lower: float = 0.25
    """Squared distance of generated images below which they are near enough."""
    upper: float = 4.0
    """Squared distance of real images above which they are separate enough."""

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < math.inf:
            raise ValueError(f"scale = {self.scale}: must be above 0 and finite")
        if not 0.0 <= self.lower < self.upper:
            raise ValueError(
                f"lower = {self.lower}, upper = {self.upper}: squared distances, 0 <= lower < upper"
            )

    def discriminator(self, *, real: Vectors, fake: Vectors) -> PerExample:
        """Parts of ``E k(x, x') - E k(y, y')``, with bounded distances."""
        check_sizes(real, fake)
        apart = self._kernel(jnp.minimum(squared_distances(real, real), self.upper))
        together = self._kernel(jnp.maximum(squared_distances(fake, fake), self.lower))
        return mean_of_others(apart) - mean_of_others(together)

    def generator(self, *, real: Vectors, fake: Vectors) -> PerExample:
        """Parts of ``MMD^2``, with distances as they are."""
        return Mmd((Gaussians((self.scale,)),)).generator(real=real, fake=fake)

    def _kernel(self, distances: Pairs) -> Pairs:
        return jnp.exp(-distances / (2.0 * self.scale**2))


def mean_of_others(values: Float[Array, "batch batch"]) -> PerExample:
    """Means over each row without its entry on the diagonal.

    >>> mean_of_others(jnp.array([[9.0, 1.0, 3.0], [1.0, 9.0, 5.0], [3.0, 5.0, 9.0]])).tolist()
    [2.0, 3.0, 4.0]
    """
    count = values.shape[0]
    others = jnp.where(jnp.eye(count, dtype=bool), 0.0, values)
    return jnp.sum(others, axis=1) / (count - 1)


def discrepancy(
    within_real: Float[Array, "batch batch"],
    across: Float[Array, "batch batch"],
    within_fake: Float[Array, "batch batch"],
) -> PerExample:
    """The parts of the U-statistic of ``MMD^2`` that pairs ``(x_i, y_i)`` have.

    Args:
        within_real: ``k(x_i, x_j)``.
        across: ``k(x_i, y_j)``.
        within_fake: ``k(y_i, y_j)``.
    """
    within = mean_of_others(within_real) + mean_of_others(within_fake)
    return within - jnp.mean(across, axis=1) - jnp.mean(across, axis=0)


def check_sizes(real: Vectors, fake: Vectors) -> None:
    """Refuses what has no pairs.

    Raises:
        ValueError: fewer than two examples, or different numbers of real and generated ones.
    """
    if len(real) != len(fake):
        raise ValueError(
            f"{len(real)} real and {len(fake)} generated examples: a discrepancy is of as many"
        )
    if len(real) < 2:
        raise ValueError("a batch of 1: a discrepancy compares the examples of a batch")
