"""Priors of codes that are mixtures of learned Gaussians.

What is drawn for a sample is noise, and one of many places that are shared out among the components
by their weights. Neither depends on what was learned.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan import rng
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.objectives.vae.posteriors import gaussian_log_prob
from jaxgan.typing import Codes, ImageShape, Latents, Params, PerExample, PRNGKey

PLACES = 2**24
"""As many as float32 tells apart; components of a smaller share are not drawn."""


@dataclasses.dataclass(frozen=True)
class Picked:
    """Normal noise, and one of `PLACES` that picks one of several: ``noise`` and ``place``.

    A place is an int32, since there is no slope along which one leads to another.

    >>> latents = Picked(3).draw(jax.random.key(0), classes=0)
    >>> latents["noise"].shape, 0 <= int(latents["place"]) < PLACES
    ((3,), True)

    Raises:
        ValueError: for a size below 1.
    """

    conditional: ClassVar[bool] = False

    @property
    def truncates(self) -> bool:
        """Yes: the noise is normal."""
        return True

    size: int = 100
    """Length of the noise."""

    def __post_init__(self) -> None:
        Normal(self.size)

    def draw(self, key: PRNGKey, classes: int) -> dict[str, Array]:
        """Noise and place, independent of each other."""
        return {
            "noise": Normal(self.size).draw(rng.role_key(key, "noise"), classes),
            "place": jax.random.randint(rng.role_key(key, "place"), (), 0, PLACES, jnp.int32),
        }

    def truncate(self, latents: Latents, psi: float | Float[Array, ""]) -> Latents:
        """Codes nearer to the mean of their component; which one that is stays."""
        return {**latents, "noise": psi * latents["noise"]}

    def project(self, latents: Latents) -> Latents:
        """The latents themselves: the noise has mass everywhere."""
        return latents

    def between(self, a: Latents, b: Latents, t: Float[Array, "batch"]) -> Latents:
        """Great circles of the noise, in the components of ``a``: between two there may be none."""
        noise = Normal(self.size).between(a["noise"], b["noise"], t)
        return {**a, "noise": noise}


def picked(
    places: Int[Array, "batch"], log_weights: Float[Array, "components"]
) -> Int[Array, "batch"]:
    """The component of each place: component k has the k-th stretch of them, of its weight.

    Args:
        places: from 0 to below `PLACES`.
        log_weights: of the components, up to a constant.
    """
    ends = jnp.cumsum(jax.nn.softmax(log_weights))
    found = jnp.searchsorted(ends, places / PLACES, side="right")
    # The last end is 1 but for rounding.
    return jnp.minimum(found, len(log_weights) - 1)


def mixture_log_prob(
    codes: Codes,
    means: Float[Array, "components latent"],
    log_variances: Float[Array, "components latent"],
    log_weights: Float[Array, "components"],
) -> PerExample:
    """``log sum_k w_k N(z; mean_k, diag(variance_k))``, in nats.

    Args:
        codes: where it is taken.
        means: of the components.
        log_variances: of the components.
        log_weights: of the components, up to a constant.
    """

    def of_one(mean: Array, log_variance: Array) -> PerExample:
        both = (jnp.broadcast_to(part, codes.shape) for part in (mean, log_variance))
        return gaussian_log_prob(codes, *both)

    each = jax.vmap(of_one, out_axes=1)(means, log_variances)
    return jax.nn.logsumexp(each + jax.nn.log_softmax(log_weights), axis=-1)


@dataclasses.dataclass(frozen=True)
class MixtureOfGaussians:
    """A mixture of Gaussians whose means, variances and weights are learned with the networks.

    References:
        Dilokthanakul et al., Deep Unsupervised Clustering with Gaussian Mixture Variational
        Autoencoders, 2016. Tomczak and Welling, VAE with a VampPrior, 2018, section 2 (the mixture
        that theirs is compared with).
    """

    standard: ClassVar[bool] = False
    support: ClassVar[str] = "space"

    components: int = 10
    """How many Gaussians."""
    spread: float = 1.0
    """Standard deviation of the first means; the first variances are 1, the weights equal."""

    def __post_init__(self) -> None:
        if self.components < 1:
            raise ValueError(f"components = {self.components}: a mixture has at least 1")
        if not 0.0 < self.spread < math.inf:
            raise ValueError(f"spread = {self.spread}: must be above 0 and finite, lest all be one")

    def latents(self, latent_size: int) -> Prior:
        """Noise and a place."""
        return Picked(latent_size)

    def init(self, key: PRNGKey, latent_size: int, image_shape: ImageShape) -> Params:
        """``mean`` and ``log_variance``, ``(components, latent)``; ``log_weight``."""
        del image_shape
        shape = (self.components, latent_size)
        return {
            "mean": self.spread * jax.random.normal(key, shape),
            "log_variance": jnp.zeros(shape),
            "log_weight": jnp.zeros(self.components),
        }

    def codes(self, params: Params, latents: Latents, encode: Any) -> Codes:
        """``mean + exp(log_variance / 2) noise`` of the component that is picked."""
        del encode
        own = picked(latents["place"], params["log_weight"])
        scale = jnp.exp(0.5 * params["log_variance"][own])
        return params["mean"][own] + scale * latents["noise"]

    def log_prob(self, params: Params, codes: Codes, encode: Any) -> PerExample:
        """See `mixture_log_prob`."""
        del encode
        return mixture_log_prob(codes, params["mean"], params["log_variance"], params["log_weight"])
