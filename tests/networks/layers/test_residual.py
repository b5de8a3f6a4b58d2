"""Residual blocks against sums that PyTorch's reference modules gave."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sines import INPUTS, kernel, sines, sums, weights

from jaxgan.networks.layers.conditional_norm import ModulatedBatchNorm
from jaxgan.networks.layers.residual import (
    DownBlock,
    FirstBlock,
    UpBlock,
    doubled,
    glorot_init,
    halved,
)


def conv(shape, k):
    """Kernel and bias, of a PyTorch shape and as the k-th and the following tensor."""
    return {
        "kernel": kernel(shape, k),
        "bias": jnp.asarray(weights(shape[:1], k + 1), jnp.float32),
    }


CONVOLUTIONS = {
    "first": conv((8, 16, 3, 3), 0),
    "second": conv((8, 8, 3, 3), 2),
    "shortcut": conv((8, 16, 1, 1), 4),
}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (DownBlock(8, wide=True, weight_norm=None), [-32.68954, 65.42727]),
        (FirstBlock(8, weight_norm=None), [-31.93086, 13.03326]),
        (DownBlock(8, wide=True, weight_norm=None, in_place_relu=True), [-35.75630, 78.44777]),
    ],
    ids=["pre-activation", "first", "in-place"],
)
def test_discriminator_blocks(block, expected):
    got = block.apply({"params": CONVOLUTIONS}, INPUTS)
    assert got.shape == (4, 2, 2, 8)
    np.testing.assert_allclose(sums(got), expected, rtol=2e-6)


def test_a_generator_block():
    """With batch norm of scale 1 + A c and bias B c, as BigGAN has it."""
    condition = jnp.asarray(sines((4, 3), 0.9), jnp.float32)

    def norm(channels, k):
        params = {
            "scale": {"kernel": kernel((channels, 3), k)},
            "bias": {"kernel": kernel((channels, 3), k + 1)},
        }
        return lambda values: ModulatedBatchNorm().apply(
            {"params": params}, values, condition=condition, train=True, mutable=["batch_stats"]
        )[0]

    got = UpBlock(8).apply({"params": CONVOLUTIONS}, INPUTS, (norm(16, 6), norm(8, 8)))
    assert got.shape == (4, 8, 8, 8)
    np.testing.assert_allclose(sums(got), [-541.1966, 2374.944], rtol=2e-6)


def test_as_many_channels_between_as_before():
    """SNGAN's; BigGAN's (wide) has as many as after."""
    shapes = {
        wide: jax.eval_shape(DownBlock(8, wide=wide).init, jax.random.key(0), INPUTS)["params"]
        for wide in (False, True)
    }
    assert shapes[False]["first"]["kernel"].shape == (3, 3, 16, 16)
    assert shapes[False]["second"]["kernel"].shape == (3, 3, 16, 8)
    assert shapes[True]["first"]["kernel"].shape == (3, 3, 16, 8)


def test_a_block_that_keeps_everything_has_no_weights_in_its_shortcut():
    block = DownBlock(16, halve=False, weight_norm=None)
    zeros = {
        name: jax.tree.map(jnp.zeros_like, conv((16, 16, 3, 3), 0)) for name in ("first", "second")
    }
    np.testing.assert_array_equal(block.apply({"params": zeros}, INPUTS), INPUTS)
    in_place = block.clone(in_place_relu=True)
    np.testing.assert_array_equal(
        in_place.apply({"params": zeros}, INPUTS), np.maximum(INPUTS, 0.0)
    )


def test_resolutions():
    images = jnp.arange(4.0).reshape(1, 2, 2, 1)
    assert doubled(images)[0, :, :, 0].tolist() == [
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [2, 2, 3, 3],
        [2, 2, 3, 3],
    ]
    # PyTorch's bilinear interpolation, align_corners=False.
    row = [0.0, 0.25, 0.75, 1.0]
    expected = np.asarray(row)[None] + 2.0 * np.asarray(row)[:, None]
    np.testing.assert_allclose(doubled(images, "bilinear")[0, :, :, 0], expected, atol=1e-6)
    assert halved(doubled(images)).tolist() == images.tolist()
    assert halved(images).tolist() == [[[[1.5]]]]


@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_first_weights(gain):
    """Glorot and Bengio 2010, equation 16, times a gain."""
    kernel = np.asarray(glorot_init(gain)(jax.random.key(0), (3, 3, 16, 48)))
    limit = gain * math.sqrt(6 / (9 * 16 + 9 * 48))
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)
    orthogonal = np.asarray(glorot_init(gain, orthogonal=True)(jax.random.key(0), (3, 3, 2, 8)))
    matrix = orthogonal.reshape(-1, 8).T
    np.testing.assert_allclose(matrix @ matrix.T, gain**2 * np.eye(8), atol=1e-5)
    normal = np.asarray(glorot_init(gain, std=0.02)(jax.random.key(0), (3, 3, 16, 48)))
    assert normal.std() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("block", [UpBlock(8), DownBlock(8), FirstBlock(8)])
def test_the_gain_is_that_of_convolutions_within(block):
    """And not of shortcuts, which no ReLU follows."""
    given = (INPUTS, (lambda x: x,) * 2) if isinstance(block, UpBlock) else (INPUTS,)

    def first(**changes):
        return block.clone(weight_norm=None, **changes).init(jax.random.key(0), *given)["params"]

    usual, plain, narrow = first(), first(gain=1.0), first(init_std=0.02)
    for name in ("first", "second"):
        assert usual[name]["kernel"].std() / plain[name]["kernel"].std() == pytest.approx(2**0.5)
    np.testing.assert_array_equal(usual["shortcut"]["kernel"], plain["shortcut"]["kernel"])
    assert all(one["kernel"].std() == pytest.approx(0.02, rel=0.2) for one in narrow.values())
