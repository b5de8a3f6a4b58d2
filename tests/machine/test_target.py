"""What is traced within `made_for` is made for that platform, and nothing else is."""

import jax
import jax.numpy as jnp
import pytest

from jaxgan.machine import target
from jaxgan.networks.layers.convolution import conv


def primitives():
    """What a convolution is made of."""
    images, kernel = jnp.ones((2, 4, 4, 3)), jnp.ones((3, 3, 3, 5))
    # A new function each time: JAX keeps the traces of those that it knows.
    traced = jax.make_jaxpr(lambda x, w: conv(x, w))(images, kernel)
    return [str(one.primitive) for one in traced.eqns]


def test_it_is_that_of_the_devices_unless_another_is_named():
    assert target.platform() == "cpu"
    with target.made_for("tpu"):
        assert target.platform() == "tpu"
        with target.made_for("gpu"):
            assert target.platform() == "gpu"
        assert target.platform() == "tpu"
    assert target.platform() == "cpu"


def test_it_is_what_it_was_after_an_error():
    with pytest.raises(ZeroDivisionError), target.made_for("tpu"):
        _ = 1 // 0
    assert target.platform() == "cpu"


def test_convolutions_follow_it():
    here = primitives()
    with target.made_for("tpu"):
        assert primitives() == ["conv_general_dilated"]
    assert primitives() == here != ["conv_general_dilated"]
