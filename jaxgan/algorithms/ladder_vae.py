"""Ladder VAEs of two levels (Sønderby et al. 2016): encoder and generator meet on the way down."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.algorithms import apply, base
from jaxgan.algorithms.autoencoder import values_of
from jaxgan.algorithms.autoencoder_parts import PLAYER
from jaxgan.algorithms.autoencoder_step import learner
from jaxgan.algorithms.capabilities import capabilities
from jaxgan.algorithms.ladder import TwoLevels, ladder
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.algorithms.vae_checks import check
from jaxgan.config import ConfigError, Experiment, Model, describe
from jaxgan.objectives.vae.bounds import Beta, Bound, Elbo, KlWeight
from jaxgan.objectives.vae.code_priors import CodePrior, StandardNormal
from jaxgan.objectives.vae.likelihoods import Bernoulli, Likelihood
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Metrics, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class LadderVae(Model):
    """Settings of a ladder VAE."""

    family: ClassVar[str] = "VAE"
    regularizers: ClassVar[tuple[()]] = ()

    encoder: nn.Module
    """Network from images to mean and log variance of the lower codes, and to features."""
    decoder: nn.Module
    """Network from lower codes to the parameters of the likelihood."""
    upper_encoder: nn.Module
    """Network from features, an image of one pixel, to mean and log variance of upper codes."""
    upper_decoder: nn.Module
    """Network from upper codes, likewise, to mean and log variance of the lower codes' prior."""
    likelihood: Likelihood = Bernoulli()
    """Distribution of an image given its lower code."""
    latent_size: int = 20
    """Length of a lower code."""
    upper_size: int = 10
    """Length of an upper code."""
    features: int = 64
    """Numbers that the upper encoder reads; linear in what the encoder's last layer reads."""
    beta: KlWeight = Beta(warmup_steps=1000)
    """Weight of both levels' KL, with its warm-up, without which the upper level is seldom used."""
    optimizer: Optimizer = Adam(learning_rate=1e-3, b1=0.9)
    """Optimizer of all networks."""
    ema: Ema = Ema()
    """Average of the weights that is evaluated."""
    conditional: bool = False
    """Whether encoder and decoder are given the image's class."""
    bound: Bound = Elbo()
    """What is maximized, and from how many codes an image."""

    def __post_init__(self) -> None:
        for name in ("latent_size", "upper_size", "features"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"{name} = {value}: must be at least 1")
        check(self)

    @property
    def posterior(self) -> TwoLevels:
        """The lower level's, before it meets its prior."""
        return TwoLevels(self.features, self.upper_size)

    @property
    def code_prior(self) -> CodePrior:
        """That of the noise of both levels."""
        return StandardNormal()

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """One, of one player."""
        return {PLAYER: (self.optimizer, 1)}

    def objective(self) -> str:
        """``ladder ELBO, Bernoulli(), beta = 1``."""
        bound = "ELBO" if self.bound == Elbo() else describe(self.bound)
        parts = [f"ladder {bound}", describe(self.likelihood), self.beta.mark()]
        return ", ".join(parts + ["conditional"] * self.conditional)

    def mark(self) -> str:
        """``β = 1``."""
        return self.beta.mark().replace("beta", "β")

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `ladder_vae`."""
        return ladder_vae(experiment, self, axis_name=axis_name)


def ladder_vae(
    experiment: Experiment, model: LadderVae, *, axis_name: str | None = None
) -> base.Algorithm:
    """The algorithm of a ladder VAE of two levels.

    The generator draws an upper code from ``N(0, 1)``, a lower one from the Gaussian that the upper
    decoder makes of it, and an image of the lower one. The encoder gives a Gaussian of either
    level. That of the upper one is its posterior; that of the lower one is multiplied with the
    prior that the drawn upper code gives, so that inference uses the generator's own network. The
    loss is the negative of ``E[log p(x|z1)] - beta (KL(q(z2|x) || p(z2)) +
    KL(q(z1|z2, x) || p(z1|z2)))``.

    The paper has deterministic layers with batch normalization between the levels, and features
    that the upper encoder shares with the lower Gaussian; these are linear in the same layer here.

    ``evaluate`` also gives each level's KL: ``kl_lower`` and ``kl_upper``.

    Args:
        experiment: the images' shape and classes in ``experiment.data``, the number of steps.
        model: settings.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: labels are wanted, and the data's classes are not said; the likelihood is none
            of such data.

    References:
        Sønderby, Raiko, Maaløe, Sønderby and Winther, Ladder Variational Autoencoders, 2016,
        sections 2.2 and 2.3.
    """
    optimizer = model.optimizer.build(experiment.steps)
    parts, over = ladder(experiment, model, axis_name=axis_name), apply.reduce(axis_name)
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
        terms, _ = parts.terms(variables, batch, found)
        assert terms.kl is not None
        levels: dict[str, Any] = {
            "kl_lower": jnp.sum(terms.kl[:, : model.latent_size], axis=-1),
            "kl_upper": jnp.sum(terms.kl[:, model.latent_size :], axis=-1),
        }
        return apply.sums_with_squares({**values_of(terms), **levels}, batch)

    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        **capabilities(experiment, model, parts),
    )
