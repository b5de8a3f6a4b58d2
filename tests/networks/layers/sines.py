"""Tensors of the parity table: sines of running numbers, in PyTorch's order of axes."""

import math

import jax.numpy as jnp
import numpy as np


def sines(shape, a):
    """``sin(a i)`` in row-major order."""
    return np.sin(a * np.arange(math.prod(shape))).reshape(shape)


def weights(shape, k):
    """The k-th tensor of a module."""
    return 0.3 * np.sin(0.3 * np.arange(math.prod(shape)) + k).reshape(shape)


def kernel(shape, k):
    """The k-th tensor as a kernel with the outputs last, from one with the outputs first."""
    return jnp.asarray(np.moveaxis(weights(shape, k), (0, 1), (-1, -2)), jnp.float32)


def sums(values):
    """Sum and sum of squares."""
    values = np.asarray(values, np.float64)
    return [values.sum(), np.square(values).sum()]


INPUTS = jnp.asarray(sines((4, 16, 4, 4), 0.7).transpose(0, 2, 3, 1), jnp.float32)
"""``S(4, 16, 4, 4; 0.7)``, channels last."""
