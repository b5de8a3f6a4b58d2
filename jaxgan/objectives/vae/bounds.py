"""The evidence lower bound and its weights, one value an example, in nats."""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.typing import Latents, PerExample, Scalar


def elbo(
    *, log_likelihood: PerExample, kl: PerExample, beta: float | Float[Array, ""] = 1.0
) -> PerExample:
    """``log p(x|z) - beta KL``: with ``beta = 1``, a lower bound of ``log p(x)`` on average over z.

    Args:
        log_likelihood: log-likelihood of each example under one code drawn from the encoder.
        kl: KL of the encoder's distribution from the prior.
        beta: weight of the KL (Higgins et al., beta-VAE, 2017, eq. 4).
    """
    return log_likelihood - beta * kl


def reparameterize(*, mean: Latents, log_variance: Latents, noise: Latents) -> Latents:
    """A draw of ``N(mean, exp(log_variance))`` through which gradients pass.

    Args:
        mean: means of the codes.
        log_variance: logs of their variances.
        noise: standard normal draws, such as `jaxgan.rng.per_example` gives.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, section 2.4.
    """
    return mean + jnp.exp(0.5 * log_variance) * noise


@dataclasses.dataclass(frozen=True)
class Beta:
    """Weight of the KL, raised linearly from 0 at the start of training.

    >>> float(Beta(value=4.0, warmup_steps=100).at(25))
    1.0

    References:
        Higgins et al., beta-VAE, 2017. Bowman et al., Generating Sentences from a Continuous Space,
        2016, section 3.1 (warm-up).
    """

    value: float = 1.0
    """Weight after the warm-up; 1 is the evidence lower bound."""
    warmup_steps: int = 0
    """Steps over which the weight rises from 0; 0: none."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.value < math.inf:
            raise ValueError(f"value = {self.value}: a weight of the KL is at least 0 and finite")
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps = {self.warmup_steps}: must be at least 0")

    def at(self, step: int | Int[Array, ""]) -> Scalar:
        """The weight of the step that comes after ``step`` others."""
        # No warm-up at all is one that was over before the first step.
        progress = jnp.asarray(step) / self.warmup_steps if self.warmup_steps else jnp.ones(())
        return self.value * jnp.minimum(progress, 1.0)
