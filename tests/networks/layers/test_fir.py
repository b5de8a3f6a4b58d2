"""Resampling and its convolutions against their definitions, pixel by pixel, in NumPy.

Sums and sums of squares are those of the modules of stylegan2-ada-pytorch (upfirdn2d.upsample2d and
downsample2d, conv2d_resample) on tensors filled with sines, NCHW and OIHW.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers import fir

FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def sines(*shape, a):
    return np.sin(a * np.arange(np.prod(shape))).reshape(shape)


# As the layers want them: channels last, kernels (height, width, in, out).
X = sines(2, 3, 4, 4, a=0.7).transpose(0, 2, 3, 1)
W = sines(5, 3, 3, 3, a=0.3).transpose(2, 3, 1, 0)


def correlated(images, kernel, stride=1):
    """What every window of the kernel's size sees, by a loop; nothing is added at the edges."""
    size = kernel.shape[0]
    rows, columns = ((n - size) // stride + 1 for n in images.shape[1:3])
    made = np.zeros((len(images), rows, columns, kernel.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            seen = images[:, stride * i : stride * i + size, stride * j : stride * j + size]
            made[:, i, j] = np.einsum("nhwi,hwio->no", seen, kernel)
    return made


def low_passed(images, before, behind, stride=1):
    """Padded, and every channel by itself seen through the filter."""
    edged = np.pad(images, ((0, 0), (before, behind), (before, behind), (0, 0)))
    apart = [correlated(edged[..., c : c + 1], FILTER[:, :, None, None], stride) for c in range(
        images.shape[-1])]  # fmt: skip
    return np.concatenate(apart, axis=-1)


def with_zeros(images):
    """A zero behind each pixel, along both axes."""
    batch, height, width, channels = images.shape
    made = np.zeros((batch, 2 * height, 2 * width, channels))
    made[:, ::2, ::2] = images
    return made


def left_behind(images, kernel):
    """Every pixel leaves the kernel behind, two pixels further on for each pixel."""
    batch, height, width, _ = images.shape
    made = np.zeros((batch, 2 * height + 1, 2 * width + 1, kernel.shape[-1]))
    for i in range(height):
        for j in range(width):
            share = np.einsum("ni,hwio->nhwo", images[:, i, j], kernel)
            made[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += share
    return made


CASES = {
    "up": (fir.upsampled, (X,), 4 * low_passed(with_zeros(X), 2, 1), (7.126051, 53.31882)),
    "down": (fir.downsampled, (X,), low_passed(X, 1, 1, 2), (0.324618, 0.118368)),
    "down conv": (
        fir.down_conv, (X, W), correlated(low_passed(X, 2, 2), W, 2), (0.052413, 3.944420),
    ),
    "up conv": (
        fir.up_conv, (X, W), 4 * low_passed(left_behind(X, W), 1, 1), (-44.92012, 2029.600),
    ),
    "skip": (
        fir.down_conv, (X, W[1:2, 1:2]), correlated(low_passed(X, 1, 1, 2), W[1:2, 1:2]), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("run", "given", "expected", "published"), CASES.values(), ids=CASES)
def test_values(run, given, expected, published):
    found = np.asarray(run(*(jnp.asarray(one, jnp.float32) for one in given)), np.float64)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    if published is not None:
        np.testing.assert_allclose([found.sum(), (found**2).sum()], published, rtol=1e-4, atol=2e-5)


def test_odd_sizes_and_bfloat16():
    images = jnp.asarray(sines(1, 5, 3, 2, a=0.4), jnp.bfloat16)
    up, down = fir.upsampled(images), fir.downsampled(images)
    assert (up.shape, up.dtype) == ((1, 10, 6, 2), jnp.bfloat16)
    assert (down.shape, down.dtype) == ((1, 2, 1, 2), jnp.bfloat16)


def test_gradients_are_transposes():
    """Of linear maps: <A x, y> is <x, A'y>, which the gradient is."""
    x, y = (jnp.asarray(sines(*s, a=0.9), jnp.float32) for s in ((1, 4, 4, 2), (1, 8, 8, 2)))
    pulled = jax.grad(lambda z: jnp.vdot(fir.upsampled(z), y))(x)
    # The filter is its own mirror image; zeros at the one end of an axis are then at the other.
    expected = 4 * low_passed(np.asarray(y, np.float64), 1, 2)[:, ::2, ::2]
    np.testing.assert_allclose(pulled, expected, rtol=1e-4, atol=1e-5)
