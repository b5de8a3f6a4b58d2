"""Generative adversarial networks (Goodfellow et al. 2014) by parts, which are values."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.gan_parts import (
    DRAWS,
    Networks,
    Round,
    augmented,
    auxiliary,
    check_parts,
    keys_of,
    penalized,
)
from jaxgan.algorithms.sheets import sheets_of
from jaxgan.algorithms.state import Player, State, new_player, new_state
from jaxgan.config import ConfigError, Experiment, Model, describe
from jaxgan.objectives.gan.augmentations import Augmentation
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.constraints import Constraint
from jaxgan.objectives.gan.losses import GanLoss, NonSaturating
from jaxgan.objectives.gan.penalties import Penalty, View
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Latents, Metrics, Params, Pixels, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class Gan(Model):
    """Settings of a GAN. What is not there is left out of a tuple."""

    family: ClassVar[str] = "GAN"

    generator: nn.Module
    """Network from latents to images."""
    discriminator: nn.Module
    """Network from images to one logit each, or to a `jaxgan.objectives.gan.verdict.Verdict`."""
    loss: GanLoss = NonSaturating()
    """Adversarial loss of both players."""
    generator_optimizer: Optimizer = Adam()
    """Optimizer of the generator."""
    discriminator_optimizer: Optimizer = Adam()
    """Optimizer of the discriminator."""
    prior: Prior = Normal()
    """Distribution of latents; one with labels makes both players conditional."""
    n_critic: int = 1
    """Discriminator updates before each generator update, each on its own real batch."""
    penalties: tuple[Penalty, ...] = ()
    """Added to the discriminator's loss, such as a gradient penalty (WGAN-GP) or R1."""
    constraints: tuple[Constraint, ...] = ()
    """Put on the discriminator's parameters after each update, such as clipping (WGAN)."""
    auxiliaries: tuple[Auxiliary, ...] = ()
    """Added to both players' losses, such as an auxiliary classifier (AC-GAN)."""
    augmentations: tuple[Augmentation, ...] = ()
    """Of real and generated images alike, before the discriminator sees them."""
    ema: Ema = Ema()
    """Average of the generator's weights that is evaluated."""

    def __post_init__(self) -> None:
        if self.n_critic < 1:
            raise ConfigError(f"n_critic = {self.n_critic}: must be at least 1")
        check_parts(self.discriminator, self.penalties, self.auxiliaries)

    @property
    def batches_per_step(self) -> int:
        """One real batch for each discriminator update."""
        return self.n_critic

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """The discriminator's makes ``n_critic`` updates a step."""
        rest = {"discriminator": (self.discriminator_optimizer, self.n_critic)}
        return {"generator": (self.generator_optimizer, 1), **rest}

    def objective(self) -> str:
        """``Wasserstein(), 5 critic updates a step, Clip()``."""
        critic = [f"{self.n_critic} critic updates a step"] if self.n_critic > 1 else []
        parts = (*self.penalties, *self.constraints, *self.auxiliaries, *self.augmentations)
        labels = ["conditional"] if self.prior.conditional else []
        return ", ".join([describe(self.loss), *critic, *map(describe, parts), *labels])

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `gan`."""
        return gan(experiment, self, axis_name=axis_name)


def gan(experiment: Experiment, model: Gan, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of a GAN.

    One step is ``n_critic`` discriminator updates, each on its own real batch and fresh latents,
    and then one generator update. As in the reference code of DCGAN, the generator's update sees
    the fakes of the last discriminator update, so they are made only once.

    Args:
        experiment: the images' shape and classes in ``experiment.data``, the number of steps.
        model: networks, loss and optimizers.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: labels are wanted, and the data's classes are not said.
    """
    data, prior = experiment.data, model.prior
    is_image = data.dtype == "uint8"
    classes = base.classes_of(data) if prior.conditional else 0
    networks = Networks(model.generator, model.discriminator, data.image_shape, classes, axis_name)
    d_optimizer = model.discriminator_optimizer.build(experiment.steps * model.n_critic)
    g_optimizer = model.generator_optimizer.build(experiment.steps)
    over = apply.reduce(axis_name)

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(lambda k: prior.draw(k, classes), key, count, axis)

    def init(key: PRNGKey, batch: Batch) -> State:
        images = apply.to_symmetric(jnp.asarray(batch["image"])[:1])
        latents = jax.tree.map(jnp.zeros_like, draw(key, 1))
        given = (images, networks.labels_of(latents)) if classes else (images,)
        making = apply.initial(
            "generator", model.generator, key, latents, prefix="generator-",
            image_shape=data.image_shape, **networks.labelled,
        )  # fmt: skip
        judging = apply.initial(
            "discriminator", model.discriminator, key, *given, prefix="discriminator-",
            **networks.labelled,
        )  # fmt: skip
        players = {
            "generator": new_player(making, g_optimizer),
            "discriminator": new_player(judging, d_optimizer),
        }
        extras = {
            "penalties": tuple(penalty.init() for penalty in model.penalties),
            "augmentations": tuple(one.init() for one in model.augmentations),
        }
        return new_state(players, averaged=("generator",), extras=extras)

    def seen(images: Any, key: PRNGKey, role: str, update: int, extras: Any) -> Any:
        keys = keys_of(key, role, update, images.shape[0], axis_name)
        return augmented(model.augmentations, extras["augmentations"], images, keys)

    def discriminate(
        state: State, player: Player, extras: Any, batch: Any, key: PRNGKey, update: int
    ) -> tuple[Player, Any, Round]:
        """One update of the discriminator, and what the generator's update needs of it."""
        real, labels = batch["image"], batch.get("label")
        keys = {role: rng.role_key(key, role, update) for role in DRAWS}
        latents = draw(keys["latent"], real.shape[0], axis_name)
        making = state.players["generator"]

        def fakes(params: Params) -> Any:
            variables = {"params": params, **making.model_state}
            return networks.generator(variables, latents, keys["generator-dropout"])

        fake, pull_back, g_state = jax.vjp(fakes, making.params, has_aux=True)

        def loss(params: Params) -> Any:
            def judge(model_state: Params, images: Any, of: Any, role: str, key_: PRNGKey) -> Any:
                shown = seen(images, key, role, update, extras)
                return networks.discriminator({"params": params, **model_state}, shown, of, key_)

            still, of_fakes = jax.lax.stop_gradient(fake), networks.labels_of(latents)
            # Real and fake images are normalized apart, each with the statistics of its own batch.
            on_real, after = judge(player.model_state, real, labels, "real", keys["real-dropout"])
            on_fake, after = judge(after, still, of_fakes, "fake", keys["fake-dropout"])
            view = View(
                # Running statistics are those of real and fake images, not of what lies between.
                critic=lambda images: judge(
                    player.model_state, images, labels, "real", keys["penalty-dropout"]
                )[0],
                real=real,
                fake=still,
                generate=lambda z: networks.generator(
                    making.variables, z, keys["generator-dropout"]
                )[0],
                latents=latents,
                draw=lambda role, one: rng.per_example(
                    one, rng.role_key(key, role, update), real.shape[0], axis_name
                ),
            )
            done = state.step * model.n_critic + update
            penalties, metrics, kept = penalized(model.penalties, extras["penalties"], view, done)
            values = model.loss.discriminator(real=on_real.logits, fake=on_fake.logits) + penalties
            of_real = auxiliary(model.auxiliaries, on_real, {"label": labels}, real=True)
            of_fake = auxiliary(model.auxiliaries, on_fake, latents, real=False)
            for term in [*of_real.values(), *of_fake.values()]:
                values = values + term
            metrics = {
                "loss/discriminator": jnp.mean(values),
                "logits/real": jnp.mean(on_real.logits),
                "logits/fake": jnp.mean(on_fake.logits),
                **metrics,
                **{f"{name}/real": jnp.mean(term) for name, term in of_real.items()},
                **{f"{name}/fake": jnp.mean(term) for name, term in of_fake.items()},
            }
            return metrics["loss/discriminator"], (after, metrics, kept, on_real)

        gradients, (after, metrics, kept, on_real) = jax.grad(loss, has_aux=True)(player.params)
        gradients = over.mean(gradients)
        metrics |= apply.gradient_norm("discriminator", gradients)
        player = player.update(d_optimizer, gradients, after)
        for constraint in model.constraints:
            player = player.replace(params=constraint(player.params))
        moved = extras["augmentations"]
        if moved:
            everything = jax.tree.map(over.gather, on_real)
            moved = tuple(
                one.update(one_state, everything, experiment.batch_size)
                for one, one_state in zip(model.augmentations, moved, strict=True)
            )
        extras = {"penalties": over.mean(kept), "augmentations": moved}
        return player, extras, Round(batch, latents, fake, pull_back, g_state, metrics)

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        rows = {"image": apply.to_symmetric(jnp.asarray(batch["image"]))}
        if classes:
            rows["label"] = jnp.asarray(batch["label"])
        # Rows of one critic update are n_critic apart, however many devices share them.
        rows = {n: a.reshape(-1, model.n_critic, *a.shape[1:]) for n, a in rows.items()}
        player, extras, last = state.players["discriminator"], state.extras, None
        for update in range(model.n_critic):
            own = {name: array[:, update] for name, array in rows.items()}
            player, extras, last = discriminate(state, player, extras, own, key, update)
        assert last is not None

        def loss(fake: Any) -> Any:
            final, real, labels = model.n_critic, last.batch["image"], last.batch.get("label")
            of_fakes = networks.labels_of(last.latents)
            real_key, fake_key = (
                rng.role_key(key, f"{role}-dropout", final) for role in ("real", "fake")
            )
            shown = seen(real, key, "real", final, extras)
            on_real, _ = networks.discriminator(player.variables, shown, labels, real_key)
            shown = seen(fake, key, "fake", final, extras)
            on_fake, _ = networks.discriminator(player.variables, shown, of_fakes, fake_key)
            values = model.loss.generator(real=on_real.logits, fake=on_fake.logits)
            for term in auxiliary(model.auxiliaries, on_fake, last.latents, real=False).values():
                values = values + term
            return jnp.mean(values)

        value, slope = jax.value_and_grad(loss)(last.fake)
        (gradients,) = last.pull_back(slope)
        gradients = over.mean(gradients)
        making = state.players["generator"].update(g_optimizer, gradients, last.generator_state)
        average = model.ema.update(state.ema["generator"], making.variables, state.step)
        new = state.replace(
            step=state.step + 1,
            players={"generator": making, "discriminator": player},
            ema={"generator": average},
            extras=extras,
        )
        metrics = {**last.metrics, "loss/generator": value}
        return new, over.mean(metrics | apply.gradient_norm("generator", gradients))

    def in_range(images: Any) -> Any:
        return apply.to_unit(images) if is_image else images

    def pixels(state: State, latents: Latents) -> Pixels:
        return in_range(networks.generator(state.evaluated("generator"), latents, train=False)[0])

    def normalized(
        state: State, latents: Latents, key: PRNGKey
    ) -> tuple[Pixels, dict[str, Params]]:
        images, found = apply.batch_statistics(
            lambda variables: networks.generator(variables, latents, key),
            state.evaluated("generator"),
        )
        return in_range(images), {"generator": found}

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        real = apply.to_symmetric(jnp.asarray(batch["image"]))
        latents = draw(key, real.shape[0])
        fake = pixels(state, latents)
        # Fakes pass through eight bits, as the real images did.
        fake = apply.to_symmetric(apply.quantized(fake)) if is_image else fake
        judging = state.players["discriminator"].variables
        labels = jnp.asarray(batch["label"]) if classes else None
        of_real, _ = networks.discriminator(judging, real, labels, train=False)
        of_fake, _ = networks.discriminator(judging, fake, networks.labels_of(latents), train=False)
        correct = model.loss.correct(real=of_real.logits, fake=of_fake.logits)
        values = {f"discriminator_{name}": value for name, value in correct.items()}
        return apply.sums_of_shares(values, batch, {"discriminator_accuracy": 2})  # real and fake

    generation = base.Generation(
        draw, pixels, normalized, project=prior.project, between=prior.between,
        truncate=prior.truncate if prior.truncates else None,
        sheets=lambda key: sheets_of(prior, data.classes, draw, key),
    )  # fmt: skip
    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        base.with_label(generation) if classes else generation,
    )
