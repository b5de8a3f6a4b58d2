"""Losses of energies and of embeddings with each network that they are for, for some steps.

All tensors move and have finite gradients; logits and embeddings are unbounded, as a second
nonlinearity behind them would not let them be.
"""

import dataclasses

import jax
import numpy as np
import pytest

from jaxgan.algorithms.gan import Gan
from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.networks.autoencoder import DcganAutoencoder, MlpAutoencoder
from jaxgan.networks.began import BeganDiscriminator, BeganGenerator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.infogan import InfoGanDiscriminator, InfoGanGenerator
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.networks.vectors import VectorDcganDiscriminator, VectorMlpDiscriminator
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.ebgan import Ebgan, PullAway
from jaxgan.objectives.gan.mmd import Mmd, RepulsiveMmd
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam
from jaxgan.program import compile_program, example_batch

pytestmark = pytest.mark.slow

STEPS = 12
PLAIN, PYRAMID = MlpGenerator((16,)), DcganGenerator(width=4)
ENERGIES = {
    "mlp": (PLAIN, MlpAutoencoder((16,), code_size=4)),
    "dcgan": (PYRAMID, DcganAutoencoder(width=4, code_size=4)),
    "began": (BeganGenerator(width=4), BeganDiscriminator(width=4, code_size=4)),
}
VECTORS = {
    "mlp": (PLAIN, VectorMlpDiscriminator((16,), embedding_size=4)),
    "dcgan": (PYRAMID, VectorDcganDiscriminator(width=4, embedding_size=4)),
}
TERMS = {
    "began": (ENERGIES, Began(rate=0.5), ()),
    "ebgan": (ENERGIES, Ebgan(margin=2.0), (PullAway(),)),
    "mmd": (VECTORS, Mmd(), ()),
    "repulsive": (VECTORS, RepulsiveMmd(), ()),
}
CASES = {
    f"{name} {network}": Gan(*pair, loss=loss, auxiliaries=terms)
    for name, (networks, loss, terms) in TERMS.items()
    for network, pair in networks.items()
}
# Layers in front of batch norm have no biases: those could not move.
CASES["infogan"] = Gan(InfoGanGenerator(width=4, units=16), InfoGanDiscriminator(width=4, units=16))


@pytest.mark.parametrize("name", CASES)
def test_every_tensor_moves(name):
    model = dataclasses.replace(
        CASES[name],
        prior=Normal(4),
        generator_optimizer=Adam(1e-3, b1=0.5),
        discriminator_optimizer=Adam(1e-3, b1=0.5),
    )
    experiment = Experiment(name="train", model=model, data=Data(), steps=STEPS, batch_size=16)
    program = compile_program(experiment, "none")
    replicate = program.plan.replicate
    arrays = replicate(splits.in_memory(experiment.data, "train"))
    first = jax.device_get(program.init(0, example_batch(experiment)))
    state, found = replicate(first), []
    for _ in range(STEPS):
        state, metrics = program.phases[0].resident_step(
            state, arrays, replicate(np.asarray(0, np.uint32))
        )
        found.append({key: float(value) for key, value in metrics.items()})
    last = jax.device_get(state)
    for player, old in first.parameters.items():
        flat = jax.tree_util.tree_leaves_with_path(old)
        for (path, before), after in zip(
            flat, jax.tree.leaves(last.parameters[player]), strict=True
        ):
            where = f"{player} {jax.tree_util.keystr(path)}"
            assert np.isfinite(after).all(), where
            # A step of Adam is as large as its rate, whatever the size of a gradient.
            assert np.abs(after - before).max() > 1e-4, f"{where} has not moved"
    for metrics in found:
        assert all(np.isfinite(value) for value in metrics.values())
        for player in ("generator", "discriminator"):
            assert metrics[f"{player}_grad_norm"] > 1e-6
    if name.startswith("began"):
        assert {metrics["began/k"] for metrics in found[:1]} == {0.0}
        assert found[-1]["began/k"] != 0.0 or found[0]["logits/fake"] < found[0]["logits/real"]
    if name.startswith(("began", "ebgan")):
        # Energies of the first step are those of images in [-1, 1] whose reconstruction is near 0.
        assert -2.0 < found[0]["logits/real"] < -0.1
