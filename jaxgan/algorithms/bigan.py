"""Bidirectional GANs: an encoder learned by the game itself (BiGAN; ALI)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.gan_parts import adversarial
from jaxgan.algorithms.sheets import sheets_of
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.config import ConfigError, Experiment, Model, describe
from jaxgan.objectives.gan.losses import GanLoss, NonSaturating, StatefulLoss
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.priors import Normal, Prior, Uniform
from jaxgan.objectives.vae.bounds import reparameterize
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Codes, Latents, Logits, Metrics, Params, Pixels, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class BiGan(Model):
    """Settings of a bidirectional GAN."""

    family: ClassVar[str] = "GAN"

    generator: nn.Module
    """Network from codes to images."""
    encoder: nn.Module
    """Network from images to codes: one each (BiGAN), or a mean and a log variance of which one is
    drawn (ALI)."""
    discriminator: nn.Module
    """Network from pairs of an image and a code to one logit each."""
    loss: GanLoss = NonSaturating()
    """Adversarial loss; real are images with their codes, fake are codes with their images."""
    generator_optimizer: Optimizer = Adam()
    """Optimizer of the generator, and of the encoder, which play together."""
    discriminator_optimizer: Optimizer = Adam()
    """Optimizer of the discriminator."""
    prior: Prior = Normal(50)
    """Distribution of codes, `Normal` or `Uniform`."""
    ema: Ema = Ema()
    """Average of the generator's and the encoder's weights that is evaluated."""

    def __post_init__(self) -> None:
        if isinstance(self.loss, StatefulLoss):
            raise ConfigError(
                f"the loss, {type(self.loss).__name__}, changes in the course of a run, which a"
                " bidirectional GAN does not keep: take another, such as NonSaturating"
            )
        if not isinstance(self.prior, Normal | Uniform):
            raise ConfigError(
                f"the prior, {type(self.prior).__name__}, draws no plain vectors, as an encoder"
                " gives them: take Normal or Uniform"
            )

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """One update of each player a step."""
        together = (self.generator_optimizer, 1)
        rest = {"discriminator": (self.discriminator_optimizer, 1)}
        return {"generator": together, "encoder": together, **rest}

    def objective(self) -> str:
        """``NonSaturating(), of pairs``."""
        return f"{describe(self.loss)}, of pairs"

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `bigan`."""
        return bigan(experiment, self, axis_name=axis_name)


def bigan(experiment: Experiment, model: BiGan, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of a bidirectional GAN.

    The discriminator tells pairs ``(x, E(x))`` of real images from pairs ``(G(z), z)``. At the best
    discriminator the generator and the encoder invert each other. One step is one update of the
    discriminator, and then one of generator and encoder together, against the updated
    discriminator, on the same images, codes and noise.

    Generator and encoder minimize the discriminator's loss with the labels exchanged, whatever the
    loss is: for the cross-entropy that is the objective with stronger gradients that the papers
    train with, for Wasserstein's the game itself, for the hinge one with margins for both sides.

    Args:
        experiment: the images' shape in ``experiment.data``, the number of steps.
        model: networks, loss and optimizers.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    References:
        Donahue, Krahenbuhl and Darrell, Adversarial Feature Learning, 2017, section 3. Dumoulin et
        al., Adversarially Learned Inference, 2017, section 2 and algorithm 1.
    """
    data, prior = experiment.data, model.prior
    assert isinstance(prior, Normal | Uniform)
    size, is_image = prior.size, data.dtype == "uint8"
    d_optimizer = model.discriminator_optimizer.build(experiment.steps)
    g_optimizer = model.generator_optimizer.build(experiment.steps)
    over, play_critic = apply.reduce(axis_name), model.loss.discriminator

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Codes:
        return rng.per_example(lambda k: prior.draw(k, 0), key, count, axis)

    def make(variables: Any, latents: Codes, key: Any = None, train: bool = True) -> Any:
        images, changed = apply.call(
            "generator", model.generator, variables, latents, train=train, axis_name=axis_name,
            key=key, image_shape=data.image_shape,
        )  # fmt: skip
        apply.check_shape(
            "generator", model.generator, images, (latents.shape[0], *data.image_shape)
        )
        return images, changed

    def encode(variables: Any, images: Any, key: Any = None, train: bool = True) -> Any:
        """Means, log variances (None where an image has one code), and changed collections."""
        found, changed = apply.call(
            "encoder", model.encoder, variables, images, train=train, axis_name=axis_name,
            key=key, latent_size=size,
        )  # fmt: skip
        mean, log_variance = found if isinstance(found, tuple) else (found, None)
        apply.check_shape("encoder", model.encoder, mean, (images.shape[0], size))
        return mean, log_variance, changed

    def judge(
        variables: Any, images: Any, codes: Codes, key: Any = None, train: bool = True
    ) -> Any:
        logits, changed = apply.call(
            "discriminator", model.discriminator, variables, images, codes, train=train,
            axis_name=axis_name, key=key,
        )  # fmt: skip
        apply.check_shape("discriminator", model.discriminator, logits, (images.shape[0],))
        return logits, changed

    def init(key: PRNGKey, batch: Batch) -> State:
        images = apply.to_symmetric(jnp.asarray(batch["image"])[:1])
        codes = jnp.zeros((1, size))
        making = apply.initial(
            "generator", model.generator, key, codes, prefix="generator-",
            image_shape=data.image_shape,
        )  # fmt: skip
        coding = apply.initial(
            "encoder", model.encoder, key, images, prefix="encoder-", latent_size=size
        )
        judging = apply.initial(
            "discriminator", model.discriminator, key, images, codes, prefix="discriminator-"
        )
        players = {
            "generator": new_player(making, g_optimizer),
            "encoder": new_player(coding, g_optimizer),
            "discriminator": new_player(judging, d_optimizer),
        }
        return new_state(players, averaged=("generator", "encoder"))

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        real = apply.to_symmetric(jnp.asarray(batch["image"]))
        players, count = state.players, real.shape[0]
        latents = draw(rng.role_key(key, "latent"), count, axis_name)
        noise = rng.per_example(
            lambda k: jax.random.normal(k, (size,)), rng.role_key(key, "noise"), count, axis_name
        )
        making, coding, judging = (players[n] for n in ("generator", "encoder", "discriminator"))

        def dropout(role: str, update: int = 0) -> PRNGKey:
            return rng.role_key(key, f"{role}-dropout", update)

        def play(making_params: Params, coding_params: Params) -> Any:
            variables = {"params": making_params, **making.model_state}
            fake, of_maker = make(variables, latents, dropout("generator"))
            variables = {"params": coding_params, **coding.model_state}
            mean, log_variance, of_coder = encode(variables, real, dropout("encoder"))
            codes = mean
            if log_variance is not None:
                codes = reparameterize(mean=mean, log_variance=log_variance, noise=noise)
            return (fake, codes), (of_maker, of_coder)

        (fake, codes), pull_back, kept = jax.vjp(play, making.params, coding.params, has_aux=True)

        def told(player: Any, pairs: Any, params: Params, update: int) -> Any:
            """Verdicts of real and of fake pairs, and the statistics after."""
            fake, codes = pairs
            variables = {"params": params, **player.model_state}
            on_real, after = judge(variables, real, codes, dropout("real", update))
            # Real and fake pairs are normalized apart, each by the statistics of its own batch.
            variables = {"params": params, **after}
            on_fake, after = judge(variables, fake, latents, dropout("fake", update))
            return Verdict(on_real), Verdict(on_fake), after

        def of_discriminator(params: Params) -> Any:
            still = jax.lax.stop_gradient((fake, codes))
            on_real, on_fake, after = told(judging, still, params, 0)
            value = jnp.mean(adversarial(play_critic, model.loss, over, on_real, on_fake))
            return value, (after, on_real.logits, on_fake.logits)

        (value, (after, on_real, on_fake)), gradients = jax.value_and_grad(
            of_discriminator, has_aux=True
        )(judging.params)
        gradients = over.mean(gradients)
        metrics = {
            "loss/discriminator": value,
            "logits/real": jnp.mean(on_real),
            "logits/fake": jnp.mean(on_fake),
            **apply.gradient_norm("discriminator", gradients),
        }
        judging = judging.update(d_optimizer, gradients, after)

        def of_both(pairs: Any) -> Any:
            on_real, on_fake, _ = told(judging, pairs, judging.params, 1)
            return jnp.mean(adversarial(play_critic, model.loss, over, on_fake, on_real))

        metrics["loss/generator"], slopes = jax.value_and_grad(of_both)((fake, codes))
        gradients = dict(zip(("generator", "encoder"), over.mean(pull_back(slopes)), strict=True))
        updated = {"discriminator": judging}
        for name, slope, own in zip(gradients, gradients.values(), kept, strict=True):
            metrics |= apply.gradient_norm(name, slope)
            updated[name] = players[name].update(g_optimizer, slope, own)
        averages = {
            name: model.ema.update(state.ema[name], updated[name].variables, state.step)
            for name in gradients
        }
        new = state.replace(step=state.step + 1, players=updated, ema=averages)
        return new, over.mean(metrics)

    def in_range(images: Any) -> Any:
        return apply.to_unit(images) if is_image else images

    def pixels(state: State, latents: Latents) -> Pixels:
        return in_range(make(state.evaluated("generator"), latents, train=False)[0])

    def normalized(
        state: State, latents: Latents, key: PRNGKey
    ) -> tuple[Pixels, dict[str, Params]]:
        images, found = apply.batch_statistics(
            lambda variables: make(variables, latents, key), state.evaluated("generator")
        )
        return in_range(images), {"generator": found}

    def posterior(state: State, batch: Batch) -> tuple[Codes, Any]:
        images = apply.to_symmetric(jnp.asarray(batch["image"]))
        return encode(state.evaluated("encoder"), images, train=False)[:2]

    def codes_of(state: State, batch: Batch) -> Array:
        return posterior(state, batch)[0]

    def reconstruct(state: State, batch: Batch) -> Pixels:
        return pixels(state, codes_of(state, batch))

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        images = jnp.asarray(batch["image"])
        real, latents = apply.to_symmetric(images), draw(key, images.shape[0])
        fake = pixels(state, latents)
        # Fakes pass through eight bits, as the real images did.
        fake = apply.to_symmetric(apply.quantized(fake)) if is_image else fake
        judging = state.players["discriminator"].variables

        def logits(images: Any, codes: Codes) -> Logits:
            return judge(judging, images, codes, train=False)[0]

        correct = model.loss.correct(
            real=logits(real, codes_of(state, batch)), fake=logits(fake, latents)
        )
        values = {f"discriminator_{name}": value for name, value in correct.items()}
        squares = jnp.square(reconstruct(state, batch) - in_range(real))
        errors = {"reconstruction_mse": jnp.mean(squares, axis=(1, 2, 3))}
        return {
            **apply.sums_of_shares(values, batch, {"discriminator_accuracy": 2}),  # real and fake
            **apply.sums_with_squares(errors, batch),
        }

    def is_gaussian() -> bool:
        image = jnp.zeros((1, *data.image_shape))
        found = jax.eval_shape(
            lambda key: model.encoder.init_with_output(key, image, latent_size=size, train=False),
            {"params": rng.base_key(0), "dropout": rng.base_key(0)},
        )
        return isinstance(found[0], tuple) and isinstance(prior, Normal)

    generation = base.Generation(
        draw, pixels, normalized, project=prior.project, between=prior.between,
        truncate=prior.truncate if prior.truncates else None,
        sheets=lambda key: sheets_of(prior, 0, draw, key),
    )  # fmt: skip
    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        generation,
        base.Encoding(reconstruct, codes_of, posterior if is_gaussian() else None),
    )
