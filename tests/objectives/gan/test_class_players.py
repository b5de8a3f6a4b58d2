"""Which weights each player's class terms move, through discriminators that give their heads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.auxiliary import AuxiliaryMlpDiscriminator
from jaxgan.networks.class_information import EmbeddingMlpDiscriminator, TwinMlpDiscriminator
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.class_terms import HingeClassifier, TwinClassifier
from jaxgan.objectives.gan.contrastive import ConditionalContrastive, DataToDataCrossEntropy
from jaxgan.objectives.gan.verdict import verdict

DRAWS = np.random.default_rng(0)
REAL, FAKE = (jnp.asarray(DRAWS.uniform(-1, 1, size=(6, 4, 4, 1)), jnp.float32) for _ in range(2))
LABELS = jnp.array([0, 1, 2, 0, 1, 2])
GIVEN = {"label": LABELS}


def slopes(module, term):
    """By part: of the discriminator's weights, and of the images."""
    shapes = jax.eval_shape(
        lambda: module.init(jax.random.key(0), REAL, LABELS, classes=3, train=False)
    )
    params = jax.tree.map(
        lambda s: jnp.asarray(DRAWS.normal(0, 0.5, s.shape), s.dtype), shapes["params"]
    )

    def value(part, params, images):
        found = module.apply({"params": params}, images, LABELS, classes=3, train=False)
        values = part(verdict(found), GIVEN)
        return jnp.zeros(()) if values is None else jnp.sum(values)

    def both(part, images):
        return jax.grad(lambda p, x: value(part, p, x), argnums=(0, 1))(params, images)

    return {
        "real": both(term.real, REAL),
        "fake": both(term.fake, FAKE),
        "generator": both(term.generator, FAKE),
    }


def moves(tree):
    return {
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if np.any(leaf)
    }


@pytest.mark.parametrize(
    ("module", "term", "head", "of_real", "of_fake"),
    [
        (AuxiliaryMlpDiscriminator((8,)), AuxiliaryClassifier(), "ClassHead_0", True, True),
        (AuxiliaryMlpDiscriminator((8,)), HingeClassifier(weight=3.0), "ClassHead_0", True, False),
        (TwinMlpDiscriminator((8,)), TwinClassifier(), "TwinHead_0/twin", False, True),
        (
            EmbeddingMlpDiscriminator((8,), embedding=4),
            ConditionalContrastive(),
            "EmbeddingHead_0",
            True,
            False,
        ),
        (
            EmbeddingMlpDiscriminator((8,), embedding=4),
            DataToDataCrossEntropy(),
            "EmbeddingHead_0",
            True,
            False,
        ),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "weight") else None,
)
def test_what_learns_from_what(module, term, head, of_real, of_fake):
    """Heads learn from the images that they are to learn from, the generator through all of them,
    and the logit's weights from no class term."""
    found = slopes(module, term)
    for part, there in (("real", of_real), ("fake", of_fake), ("generator", True)):
        of_weights, of_images = found[part]
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((of_weights, of_images)))
        assert bool(np.any(of_images)) == there, part
        moved = moves(of_weights)
        assert any(path.startswith(head) for path in moved) == there, part
        assert any(path.startswith("HiddenLayers") for path in moved) == there, part
        assert not any(path.startswith("LogitHead") for path in moved), part
    if isinstance(term, TwinClassifier):
        # The other classifier is left alone, and the generator goes the other way.
        assert not any("TwinHead_0/class" in path for path in moves(found["fake"][0]))
        np.testing.assert_allclose(found["generator"][1], -found["fake"][1], rtol=1e-5)
