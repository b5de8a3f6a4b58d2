"""Every normalization that a discriminator can have is trained under gradient penalties."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan.algorithms import base
from jaxgan.algorithms.gan import Gan
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.networks.resnet import ResnetDiscriminator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.penalties import R1, GradientPenalty
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

pytestmark = pytest.mark.slow

PLAIN = DcganDiscriminator(width=4, batch_norm=False)
DISCRIMINATORS = {
    "spectral, layer": PLAIN.clone(weight_norm="spectral", norm="layer"),
    "weight, instance": PLAIN.clone(weight_norm="weight", norm="instance"),
    "virtual batch, stddev": PLAIN.clone(norm="virtual_batch", minibatch="stddev"),
    "orthogonal, discrimination": PLAIN.clone(orthogonal_init=True, minibatch="discrimination"),
    "residual": ResnetDiscriminator(width=4),
}
LAST_BIAS = "['LogitHead_0']['Dense_0']['bias']"
GENERATORS = {
    "spectral, layer": DcganGenerator(width=4, batch_norm=False, norm="layer"),
    "weight, instance": DcganGenerator(width=4, weight_norm="spectral"),
}


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_game_with_it(name):
    """Every parameter of both players moves, and neither its gradients nor anything else stops."""
    model = Gan(
        GENERATORS.get(name, MlpGenerator((8,))),
        DISCRIMINATORS[name],
        loss=NonSaturating(),
        generator_optimizer=Adam(),
        discriminator_optimizer=Adam(),
        prior=Normal(5),
        penalties=(R1(), GradientPenalty()),
    )
    data = Data(image_size=16, resize="bilinear")
    experiment = dataclasses.replace(tiny.gan(), model=model, data=data)
    algorithm = base.build(experiment)
    images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 1), np.uint8)
    batch = {"image": jnp.asarray(images)}
    before = jax.jit(algorithm.init)(jax.random.key(0), batch)
    step, after, metrics = jax.jit(algorithm.phases[0].train_step), before, {}
    for number in range(3):
        after, metrics = step(after, batch, jax.random.key(number))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((after, metrics)))
    assert metrics["penalty/gradient"] > 0.0
    for player, was in before.players.items():
        assert metrics[f"{player}_grad_norm"] > 0.0
        now = dict(jax.tree_util.tree_leaves_with_path(after.players[player].params))
        for path, leaf in jax.tree_util.tree_leaves_with_path(was.params):
            moved = np.abs(np.asarray(now[path]) - leaf) > 0
            assert moved.mean() > 0.5, f"{player}{jax.tree_util.keystr(path)} is not trained"

    # No sigmoid: what is added to the last bias is added to every logit.
    judging = after.players["discriminator"].variables
    network, shown = DISCRIMINATORS[name], jnp.asarray(images[:4] / 127.5 - 1.0, jnp.float32)
    higher = jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + 50.0 * jax.tree_util.keystr(path).endswith(LAST_BIAS), judging
    )
    logits = [network.apply(one, shown, train=False) for one in (judging, higher)]
    np.testing.assert_allclose(logits[1] - logits[0], 50.0, rtol=1e-4)
