"""Variational autoencoders (Kingma and Welling 2013), beta-weighted (Higgins et al. 2017)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.algorithms import apply, base
from jaxgan.algorithms.autoencoder import autoencoder, values_of
from jaxgan.algorithms.autoencoder_parts import PLAYER
from jaxgan.algorithms.autoencoder_step import learner
from jaxgan.algorithms.capabilities import capabilities
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.algorithms.vae_checks import check, check_batch
from jaxgan.config import ConfigError, Experiment, Model, describe
from jaxgan.objectives.vae.bounds import Beta, Bound, Elbo, KlWeight
from jaxgan.objectives.vae.code_priors import CodePrior, StandardNormal
from jaxgan.objectives.vae.likelihoods import Bernoulli, Likelihood
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Posterior
from jaxgan.objectives.vae.regularizers import Regularizer
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Metrics, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class Vae(Model):
    """Settings of a VAE."""

    family: ClassVar[str] = "VAE"

    encoder: nn.Module
    """Network from images to mean and log variance of their codes."""
    decoder: nn.Module
    """Network from codes to the parameters of the likelihood."""
    likelihood: Likelihood = Bernoulli()
    """Distribution of an image given its code."""
    latent_size: int = 20
    """Length of a code."""
    beta: KlWeight = Beta()
    """Weight of the KL, with its warm-up."""
    optimizer: Optimizer = Adam(learning_rate=1e-3, b1=0.9)
    """Optimizer of encoder and decoder."""
    ema: Ema = Ema()
    """Average of the weights that is evaluated."""
    conditional: bool = False
    """Whether encoder and decoder are given the image's class (Sohn et al. 2015)."""
    bound: Bound = Elbo()
    """What is maximized, from how many codes an image, and how its gradient is estimated."""
    posterior: Posterior = DiagonalGaussian()
    """Distribution of the code given what the encoder returned."""
    code_prior: CodePrior = StandardNormal()
    """Distribution that codes come from."""
    regularizers: tuple[Regularizer, ...] = ()
    """What else is minimized."""

    def __post_init__(self) -> None:
        if self.latent_size < 1:
            raise ConfigError(f"latent_size = {self.latent_size}: must be at least 1")
        check(self)

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """One, of one player."""
        return {PLAYER: (self.optimizer, 1)}

    def objective(self) -> str:
        """``ELBO, Bernoulli(), beta = 1``; further parts where they are not the usual ones."""
        bound = "ELBO" if self.bound == Elbo() else describe(self.bound)
        parts = [bound, describe(self.likelihood), self.beta.mark()]
        if self.posterior != DiagonalGaussian():
            parts.append(describe(self.posterior))
        if self.code_prior != StandardNormal():
            parts.append(describe(self.code_prior))
        parts += [describe(one) for one in self.regularizers]
        return ", ".join(parts + ["conditional"] * self.conditional)

    def mark(self) -> str:
        """``β = 4``."""
        return self.beta.mark().replace("beta", "β")

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `vae`."""
        return vae(experiment, self, axis_name=axis_name)


def vae(experiment: Experiment, model: Vae, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of a VAE.

    The loss is the negative of the bound, by default ``E[log p(x|z)] - beta KL(q(z|x) || p(z))``
    estimated with one code an image; reconstruction and KL are summed over pixels and code
    dimensions and averaged over images. Regularizers are added.

    Args:
        experiment: the images' shape and classes in ``experiment.data``, the number of steps.
        model: networks, likelihood and optimizer.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: labels are wanted, and the data's classes are not said; a regularizer does not
            go with the model, or with the batch; the likelihood is none of such data.
    """
    check_batch(model, experiment.batch_size)
    optimizer = model.optimizer.build(experiment.steps)
    parts, over = autoencoder(experiment, model, axis_name=axis_name), apply.reduce(axis_name)
    learning = learner(model, parts, optimizer, axis_name)

    def init(key: PRNGKey, batch: Batch) -> State:
        players = {PLAYER: new_player(parts.init(key, batch), optimizer)}
        return new_state(players, averaged=(PLAYER,))

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        coded = learning.code(state.players[PLAYER], batch, state.step, key)
        player, metrics = learning.update(coded, batch, state.step, key)
        average = model.ema.update(state.ema[PLAYER], player.variables, state.step)
        new = state.replace(step=state.step + 1, players={PLAYER: player}, ema={PLAYER: average})
        return new, over.mean(metrics)

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        variables, count = state.evaluated(PLAYER), jnp.shape(batch["image"])[0]
        found, _ = parts.infer(variables, batch, parts.noise(key, count), state.step)
        return apply.sums_with_squares(values_of(parts.terms(variables, batch, found)[0]), batch)

    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        **capabilities(experiment, model, parts),
    )
