"""The evidence lower bound where the KL is estimated by the codes that were drawn."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

from jaxgan.objectives.vae.bounds import Terms, Weigh, check_samples
from jaxgan.typing import PerExample


@dataclasses.dataclass(frozen=True)
class MonteCarloElbo:
    """``E[log p(x|z)] - weigh(E[log q(z|x) - log p(z)])``, for posteriors and priors of any kind.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, eq. 6 (their estimator A).
    """

    closed: ClassVar[bool] = False
    dense: ClassVar[bool] = True
    linear: ClassVar[bool] = False
    path: ClassVar[bool] = False

    samples: int = 1
    """Codes that both expectations are averaged over."""

    def __post_init__(self) -> None:
        check_samples(self.samples)

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """See the class. The weight gets the estimated KL of each image, in one group."""
        assert terms.log_posterior is not None
        assert terms.log_prior is not None
        kl = jnp.mean(terms.log_posterior - terms.log_prior, axis=0)
        return jnp.mean(terms.log_likelihood, axis=0) - weigh(kl[:, None])

    def encoder(self, terms: Terms, weigh: Weigh) -> None:
        """The same."""
        del terms, weigh


@dataclasses.dataclass(frozen=True)
class StickingTheLanding(MonteCarloElbo):
    """The same value; the posterior's density is differentiated through the codes alone.

    What is left out, ``d log q(z|x) / d parameters`` at a fixed code, is zero on average. Without
    it the gradient of the encoder has no variance where the posterior is exact.

    References:
        Roeder, Wu and Duvenaud, Sticking the Landing: Simple, Lower-Variance Gradient Estimators
        for Variational Inference, 2017 (their path derivative).
    """

    path: ClassVar[bool] = True
