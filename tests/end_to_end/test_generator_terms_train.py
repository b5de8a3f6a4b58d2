"""Looked-ahead games, packs and penalties on generators train perceptrons and convolutions."""

import dataclasses
import functools

import jax
import numpy as np
import pytest
import tiny

from jaxgan.data import splits
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.game_gradients import Consensus, GradientRegularization
from jaxgan.objectives.gan.latent_spread import LatentSpread
from jaxgan.program import compile_program, example_batch

pytestmark = pytest.mark.slow

STEPS = 3
NETWORKS = {
    "mlp": {"generator": MlpGenerator((16,)), "discriminator": MlpDiscriminator((16,))},
    "dcgan": {
        "generator": DcganGenerator(width=4),
        "discriminator": DcganDiscriminator(width=4, batch_norm=False),
    },
}
TERMS = {
    "unrolled": {"unrolled_steps": 2},
    "packed": {"pack": 2},
    "gradient regularization": {"generator_penalties": (GradientRegularization(5.0),)},
    "consensus": {
        "penalties": (Consensus(5.0),),
        "generator_penalties": (Consensus(5.0),),
    },
    "latent spread": {"generator_penalties": (LatentSpread(),)},
}


@functools.cache
def trained(network, term):
    """Parameters before, after one step and after all, and the metrics of each step."""
    base = tiny.gan(steps=STEPS)
    changes = {**NETWORKS[network], **TERMS.get(term, {}), "n_critic": 1}
    experiment = dataclasses.replace(base, model=dataclasses.replace(base.model, **changes))
    program = compile_program(experiment, "none")
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    state = program.init(0, example_batch(experiment))
    seen, metrics = [jax.device_get(state.parameters)], []
    for _ in range(STEPS):
        state, found = program.phases[0].resident_step(state, arrays, np.uint32(0))
        seen.append(jax.device_get(state.parameters))
        metrics.append(jax.device_get(found))
    return seen[0], seen[1], seen[-1], metrics


@pytest.mark.parametrize(
    ("network", "term"),
    [("mlp", term) for term in TERMS]
    + [("dcgan", "unrolled"), ("dcgan", "packed"), ("dcgan", "consensus")],
)
def test_trains(network, term):
    """Everything moves, nothing is lost, and the term itself has reached the generator."""
    before, after, end, metrics = trained(network, term)
    for values in metrics:
        assert all(np.isfinite(value).all() for value in values.values())
        assert values["generator_grad_norm"] > 0.0
    for player in ("generator", "discriminator"):
        jax.tree.map(
            lambda old, new: np.testing.assert_array_less(0.0, np.abs(new - old).max()),
            before[player], end[player],
        )  # fmt: skip
    if term == "packed":
        return  # Its discriminator is another one.
    # From the same weights, with the same draws: where the discriminator is as in the plain game,
    # the generator is not.
    _, plain, _, _ = trained(network, "none")
    if term != "consensus":
        jax.tree.map(np.testing.assert_array_equal, after["discriminator"], plain["discriminator"])
    moved = jax.tree.map(
        lambda one, other, start: np.abs(one - other).max() / np.abs(other - start).max(),
        after["generator"], plain["generator"], before["generator"],
    )  # fmt: skip
    assert max(jax.tree.leaves(moved)) > 1e-3
