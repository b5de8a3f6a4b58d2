"""The parts that the KL has over a whole data set: beta-TCVAE and what is between it and a VAE.

On average over images, ``KL(q(z|x) || p(z))`` is the sum of three: the mutual information of images
and codes, the total correlation of the code's dimensions, and the KL of each dimension from the
prior. Each of the three is a regularizer here whose ``weight`` comes on top of what the bound's own
KL counts: a beta-TCVAE with the paper's beta is the evidence lower bound with
``TotalCorrelation(weight=beta - 1)``, and its general objective with alpha, beta and gamma has
``MutualInformation(weight=alpha - 1)`` and ``DimensionwiseKl(weight=gamma - 1)`` besides.

References:
    Chen, Li, Grosse and Duvenaud, Isolating Sources of Disentanglement in Variational Autoencoders,
    2018, sections 3 and 4.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax.numpy as jnp

from jaxgan.config import ConfigError
from jaxgan.objectives.vae.aggregate_posterior import LogDensities, log_densities, log_weights
from jaxgan.objectives.vae.posteriors import gaussian_log_prob
from jaxgan.objectives.vae.regularizers import CodeView, check_gaussian, check_pairs
from jaxgan.typing import PerExample


@dataclasses.dataclass(frozen=True)
class _Part:
    """What the three have in common: how the aggregate posterior is estimated."""

    weight: float = 1.0
    """Factor, on top of what the bound's KL counts; below 0 takes away from that."""
    examples: int = 0
    """Training images, which the estimate is about; there is no default."""
    stratified: bool = False
    """Stratified sampling instead of minibatch-weighted; see
    `jaxgan.objectives.vae.aggregate_posterior.log_weights`."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight) or self.weight == 0.0:
            raise ValueError(f"weight = {self.weight}: must be finite and not 0")
        if self.examples < 0:
            raise ValueError(f"examples = {self.examples}: must be the number of training images")

    def check(self, model: Any, batch_size: int) -> None:
        """Refuses batches of one, posteriors that are not Gaussian, and fewer images than a batch.

        Raises:
            ConfigError: one of them; ``examples`` was not said.
        """
        check_gaussian(self, model)
        check_pairs(self, batch_size)
        if not self.examples:
            raise ConfigError(
                f"{type(self).__name__} estimates a mixture over all training images: say how many"
                " there are, such as examples=1500 (--regularizer.examples 1500)"
            )
        if self.examples < batch_size:
            raise ConfigError(
                f"{type(self).__name__}: examples = {self.examples}, and a batch alone has"
                f" {batch_size}: must be the number of training images"
            )

    def _log_densities(self, view: CodeView) -> LogDensities:
        encoded = view.gather(view.encoded)
        count = len(encoded.mean)
        weights = log_weights(count, self.examples, stratified=self.stratified)
        return log_densities(view.codes, encoded, weights[view.rows])


@dataclasses.dataclass(frozen=True)
class TotalCorrelation(_Part):
    """``weight (log q(z) - sum_d log q(z_d))``: 0 on average for independent dimensions."""

    regularizes: ClassVar[str] = "total_correlation"

    def __call__(self, view: CodeView) -> PerExample:
        """See the class."""
        found = self._log_densities(view)
        return self.weight * (found.joint - found.marginals)


@dataclasses.dataclass(frozen=True)
class MutualInformation(_Part):
    """``weight (log q(z|x) - log q(z))``: what codes tell of which image they are of."""

    regularizes: ClassVar[str] = "mutual_information"

    def __call__(self, view: CodeView) -> PerExample:
        """See the class."""
        own = gaussian_log_prob(view.codes, view.encoded.mean, view.encoded.log_variance)
        return self.weight * (own - self._log_densities(view).joint)


@dataclasses.dataclass(frozen=True)
class DimensionwiseKl(_Part):
    """``weight (sum_d log q(z_d) - log p(z))``, from the standard normal distribution."""

    regularizes: ClassVar[str] = "dimensionwise_kl"

    def check(self, model: Any, batch_size: int) -> None:
        """As of the others; refuses other priors too.

        Raises:
            ConfigError: see above.
        """
        super().check(model, batch_size)
        if not model.code_prior.standard:
            raise ConfigError(
                "DimensionwiseKl is from the standard normal distribution, and the prior is"
                f" {type(model.code_prior).__name__}: take StandardNormal"
            )

    def __call__(self, view: CodeView) -> PerExample:
        """See the class."""
        zero = jnp.zeros_like(view.codes)
        prior = gaussian_log_prob(view.codes, zero, zero)
        return self.weight * (self._log_densities(view).marginals - prior)
