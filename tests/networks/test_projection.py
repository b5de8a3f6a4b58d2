"""Projection discriminators: a term more than those without labels."""

import jax.numpy as jnp
import numpy as np
import pytest
from conditional_networks import CLASSES, IMAGES, LABELS, assert_close, evaluated, initialized

from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.networks.projection import ProjectionDcganDiscriminator, ProjectionMlpDiscriminator


@pytest.mark.parametrize(
    ("module", "plain", "trunk"),
    [
        (ProjectionDcganDiscriminator(width=4), DcganDiscriminator(width=4), "DownPyramid_0"),
        (ProjectionMlpDiscriminator((8,)), MlpDiscriminator((8,)), "HiddenLayers_0"),
    ],
)
def test_projection_is_a_term_more(module, plain, trunk):
    """Without vectors it is the unconditional discriminator; the term is linear in them."""
    variables = initialized(module, IMAGES)
    params = variables["params"]
    head = params["ProjectionHead_0"]
    inner = {**variables, "params": {trunk: params[trunk], "LogitHead_0": head["LogitHead_0"]}}
    psi = plain.apply(inner, IMAGES, train=False)

    def with_vectors(table):
        changed = {**head, "ClassEmbedding_0": {"table": jnp.asarray(table, jnp.float32)}}
        tree = {**variables, "params": {**params, "ProjectionHead_0": changed}}
        return evaluated(module, tree, IMAGES, LABELS)

    table = np.asarray(head["ClassEmbedding_0"]["table"])
    assert_close(with_vectors(np.zeros_like(table)), psi)
    assert_close(with_vectors(-2.0 * table) - psi, -2.0 * (with_vectors(table) - psi))
    # All classes with the weights of psi itself: the term is psi without its bias.
    same = np.tile(np.asarray(head["LogitHead_0"]["Dense_0"]["kernel"])[:, 0], (CLASSES, 1))
    bias = np.asarray(head["LogitHead_0"]["Dense_0"]["bias"])[0]
    assert_close(with_vectors(same), 2.0 * psi - bias)
    # Vectors of class 2 only: other images keep psi.
    only = np.where(np.arange(CLASSES)[:, None] == 2, same, 0.0)
    mine = np.asarray(LABELS) == 2
    assert_close(with_vectors(only), np.where(mine, 2.0 * psi - bias, psi))
