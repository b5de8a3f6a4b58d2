import doctest

import jax.numpy as jnp
import pytest

from jaxgan.objectives.gan import constraints
from jaxgan.objectives.gan.constraints import clip_weights


def test_clip_weights():
    params = {"layer": {"kernel": jnp.array([[-0.3, 0.02], [0.0625, 7.0]]), "bias": jnp.zeros(2)}}
    clipped = clip_weights(params, 0.125)
    assert clipped["layer"]["kernel"].tolist() == [
        [-0.125, pytest.approx(0.02)],
        [0.0625, 0.125],
    ]
    assert clipped["layer"]["bias"].tolist() == [0.0, 0.0]
    # The argument is left alone.
    assert float(params["layer"]["kernel"][1, 1]) == 7.0


def test_clip_weights_keeps_the_type():
    assert clip_weights({"w": jnp.ones(2, jnp.bfloat16)}, 0.5)["w"].dtype == jnp.bfloat16


@pytest.mark.parametrize("bound", [0.0, -0.01, float("nan")])
def test_bad_bound(bound):
    with pytest.raises(ValueError, match="bound"):
        clip_weights({"w": jnp.ones(2)}, bound)


def test_examples():
    result = doctest.testmod(constraints)
    assert result.attempted >= 2
    assert result.failed == 0
