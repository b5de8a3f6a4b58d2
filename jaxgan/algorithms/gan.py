"""Generative adversarial networks (Goodfellow et al. 2014): two players, alternating updates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from jaxgan import rng
from jaxgan.algorithms import base
from jaxgan.config import ConfigError, Experiment, Model
from jaxgan.objectives.gan.constraints import clip_weights
from jaxgan.objectives.gan.losses import GanLoss, NonSaturating
from jaxgan.objectives.gan.penalties import GradientPenalty, interpolate
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Latents, Metrics, Params, Pixels, PRNGKey, Sums

PRIORS = {
    "normal": lambda key, size: jax.random.normal(key, (size,)),
    "uniform": lambda key, size: jax.random.uniform(key, (size,), minval=-1.0, maxval=1.0),
}

DRAWS = (
    "latent", "generator-dropout", "real-dropout", "fake-dropout", "share", "penalty-dropout",
)  # fmt: skip
"""Roles of the random keys of one discriminator update."""


class GanState(struct.PyTreeNode):
    """All that a GAN needs to go on training.

    Attributes:
        step: generator updates done.
        generator: the player that makes images.
        discriminator: the player that judges them (a critic, for Wasserstein losses).
        ema: averaged variables of the generator, batch statistics included; what is evaluated.
        extras: state of regularizers that need some.
    """

    step: Any
    generator: base.Player
    discriminator: base.Player
    ema: Any
    extras: Any


class _Round(NamedTuple):
    """What a discriminator update leaves for the generator's.

    Attributes:
        real: the real images, in [-1, 1].
        fake: the generated ones.
        pull_back: from a gradient with respect to ``fake`` to one of the generator's parameters.
        generator_state: the generator's other collections after making ``fake``.
        metrics: of the update.
    """

    real: Any
    fake: Any
    pull_back: Callable[[Any], tuple[Params]]
    generator_state: Params
    metrics: Metrics


@dataclasses.dataclass(frozen=True)
class Gan(Model):
    """Settings of a GAN."""

    generator: nn.Module
    """Network from latents to images."""
    discriminator: nn.Module
    """Network from images to one logit each."""
    loss: GanLoss = NonSaturating()
    """Adversarial loss of both players."""
    generator_optimizer: Optimizer = Adam()
    """Optimizer of the generator."""
    discriminator_optimizer: Optimizer = Adam()
    """Optimizer of the discriminator."""
    latent_size: int = 100
    """Length of a latent."""
    prior: Literal["normal", "uniform"] = "normal"
    """Distribution of latents: standard normal, or uniform on [-1, 1]."""
    n_critic: int = 1
    """Discriminator updates before each generator update, each on its own real batch."""
    clip_weights: float | None = None
    """Bound that every discriminator weight is clipped to after an update (WGAN)."""
    gradient_penalty: GradientPenalty = GradientPenalty(weight=0.0)
    """Penalty on the discriminator's gradient between real and generated images (WGAN-GP)."""
    ema: Ema = Ema()
    """Average of the generator's weights that is evaluated."""

    def __post_init__(self) -> None:
        for name in ("latent_size", "n_critic"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} = {getattr(self, name)}: must be at least 1")
        if self.clip_weights is not None and self.clip_weights <= 0:
            raise ConfigError(f"clip_weights = {self.clip_weights}: must be positive")
        if self.gradient_penalty.weight and getattr(self.discriminator, "batch_norm", False):
            raise ConfigError(
                "a gradient penalty holds for each example by itself, and batch norm mixes them:"
                " set --model.discriminator.no-batch-norm"
            )

    @property
    def batches_per_step(self) -> int:
        """One real batch for each discriminator update."""
        return self.n_critic

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `gan`."""
        return gan(experiment, axis_name=axis_name)


def gan(experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of an experiment whose model is a `Gan`.

    One step is ``n_critic`` discriminator updates, each on its own real batch and fresh latents,
    and then one generator update. As in the reference code of DCGAN, the generator's update sees
    the fakes of the last discriminator update, so they are made only once.

    Args:
        experiment: networks, loss and optimizers in ``experiment.model``; the images' shape in
            ``experiment.data``.
        axis_name: mapped axis over which the batch is sharded; None on one device.
    """
    model: Gan = base.at_precision(experiment.model, experiment.precision)
    image_shape = experiment.data.image_shape
    is_image = experiment.data.dtype == "uint8"
    to_output = base.from_symmetric if is_image else lambda pixels: pixels
    draw = PRIORS[model.prior]
    d_optimizer = model.discriminator_optimizer.build(experiment.steps * model.n_critic)
    g_optimizer = model.generator_optimizer.build(experiment.steps)

    def average(tree: Params) -> Params:
        return tree if axis_name is None else jax.lax.pmean(tree, axis_name)

    def prior(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(lambda k: draw(k, model.latent_size), key, count, axis)

    def generator(variables: dict[str, Any], latent: Latents, key: PRNGKey) -> Any:
        return model.generator.apply(
            variables, latent, image_shape=image_shape, train=True, axis_name=axis_name,
            mutable=["batch_stats"], rngs={"dropout": key},
        )  # fmt: skip

    def discriminator(params: Params, model_state: Params, images: Any, key: PRNGKey) -> Any:
        return model.discriminator.apply(
            {"params": params, **model_state}, images, train=True, axis_name=axis_name,
            mutable=["batch_stats"], rngs={"dropout": key},
        )  # fmt: skip

    def init(key: PRNGKey, batch: Batch) -> GanState:
        images = base.to_symmetric(jnp.asarray(batch["image"])[:1])
        g_keys = {r: rng.role_key(key, f"generator-{r}") for r in ("params", "dropout")}
        d_keys = {r: rng.role_key(key, f"discriminator-{r}") for r in ("params", "dropout")}
        latent = jnp.zeros((1, model.latent_size))
        g_variables = model.generator.init(g_keys, latent, image_shape=image_shape, train=False)
        d_variables = model.discriminator.init(d_keys, images, train=False)
        g_player = base.new_player(g_variables, g_optimizer)
        return GanState(
            step=base.first_step(),
            generator=g_player,
            discriminator=base.new_player(d_variables, d_optimizer),
            # A copy, because a donated state must not hold one buffer twice.
            ema=jax.tree.map(jnp.copy, g_player.variables),
            extras={},
        )

    def penalty(params: Params, model_state: Params, real: Any, fake: Any, keys: Any):
        """The gradient penalty, and its metrics; nothing where its weight is 0."""
        if not model.gradient_penalty.weight:
            return 0.0, {}
        share = rng.per_example(jax.random.uniform, keys["share"], real.shape[0], axis_name)
        values = model.gradient_penalty(
            # Running statistics are those of real and fake images, not of what lies between.
            lambda images: discriminator(params, model_state, images, keys["penalty-dropout"])[0],
            interpolate(real=real, fake=fake, share=share),
        )
        return values, {"penalty/gradient": jnp.mean(values)}

    def discriminator_loss(params: Params, model_state: Params, real: Any, fake: Any, keys: Any):
        # Real and fake images are normalized apart, each with the statistics of its own batch.
        real_logits, after_real = discriminator(params, model_state, real, keys["real-dropout"])
        fake_logits, after_both = discriminator(params, after_real, fake, keys["fake-dropout"])
        penalties, metrics = penalty(params, model_state, real, fake, keys)
        values = model.loss.discriminator(real=real_logits, fake=fake_logits) + penalties
        metrics = {
            "loss/discriminator": jnp.mean(values),
            "logits/real": jnp.mean(real_logits),
            "logits/fake": jnp.mean(fake_logits),
            **metrics,
        }
        return metrics["loss/discriminator"], (after_both, metrics)

    def generator_loss(fake: Any, player: base.Player, real: Any, keys: Any):
        # A loss that ignores the real logits costs nothing here: XLA drops what is not used.
        real_logits, _ = discriminator(player.params, player.model_state, real, keys[0])
        fake_logits, _ = discriminator(player.params, player.model_state, fake, keys[1])
        return jnp.mean(model.loss.generator(real=real_logits, fake=fake_logits))

    def discriminate(
        state: GanState, d_player: base.Player, real: Any, key: PRNGKey, update: int
    ) -> tuple[base.Player, _Round]:
        """One update of the discriminator, and what the generator's update needs of it."""
        keys = {role: rng.role_key(key, role, update) for role in DRAWS}
        latent = prior(keys["latent"], real.shape[0], axis_name)

        def fakes(params: Params) -> Any:
            variables = {"params": params, **state.generator.model_state}
            return generator(variables, latent, keys["generator-dropout"])

        fake, pull_back, g_state = jax.vjp(fakes, state.generator.params, has_aux=True)
        gradients, (d_state, metrics) = jax.grad(discriminator_loss, has_aux=True)(
            d_player.params, d_player.model_state, real, jax.lax.stop_gradient(fake), keys
        )
        d_player = d_player.update(d_optimizer, average(gradients), d_state)
        if model.clip_weights is not None:
            d_player = d_player.replace(params=clip_weights(d_player.params, model.clip_weights))
        return d_player, _Round(real, fake, pull_back, g_state, metrics)

    def train_step(state: GanState, batch: Batch, key: PRNGKey) -> tuple[GanState, Metrics]:
        images = base.to_symmetric(jnp.asarray(batch["image"]))
        # Rows that belong to one critic update are n_critic apart, so that the grouping does not
        # depend on how many devices share the rows.
        images = images.reshape(-1, model.n_critic, *images.shape[1:])
        d_player, last = state.discriminator, model.n_critic - 1
        for update in range(last):
            d_player, _ = discriminate(state, d_player, images[:, update], key, update)
        d_player, final = discriminate(state, d_player, images[:, last], key, last)

        keys = tuple(
            rng.role_key(key, f"{role}-dropout", model.n_critic) for role in ("real", "fake")
        )
        value, fake_gradient = jax.value_and_grad(generator_loss)(
            final.fake, d_player, final.real, keys
        )
        (gradients,) = final.pull_back(fake_gradient)
        g_player = state.generator.update(g_optimizer, average(gradients), final.generator_state)
        new_state = state.replace(
            step=state.step + 1,
            generator=g_player,
            discriminator=d_player,
            ema=model.ema.update(state.ema, g_player.variables, state.step),
        )
        return new_state, average({**final.metrics, "loss/generator": value})

    def generated(state: GanState, latent: Latents) -> Any:
        return model.generator.apply(state.ema, latent, image_shape=image_shape, train=False)

    def generate(state: GanState, latent: Latents) -> base.Generated:
        return to_output(generated(state, latent))

    def pixels(state: GanState, latent: Latents) -> Pixels:
        return jnp.clip((generated(state, latent) + 1.0) / 2.0, 0.0, 1.0)

    def sample(state: GanState, key: PRNGKey, count: int) -> base.Generated:
        return generate(state, prior(key, count))

    def batch_normalized(
        state: GanState, latent: Latents, key: PRNGKey
    ) -> tuple[base.Generated, Params]:
        pixels, statistics = base.batch_statistics(lambda v: generator(v, latent, key), state.ema)
        return to_output(pixels), statistics

    def evaluate(state: GanState, batch: Batch, key: PRNGKey) -> Sums:
        real = base.to_symmetric(jnp.asarray(batch["image"]))
        # Fakes pass through eight bits, as the real images did.
        fake = base.to_symmetric(sample(state, key, real.shape[0]))

        def logits(images: Any) -> Any:
            return model.discriminator.apply(state.discriminator.variables, images, train=False)

        correct = model.loss.correct(real=logits(real), fake=logits(fake))
        values = {f"discriminator_{name}": value for name, value in correct.items()}
        return base.sums_with_squares(values, batch)

    def parameters(state: GanState) -> dict[str, Params]:
        return {"generator": state.generator.params, "discriminator": state.discriminator.params}

    return base.Algorithm(
        init, train_step, sample, evaluate, prior, generate, None, parameters,
        raw=lambda state: state.replace(ema=state.generator.variables),
        truncate=base.scaled if model.prior == "normal" else None,
        batch_normalized=batch_normalized,
        with_statistics=lambda state, found: state.replace(ema={**state.ema, "batch_stats": found}),
        pixels=pixels if is_image else None,
        to_support=None if model.prior == "normal" else lambda latent: jnp.clip(latent, -1.0, 1.0),
    )  # fmt: skip
