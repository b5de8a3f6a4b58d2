"""R3GAN's block against the reference's sums, against loops, and its first weights."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.aggregated import (
    AggregatedBlock,
    BiasedActivation,
    DiscriminativeBasis,
    GenerativeBasis,
    fixup_gain,
)
from jaxgan.networks.layers.conv import Conv, conv


def waves(shape, rate, phase=0.0):
    """``sin(rate i + phase)``, i counting places in the order of PyTorch (channels first)."""
    return np.sin(rate * np.arange(np.prod(shape)) + phase).reshape(shape)


def first(layer, inputs):
    """First weights; what else the layer computes is left out of the program."""
    return jax.jit(lambda: layer.init(jax.random.key(0), inputs)["params"])()


def kernels(shapes):
    """The k-th tensor ``0.3 sin(0.3 i + k)``; (out, in, height, width) to (height, width, in,
    out)."""
    made = [0.3 * waves(shape, 0.3, k) for k, shape in enumerate(shapes)]
    return [m.transpose(2, 3, 1, 0) if m.ndim == 4 else m for m in made]


def test_the_sums_of_the_reference():
    """PyTorch's block with 16 channels, 8 groups, expansion 2; weights in the order in which it
    holds them: three convolutions, two biases (sums from the reference modules)."""
    shapes = [(32, 16, 1, 1), (32, 4, 3, 3), (16, 32, 1, 1), (32,), (32,)]
    widen, grouped, narrow, first, second = kernels(shapes)
    params = {
        "widen": {"kernel": widen},
        "grouped": {"kernel": grouped},
        "narrow": {"kernel": narrow},
        "first": {"bias": first},
        "second": {"bias": second},
    }
    inputs = waves((4, 16, 4, 4), 0.7).transpose(0, 2, 3, 1)
    block = AggregatedBlock(1, group_width=4)
    params32 = jax.tree.map(jnp.float32, params)
    got = np.asarray(block.apply({"params": params32}, jnp.float32(inputs)))
    assert got.sum() == pytest.approx(-30.64453, rel=1e-4)
    assert np.square(got).sum() == pytest.approx(757.1384, rel=1e-4)
    expected = by_loops(inputs, params, groups=8)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    # As a block starts, it changes nothing.
    params32["narrow"] = jax.tree.map(jnp.zeros_like, params32["narrow"])
    started = block.apply({"params": params32}, jnp.float32(inputs))
    np.testing.assert_array_equal(started, np.float32(inputs))


def by_loops(inputs, params, groups):
    """The block's definition, tap by tap and group by group, in float64."""

    def active(values, name):
        values = values + params[name]["bias"]
        return np.where(values > 0, values, 0.2 * values)

    values = active(inputs @ params["widen"]["kernel"][0, 0], "first")
    _, height, width, inside = values.shape
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    made, own = np.zeros_like(values), inside // groups
    for group, row, column in itertools.product(range(groups), range(3), range(3)):
        channels = slice(group * own, (group + 1) * own)
        seen = padded[:, row : row + height, column : column + width, channels]
        made[..., channels] += seen @ params["grouped"]["kernel"][row, column][:, channels]
    return inputs + active(made, "second") @ params["narrow"]["kernel"][0, 0]


@pytest.mark.parametrize("strides", [(1, 1), (2, 1)])
def test_groups_are_convolutions_of_their_own_and_so_are_their_gradients(strides):
    draws = np.random.default_rng(0)
    inputs, kernel = draws.normal(size=(2, 5, 6, 6)), draws.normal(size=(3, 3, 2, 9))
    weights = draws.normal(size=(2, -(-5 // strides[0]), 6, 9))

    def grouped(inputs, kernel):
        return conv(inputs, kernel, strides=strides, groups=3)

    def apart(inputs, kernel):
        # Channels 2g and 2g + 1 make channels 3g to 3g + 2.
        parts = [
            conv(inputs[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3], strides=strides)
            for g in range(3)
        ]
        return jnp.concatenate(parts, axis=-1)

    def both(function):
        made = jax.jit(lambda *given: jax.vjp(function, *given)[0])
        slopes = jax.jit(lambda *given: jax.vjp(function, *given)[1](weights))
        given = (jnp.asarray(inputs), jnp.asarray(kernel))
        return [made(*given), *slopes(*given)]

    with jax.enable_x64(True):
        for got, expected in zip(both(grouped), both(apart), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_a_layer_in_groups_has_kernels_of_one_group():
    layer = Conv(8, (3, 3), groups=2)
    shapes = jax.eval_shape(layer.init, jax.random.key(0), jnp.zeros((1, 4, 4, 6)))["params"]
    assert shapes["kernel"].shape == (3, 3, 3, 8)


def test_first_weights():
    """Standard deviations sqrt(2 / 1.04) L^(-1/4) / sqrt(fan_in), the last convolution 0."""
    block = AggregatedBlock(16, group_width=16)
    inputs = jnp.ones((1, 4, 4, 128))
    params = first(block, inputs)
    gain = np.sqrt(2 / 1.04) / 2  # 16^(1/4) = 2
    assert fixup_gain(16) == pytest.approx(gain)
    for name, fan_in in (("widen", 128), ("grouped", 16 * 9)):
        kernel = np.asarray(params[name]["kernel"])
        assert kernel.std() == pytest.approx(gain / np.sqrt(fan_in), rel=0.02), name
        # Normal, and not cut off.
        assert np.abs(kernel).max() > 3.0 * kernel.std()
    assert not params["narrow"]["kernel"].any()
    assert not params["first"]["bias"].any()
    assert params["grouped"]["kernel"].shape == (3, 3, 16, 256)


def test_channels_that_are_no_whole_groups_are_refused():
    with pytest.raises(ValueError, match=r"12 channels, 2 times as many .* group_width = 16"):
        jax.eval_shape(AggregatedBlock(1).init, jax.random.key(0), jnp.zeros((1, 4, 4, 12)))


def test_an_activation_adds_its_bias_first_and_has_no_gain():
    got = BiasedActivation().apply(
        {"params": {"bias": jnp.array([1.0, -2.0])}}, jnp.array([[1.0, 1.0], [-3.0, 3.0]])
    )
    np.testing.assert_allclose(got, [[2.0, -0.2], [-0.4, 1.0]], rtol=1e-6)


def test_ends():
    """A basis times a matrix product of the latents; sums over pixels times a matrix."""
    draws = np.random.default_rng(1)
    basis, making = draws.normal(size=(4, 4, 6)), draws.normal(size=(3, 6))
    latents, judging = draws.normal(size=(2, 3)), draws.normal(size=(6, 5))
    with jax.enable_x64(True):
        params = jax.tree.map(jnp.asarray, {"basis": basis, "kernel": making})
        made = GenerativeBasis(4, 6).apply({"params": params}, jnp.asarray(latents))
        expected = basis[None] * (latents @ making)[:, None, None, :]
        np.testing.assert_allclose(made, expected, rtol=1e-10)
    told = DiscriminativeBasis(5).apply(
        {"params": {"basis": jnp.float32(basis), "kernel": jnp.float32(judging)}},
        jnp.float32(expected),
    )
    np.testing.assert_allclose(
        told, (expected * basis).sum(axis=(1, 2)) @ judging, rtol=1e-5, atol=1e-5
    )
    params = first(DiscriminativeBasis(400), jnp.zeros((1, 4, 4, 300)))
    assert np.asarray(params["basis"]).std() == pytest.approx(1 / 4, rel=0.05)
    assert np.asarray(params["kernel"]).std() == pytest.approx(300**-0.5, rel=0.02)
    params = first(GenerativeBasis(4, 300), jnp.zeros((1, 64)))
    assert np.asarray(params["basis"]).std() == pytest.approx(1.0, rel=0.05)
    assert np.asarray(params["kernel"]).std() == pytest.approx(1 / 8, rel=0.05)
