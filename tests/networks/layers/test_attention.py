"""Self-attention against sums that a reference module gave, and against loops over pixels."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sines import INPUTS, kernel, sums

from jaxgan.networks.layers import attention
from jaxgan.networks.layers.attention import SelfAttention, pooled

DRAWS = np.random.default_rng(0)
NAMES = ("query", "key", "value", "out")


def applied(layer, variables, images):
    return jax.jit(layer.apply)(variables, images)


def parameters(channels, gamma):
    """Random ones, a kernel a name."""
    sizes = {
        "query": (channels, max(channels // 8, 1)),
        "key": (channels, max(channels // 8, 1)),
        "value": (channels, channels // 2),
        "out": (channels // 2, channels),
    }
    params = {
        name: {"kernel": jnp.asarray(DRAWS.normal(size=(1, 1, *size)), jnp.float32)}
        for name, size in sizes.items()
    }
    return {**params, "gamma": jnp.float32(gamma)}


def pixel_by_pixel(image, params):
    """Zhang et al. 2019, equations 1 to 3, of one image, with pooled keys and values."""
    w = {name: np.asarray(params[name]["kernel"], np.float64)[0, 0] for name in NAMES}
    height, width, _ = image.shape
    windows = [
        [(2 * i, 2 * j), (2 * i, 2 * j + 1), (2 * i + 1, 2 * j), (2 * i + 1, 2 * j + 1)]
        for i in range(height // 2)
        for j in range(width // 2)
    ]
    keys, values = (
        [np.max([image[place] @ w[name] for place in window], axis=0) for window in windows]
        for name in ("key", "value")
    )
    result = np.empty_like(image)
    for place in np.ndindex(height, width):
        query = image[place] @ w["query"]
        similar = np.exp([query @ key for key in keys])
        found = sum(s * value for s, value in zip(similar / similar.sum(), values, strict=True))
        result[place] = image[place] + float(params["gamma"]) * (found @ w["out"])
    return result


def test_the_parity_row():
    """x = S(4, 16, 4, 4; 0.7), gamma 0.5, and theta, phi, g, out as tensors 1 to 4."""
    shapes = {"query": (2, 16), "key": (2, 16), "value": (8, 16), "out": (16, 8)}
    params = {
        name: {"kernel": kernel((*shape, 1, 1), k)}
        for k, (name, shape) in enumerate(shapes.items(), 1)
    }
    params["gamma"] = jnp.float32(0.5)
    got = applied(SelfAttention(weight_norm=None), {"params": params}, INPUTS)
    np.testing.assert_allclose(sums(got), [-4.153916, 532.3952], rtol=2e-6)


@pytest.mark.parametrize("shape", [(3, 4, 6, 8), (2, 5, 3, 4)])
def test_pixel_by_pixel(shape):
    """Of several channels of queries, or of one; and of odd sizes."""
    images, params = DRAWS.normal(size=shape), parameters(shape[-1], -0.7)
    got = applied(
        SelfAttention(weight_norm=None), {"params": params}, jnp.asarray(images, "float32")
    )
    expected = np.stack([pixel_by_pixel(image, params) for image in images])
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    assert np.abs(expected - images).max() > 0.1


def test_it_starts_as_nothing_and_learns_by_gamma_first():
    layer, images = SelfAttention(), jnp.asarray(DRAWS.normal(size=(2, 4, 4, 8)), jnp.float32)
    variables = jax.jit(layer.init)(jax.random.key(0), images)
    params = variables["params"]
    assert {name for name, leaf in params.items() if name != "gamma"} == set(NAMES)
    assert all(leaf.keys() == {"kernel"} for name, leaf in params.items() if name != "gamma")
    assert {*variables["spectral"]} == set(NAMES)

    def total(params):
        result = layer.apply({**variables, "params": params}, images)
        return jnp.sum(result**2), result

    slopes, result = jax.jit(jax.grad(total, has_aux=True))(params)
    np.testing.assert_array_equal(result, images)
    assert slopes.pop("gamma") != 0.0
    assert not any(leaf.any() for leaf in jax.tree.leaves(slopes))


def test_in_bfloat16():
    images, params = jnp.asarray(DRAWS.normal(size=(2, 4, 4, 8)), jnp.bfloat16), parameters(8, 0.5)
    exact = applied(SelfAttention(weight_norm=None), {"params": params}, images.astype("float32"))
    rounded = applied(
        SelfAttention(weight_norm=None, dtype=jnp.bfloat16), {"params": params}, images
    )
    assert rounded.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(rounded, np.float32), exact, atol=0.15)


def test_pooled_is_the_largest():
    images = DRAWS.normal(size=(2, 4, 6, 3))
    expected = np.array(
        [
            [images[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max((1, 2)) for j in range(3)]
            for i in range(2)
        ]
    ).transpose(2, 0, 1, 3)
    np.testing.assert_allclose(pooled(jnp.asarray(images, jnp.float32)), expected, rtol=1e-6)
    assert doctest.testmod(attention).failed == 0
