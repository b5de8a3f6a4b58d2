"""Codes that are categories: Gumbel-softmax posteriors and the uniform prior."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.config import ConfigError
from jaxgan.objectives.one_hots import OneHots, hardened
from jaxgan.objectives.vae.code_priors import CodePrior
from jaxgan.objectives.vae.posteriors import Drawn, Encoded, Step
from jaxgan.typing import Codes, ImageShape, Params, PerExample, PRNGKey, Scalar


def _check_categories(categories: int) -> None:
    if categories < 2:
        raise ValueError(f"categories = {categories}: there must be at least 2")


def _groups(latent_size: int, categories: int) -> int:
    if latent_size % categories:
        raise ConfigError(
            f"latent_size = {latent_size}: codes are groups of {categories} categories, so it must"
            f" be a multiple of {categories}"
        )
    return latent_size // categories


@dataclasses.dataclass(frozen=True)
class UniformCategorical:
    """Groups of one-hot numbers, every category as likely as the others.

    Raises:
        ValueError: there are fewer than two categories.

    References:
        Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2017, section 4.2.
    """

    standard: ClassVar[bool] = False
    support: ClassVar[str] = "categories"

    categories: int = 10
    """Categories of each group; the length of a code is a multiple of it."""

    def __post_init__(self) -> None:
        _check_categories(self.categories)

    def latents(self, latent_size: int) -> OneHots:
        """The code itself."""
        return OneHots(_groups(latent_size, self.categories), self.categories)

    def init(self, key: PRNGKey, latent_size: int, image_shape: ImageShape) -> Params:
        """None."""
        del key, latent_size, image_shape
        return {}

    def codes(self, params: Params, latents: Codes, encode: Any) -> Codes:
        """The latents themselves."""
        del params, encode
        return latents

    def log_prob(self, params: Params, codes: Codes, encode: Any) -> PerExample:
        """Minus ``log(categories)`` a group."""
        del params, encode
        groups = codes.shape[-1] // self.categories
        return jnp.full(codes.shape[0], -groups * math.log(self.categories), codes.dtype)


@dataclasses.dataclass(frozen=True)
class GumbelSoftmax:
    """Categories with the encoder's first vector for their logits, in groups.

    In training a draw is ``softmax((logits + Gumbel noise) / temperature)``, between the
    categories. Outside of training it is the largest of them, whole, which makes it an exact draw
    of the categories. The KL is that of the categories, in both cases. The encoder's second vector
    is not used. Codes between the categories have no probability: bounds that are estimated by
    codes, and likelihoods by importance sampling, need `StraightThroughGumbel`.

    >>> [round(float(GumbelSoftmax(annealing=1e-3).temperature_at(step)), 4) for step in (0, 100)]
    [1.0, 0.9048]

    Raises:
        ValueError: there are fewer than two categories, a temperature is not positive, or the rate
            is negative.

    References:
        Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2017, eq. 2, and
        section 4.2 (annealing, groups). Maddison, Mnih and Teh, The
        Concrete Distribution, 2017.
    """

    gaussian: ClassVar[bool] = False
    dense: ClassVar[bool] = False
    support: ClassVar[str] = "categories"
    anywhere: ClassVar[bool] = False

    categories: int = 10
    """Categories of each group; the length of a code is a multiple of it."""
    temperature: float = 1.0
    """Temperature at the start; the smaller, the nearer to whole codes, and the steeper."""
    least: float = 0.5
    """Smallest temperature."""
    annealing: float = 1e-4
    """Rate at which it falls a step: ``max(least, temperature exp(-annealing step))``."""

    def __post_init__(self) -> None:
        _check_categories(self.categories)
        for name in ("temperature", "least"):
            if not 0.0 < (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name} = {value}: a temperature is above 0 and finite")
        if not 0.0 <= self.annealing < math.inf:
            raise ValueError(f"annealing = {self.annealing}: a rate is at least 0 and finite")

    def encoded_size(self, latent_size: int) -> int:
        """A logit a category."""
        _groups(latent_size, self.categories)
        return latent_size

    def init(self, key: PRNGKey, latent_size: int) -> Params:
        """None."""
        del key, latent_size
        return {}

    def noise(self, key: PRNGKey, latent_size: int) -> Float[Array, "{latent_size}"]:
        """Gumbel noise."""
        return jax.random.gumbel(key, (latent_size,))

    def temperature_at(self, step: Any) -> Scalar:
        """The temperature of the step that comes after ``step`` others."""
        fallen = self.temperature * jnp.exp(-self.annealing * jnp.asarray(step, jnp.float32))
        return jnp.maximum(fallen, self.least)

    def draw(self, params: Params, encoded: Encoded, noise: Codes, step: Step) -> Drawn:
        """Codes, and their log probability where they are whole."""
        del params
        scores = encoded.mean + noise
        whole = hardened(scores, self.categories)
        if step is None:
            return Drawn(whole, self._log_mass(encoded, whole))
        grouped = self._grouped(scores) / self.temperature_at(step)
        soft = jax.nn.softmax(grouped, axis=-1).reshape(scores.shape)
        if not self.dense:
            return Drawn(soft, None)
        # A difference of equal numbers: 0, with a slope.
        codes = whole + (soft - jax.lax.stop_gradient(soft))
        return Drawn(codes, self._log_mass(encoded, codes))

    def log_prob(self, params: Params, encoded: Encoded, codes: Codes) -> PerExample:
        """There is none: codes between the categories have no probability."""
        raise NotImplementedError("categories have no density")

    def has_kl(self, prior: CodePrior) -> bool:
        """Of uniform categories.

        Raises:
            ConfigError: there are more of them, or fewer.
        """
        if not isinstance(prior, UniformCategorical):
            return False
        if prior.categories != self.categories:
            raise ConfigError(
                f"codes of {type(self).__name__} are groups of {self.categories} categories, and"
                f" those of {type(prior).__name__} groups of {prior.categories}: say one number"
            )
        return True

    def kl(
        self, params: Params, encoded: Encoded, prior: CodePrior
    ) -> Float[Array, "batch groups"]:
        """``sum p (log p + log categories)`` of each group."""
        del params, prior
        logs = jax.nn.log_softmax(self._grouped(encoded.mean), axis=-1)
        return jnp.sum(jnp.exp(logs) * (logs + math.log(self.categories)), axis=-1)

    def center(self, params: Params, encoded: Encoded) -> Codes:
        """The most likely categories, whole."""
        del params
        return hardened(encoded.mean, self.categories)

    def _grouped(self, codes: Codes) -> Float[Array, "batch groups {self.categories}"]:
        return codes.reshape(codes.shape[0], -1, self.categories)

    def _log_mass(self, encoded: Encoded, codes: Codes) -> PerExample:
        logs = jax.nn.log_softmax(self._grouped(encoded.mean), axis=-1)
        return jnp.sum(self._grouped(codes) * logs, axis=(1, 2))


@dataclasses.dataclass(frozen=True)
class StraightThroughGumbel(GumbelSoftmax):
    """The same with whole codes in training too, which have the slopes of those in between.

    References:
        Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2017, section 2.2.
    """

    dense: ClassVar[bool] = True
