"""Bounds by importance sampling: averages of weights of several codes, and their gradients."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from jaxgan.objectives.vae.bounds import Terms, Weigh, check_samples
from jaxgan.typing import PerExample


def log_weights(terms: Terms, weigh: Weigh) -> Float[Array, "samples batch"]:
    """``log p(x|z) - weigh(log q(z|x) - log p(z))`` of each code.

    Args:
        terms: of a posterior with densities.
        weigh: multiplies by a number (`jaxgan.objectives.vae.bounds.KlWeight.linear`).
    """
    assert terms.log_posterior is not None
    assert terms.log_prior is not None
    ratio = terms.log_posterior - terms.log_prior
    return terms.log_likelihood - weigh(ratio.reshape(-1, 1)).reshape(ratio.shape)


def log_mean_exp(values: Float[Array, "samples *rest"]) -> Float[Array, "*rest"]:
    """``log mean exp`` over the first axis, for values of any size.

    >>> print(log_mean_exp(jnp.log(jnp.array([100.0, 300.0])) + 1000.0) - 1000.0)  # log 200
    5.298...
    """
    return logsumexp(values, axis=0) - math.log(values.shape[0])


class _Weighted:
    """What the bounds below need."""

    closed: ClassVar[bool] = False
    dense: ClassVar[bool] = True
    linear: ClassVar[bool] = True
    path: ClassVar[bool] = False

    def encoder(self, terms: Terms, weigh: Weigh) -> PerExample | None:
        """The same."""
        del terms, weigh
        return None


@dataclasses.dataclass(frozen=True)
class Iwae(_Weighted):
    """``log 1/K sum_k w_k``: the tighter, the more codes; its loss is this value.

    References:
        Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016, eq. 8 and 14.
    """

    samples: int = 5
    """Codes an image (K); with one it is the evidence lower bound."""

    def __post_init__(self) -> None:
        check_samples(self.samples)

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """See the class."""
        return log_mean_exp(log_weights(terms, weigh))


@dataclasses.dataclass(frozen=True)
class DReG(Iwae):
    """The same value and model gradient; an encoder gradient that does not drown in noise.

    The posterior's density is differentiated through the codes alone, and each code's path counts
    by the square of its normalized weight ``n``; where the KL counts ``b``, by ``b n^2 +
    (1 - b) n``. On average this is the gradient of `Iwae`. (With ``n`` for the square it is not,
    though it is as quiet.)

    References:
        Tucker et al., Doubly Reparameterized Gradient Estimators for Monte Carlo Objectives, 2019
        (their IWAE-DReG).
    """

    path: ClassVar[bool] = True

    def encoder(self, terms: Terms, weigh: Weigh) -> PerExample:
        """Something whose slope is that gradient; its value means nothing."""
        log_weight = log_weights(terms, weigh)
        normalized = jax.lax.stop_gradient(jax.nn.softmax(log_weight, axis=0))
        # Reparameterizing d log q a second time costs its weight in the bound.
        counted = weigh(jnp.ones((1, 1), log_weight.dtype))
        return jnp.sum(normalized * (1 - counted + counted * normalized) * log_weight, axis=0)


@dataclasses.dataclass(frozen=True)
class Ciwae(_Weighted):
    """``share ELBO + (1 - share) IWAE``, both of the same codes.

    References:
        Rainforth et al., Tighter Variational Bounds are Not Necessarily Better, 2018 (CIWAE; their
        beta is the share).
    """

    samples: int = 5
    """Codes an image (K)."""
    share: float = 0.5
    """What the evidence lower bound counts."""

    def __post_init__(self) -> None:
        check_samples(self.samples)
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share = {self.share}: must be from 0 to 1")

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """See the class."""
        weights = log_weights(terms, weigh)
        return self.share * jnp.mean(weights, axis=0) + (1 - self.share) * log_mean_exp(weights)


@dataclasses.dataclass(frozen=True)
class Miwae(_Weighted):
    """The mean of ``averages`` bounds of `Iwae`, of ``inside`` codes each.

    References:
        Rainforth et al., Tighter Variational Bounds are Not Necessarily Better, 2018 (MIWAE(M, K)).
    """

    averages: int = 8
    """Bounds that are averaged (M)."""
    inside: int = 8
    """Codes in each (K)."""

    def __post_init__(self) -> None:
        for name in ("averages", "inside"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 1")

    @property
    def samples(self) -> int:
        """Codes an image: those of all bounds."""
        return self.averages * self.inside

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """See the class."""
        return self._mean(log_weights(terms, weigh))

    def _mean(self, weights: Float[Array, "samples batch"]) -> PerExample:
        groups = weights.reshape(self.averages, self.inside, -1)
        return jnp.mean(jax.vmap(log_mean_exp)(groups), axis=0)


@dataclasses.dataclass(frozen=True)
class Piwae(Miwae):
    """`Iwae` of all codes for the decoder, `Miwae` of the same codes for the encoder.

    The value is the decoder's. A learned prior is trained with the decoder, a learned part of the
    posterior with the encoder.

    References:
        Rainforth et al., Tighter Variational Bounds are Not Necessarily Better, 2018
        (PIWAE(M, K)).
    """

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """See the class."""
        return log_mean_exp(log_weights(terms, weigh))

    def encoder(self, terms: Terms, weigh: Weigh) -> PerExample:
        """The mean over the bounds."""
        return self._mean(log_weights(terms, weigh))
