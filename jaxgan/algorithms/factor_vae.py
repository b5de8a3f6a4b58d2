"""FactorVAE (Kim and Mnih 2018): a discriminator tells how far a code's dimensions depend."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.autoencoder import autoencoder, values_of
from jaxgan.algorithms.autoencoder_parts import PLAYER
from jaxgan.algorithms.autoencoder_step import learner
from jaxgan.algorithms.capabilities import capabilities
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.algorithms.vae import Vae
from jaxgan.algorithms.vae_checks import check_batch
from jaxgan.config import ConfigError, Experiment
from jaxgan.networks.code_discriminator import CodeDiscriminator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.vae.aggregate_posterior import product_of_marginals
from jaxgan.optim import Adam, Optimizer
from jaxgan.typing import Batch, Codes, Metrics, Params, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class FactorVae(Vae):
    """Settings of a FactorVAE: those of a VAE, and of the second player."""

    discriminator: nn.Module = CodeDiscriminator()
    """Network from codes to one logit each."""
    discriminator_optimizer: Optimizer = Adam(learning_rate=1e-4, b1=0.5, b2=0.9)
    """Optimizer of the discriminator."""
    gamma: float = 10.0
    """Weight of the total correlation, on top of what the KL counts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.gamma < math.inf:
            raise ConfigError(f"gamma = {self.gamma}: must be above 0 and finite")

    @property
    def batches_per_step(self) -> int:
        """Two: the discriminator's permuted codes are of images of their own."""
        return 2

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """One update of each player a step."""
        return {**super().optimizers, "discriminator": (self.discriminator_optimizer, 1)}

    def objective(self) -> str:
        """``ELBO, Bernoulli(), beta = 1, gamma = 10``."""
        return f"{super().objective()}, gamma = {self.gamma:g}"

    def mark(self) -> str:
        """The weight, by its letter."""
        return f"γ = {self.gamma:g}"

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `factor_vae`."""
        return factor_vae(experiment, self, axis_name=axis_name)


def factor_vae(
    experiment: Experiment, model: FactorVae, *, axis_name: str | None = None
) -> base.Algorithm:
    """The algorithm of a FactorVAE.

    The discriminator tells codes of images, ``z ~ q(z)``, from codes whose dimensions come from
    different images, draws of ``prod_d q(z_d)``. At the best one, its logit is ``log q(z) -
    sum_d log q(z_d)``, whose mean is the total correlation: the autoencoder minimizes its VAE's
    loss and gamma times that mean.

    One step takes two batches. The autoencoder learns from the first against the discriminator as
    it is. Then the discriminator learns from the codes of the first, as plain numbers, and from
    those of the second, permuted over the whole batch in each dimension by itself. Both codes are
    of the autoencoder before its update.

    Args:
        experiment: as in `jaxgan.algorithms.vae.vae`.
        model: settings.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: as in `jaxgan.algorithms.vae.vae`; a batch is of one image.

    References:
        Kim and Mnih, Disentangling by Factorising, 2018, section 3 and algorithm 2.
    """
    if experiment.batch_size < 2:
        raise ConfigError(
            "FactorVae exchanges dimensions between the codes of a batch, and batch_size ="
            f" {experiment.batch_size}: make it at least 2"
        )
    check_batch(model, experiment.batch_size)
    optimizer = model.optimizer.build(experiment.steps)
    d_optimizer = model.discriminator_optimizer.build(experiment.steps)
    parts, over = autoencoder(experiment, model, axis_name=axis_name), apply.reduce(axis_name)
    learning = learner(model, parts, optimizer, axis_name)

    def judge(variables: Any, codes: Codes, key: Any, train: bool = True) -> Any:
        logits, changed = apply.call(
            "discriminator", model.discriminator, variables, codes, train=train,
            axis_name=axis_name, key=key,
        )  # fmt: skip
        apply.check_shape("discriminator", model.discriminator, logits, (codes.shape[0],))
        return logits, changed

    def init(key: PRNGKey, batch: Batch) -> State:
        judging = apply.initial(
            "discriminator", model.discriminator, key, jnp.zeros((1, model.latent_size)),
            prefix="discriminator-",
        )  # fmt: skip
        players = {
            PLAYER: new_player(parts.init(key, batch), optimizer),
            "discriminator": new_player(judging, d_optimizer),
        }
        return new_state(players, averaged=(PLAYER,))

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        # Rows of one batch are two apart, however many devices share them.
        pairs = {n: jnp.reshape(a, (-1, 2, *jnp.shape(a)[1:])) for n, a in batch.items()}
        first, second = ({name: rows[:, i] for name, rows in pairs.items()} for i in (0, 1))
        coding, judging = state.players[PLAYER], state.players["discriminator"]
        coded = learning.code(coding, first, state.step, key)
        other = learning.code(coding, second, state.step, rng.role_key(key, "second"))
        keys = {name: rng.role_key(key, f"{name}-dropout") for name in ("term", "real", "fake")}

        def total_correlation(view: Any) -> Any:
            return model.gamma * judge(judging.variables, view.codes, keys["term"])[0]

        coding, metrics = learning.update(
            coded, first, state.step, key, {"total_correlation": total_correlation}
        )

        codes, others = jax.lax.stop_gradient((coded.found.codes[0], other.found.codes[0]))
        permuted = product_of_marginals(rng.role_key(key, "permutation"), over.gather(others))
        permuted = permuted[over.rows(len(codes))]

        def of_discriminator(params: Params) -> Any:
            variables = {"params": params, **judging.model_state}
            real, after = judge(variables, codes, keys["real"])
            fake, after = judge({"params": params, **after}, permuted, keys["fake"])
            # The paper's loss is the mean of both cross-entropies, not their sum.
            value = 0.5 * jnp.mean(NonSaturating().discriminator(real=real, fake=fake))
            return value, (after, {"logits/codes": real, "logits/permuted": fake})

        (value, (after, logits)), gradients = jax.value_and_grad(of_discriminator, has_aux=True)(
            judging.params
        )
        gradients = over.mean(gradients)
        judging = judging.update(d_optimizer, gradients, after)
        metrics |= {
            "loss/discriminator": value,
            **{name: jnp.mean(each) for name, each in logits.items()},
            **apply.gradient_norm("discriminator", gradients),
        }
        average = model.ema.update(state.ema[PLAYER], coding.variables, state.step)
        new = state.replace(
            step=state.step + 1,
            players={PLAYER: coding, "discriminator": judging},
            ema={PLAYER: average},
        )
        return new, over.mean(metrics)

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        variables, count = state.evaluated(PLAYER), jnp.shape(batch["image"])[0]
        found, _ = parts.infer(variables, batch, parts.noise(key, count), state.step)
        values = values_of(parts.terms(variables, batch, found)[0])
        judging = state.players["discriminator"].variables
        values["total_correlation"] = judge(judging, found.codes[0], None, train=False)[0]
        return apply.sums_with_squares(values, batch)

    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        **capabilities(experiment, model, parts),
    )
