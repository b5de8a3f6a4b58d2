"""Experiments that train in seconds, for tests of everything around a model.

Gradient descent with small rates, because Adam divides by the size of a gradient: where that is
nearly zero, it would turn differences of rounding into differences of whole updates.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan.algorithms import apply
from jaxgan.algorithms.base import Algorithm, Phase
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.state import new_player, new_state
from jaxgan.algorithms.vae import Vae
from jaxgan.config import Evaluation, Experiment, Model
from jaxgan.data import splits
from jaxgan.data.order import epoch_position
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Sgd
from jaxgan.program import compile_program, example_batch, on_one_device

RATE = Sgd(learning_rate=0.05)


def _experiment(model: Any, changes: dict[str, Any]) -> Experiment:
    settings: dict[str, Any] = {
        "name": "tiny",
        "model": model,
        "data": Data(),
        "steps": 6,
        "batch_size": 16,
        "evaluation": Evaluation(samples=100),
    }
    return Experiment(**{**settings, **changes})


def gan(**changes: Any) -> Experiment:
    """Perceptrons with dropout, two critic updates a step."""
    model = Gan(
        generator=MlpGenerator(widths=(16,)),
        discriminator=MlpDiscriminator(widths=(16,), dropout=0.3),
        generator_optimizer=RATE,
        discriminator_optimizer=RATE,
        prior=Normal(8),
        n_critic=2,
    )
    return _experiment(model, changes)


def dcgan(**changes: Any) -> Experiment:
    """Convolutions with batch normalization."""
    model = Gan(
        generator=DcganGenerator(width=4),
        discriminator=DcganDiscriminator(width=4),
        generator_optimizer=RATE,
        discriminator_optimizer=RATE,
        prior=Normal(8),
    )
    return _experiment(model, changes)


def vae(**changes: Any) -> Experiment:
    """Perceptrons."""
    model = Vae(
        encoder=MlpEncoder(widths=(16,)),
        decoder=MlpDecoder(widths=(16,)),
        latent_size=4,
        optimizer=Sgd(learning_rate=1e-3),
    )
    return _experiment(model, changes)


@dataclasses.dataclass(frozen=True)
class Regression(Model):
    """Mean squared error of labels predicted from pixels, by gradient descent."""

    rate: float = 1.0

    def build(self, experiment, *, axis_name=None):
        optimizer = optax.sgd(self.rate)
        over = apply.reduce(axis_name)

        def init(key, batch):
            variables = {"params": jnp.linspace(-1.0, 1.0, 64)}
            return new_state({"weights": new_player(variables, optimizer)})

        def train_step(state, batch, key):
            pixels = batch["image"].reshape(-1, 64).astype(jnp.float32) / 255.0
            player = state.players["weights"]

            def loss(weights):
                return jnp.mean((pixels @ weights - batch["label"]) ** 2)

            value, gradient = over.mean(jax.value_and_grad(loss)(player.params))
            player = player.update(optimizer, gradient, {})
            return state.replace(step=state.step + 1, players={"weights": player}), {"loss": value}

        return Algorithm(init, (Phase(experiment.steps, train_step),), lambda *_: {})


def train(experiment, mode, steps, *, streaming=False):
    """The state after some steps on the experiment's own data, and the metrics of each step."""
    program = compile_program(experiment, mode)
    replicate, shard = program.plan.replicate, program.plan.shard
    state = replicate(jax.device_get(program.init(experiment.seed, example_batch(experiment))))
    seed = replicate(np.asarray(experiment.seed, np.uint32))
    data = splits.in_memory(experiment.data, "train")
    arrays = replicate(data)
    metrics = []
    for step in range(steps):
        if streaming:
            places = np.arange(experiment.images_per_step) + step * experiment.images_per_step
            rows = np.asarray(epoch_position(places, len(data["image"]), experiment.seed))
            batch = shard({name: array[rows] for name, array in data.items()})
            state, found = program.phase(step).streaming_step(state, batch, seed)
        else:
            state, found = program.phase(step).resident_step(state, arrays, seed)
        metrics.append(jax.device_get(found))
    return jax.device_get(on_one_device(state)), metrics
