import dataclasses
import doctest

import jax.numpy as jnp
import pytest

from jaxgan.objectives.gan import constraints
from jaxgan.objectives.gan.constraints import Clip, Constraint, clip_weights


@pytest.mark.parametrize("clip", [Clip(0.125), lambda params: clip_weights(params, 0.125)])
def test_clip(clip):
    params = {"layer": {"kernel": jnp.array([[-0.3, 0.02], [0.0625, 7.0]]), "bias": jnp.zeros(2)}}
    clipped = clip(params)
    assert clipped["layer"]["kernel"].tolist() == [
        [-0.125, pytest.approx(0.02)],
        [0.0625, 0.125],
    ]
    assert clipped["layer"]["bias"].tolist() == [0.0, 0.0]
    # The argument is left alone.
    assert float(params["layer"]["kernel"][1, 1]) == 7.0


def test_clip_keeps_the_type():
    assert Clip(0.5)({"w": jnp.ones(2, jnp.bfloat16)})["w"].dtype == jnp.bfloat16


def test_default_is_the_papers():
    """Arjovsky et al. 2017, algorithm 1: c = 0.01."""
    assert Clip()({"w": jnp.array([-1.0, 1.0])})["w"].tolist() == [
        pytest.approx(-0.01),
        pytest.approx(0.01),
    ]


def test_is_a_value():
    assert isinstance(Clip(), Constraint)
    assert Clip() == Clip(bound=0.01)
    assert hash(Clip()) == hash(dataclasses.replace(Clip()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Clip().bound = 1.0


@pytest.mark.parametrize("bound", [0.0, -0.01, float("nan"), float("inf")])
def test_bad_bound(bound):
    with pytest.raises(ValueError, match=rf"^bound = {bound}: weights are clipped"):
        Clip(bound)


def test_examples():
    result = doctest.testmod(constraints)
    assert result.attempted >= 2
    assert result.failed == 0
