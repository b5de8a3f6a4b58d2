"""Orthogonal regularization against the published gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from views import view

from jaxgan.objectives.gan.orthogonal import Orthogonal, overlaps
from jaxgan.objectives.gan.penalties import Penalty

DRAWS = np.random.default_rng(0)
PARAMS = {
    "Conv_0": {"kernel": DRAWS.normal(size=(2, 3, 4, 5)), "bias": DRAWS.normal(size=5)},
    "Dense_0": {"kernel": DRAWS.normal(size=(6, 3)), "bias": DRAWS.normal(size=3)},
    "ClassEmbedding_0": {"table": DRAWS.normal(size=(10, 4))},
    "ConditionalBatchNorm_0": {"scale": DRAWS.normal(size=(10, 4))},
}
# Its rows may be as long as they like.
ORTHOGONAL = np.diag([0.5, 2.0, 7.0, 1.0])


def float32(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), tree)


def matrix(kernel):
    """As PyTorch's ``weight.view(out, -1)``, up to the order within a row."""
    return np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1)


def test_gradient_is_the_published_one():
    """``2 ((W W^T) o (1 - I)) W``, twice which the plain square would give; nothing but kernels."""
    found = jax.grad(overlaps)(float32(PARAMS))
    for layer in ("Conv_0", "Dense_0"):
        w = matrix(PARAMS[layer]["kernel"])
        expected = 2 * (w @ w.T * (1 - np.eye(len(w)))) @ w
        np.testing.assert_allclose(matrix(found[layer]["kernel"]), expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(found[layer]["bias"], 0.0)
    np.testing.assert_array_equal(found["ClassEmbedding_0"]["table"], 0.0)
    np.testing.assert_array_equal(found["ConditionalBatchNorm_0"]["scale"], 0.0)


def test_value():
    expected = 0.0
    for layer in ("Conv_0", "Dense_0"):
        w = matrix(PARAMS[layer]["kernel"])
        expected += sum((w[i] @ w[j]) ** 2 for i in range(len(w)) for j in range(i))
    assert float(overlaps(float32(PARAMS))) == pytest.approx(expected, rel=1e-5)
    assert float(overlaps({"kernel": jnp.asarray(ORTHOGONAL)})) == 0.0
    # One logit has nothing to overlap with; a network without kernels has no overlaps.
    assert float(overlaps({"kernel": jnp.ones((5, 1))})) == 0.0
    assert float(overlaps({"bias": jnp.ones(5)})) == 0.0


def test_penalty_is_the_weighted_value_of_the_discriminator():
    params = float32(PARAMS)
    images = jnp.zeros((2, 1, 1, 1))
    shown = view(lambda x: x[:, 0, 0, 0], images, images)._replace(
        critic_params=params, generator_params={"kernel": jnp.ones((3, 3))}
    )
    value, state = Orthogonal(0.3)(shown, ())
    assert state == ()
    assert value.shape == ()
    assert float(value) == pytest.approx(0.3 * float(overlaps(params)), rel=1e-6)


def test_is_a_plain_value():
    assert isinstance(Orthogonal(), Penalty)
    assert (Orthogonal.name, Orthogonal.per_example) == ("orthogonal", False)
    assert Orthogonal() == Orthogonal(weight=1e-4, every=1)


@pytest.mark.parametrize("settings", [{"weight": 0.0}, {"weight": float("nan")}, {"every": 0}])
def test_bad_settings(settings):
    with pytest.raises(ValueError, match=r"^(weight|every) = .*: must be"):
        Orthogonal(**settings)
