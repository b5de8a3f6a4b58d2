"""Convolutions to compare with those of Flax, which leave all derivatives to XLA."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

from jaxgan.networks.layers.convolution import conv, conv_transpose

OURS = {"conv": conv, "conv_transpose": conv_transpose}
# Kernel, strides, padding, size, channels in and out: DCGAN's, ResNet's, few channels, odd sizes.
CASES = [
    ("conv", (4, 4), (2, 2), "SAME", (8, 8), 5, 6),
    ("conv", (3, 3), (1, 1), "SAME", (5, 6), 6, 2),
    ("conv", (3, 2), (2, 3), ((2, 0), (0, 3)), (7, 6), 2, 5),
    ("conv_transpose", (4, 4), (2, 2), "SAME", (4, 4), 6, 5),
    ("conv_transpose", (4, 4), (2, 2), "SAME", (4, 3), 6, 1),
    ("conv_transpose", (3, 2), (2, 3), ((2, 0), (0, 3)), (4, 5), 3, 5),
]
# For what compiles much: DCGAN's convolution and an odd transposed one; the others take long.
QUICK = (CASES[0], CASES[5])
MARKED = [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]


def reference(kind, kernel_size, strides, padding):
    """The layer of Flax without bias, as a function of inputs and kernel."""
    layer = nn.Conv if kind == "conv" else nn.ConvTranspose

    def apply(inputs, kernel):
        module = layer(kernel.shape[3], kernel_size, strides, padding, use_bias=False)
        return module.apply({"params": {"kernel": kernel}}, inputs)

    return apply


def windows(kind, kernel_size, strides, padding):
    """The same without any convolution of XLA: all windows, times the kernel.

    Second derivatives of Flax's transposed convolutions differ from call to call in some cases, on
    JAX 0.10.2 and CPUs: XLA reads beside its operands there.
    """

    def apply(inputs, kernel):
        pads, steps = padding, strides
        if kind == "conv":
            if isinstance(padding, str):
                pads = jax.lax.padtype_to_pads(inputs.shape[1:3], kernel_size, strides, padding)
        else:
            if isinstance(padding, str):
                pads = [
                    _transposed(padding, k, s) for k, s in zip(kernel_size, strides, strict=True)
                ]
            b, h, w, c = inputs.shape
            spread = jnp.zeros((b, (h - 1) * strides[0] + 1, (w - 1) * strides[1] + 1, c))
            inputs, steps = spread.at[:, :: strides[0], :: strides[1]].set(inputs), (1, 1)
        padded = jnp.pad(inputs, [(0, 0), *pads, (0, 0)])
        across, down = (
            np.arange((size - k) // step + 1)[:, None] * step + np.arange(k)
            for size, k, step in zip(padded.shape[1:3], kernel_size, steps, strict=True)
        )
        patches = padded[:, across][:, :, :, down]
        return jnp.einsum("bhiwjc,ijcf->bhwf", patches, kernel, precision="highest")

    return apply


def _transposed(padding, kernel, stride):
    """Padding of the spread image, as the documentation of ``jax.lax.conv_transpose`` has it."""
    if padding == "VALID":
        return kernel - 1, stride - 1 + max(kernel - stride, 0)
    before = kernel - 1 if stride > kernel - 1 else -(-(kernel + stride - 2) // 2)
    return before, kernel + stride - 2 - before


def arrays(kernel_size, size, channels, features, *, batch=2, seed=0):
    """Inputs and a kernel."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(batch, *size, channels))
    kernel = rng.normal(size=(*kernel_size, channels, features))
    return jnp.asarray(inputs, jnp.float32), jnp.asarray(kernel, jnp.float32)


def derivatives(function):
    """Value, both gradients, and both gradients of a gradient penalty on the inputs."""

    def loss(inputs, kernel):
        return jnp.sum(jnp.sin(function(inputs, kernel)))

    def penalty(inputs, kernel):
        return jnp.sum(jnp.square(jax.grad(loss)(inputs, kernel)))

    def weights_penalty(inputs, kernel):
        return jnp.sum(jnp.square(jax.grad(loss, 1)(inputs, kernel)))

    def all_of_them(inputs, kernel):
        return (
            function(inputs, kernel),
            jax.grad(loss, (0, 1))(inputs, kernel),
            jax.grad(penalty, (0, 1))(inputs, kernel),
            jax.grad(weights_penalty, (0, 1))(inputs, kernel),
        )

    return all_of_them


def assert_close(got, expected, tolerance=1e-5):
    """Within a tolerance relative to the largest entry of each array."""
    leaves, expected = jax.tree.leaves(got), jax.tree.leaves(expected)
    assert [leaf.shape for leaf in leaves] == [leaf.shape for leaf in expected]
    assert [leaf.dtype for leaf in leaves] == [leaf.dtype for leaf in expected]
    for leaf, other in zip(leaves, expected, strict=True):
        other = np.asarray(other, np.float64)
        scale = np.max(np.abs(other), initial=1e-30)
        np.testing.assert_allclose(
            np.asarray(leaf, np.float64) / scale, other / scale, atol=tolerance, rtol=0
        )


def gradients(function):
    """Value and both gradients, which between them use all three maps."""

    def both(inputs, kernel):
        loss = jax.value_and_grad(lambda *operands: jnp.sum(jnp.sin(function(*operands))), (0, 1))
        return loss(inputs, kernel)

    return both


@st.composite
def convolutions(draw):
    """A kind of convolution with sizes that leave at least one window."""
    kind = draw(st.sampled_from(sorted(OURS)))
    kernel_size = draw(st.tuples(*[st.integers(1, 5)] * 2))
    strides = draw(st.tuples(*[st.integers(1, 3)] * 2))
    edges = st.tuples(st.integers(0, 3), st.integers(0, 3))
    padding = draw(st.one_of(st.sampled_from(["SAME", "VALID"]), st.tuples(edges, edges)))
    size = draw(st.tuples(*[st.integers(1, 7)] * 2))
    if kind == "conv":
        # As many pixels as the kernel has taps; an empty result has no gradients to compare.
        size = tuple(max(a, b) for a, b in zip(size, kernel_size, strict=True))
    elif not isinstance(padding, str):
        grown = zip(size, strides, padding, kernel_size, strict=True)
        if any((n - 1) * s + 1 + sum(p) < k for n, s, p, k in grown):
            padding = "VALID"
    channels, features = draw(st.tuples(*[st.sampled_from([1, 3, 5])] * 2))
    return kind, kernel_size, strides, padding, size, channels, features
