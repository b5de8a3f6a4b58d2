"""Modulated convolutions against weights of each example, made one by one as the paper has them.

Sums and sums of squares are those of ``modulated_conv2d`` of stylegan2-ada-pytorch on tensors
filled with sines, NCHW and OIHW.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_fir import W, X, correlated, left_behind, low_passed, sines

from jaxgan.networks.layers.modulated import StyledConv, ToImage, leaky, modulated_conv

STYLES = 1 + sines(2, 3, a=0.9) / 2
CASES = {
    "modulated": (W, {}, (-0.742347, 6.443694)),
    "up": (W, {"up": True}, (-22.21042, 162.7800)),
    "to image": (W[1:2, 1:2], {"demodulate": False}, (-3.582876, 62.47659)),
}


def one_by_one(images, kernel, styles, demodulate=True, up=False):
    """Equations 1 and 3 of Karras et al. 2020: the weights of each example, and its convolution."""
    made = []
    for image, style in zip(images, styles, strict=True):
        own = np.zeros_like(kernel)
        for i, scale in enumerate(style):
            own[:, :, i] = scale * kernel[:, :, i]
        if demodulate:
            for o in range(own.shape[-1]):
                own[..., o] /= np.sqrt(np.sum(own[..., o] ** 2) + 1e-8)
        if up:
            made.append(4 * low_passed(left_behind(image[None], own), 1, 1)[0])
        else:
            edge = kernel.shape[0] // 2
            edged = np.pad(image[None], ((0, 0), (edge, edge), (edge, edge), (0, 0)))
            made.append(correlated(edged, own)[0])
    return np.stack(made)


def single(*arrays):
    return tuple(jnp.asarray(one, jnp.float32) for one in arrays)


@pytest.mark.parametrize(("kernel", "options", "published"), CASES.values(), ids=CASES)
def test_values(kernel, options, published):
    found = np.asarray(modulated_conv(*single(X, kernel, STYLES), **options), np.float64)
    expected = one_by_one(X, kernel, STYLES, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose([found.sum(), (found**2).sum()], published, rtol=1e-4, atol=2e-5)


def test_demodulated_outputs_do_not_grow_with_styles():
    """A common factor of an example's styles is no change; without demodulation it is all there."""
    x, w, s = single(X, W, STYLES)
    plain, tenfold = (modulated_conv(x, w, factor * s) for factor in (1.0, 10.0))
    np.testing.assert_allclose(plain, tenfold, rtol=1e-4, atol=1e-5)
    free = [modulated_conv(x, w, factor * s, demodulate=False) for factor in (1.0, 10.0)]
    np.testing.assert_allclose(10 * free[0], free[1], rtol=1e-4, atol=1e-4)


def test_leaky_relu_has_its_gain_and_its_limits():
    values = jnp.asarray([-2.0, 0.5, 1e4, -1e4])
    root = 2**0.5
    np.testing.assert_allclose(leaky(values), [-0.4 * root, 0.5 * root, 256, -256], rtol=1e-6)
    expected = [-0.4 * root, 0.5 * root, 1e4 * root, -2e3 * root]
    np.testing.assert_allclose(leaky(values, clamp=False), expected, rtol=1e-6)
    np.testing.assert_allclose(leaky(values, 0.5)[2:], [128, -128], rtol=1e-6)


LAYER = StyledConv(5)


@pytest.fixture(scope="module")
def variables():
    """A layer's, with noise and biases that matter."""
    x, w = single(X, sines(2, 4, a=0.3))
    found = LAYER.init(jax.random.key(0), x, w)
    params = {
        **found["params"],
        "noise_strength": jnp.asarray(0.7),
        "bias": single(np.arange(5))[0],
    }
    return {**found, "params": params}


def layer(variables, w, **arguments):
    return LAYER.apply(variables, *single(X, w), **arguments)


def test_a_layer_is_style_convolution_noise_bias_and_activation(variables):
    params, constant = variables["params"], np.asarray(variables["noise"]["constant"], np.float64)
    latents = sines(2, 4, a=0.3)
    style = {n: np.asarray(v, np.float64) for n, v in params["style"].items()}
    np.testing.assert_array_equal(style["bias"], 1.0)
    styles = latents @ style["kernel"] / 2 + style["bias"]  # of 4 numbers: over the root of 4
    values = one_by_one(X, np.asarray(params["kernel"], np.float64), styles)
    values = values + 0.7 * constant[None, ..., None] + np.arange(5)
    expected = np.where(values > 0, values, 0.2 * values) * 2**0.5
    np.testing.assert_allclose(layer(variables, latents), expected, rtol=1e-4, atol=1e-5)


def test_noise_is_one_map_an_example_for_all_channels(variables):
    """N(0, 1), another one for each key and example; without a key it is the constant."""
    latents = sines(2, 4, a=0.3)

    def noise(**arguments):
        params = {**variables["params"], "bias": jnp.full(5, 100.0)}  # the activation's linear part
        made, bare = (
            layer({**variables, "params": {**params, "noise_strength": jnp.asarray(strength)}},
                  latents, **arguments)
            for strength in (1.0, 0.0)
        )  # fmt: skip
        return np.asarray(made - bare) / 2**0.5

    drawn = noise(keys=jax.random.split(jax.random.key(1), 2))
    np.testing.assert_allclose(drawn, np.broadcast_to(drawn[..., :1], drawn.shape), atol=1e-4)
    other = noise(keys=jax.random.split(jax.random.key(2), 2))
    assert all(np.abs(a - b).max() > 0.1 for a, b in ((drawn, other), (drawn[0], drawn[1])))
    fixed = noise()[..., 0]
    both = np.broadcast_to(variables["noise"]["constant"], fixed.shape)
    np.testing.assert_allclose(fixed, both, atol=1e-4)


def test_drawn_noise_has_unit_variance():
    wide = StyledConv(1)
    images, w = jnp.zeros((8, 32, 32, 1)), jnp.zeros((8, 2))
    variables = wide.init(jax.random.key(0), images, w)
    assert variables["params"]["noise_strength"] == 0.0
    params = {
        **variables["params"],
        "noise_strength": 1.0 + jnp.zeros(()),
        "bias": jnp.full(1, 50.0),
    }
    made = wide.apply(
        {**variables, "params": params}, images, w, jax.random.split(jax.random.key(1), 8)
    )
    noise = made / 2**0.5 - 50.0
    # 8,192 draws: standard errors are 0.011 and 0.008.
    np.testing.assert_allclose([np.mean(noise), np.std(noise)], [0.0, 1.0], atol=0.04)


def test_to_image_divides_styles_and_does_not_demodulate():
    made = ToImage(2)
    x, w = single(X, sines(2, 4, a=0.3))
    params = dict(made.init(jax.random.key(0), x, w)["params"])
    params["bias"] = jnp.asarray([0.5, -1.0])
    styles = np.asarray(w) @ np.asarray(params["style"]["kernel"]) / 2 + 1.0
    kernel = np.asarray(params["kernel"], np.float64)
    expected = one_by_one(X, kernel, styles / 3**0.5, demodulate=False) + np.array([0.5, -1.0])
    np.testing.assert_allclose(made.apply({"params": params}, x, w), expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_the_convolutions_arithmetic():
    """Styles and their factors are float32; values are those of float32 up to rounding."""
    x, w, s = single(X, W, STYLES)
    coarse = modulated_conv(x, w, s, dtype=jnp.bfloat16)
    assert coarse.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        coarse.astype(jnp.float32), modulated_conv(x, w, s), rtol=0.05, atol=0.02
    )
