"""A posterior whose steps each see all numbers of a code that come before the one they change."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.objectives.vae import autoregressive
from jaxgan.objectives.vae.bounds import reparameterize
from jaxgan.objectives.vae.code_priors import CodePrior
from jaxgan.objectives.vae.flows import base_and_context, check_steps, size_with_context
from jaxgan.objectives.vae.posteriors import Drawn, Encoded, Step, gaussian_log_prob
from jaxgan.typing import Codes, Params, PerExample, PRNGKey


@dataclasses.dataclass(frozen=True)
class InverseAutoregressiveFlow:
    """Codes of a diagonal Gaussian, moved by gated steps ``s z + (1 - s) m``.

    ``m`` and ``s`` are functions of the numbers before each one and of a context that the encoder
    gives beside mean and log variance. After each step the order is turned around. The networks
    are learned beside the encoder. Going back takes as many passes as a code has numbers, which is
    not done here: only codes that are drawn have a density.

    Raises:
        ValueError: there is not even one step or hidden unit, or ``gate`` is not finite.

    References:
        Kingma et al., Improving Variational Inference with Inverse Autoregressive Flow, 2016,
        algorithm 1 and eq. 13 and 14.
    """

    gaussian: ClassVar[bool] = False
    dense: ClassVar[bool] = True
    anywhere: ClassVar[bool] = False
    support: ClassVar[str] = "space"

    steps: int = 2
    """Steps after the Gaussian; the paper's T."""
    units: int = 64
    """Units of each step's hidden layer."""
    context: int = 16
    """Numbers of the context; the paper's h."""
    gate: float = 2.0
    """What is added to the gates' logits, so that steps begin near the identity."""

    def __post_init__(self) -> None:
        check_steps(self.steps)
        if self.units < 1:
            raise ValueError(f"units = {self.units}: must be at least 1")
        if self.context < 0:
            raise ValueError(f"context = {self.context}: must be at least 0 (0: none)")
        if not math.isfinite(self.gate):
            raise ValueError(f"gate = {self.gate}: must be finite; the paper says 1 or 2")

    def encoded_size(self, latent_size: int) -> int:
        """A mean and a log variance a dimension, and the context."""
        return size_with_context(latent_size, self.context)

    def init(self, key: PRNGKey, latent_size: int) -> Params:
        """A masked network for each step."""
        return {
            f"step_{k}": autoregressive.init(
                rng.role_key(key, "step", k),
                size=latent_size, hidden=self.units, context=self.context,
            )
            for k in range(self.steps)
        }  # fmt: skip

    def noise(self, key: PRNGKey, latent_size: int) -> Float[Array, "{latent_size}"]:
        """Standard normal."""
        return jax.random.normal(key, (latent_size,))

    def draw(self, params: Params, encoded: Encoded, noise: Codes, step: Step) -> Drawn:
        """The Gaussian's draw after all steps, and its density there."""
        del step
        base, context = base_and_context(encoded, noise.shape[-1], self.context)
        codes = reparameterize(mean=base.mean, log_variance=base.log_variance, noise=noise)
        log_prob = gaussian_log_prob(codes, base.mean, base.log_variance)
        moved, log_determinant = self._move(params, codes, context)
        return Drawn(moved, log_prob - log_determinant)

    def log_prob(self, params: Params, encoded: Encoded, codes: Codes) -> PerExample:
        """There is none of given codes."""
        raise NotImplementedError("inverse autoregressive steps are not turned back")

    def has_kl(self, prior: CodePrior) -> bool:
        """None."""
        del prior
        return False

    def kl(
        self, params: Params, encoded: Encoded, prior: CodePrior
    ) -> Float[Array, "batch groups"]:
        """There is none in closed form."""
        raise NotImplementedError("the KL of a flow has no closed form")

    def center(self, params: Params, encoded: Encoded) -> Codes:
        """The Gaussian's mean after all steps."""
        size = encoded.mean.shape[-1] - size_with_context(0, self.context)
        base, context = base_and_context(encoded, size, self.context)
        return self._move(params, base.mean, context)[0]

    def _move(
        self, params: Params, codes: Codes, context: Float[Array, "batch context"]
    ) -> tuple[Codes, PerExample]:
        total = jnp.zeros(codes.shape[0])
        for k in range(self.steps):
            shift, logit = autoregressive.apply(params[f"step_{k}"], codes, context)
            # Both gates as sigmoids: 1 - s would lose the digits of gates that are nearly open.
            logit = logit + self.gate
            codes = jax.nn.sigmoid(logit) * codes + jax.nn.sigmoid(-logit) * shift
            total += jnp.sum(jax.nn.log_sigmoid(logit), axis=-1)
            codes = codes[:, ::-1]
        return codes, total
