"""Against the convolutions of Flax, which leave all derivatives to XLA."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from convolutions import (
    CASES,
    OURS,
    arrays,
    assert_close,
    convolutions,
    derivatives,
    gradients,
    reference,
    windows,
)
from hypothesis import given, settings

from jaxgan.networks.layers import convolution
from jaxgan.networks.layers.convolution import conv, conv_transpose


@settings(max_examples=4, deadline=None, derandomize=True)
@given(convolutions())
def test_value_and_derivatives_as_flax(case):
    check_against_flax(case)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(convolutions())
def test_many_values_and_derivatives(case):
    kind, kernel_size, strides, padding, size, channels, features = case
    operands = arrays(kernel_size, size, channels, features)
    plain = windows(kind, kernel_size, strides, padding)
    flax = jax.jit(reference(kind, kernel_size, strides, padding))
    assert_close(plain(*operands), [flax(*operands)])
    ours = partial(OURS[kind], strides=strides, padding=padding)
    expected = jax.jit(derivatives(plain))(*operands)
    assert_close(jax.jit(derivatives(ours))(*operands), expected)


@pytest.mark.parametrize("case", CASES)
def test_layers_of_the_field_as_flax(case):
    check_against_flax(case)


def check_against_flax(case):
    """Value, gradients and second derivatives of one convolution."""
    kind, kernel_size, strides, padding, size, channels, features = case
    operands = arrays(kernel_size, size, channels, features)
    ours = partial(OURS[kind], strides=strides, padding=padding)
    expected = jax.jit(derivatives(reference(kind, kernel_size, strides, padding)))(*operands)
    assert_close(jax.jit(derivatives(ours))(*operands), expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 3)])
@pytest.mark.parametrize(
    ("kernel_size", "padding"),
    [((4, 4), "VALID"), ((3, 3), "SAME"), ((1, 1), "SAME"), ((4, 3), ((1, 2), (3, 0)))],
)
@pytest.mark.parametrize("strides", [(2, 3)])
def test_from_one_pixel(size, kernel_size, padding, strides):
    operands = arrays(kernel_size, size, 3, 5)
    ours = partial(conv_transpose, strides=strides, padding=padding)
    theirs = reference("conv_transpose", kernel_size, strides, padding)
    assert_close(jax.jit(gradients(ours))(*operands), jax.jit(gradients(theirs))(*operands))


def test_one_pixel_and_one_window_are_matrix_products():
    one_pixel = jax.make_jaxpr(partial(conv_transpose, padding="VALID"))(
        *arrays((4, 4), (1, 1), 3, 5)
    )
    one_window = jax.make_jaxpr(partial(conv, padding="VALID"))(*arrays((4, 4), (4, 4), 3, 5))
    one_tap = jax.make_jaxpr(conv)(*arrays((1, 1), (4, 4), 3, 5))
    for jaxpr in (one_pixel, one_window, one_tap):
        assert "dot_general" in str(jaxpr)
        assert "conv" not in str(jaxpr)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_bfloat16(case):
    """Results and gradients keep the type and are as near to float32 as its 8 bits allow."""
    kind, kernel_size, strides, padding, size, channels, features = case
    operands = arrays(kernel_size, size, channels, features)
    low = [array.astype(jnp.bfloat16) for array in operands]
    exact = [array.astype(jnp.float32) for array in low]
    ours = partial(OURS[kind], strides=strides, padding=padding)
    theirs = reference(kind, kernel_size, strides, padding)
    value, pull = jax.vjp(ours, *low)
    expected, pull_expected = jax.vjp(theirs, *exact)
    cotangent = jnp.asarray(np.random.default_rng(2).normal(size=value.shape), jnp.bfloat16)
    got = (value, *pull(cotangent))
    wanted = (expected, *pull_expected(cotangent.astype(jnp.float32)))
    assert {leaf.dtype for leaf in got} == {jnp.dtype(jnp.bfloat16)}
    # One rounding to 8 bits is at most 2^-9 of the largest entry; sums of rounded terms a few more.
    assert_close([leaf.astype(jnp.float32) for leaf in got], wanted, tolerance=2**-7)


def test_without_jit_and_without_a_batch():
    inputs, kernel = arrays((4, 4), (8, 8), 5, 6)
    assert_close(
        conv(inputs, kernel, strides=(2, 2)), jax.jit(partial(conv, strides=(2, 2)))(inputs, kernel)
    )
    assert conv(inputs[:0], kernel, strides=(2, 2)).shape == (0, 4, 4, 6)
    assert conv_transpose(inputs[:0], kernel).shape == (0, 8, 8, 6)
    assert conv(inputs[:, :2, :2], kernel, padding="VALID").shape == (2, 0, 0, 6)


def test_errors_are_those_of_lax():
    inputs, kernel = arrays((4, 4), (8, 8), 5, 6)
    with pytest.raises(TypeError, match="dtype"):
        conv(inputs, kernel.astype(jnp.bfloat16))


@pytest.mark.parametrize("case", CASES)
def test_elsewhere_than_on_cpus_it_is_lax(case, monkeypatch):
    kind, kernel_size, strides, padding, size, channels, features = case
    monkeypatch.setattr(convolution.jax, "default_backend", lambda: "gpu")
    ours = partial(OURS[kind], strides=strides, padding=padding)
    operands = arrays(kernel_size, size, channels, features)
    jaxpr = jax.make_jaxpr(ours)(*operands)
    assert [equation.primitive.name for equation in jaxpr.eqns] == ["conv_general_dilated"]
