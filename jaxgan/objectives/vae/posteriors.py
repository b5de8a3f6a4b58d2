"""Distributions of an image's code, given what the encoder returned for it.

An encoder returns two vectors an image, which a posterior reads as it wants (`Encoded`). What a
posterior learns beside the encoder, such as a flow, is a pytree of parameters that it is given.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.objectives.protocols import subclasses_have
from jaxgan.objectives.vae.bounds import reparameterize
from jaxgan.objectives.vae.code_priors import CodePrior, StandardNormal
from jaxgan.objectives.vae.divergences import kl_standard_normal_groups
from jaxgan.typing import Codes, Params, PerExample, PRNGKey

Step: TypeAlias = Int[Array, ""] | None
"""Train steps done; None outside of training."""


class Encoded(NamedTuple):
    """What an encoder returns: of a Gaussian, the mean and the log variance of each dimension.

    Attributes:
        mean: ``(batch, size)``.
        log_variance: ``(batch, size)``.
    """

    mean: Float[Array, "batch size"]
    log_variance: Float[Array, "batch size"]


class Drawn(NamedTuple):
    """One code an image.

    Attributes:
        codes: ``(batch, latent)``.
        log_prob: log density of each under its posterior, in nats; None where there is no density.
    """

    codes: Codes
    log_prob: PerExample | None


@runtime_checkable
class Posterior(Protocol):
    """What an algorithm asks of a posterior."""

    __subclasshook__ = subclasses_have(
        *("gaussian", "dense", "anywhere", "support", "encoded_size", "init", "noise"),
        *("draw", "log_prob", "has_kl", "kl", "center"),
    )

    gaussian: ClassVar[bool]
    """Whether it is the diagonal Gaussian with the encoder's means and log variances."""
    dense: ClassVar[bool]
    """Whether `draw` gives the log densities of its codes."""
    anywhere: ClassVar[bool]
    """Whether `log_prob` gives the density of any code, and not only `draw` that of its own."""
    support: ClassVar[str]
    """Where codes are, as in `jaxgan.objectives.vae.code_priors.CodePrior`."""

    def encoded_size(self, latent_size: int) -> int:
        """Length of the encoder's two vectors, for codes of a length.

        Raises:
            ConfigError: there are no such codes.
        """
        ...

    def init(self, key: PRNGKey, latent_size: int) -> Params:
        """First parameters; {} where there are none."""
        ...

    def noise(self, key: PRNGKey, latent_size: int) -> Any:
        """What one code is drawn with: an array, or a pytree of arrays, without a batch axis."""
        ...

    def draw(self, params: Params, encoded: Encoded, noise: Any, step: Step) -> Drawn:
        """A code of each image, through which gradients pass.

        Args:
            params: as `init` makes them.
            encoded: of each image.
            noise: of each image; axis 0 of every array is the image.
            step: for what changes in the course of training, and is not there outside of it.
        """
        ...

    def log_prob(self, params: Params, encoded: Encoded, codes: Codes) -> PerExample:
        """Log density of given codes, in nats; NotImplementedError unless `anywhere`."""
        ...

    def has_kl(self, prior: CodePrior) -> bool:
        """Whether the KL from a prior has a closed form.

        Raises:
            ConfigError: codes of the two cannot be the same.
        """
        ...

    def kl(
        self, params: Params, encoded: Encoded, prior: CodePrior
    ) -> Float[Array, "batch groups"]:
        """That KL, in nats, by groups of dimensions that are independent; see `has_kl`."""
        ...

    def center(self, params: Params, encoded: Encoded) -> Codes:
        """The one code that stands for the image, such as the mean."""
        ...


@dataclasses.dataclass(frozen=True)
class DiagonalGaussian:
    """``N(mean, diag(exp(log_variance)))``.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, section 3.
    """

    gaussian: ClassVar[bool] = True
    dense: ClassVar[bool] = True
    anywhere: ClassVar[bool] = True
    support: ClassVar[str] = "space"

    def encoded_size(self, latent_size: int) -> int:
        """One mean and one log variance a dimension."""
        return latent_size

    def init(self, key: PRNGKey, latent_size: int) -> Params:
        """None."""
        del key, latent_size
        return {}

    def noise(self, key: PRNGKey, latent_size: int) -> Float[Array, "{latent_size}"]:
        """Standard normal."""
        return jax.random.normal(key, (latent_size,))

    def draw(self, params: Params, encoded: Encoded, noise: Codes, step: Step) -> Drawn:
        """``mean + exp(log_variance / 2) noise``, and its density."""
        del step
        codes = reparameterize(mean=encoded.mean, log_variance=encoded.log_variance, noise=noise)
        return Drawn(codes, self.log_prob(params, encoded, codes))

    def log_prob(self, params: Params, encoded: Encoded, codes: Codes) -> PerExample:
        """Summed over dimensions."""
        del params
        return gaussian_log_prob(codes, encoded.mean, encoded.log_variance)

    def has_kl(self, prior: CodePrior) -> bool:
        """Of the standard normal distribution."""
        return isinstance(prior, StandardNormal)

    def kl(
        self, params: Params, encoded: Encoded, prior: CodePrior
    ) -> Float[Array, "batch groups"]:
        """By dimension, from the standard normal distribution."""
        del params, prior
        return kl_standard_normal_groups(mean=encoded.mean, log_variance=encoded.log_variance)

    def center(self, params: Params, encoded: Encoded) -> Codes:
        """The mean."""
        del params
        return encoded.mean


@dataclasses.dataclass(frozen=True)
class Point:
    """All mass on one code: an autoencoder without noise.

    It has no density and no KL, so its objective is `jaxgan.objectives.vae.bounds.Reconstruction`
    and what else is added to it. The encoder's second vector is not used.

    References:
        Tolstikhin et al., Wasserstein Auto-Encoders, 2018, section 2. Ghosh et al., From
        Variational to Deterministic Autoencoders, 2020, section 3.
    """

    gaussian: ClassVar[bool] = False
    dense: ClassVar[bool] = False
    anywhere: ClassVar[bool] = False
    support: ClassVar[str] = "space"

    def encoded_size(self, latent_size: int) -> int:
        """One number a dimension."""
        return latent_size

    def init(self, key: PRNGKey, latent_size: int) -> Params:
        """None."""
        del key, latent_size
        return {}

    def noise(self, key: PRNGKey, latent_size: int) -> Float[Array, "0"]:
        """None."""
        del key, latent_size
        return jnp.zeros(0)

    def draw(self, params: Params, encoded: Encoded, noise: Any, step: Step) -> Drawn:
        """The encoder's first vector."""
        del params, noise, step
        return Drawn(encoded.mean, None)

    def log_prob(self, params: Params, encoded: Encoded, codes: Codes) -> PerExample:
        """There is none."""
        raise NotImplementedError("a point has no density")

    def has_kl(self, prior: CodePrior) -> bool:
        """None: it is infinite, from any density."""
        del prior
        return False

    def kl(
        self, params: Params, encoded: Encoded, prior: CodePrior
    ) -> Float[Array, "batch groups"]:
        """There is none."""
        raise NotImplementedError("the KL of a point from a density is infinite")

    def center(self, params: Params, encoded: Encoded) -> Codes:
        """The same."""
        del params
        return encoded.mean


def gaussian_log_prob(codes: Codes, mean: Codes, log_variance: Codes) -> PerExample:
    """Log density of a diagonal Gaussian, summed over the last axis, constants included.

    Args:
        codes: where it is taken.
        mean: of each dimension; broadcast against the codes.
        log_variance: of each dimension, likewise.
    """
    distance = jnp.square(codes - mean) * jnp.exp(-log_variance)
    return -0.5 * jnp.sum(distance + log_variance + math.log(2.0 * math.pi), axis=-1)
