"""Distributions that a decoder's codes come from, learned or not.

A draw has two parts: latents that depend on no parameter (`CodePrior.latents`), so that they can be
kept, interpolated and exchanged between models, and the code that they stand for, which may depend
on what was learned (`CodePrior.codes`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import jax.numpy as jnp

from jaxgan.objectives.priors import Normal, Prior
from jaxgan.objectives.protocols import subclasses_have
from jaxgan.typing import Codes, ImageShape, Latents, Params, PerExample, Pixels, PRNGKey

Encode: TypeAlias = Callable[[Pixels, Any], Any]
"""From images, in the range that the encoder reads, and their numbers ``(batch,)`` among those that
a prior is made of, to `jaxgan.objectives.vae.posteriors.Encoded`. Encoders that want a class have
all classes in turn, by these numbers."""


@runtime_checkable
class CodePrior(Protocol):
    """What an algorithm asks of a prior of codes."""

    __subclasshook__ = subclasses_have(
        *("standard", "support", "latents", "init", "codes", "log_prob")
    )

    standard: ClassVar[bool]
    """Whether it is the standard normal distribution."""
    support: ClassVar[str]
    """Where codes are: ``space`` for all vectors, or the name of a part of them."""

    def latents(self, latent_size: int) -> Prior:
        """What samples are drawn from: noise, and whatever else a code is made of.

        Raises:
            ConfigError: there are no codes of this length.
        """
        ...

    def init(self, key: PRNGKey, latent_size: int, image_shape: ImageShape) -> Params:
        """First parameters; {} where nothing is learned."""
        ...

    def codes(self, params: Params, latents: Latents, encode: Encode) -> Codes:
        """The codes that latents stand for."""
        ...

    def log_prob(self, params: Params, codes: Codes, encode: Encode) -> PerExample:
        """Log density of codes, in nats."""
        ...


@runtime_checkable
class CheckedPrior(Protocol):
    """What a prior that does not go with every model has besides."""

    def check(self, model: Any, image_shape: ImageShape) -> None:
        """Refuses what it cannot be the prior of.

        Args:
            model: `jaxgan.algorithms.vae.Vae` or what has its fields.
            image_shape: height, width and channels.

        Raises:
            ConfigError: says what does not go together, why, and what would do.
        """
        ...


@dataclasses.dataclass(frozen=True)
class StandardNormal:
    """``N(0, I)``.

    >>> print(f"{StandardNormal().log_prob({}, jnp.zeros((1, 2)), None)[0]:.4f}")  # -log(2 pi)
    -1.8379

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, section 3.
    """

    standard: ClassVar[bool] = True
    support: ClassVar[str] = "space"

    def latents(self, latent_size: int) -> Prior:
        """The code itself."""
        return Normal(latent_size)

    def init(self, key: PRNGKey, latent_size: int, image_shape: ImageShape) -> Params:
        """None."""
        del key, latent_size, image_shape
        return {}

    def codes(self, params: Params, latents: Codes, encode: Any) -> Codes:
        """The latents themselves."""
        del params, encode
        return latents

    def log_prob(self, params: Params, codes: Codes, encode: Any) -> PerExample:
        """``-|z|^2 / 2 - (d / 2) log(2 pi)``."""
        del params, encode
        return -0.5 * jnp.sum(jnp.square(codes) + math.log(2.0 * math.pi), axis=-1)
