"""Every loss trains with every kind of discriminator that it may meet, through the real program.

The discriminator starts sure and wrong: its last layer is set so that real images have logits far
below those of generated ones. Gradient descent must turn that round. Were logits squashed in
the network, they would not be so far apart; in the loss, and there would be next to no gradient. A
player that is cut off, or a layer that is dead, has parameters that stay where they are.

All losses share one program for each discriminator: which of them holds is said by the state.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import suited

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import names, spelling
from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.networks.conditional import ConditionalDcganGenerator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.features import FeatureDcganDiscriminator, FeatureMlpDiscriminator
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.networks.projection import ProjectionDcganDiscriminator
from jaxgan.objectives.gan import relativistic
from jaxgan.objectives.gan.f_divergences import ReverseKl, SquaredHellinger
from jaxgan.objectives.gan.losses import StatefulLoss, Wasserstein, read
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Sgd
from jaxgan.program import compile_program, example_batch

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_compilation")]

STEPS, BATCH = 25, 32
START = -8.0
"""Mean logit of real images less that of generated ones before training."""
DIFFERENCES = (Wasserstein, relativistic._Relativistic)
"""Losses that read differences of logits alone."""
EXPONENTIAL = (ReverseKl, SquaredHellinger)
"""Losses whose slope is an exponential of the logit on the wrong side."""
LOSSES = {name: spelling.value_of("loss", name, names.LOSSES) for name in names.LOSSES}
PLAIN = {n: loss for n, loss in LOSSES.items() if type(loss) not in suited.SUITED}
FEATURES = {
    n: loss
    for n, loss in LOSSES.items()
    if suited.SUITED.get(type(loss), FeatureMlpDiscriminator) is FeatureMlpDiscriminator
}


@dataclasses.dataclass(frozen=True)
class Chosen:
    """Several losses, of which the one holds whose number is in the state."""

    losses: tuple[Any, ...]

    def init(self):
        states = [one.init() if isinstance(one, StatefulLoss) else () for one in self.losses]
        return {"number": jnp.zeros((), jnp.int32), "states": states}

    def reads(self, verdict):
        return verdict

    def at(self, state):
        return Now(
            [
                one.at(own) if isinstance(one, StatefulLoss) else one
                for one, own in zip(self.losses, state["states"], strict=True)
            ],
            state["number"],
        )

    def update(self, state, *, real, fake):
        states = [
            one.update(own, real=read(one.at(own), real), fake=read(one.at(own), fake))[0]
            if isinstance(one, StatefulLoss)
            else own
            for one, own in zip(self.losses, state["states"], strict=True)
        ]
        return {**state, "states": states}, {}

    def _first(self, method, real, fake):
        return getattr(self.at(self.init()), method)(real=real, fake=fake)

    def discriminator(self, *, real, fake):
        return self._first("discriminator", real, fake)

    def generator(self, *, real, fake):
        return self._first("generator", real, fake)

    def correct(self, *, real, fake):
        return {}


@dataclasses.dataclass(frozen=True)
class Now(Chosen):
    """Those of a step."""

    number: Any

    def _first(self, method, real, fake):
        branches = [
            lambda real, fake, one=one: getattr(one, method)(
                real=read(one, real), fake=read(one, fake)
            )
            for one in self.losses
        ]
        return jax.lax.switch(self.number, branches, real, fake)


DCGAN = {"width": 4, "init_std": None}
# Where there are 8 pixels a side, the discriminator has no layer to normalize.
SIXTEEN = {"image_size": 16, "resize": "bilinear"}
KINDS = {
    "mlp": (MlpGenerator((8,)), FeatureMlpDiscriminator((8,)), {}, FEATURES, 0.004),
    "dcgan": (
        DcganGenerator(**DCGAN),
        FeatureDcganDiscriminator(**DCGAN),
        SIXTEEN,
        FEATURES,
        0.008,
    ),
    "dcgan without batch norm": (
        DcganGenerator(**DCGAN, batch_norm=False),
        FeatureDcganDiscriminator(**DCGAN, batch_norm=False),
        SIXTEEN,
        FEATURES,
        0.004,
    ),
    "projection": (
        ConditionalDcganGenerator(**DCGAN),
        ProjectionDcganDiscriminator(**DCGAN),
        {"classes": 10},
        PLAIN,
        0.008,
    ),
}
"""Generator, discriminator, data, losses, and a rate: as large as descent on squares allows."""


@functools.cache
def started(kind):
    """A program, its data, and a state whose discriminator is sure and wrong."""
    generator, discriminator, data, losses, rate = KINDS[kind]
    noise = Normal(4)
    experiment = Experiment(
        name="train",
        model=Gan(
            generator,
            discriminator,
            loss=Chosen(tuple(losses.values())),
            generator_optimizer=Sgd(rate),
            discriminator_optimizer=Sgd(rate),
            prior=Labelled(noise) if "classes" in data else noise,
        ),
        data=Data(**data),
        steps=STEPS,
        batch_size=BATCH,
    )
    program = compile_program(experiment, "none")
    # One batch again and again, so that steps can be compared.
    data = {n: a[:BATCH] for n, a in splits.in_memory(experiment.data, "train").items()}
    arrays, seed = program.plan.replicate((data, np.asarray(0, np.uint32)))

    def step(state):
        return jax.device_get(
            program.phases[0].resident_step(program.plan.replicate(state), arrays, seed)
        )

    numbers = list(losses)
    state = jax.tree.map(np.array, program.init(0, example_batch(experiment)))
    after, _ = step(chosen(state, numbers.index("wasserstein")))
    # That loss moves the last layer along the difference of the mean features.
    last = last_layer(state)["kernel"]
    along = last_layer(after)["kernel"] - last
    last[...] = START * rate * along / np.sum(along**2)
    _, metrics = step(chosen(state, 0))
    last_layer(state)["bias"] -= (metrics["logits/real"] + metrics["logits/fake"]) / 2
    return step, state, numbers


def chosen(state, number):
    """The state in which a loss holds."""
    own = {**state.extras["loss"], "number": np.int32(number)}
    return state.replace(extras={**state.extras, "loss": own})


def halved(state):
    """A discriminator that is half as sure, and as wrong."""
    state = jax.tree.map(np.array, state)
    for leaf in last_layer(state).values():
        leaf[...] *= 0.5
    return state


def last_layer(state):
    """Weights of the discriminator's logits."""
    params = state.players["discriminator"].params
    return params.get("ProjectionHead_0", params)["LogitHead_0"]["Dense_0"]


CASES = [(kind, name) for kind, (*_, losses, _) in KINDS.items() for name in losses]


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{k}-{n}" for k, n in CASES])
def test_trains(kind, name):
    step, first, numbers = started(kind)
    # Where a gradient grows exponentially, plain descent overshoots from too far.
    first = halved(first) if isinstance(LOSSES[name], EXPONENTIAL) else first
    state, gaps, slopes = chosen(first, numbers.index(name)), [], []
    for done in range(STEPS):
        state, metrics = step(state)
        assert all(np.isfinite(value) for value in metrics.values()), (done, metrics)
        slopes.append(metrics["generator_grad_norm"])
        gaps.append(float(metrics["logits/real"] - metrics["logits/fake"]))
        if done == 0:
            assert metrics["logits/real"] < -1.5
            assert metrics["logits/fake"] > 1.5
    # Under a relativistic hinge a generator has nothing to learn from whom it fools by a margin.
    assert max(slopes) > 1e-2
    # All but turned round. Squashed logits, or a player that is cut off, would still be far from it
    # (tried out: a second sigmoid -6.5, before squares -3.3, logits clipped at 1 -6.3).
    assert gaps[-1] > -2.5, gaps
    moved = {
        f"{player}{jax.tree_util.keystr(path)}": float(np.abs(now - before).max())
        for player in state.players
        for (path, now), (_, before) in zip(
            *(
                jax.tree_util.tree_leaves_with_path(one.players[player].params)
                for one in (state, first)
            ),
            strict=True,
        )
    }
    assert all(np.isfinite(list(moved.values())))
    still = {where for where, distance in moved.items() if distance == 0.0}
    if not isinstance(LOSSES[name], DIFFERENCES):
        assert not still
    # A constant that is added to all logits changes no difference of them.
    assert all(where.endswith("['LogitHead_0']['Dense_0']['bias']") for where in still), still
