"""Adversarial autoencoders (Makhzani et al. 2016), which are WAE-GANs (Tolstikhin et al. 2018)."""

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
from jaxgan.algorithms.gan_parts import adversarial
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.algorithms.vae import Vae
from jaxgan.algorithms.vae_checks import check_batch
from jaxgan.config import ConfigError, Experiment, describe
from jaxgan.networks.code_discriminator import CodeDiscriminator
from jaxgan.objectives.gan.losses import GanLoss, NonSaturating, Reader, StatefulLoss
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.vae.bounds import Bound, Reconstruction
from jaxgan.objectives.vae.posteriors import Point, Posterior
from jaxgan.optim import Adam, Optimizer
from jaxgan.typing import Batch, Codes, Metrics, Params, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class AdversarialAutoencoder(Vae):
    """Settings of an adversarial autoencoder: those of a VAE, and of the game on its codes."""

    bound: Bound = Reconstruction()
    """What is maximized besides; the game takes the place of a KL."""
    posterior: Posterior = Point()
    """Distribution of the code given what the encoder returned."""
    discriminator: nn.Module = CodeDiscriminator((500, 500))
    """Network from codes to one logit each."""
    discriminator_optimizer: Optimizer = Adam(learning_rate=1e-3, b1=0.5)
    """Optimizer of the discriminator."""
    loss: GanLoss = NonSaturating()
    """Adversarial loss; real are draws of the prior, fake are codes of images."""
    weight: float = 10.0
    """Factor of the encoder's part of the game; the WAE's lambda."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.weight < math.inf:
            raise ConfigError(f"weight = {self.weight}: must be above 0 and finite")
        if isinstance(self.loss, StatefulLoss | Reader):
            raise ConfigError(
                f"the loss, {type(self.loss).__name__}, reads more than logits or changes in the"
                " course of a run, and codes have logits alone: take another, such as NonSaturating"
            )

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """One update of each player a step."""
        return {**super().optimizers, "discriminator": (self.discriminator_optimizer, 1)}

    def objective(self) -> str:
        """``Reconstruction(), Bernoulli(), Point(), 10 NonSaturating() of codes``."""
        parts = super().objective().replace(f", {self.beta.mark()}", "")
        return f"{parts}, {self.weight:g} {describe(self.loss)} of codes"

    def mark(self) -> str:
        """The weight, by its letter."""
        return f"λ = {self.weight:g}"

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `adversarial_autoencoder`."""
        return adversarial_autoencoder(experiment, self, axis_name=axis_name)


def adversarial_autoencoder(
    experiment: Experiment, model: AdversarialAutoencoder, *, axis_name: str | None = None
) -> base.Algorithm:
    """The algorithm of an adversarial autoencoder.

    The discriminator tells draws of the prior from codes of images; the encoder is the generator of
    that game, besides what it does for the reconstruction. One step is one update of the
    discriminator, and then one of the autoencoder against the updated discriminator, on the same
    codes and draws. Both terms of the autoencoder are minimized together, as a Wasserstein
    autoencoder's are; Makhzani et al. take two updates in turn.

    Args:
        experiment: as in `jaxgan.algorithms.vae.vae`.
        model: settings.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: as in `jaxgan.algorithms.vae.vae`.

    References:
        Makhzani, Shlens, Jaitly, Goodfellow and Frey, Adversarial Autoencoders, 2016. Tolstikhin,
        Bousquet, Gelly and Schoelkopf, Wasserstein Auto-Encoders, 2018, algorithm 1.
    """
    check_batch(model, experiment.batch_size)
    optimizer = model.optimizer.build(experiment.steps)
    d_optimizer = model.discriminator_optimizer.build(experiment.steps)
    parts, over = autoencoder(experiment, model, axis_name=axis_name), apply.reduce(axis_name)
    learning = learner(model, parts, optimizer, axis_name)

    def judge(variables: Any, codes: Codes, key: Any = None, train: bool = True) -> Any:
        logits, changed = apply.call(
            "discriminator", model.discriminator, variables, codes, train=train,
            axis_name=axis_name, key=key,
        )  # fmt: skip
        apply.check_shape("discriminator", model.discriminator, logits, (codes.shape[0],))
        return Verdict(logits), changed

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
        coding, judging = state.players[PLAYER], state.players["discriminator"]
        coded = learning.code(coding, batch, state.step, key)
        latents = parts.prior(rng.role_key(key, "prior"), coded.found.codes.shape[1], axis_name)
        prior = parts.codes_of(coded.player.variables, latents)[0]
        prior, codes = jax.lax.stop_gradient((prior, coded.found.codes[0]))

        def told(player: Any, params: Params, fake: Codes, update: int) -> Any:
            """Verdicts of draws and of codes, and the statistics after."""
            keys = [rng.role_key(key, f"{name}-dropout", update) for name in ("real", "fake")]
            # Draws and codes are normalized apart, each by the statistics of its own batch.
            on_real, after = judge({"params": params, **player.model_state}, prior, keys[0])
            on_fake, after = judge({"params": params, **after}, fake, keys[1])
            return on_real, on_fake, after

        def of_discriminator(params: Params) -> Any:
            on_real, on_fake, after = told(judging, params, codes, 0)
            play = model.loss.discriminator
            value = jnp.mean(adversarial(play, model.loss, over, on_real, on_fake))
            return value, (after, on_real.logits, on_fake.logits)

        (value, (after, on_real, on_fake)), gradients = jax.value_and_grad(
            of_discriminator, has_aux=True
        )(judging.params)
        gradients = over.mean(gradients)
        judging = judging.update(d_optimizer, gradients, after)

        def generator(view: Any) -> Any:
            on_real, on_fake, _ = told(judging, judging.params, view.codes, 1)
            play = model.loss.generator
            return model.weight * adversarial(play, model.loss, over, on_real, on_fake)

        coding, metrics = learning.update(coded, batch, state.step, key, {"adversarial": generator})
        metrics |= {
            "loss/discriminator": value,
            "logits/real": jnp.mean(on_real),
            "logits/fake": jnp.mean(on_fake),
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
        latents = parts.prior(rng.role_key(key, "prior"), count)
        drawn, judging = parts.codes_of(variables, latents)[0], state.players["discriminator"]
        on_real, on_fake = (
            judge(judging.variables, codes, train=False)[0].logits
            for codes in (drawn, found.codes[0])
        )
        correct = model.loss.correct(real=on_real, fake=on_fake)
        shares = {f"discriminator_{name}": value for name, value in correct.items()}
        return {
            **apply.sums_of_shares(shares, batch, {"discriminator_accuracy": 2}),  # real and fake
            **apply.sums_with_squares(values, batch),
        }

    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        **capabilities(experiment, model, parts),
    )
