"""Against SciPy's correlation, and against the layers of Flax whose semantics these promise."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate

from jaxgan.networks.layers.conv import Conv, ConvTranspose, conv, conv_transpose

RNG = np.random.default_rng(0)
# (kernel, strides, padding, input height and width): odd and even, square and not.
CASES = [
    ((5, 3), (2, 1), "SAME", (7, 5)),
    ((3, 2), (1, 2), "VALID", (7, 6)),
    ((4, 4), (2, 2), ((1, 1), (1, 1)), (8, 6)),
    ((3, 3), (2, 2), ((0, 1), (2, 0)), (7, 8)),
]
LAYERS = [(Conv, nn.Conv), (ConvTranspose, nn.ConvTranspose)]


def padded_correlation(inputs, kernel, strides, pads):
    """Cross-correlation of zero-padded inputs, one channel at a time."""
    padded = np.pad(inputs, ((0, 0), *pads, (0, 0)))
    planes = [
        [
            sum(
                correlate(padded[n, :, :, i], kernel[:, :, i, o], mode="valid", method="direct")
                for i in range(kernel.shape[2])
            )
            for o in range(kernel.shape[3])
        ]
        for n in range(inputs.shape[0])
    ]
    return np.moveaxis(np.array(planes), 1, -1)[:, :: strides[0], :: strides[1]]


def test_conv_against_scipy():
    """SAME at 8x8 with a 4x4 kernel and stride 2 is one pixel of zeros on each side."""
    inputs, kernel = RNG.normal(size=(2, 8, 8, 3)), RNG.normal(size=(4, 4, 3, 5))
    expected = padded_correlation(inputs, kernel, (2, 2), ((1, 1), (1, 1)))
    with jax.enable_x64(True):
        got = np.asarray(conv(jnp.asarray(inputs), jnp.asarray(kernel), strides=(2, 2)))
    assert got.shape == (2, 4, 4, 5)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_conv_transpose_against_scipy():
    """Stride 2 puts a zero between pixels; then 4x4 SAME needs two more on every side."""
    inputs, kernel = RNG.normal(size=(2, 3, 5, 3)), RNG.normal(size=(4, 4, 3, 2))
    spread = np.zeros((2, 5, 9, 3))
    spread[:, ::2, ::2] = inputs
    expected = padded_correlation(spread, kernel, (1, 1), ((2, 2), (2, 2)))
    with jax.enable_x64(True):
        got = np.asarray(conv_transpose(jnp.asarray(inputs), jnp.asarray(kernel), strides=(2, 2)))
    assert got.shape == (2, 6, 10, 2)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_conv_transpose_is_the_adjoint_of_conv():
    """<conv(x), y> = <x, conv_transpose(y)> for the flipped kernel with channels exchanged."""
    x, y = RNG.normal(size=(1, 8, 8, 2)), RNG.normal(size=(1, 4, 4, 3))
    kernel = RNG.normal(size=(4, 4, 2, 3))
    flipped = np.swapaxes(kernel[::-1, ::-1], 2, 3).copy()
    with jax.enable_x64(True):
        forward = np.vdot(conv(jnp.asarray(x), jnp.asarray(kernel), strides=(2, 2)), y)
        back = np.vdot(x, conv_transpose(jnp.asarray(y), jnp.asarray(flipped), strides=(2, 2)))
    assert forward == pytest.approx(back, rel=1e-10)


@pytest.mark.parametrize(("kernel_size", "strides", "padding", "size"), CASES)
@pytest.mark.parametrize(("ours", "flax"), LAYERS)
def test_as_flax(ours, flax, kernel_size, strides, padding, size):
    """Same parameters from the same key, same values, same gradients."""
    inputs = jnp.asarray(RNG.normal(size=(2, *size, 3)), jnp.float32)
    settings = {"features": 4, "kernel_size": kernel_size, "strides": strides, "padding": padding}
    mine, theirs = ours(**settings), flax(**settings)
    variables = mine.init(jax.random.key(1), inputs)
    reference = theirs.init(jax.random.key(1), inputs)
    jax.tree.map(np.testing.assert_array_equal, variables, reference)
    # Biases start at 0, where they would show nothing.
    variables = jax.tree.map(lambda v: v + 0.1, variables)

    def run(layer):
        """Outputs and gradients by parameters and inputs."""

        def loss(v, x):
            outputs = layer.apply(v, x)
            return jnp.sum(jnp.sin(outputs)), outputs

        return jax.grad(loss, argnums=(0, 1), has_aux=True)(variables, inputs)

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4),
        run(mine),
        run(theirs),
    )


@pytest.mark.parametrize(("ours", "flax"), LAYERS)
def test_types(ours, flax):
    """bfloat16 arithmetic on float32 parameters; no bias where none is wanted."""
    inputs = jnp.asarray(RNG.normal(size=(2, 8, 8, 3)), jnp.float32)
    settings = {
        "features": 4,
        "kernel_size": (4, 4),
        "strides": (2, 2),
        "use_bias": False,
        "dtype": jnp.bfloat16,
        "kernel_init": nn.initializers.normal(0.02),
    }
    outputs, variables = ours(**settings).init_with_output(jax.random.key(0), inputs)
    expected, reference = flax(**settings).init_with_output(jax.random.key(0), inputs)
    assert outputs.dtype == jnp.bfloat16
    assert variables["params"]["kernel"].dtype == jnp.float32
    assert list(variables["params"]) == ["kernel"]
    jax.tree.map(np.testing.assert_array_equal, variables, reference)
    np.testing.assert_allclose(
        outputs.astype(jnp.float32), expected.astype(jnp.float32), rtol=0.02, atol=0.01
    )


@pytest.mark.parametrize("layer", [Conv, ConvTranspose])
def test_double_precision(layer):
    with jax.enable_x64(True):
        inputs = jnp.ones((1, 4, 4, 1), jnp.float64)
        module = layer(2, kernel_size=(3, 3), dtype=jnp.float64, param_dtype=jnp.float64)
        outputs, variables = module.init_with_output(jax.random.key(0), inputs)
        assert outputs.dtype == jnp.float64
        assert variables["params"]["kernel"].dtype == jnp.float64


def test_second_derivatives():
    """A gradient penalty differentiates the gradient of the input by the kernel."""
    inputs = jnp.asarray(RNG.normal(size=(1, 6, 6, 2)), jnp.float32)
    kernel = jnp.asarray(RNG.normal(size=(4, 4, 2, 3)), jnp.float32)

    def penalty(function, k):
        slope = jax.grad(lambda x: jnp.sum(jnp.tanh(function(x, k, strides=(2, 2)))))(inputs)
        return jnp.sum(slope**2)

    for function in (conv, conv_transpose):
        gradient = jax.grad(lambda k, f=function: penalty(f, k))(kernel)
        direction = jnp.asarray(RNG.normal(size=kernel.shape), jnp.float32)
        step = 1e-2
        difference = penalty(function, kernel + step * direction) - penalty(
            function, kernel - step * direction
        )
        assert float(jnp.vdot(gradient, direction)) == pytest.approx(
            float(difference) / (2 * step), rel=2e-2
        )
