"""The steps as users of jaxgan get them: an experiment, compiled by `jaxgan.program`."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import rng
from jaxgan.algorithms import base
from jaxgan.algorithms.apply import to_symmetric
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.algorithms.vae import Vae
from jaxgan.config import Experiment, Model
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.layers.conv import Conv
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.vae import ConvDecoder, ConvEncoder
from jaxgan.objectives.gan.losses import Hinge, Wasserstein
from jaxgan.objectives.gan.penalties import GradientPenalty
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam, Ema
from jaxgan.program import compile_program, example_batch
from side_by_side import jaxgan_generators as generators
from side_by_side import reference as ref
from side_by_side.bench import Bench, Outcome
from side_by_side.in_jax import (
    adam_moments,
    cycle,
    flat_parameters,
    forward_layers,
    read_losses,
)
from side_by_side.resnet import Stack
from side_by_side.steps import (
    CHECKED_STEPS,
    EMA_DECAY,
    FITTED,
    GAN_ADAM,
    PENALTY_WEIGHT,
    VAE_ADAM,
    Size,
)

SEED = 0


def build(step: str, size: Size, precision: Any, path: Path) -> Bench:
    """A step, and the reference that the other implementations are checked on.

    Args:
        step: one of `side_by_side.steps.STEPS`.
        size: of its networks and batch.
        precision: float32 or bfloat16.
        path: the ``.npz`` to write the reference to.
    """
    experiment = Experiment(
        name=step,
        model=_model(step, size),
        data=Data(image_size=size.image, channels=size.channels),
        steps=1_000_000,
        batch_size=size.batch,
        seed=SEED,
        precision=precision,
    )
    program = compile_program(experiment, "none")
    plan, algorithm = program.plan, program.algorithm

    def start() -> Any:
        state = jax.device_get(program.init(SEED, example_batch(experiment)))
        return plan.replicate(state)

    first = start()
    reference = ref.Reference(
        flat_parameters(_networks(first)),
        ref.images_of(size, SEED),
        ref.images_of(size, SEED + 1),
        *_draws(step, size, experiment.model, algorithm),
        flat_parameters(generators.carried(first)) if step in FITTED else {},
    )
    ref.write(path, reference)
    seed = plan.replicate(np.asarray(SEED, np.uint32))
    labels = np.zeros(size.batch, np.int32)
    batches = [plan.shard({"image": images, "label": labels}) for images in reference.images]
    if step == "resnet":
        fakes = plan.shard(list(reference.fakes))
        batches = [{**b, "fake": fake} for b, fake in zip(batches, fakes, strict=True)]

    def check() -> Outcome:
        state, losses, moments = start(), [], {}
        for batch in batches[:CHECKED_STEPS]:
            state, metrics = program.phases[0].streaming_step(state, batch, seed)
            losses.append(read_losses(metrics))
            moments = moments or _moments(state)
        return Outcome(losses, moments)

    return Bench(
        parameters=sum(value.size for value in reference.parameters.values()),
        layers=_layers(step, size, experiment.model, _networks(first)),
        check=check,
        run=cycle(lambda s, b: program.phases[0].streaming_step(s, b, seed)[0], start(), batches),
    )


def _model(step: str, size: Size) -> Model:
    def gan(generator: Any, discriminator: Any, **settings: Any) -> Gan:
        return Gan(
            generator=generator,
            discriminator=discriminator,
            generator_optimizer=Adam(*GAN_ADAM),
            discriminator_optimizer=Adam(*GAN_ADAM),
            prior=Normal(size.latent),
            ema=Ema(decay=EMA_DECAY),
            **settings,
        )

    vae = functools.partial(
        Vae, latent_size=size.latent, optimizer=Adam(*VAE_ADAM), ema=Ema(decay=EMA_DECAY)
    )
    if step in FITTED:
        return generators.model(step, size)
    if step == "dcgan":
        return gan(DcganGenerator(size.width), DcganDiscriminator(size.width))
    if step == "wgan_gp":
        return gan(
            DcganGenerator(size.width),
            DcganDiscriminator(size.width, batch_norm=False),
            loss=Wasserstein(),
            penalties=(GradientPenalty(weight=PENALTY_WEIGHT),),
        )
    if step == "mlp_gan":
        return gan(MlpGenerator(size.hidden), MlpDiscriminator(size.hidden))
    if step == "mlp_vae":
        hidden = {"widths": size.hidden, "activation": "relu"}
        return vae(encoder=MlpEncoder(**hidden), decoder=MlpDecoder(**hidden))
    if step == "conv_vae":
        return vae(encoder=ConvEncoder(size.width), decoder=ConvDecoder(size.width))
    return Critic(discriminator=Stack(size.width, conv=Conv))


@dataclasses.dataclass(frozen=True)
class Critic(Model):
    """A discriminator by itself, trained on fakes that the batch brings (``fake``, uint8)."""

    discriminator: Any

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """The part of `jaxgan.algorithms.gan` that updates a discriminator."""
        optimizer = Adam(*GAN_ADAM).build(experiment.steps)

        def init(key: Any, batch: Any) -> State:
            images = to_symmetric(jnp.asarray(batch["image"]))
            variables = self.discriminator.init(key, images)
            return new_state({"discriminator": new_player(variables, optimizer)})

        def train_step(state: State, batch: Any, key: Any) -> Any:
            both = jnp.concatenate([batch["image"], batch["fake"]])
            player = state.players["discriminator"]

            def loss(params: Any) -> Any:
                logits = self.discriminator.apply({"params": params}, to_symmetric(both))
                real, fake = jnp.split(logits, 2)
                return jnp.mean(Hinge().discriminator(real=real, fake=fake))

            value, gradients = jax.value_and_grad(loss)(player.params)
            players = {"discriminator": player.update(optimizer, gradients, {})}
            new = state.replace(step=state.step + 1, players=players)
            return new, {"loss/discriminator": value}

        return base.Algorithm(init, (base.Phase(experiment.steps, train_step),), lambda *_: {})


def _networks(state: State) -> dict[str, Any]:
    """Parameters by network; the autoencoder's hold encoder and decoder by name."""
    parameters = state.parameters
    return parameters.get("autoencoder", parameters)


def _draws(
    step: str, size: Size, model: Any, algorithm: base.Algorithm
) -> tuple[np.ndarray, np.ndarray]:
    """What the checked steps will draw inside, from the same keys."""
    latents, shares = ref.no_draws(size)
    if not size.latent:
        return latents, shares
    role = "noise" if step.endswith("vae") else "latent"

    @jax.jit
    def draw(number: Any) -> Any:
        key = rng.step_key(rng.base_key(SEED), number)
        if step in FITTED:
            latent = model.draw(key, size.batch)
        else:
            # A GAN's draws also carry the number of the discriminator update, which is 0 here.
            assert algorithm.generation is not None
            latent = algorithm.generation.prior(rng.role_key(key, role), size.batch)
        share = rng.per_example(jax.random.uniform, rng.role_key(key, "share"), size.batch)
        return latent, share

    drawn = [jax.device_get(draw(number)) for number in range(CHECKED_STEPS)]
    latents, shares = map(np.stack, zip(*drawn, strict=True))
    return latents, shares


def _moments(state: Any) -> dict[str, float]:
    """Lengths of Adam's running means, by parameter."""
    # The autoencoder's parameters hold encoder and decoder by name.
    return adam_moments(
        {
            "" if name == "autoencoder" else name: player.opt_state
            for name, player in state.players.items()
        }
    )


def _layers(step: str, size: Size, model: Any, parameters: Any) -> dict[str, int]:
    """Operations of the networks' layers, each network seen as it is called in the step."""
    shape = (size.image, size.image, size.channels)
    images, latents = np.zeros((size.batch, *shape)), np.zeros((size.batch, size.latent))
    calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
        "generator": ((latents,), {"image_shape": shape, "train": True}),
        "discriminator": ((images,), {} if step == "resnet" else {"train": True}),
        "encoder": ((images,), {"latent_size": size.latent, "train": True}),
        "decoder": ((latents,), {"image_shape": shape, "train": True}),
    }
    if step in FITTED:
        calls["generator"] = model.arguments(latents)
    found: dict[str, int] = {}
    for name in parameters:
        inputs, settings = calls[name]
        found |= forward_layers(getattr(model, name), inputs, settings, name)
    return found
