"""A prior of codes that is the mean of the posteriors of images that are learned."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxgan.config import ConfigError
from jaxgan.objectives.priors import Prior
from jaxgan.objectives.vae.code_priors import Encode
from jaxgan.objectives.vae.mixtures import Picked, mixture_log_prob, picked
from jaxgan.typing import Codes, ImageShape, Latents, Params, PerExample, Pixels, PRNGKey

MOST_NUMBERS = 2**24
"""Pixels of all pseudo-inputs together, at most. As float32, with Adam's two moments and their
average, so many take 256 MB, and every update encodes all of them."""


@dataclasses.dataclass(frozen=True)
class VampPrior:
    """``p(z) = 1/K sum_k q(z|u_k)``, whose pseudo-inputs ``u_k`` are learned with the networks.

    The first ones are normal; the defaults are the paper's for MNIST (0.05 and 0.01 where black is
    0 and white is 1) in the range that encoders read, from -1 to 1. As in the authors' code,
    they are clipped to the range before they are encoded, and do not learn where they are outside.
    Of a conditional model, they have the classes in turn, and one prior is that of all classes.

    References:
        Tomczak and Welling, VAE with a VampPrior, 2018, eq. 9 and section 5.1.
    """

    standard: ClassVar[bool] = False
    support: ClassVar[str] = "space"

    components: int = 500
    """Pseudo-inputs, K."""
    mean: float = -0.9
    """Mean of the first pseudo-inputs' pixels."""
    std: float = 0.02
    """Their standard deviation."""
    low: float = -1.0
    """Where pixels are clipped from below, in the range that the encoder reads; minus infinity for
    points."""
    high: float = 1.0
    """Where they are clipped from above."""

    def __post_init__(self) -> None:
        if self.components < 1:
            raise ValueError(f"components = {self.components}: there is at least 1 pseudo-input")
        if not 0.0 < self.std < math.inf:
            raise ValueError(f"std = {self.std}: must be above 0 and finite, lest all be one")
        if not self.low < self.mean < self.high:
            raise ValueError(
                f"mean = {self.mean}: must be above low = {self.low} and below high = {self.high}"
            )

    def check(self, model: Any, image_shape: ImageShape) -> None:
        """Refuses models whose encoder gives no Gaussian of an image alone, and too many pixels.

        Args:
            model: `jaxgan.algorithms.vae.Vae` or what has its fields.
            image_shape: height, width and channels.

        Raises:
            ConfigError: says what does not go together.
        """
        if not model.posterior.gaussian:
            raise ConfigError(
                "VampPrior is made of the Gaussians that the encoder gives, and the posterior is"
                f" {type(model.posterior).__name__}: take DiagonalGaussian, or MixtureOfGaussians"
            )
        pixels = math.prod(image_shape)
        if self.components * pixels > MOST_NUMBERS:
            raise ConfigError(
                f"VampPrior: {self.components:,} pseudo-inputs of {pixels:,} pixels are more than"
                f" {MOST_NUMBERS:,} numbers: take at most {MOST_NUMBERS // pixels:,} components"
            )

    def latents(self, latent_size: int) -> Prior:
        """Noise and a place."""
        return Picked(latent_size)

    def init(self, key: PRNGKey, latent_size: int, image_shape: ImageShape) -> Params:
        """``pseudo_inputs``: ``(components, height, width, channels)``."""
        del latent_size
        shape = (self.components, *image_shape)
        return {"pseudo_inputs": self.mean + self.std * jax.random.normal(key, shape)}

    def codes(self, params: Params, latents: Latents, encode: Encode) -> Codes:
        """``mean + exp(log_variance / 2) noise`` of the pseudo-input that is picked."""
        own = picked(latents["place"], jnp.zeros(self.components))
        encoded = encode(self._images(params, own), own)
        return encoded.mean + jnp.exp(0.5 * encoded.log_variance) * latents["noise"]

    def log_prob(self, params: Params, codes: Codes, encode: Encode) -> PerExample:
        """See `jaxgan.objectives.vae.mixtures.mixture_log_prob`."""
        every = jnp.arange(self.components)
        encoded = encode(self._images(params, every), every)
        return mixture_log_prob(
            codes, encoded.mean, encoded.log_variance, jnp.zeros(self.components)
        )

    def _images(self, params: Params, places: Any) -> Pixels:
        return jnp.clip(params["pseudo_inputs"][places], self.low, self.high)
