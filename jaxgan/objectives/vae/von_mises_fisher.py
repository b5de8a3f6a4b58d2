"""Codes on a sphere: von Mises-Fisher posteriors and the uniform prior."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.config import ConfigError
from jaxgan.objectives.sphere import Sphere
from jaxgan.objectives.vae.code_priors import CodePrior
from jaxgan.objectives.vae.posteriors import Drawn, Encoded, Step
from jaxgan.objectives.vae.sphere_integrals import (
    kl_uniform,
    log_area,
    log_normalizer,
    slope_of_angle,
)
from jaxgan.typing import Codes, ImageShape, Params, PerExample, PRNGKey

PROPOSALS = 32
"""Angles that are proposed for a code. At least 65 in 100 are accepted, so that none of them is for
one code in 10^14; it then gets the first."""


def _check(size: int) -> None:
    if size < 2:
        raise ConfigError(f"latent_size = {size}: directions have at least 2 numbers")


@dataclasses.dataclass(frozen=True)
class UniformSphere:
    """Directions, all alike: the uniform distribution on the unit sphere.

    References:
        Davidson et al., Hyperspherical Variational Auto-Encoders, 2018, section 3.2.
    """

    standard: ClassVar[bool] = False
    support: ClassVar[str] = "sphere"

    def latents(self, latent_size: int) -> Sphere:
        """The direction itself."""
        _check(latent_size)
        return Sphere(latent_size)

    def init(self, key: PRNGKey, latent_size: int, image_shape: ImageShape) -> Params:
        """None."""
        del key, latent_size, image_shape
        return {}

    def codes(self, params: Params, latents: Codes, encode: Any) -> Codes:
        """The latents themselves."""
        del params, encode
        return latents

    def log_prob(self, params: Params, codes: Codes, encode: Any) -> PerExample:
        """Minus the logarithm of the sphere's area, everywhere on it."""
        del params, encode
        return jnp.full(codes.shape[0], -log_area(codes.shape[-1]), codes.dtype)


@dataclasses.dataclass(frozen=True)
class VonMisesFisher:
    """Directions around a mean, ``log q(z) = kappa mean . z + constant``.

    The encoder's first vector, brought to length 1, is the mean; ``softplus`` of the first number
    of its second one, plus ``least``, is the concentration ``kappa``. Codes are drawn by rejection,
    which is exact, and so are their gradients: the code turns with the mean, and its angle to the
    mean follows the concentration at a fixed quantile (implicit reparameterization), however often
    it was rejected.

    Raises:
        ValueError: ``least`` is negative or not finite.

    References:
        Davidson et al., Hyperspherical Variational Auto-Encoders, 2018, section 3.3 (who
        differentiate the accepted proposal, with a correction that their code leaves out). Wood,
        Simulation of the von Mises Fisher distribution, 1994 (the proposals).
    """

    gaussian: ClassVar[bool] = False
    dense: ClassVar[bool] = True
    anywhere: ClassVar[bool] = True
    support: ClassVar[str] = "sphere"

    least: float = 1.0
    """Smallest concentration; the authors' code has 1."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.least < math.inf:
            raise ValueError(f"least = {self.least}: a concentration is at least 0 and finite")

    def encoded_size(self, latent_size: int) -> int:
        """The mean; of the second vector only one number is used."""
        _check(latent_size)
        return latent_size

    def init(self, key: PRNGKey, latent_size: int) -> Params:
        """None."""
        del key, latent_size
        return {}

    def noise(self, key: PRNGKey, latent_size: int) -> dict[str, Array]:
        """Proposals of an angle, what they are accepted by, and a direction away from the mean."""
        return {
            "proposals": proposals(rng.role_key(key, "angle"), latent_size),
            "thresholds": jax.random.uniform(rng.role_key(key, "accept"), (PROPOSALS,)),
            "away": jax.random.normal(rng.role_key(key, "away"), (latent_size,)),
        }

    def draw(self, params: Params, encoded: Encoded, noise: Any, step: Step) -> Drawn:
        """A direction, and its density."""
        del step
        mean, kappa = self._read(encoded)
        angle = angle_of(kappa, noise["proposals"], noise["thresholds"], mean.shape[-1])[:, None]
        codes = jnp.cos(angle) * mean + jnp.sin(angle) * _tangent(mean, noise["away"])
        return Drawn(codes, self.log_prob(params, encoded, codes))

    def log_prob(self, params: Params, encoded: Encoded, codes: Codes) -> PerExample:
        """With respect to the area of the sphere."""
        del params
        mean, kappa = self._read(encoded)
        size = codes.shape[-1]
        # Half the squared distance is 1 - cos, whose digits a dot product near 1 loses.
        away = 0.5 * jnp.sum(jnp.square(codes - mean), axis=-1)
        return -kappa * away - log_normalizer(kappa, size) - log_area(size - 1)

    def has_kl(self, prior: CodePrior) -> bool:
        """Of the uniform distribution."""
        return isinstance(prior, UniformSphere)

    def kl(self, params: Params, encoded: Encoded, prior: CodePrior) -> Float[Array, "batch 1"]:
        """In one group, since the dimensions of a direction are not independent."""
        del params, prior
        mean, kappa = self._read(encoded)
        return kl_uniform(kappa, mean.shape[-1])[:, None]

    def center(self, params: Params, encoded: Encoded) -> Codes:
        """The mean direction."""
        del params
        return self._read(encoded)[0]

    def _read(self, encoded: Encoded) -> tuple[Codes, PerExample]:
        squared = jnp.sum(jnp.square(encoded.mean), axis=-1, keepdims=True)
        kappa = jax.nn.softplus(encoded.log_variance[:, 0]) + self.least
        # A mean of length 0 has no direction; its slope is large, but a number.
        return encoded.mean * jax.lax.rsqrt(jnp.maximum(squared, 1e-24)), kappa


def _tangent(mean: Codes, noise: Codes) -> Codes:
    """Uniform unit vectors at right angles to the means, which turn as these turn.

    ``dv = -(v . dmean) mean``: what follows a mean without spinning about it. Differentiating the
    projection of the noise would add a spin, of no effect on average and, in three dimensions, of
    infinite variance.
    """
    fixed = jax.lax.stop_gradient(mean)
    beside = noise - jnp.sum(noise * fixed, axis=-1, keepdims=True) * fixed
    unit = beside / jnp.maximum(jnp.linalg.norm(beside, axis=-1, keepdims=True), 1e-12)
    unit = jax.lax.stop_gradient(unit)
    return unit - jnp.sum(unit * mean, axis=-1, keepdims=True) * mean


def proposals(key: PRNGKey, size: int) -> Float[Array, "proposals 2"]:
    """Draws ``e`` of ``Beta((size - 1) / 2, (size - 1) / 2)``, beside ``1 - e``.

    ``2 e - 1`` is distributed as one number of a uniform direction in ``R^size``. Both columns are
    sums of positive numbers, so that either keeps its digits near 0.
    """
    uniform, turn = jax.random.uniform(key, (2, PROPOSALS))
    # Of the squared length of two such numbers; in the plane, both are all there is.
    rest = jnp.zeros(PROPOSALS) if size == 2 else uniform ** (2.0 / (size - 2))
    radius = jnp.sqrt(1.0 - rest)
    small = rest / (1.0 + radius)
    halves = [jnp.square(trig(math.pi * turn)) for trig in (jnp.cos, jnp.sin)]
    return jnp.stack([0.5 * small + radius * half for half in halves], axis=-1)


@functools.partial(jax.custom_jvp, nondiff_argnums=(3,))
def angle_of(
    kappa: PerExample,
    proposed: Float[Array, "batch proposals 2"],
    thresholds: Float[Array, "batch proposals"],
    size: int,
) -> PerExample:
    """Angles to the mean, by rejection; see `jaxgan.objectives.vae.sphere_integrals`.

    Args:
        kappa: concentrations.
        proposed: as `proposals` makes them.
        thresholds: uniform numbers from 0 to 1.
        size: of the vectors.

    References:
        Wood, Simulation of the von Mises Fisher distribution, 1994, algorithm VM*. His ``b`` and
        the logarithm of the acceptance are written such that nothing cancels.
    """
    kappa = kappa[:, None]
    b = (size - 1.0) / (2.0 * kappa + jnp.sqrt(4.0 * jnp.square(kappa) + (size - 1.0) ** 2))
    e, rest = proposed[..., 0], proposed[..., 1]
    scale = rest + b * e
    bound = (size - 1.0) * jnp.log((1.0 + b) / (2.0 * scale))
    accepted = jnp.log(thresholds) <= bound + 2.0 * b * kappa * (rest - e) / ((1.0 + b) * scale)
    angles = 2.0 * jnp.arctan2(jnp.sqrt(b * e), jnp.sqrt(rest))
    return jnp.take_along_axis(angles, jnp.argmax(accepted, axis=-1)[:, None], axis=-1)[:, 0]


@angle_of.defjvp
def _(size: int, primals: Any, tangents: Any) -> tuple[Array, Array]:
    angle = angle_of(*primals, size)
    return angle, slope_of_angle(angle, primals[0], size) * tangents[0]
