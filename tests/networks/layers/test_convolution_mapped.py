"""Convolutions under JAX's transformations, against those of Flax without them."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from convolutions import MARKED, OURS, arrays, assert_close, gradients, reference
from jax import lax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxgan.networks.layers.convolution import conv


@pytest.mark.parametrize("mapped", [(4, None), (None, 0), (0, 2)])
@pytest.mark.parametrize("case", MARKED)
def test_vmap(case, mapped):
    """Over inputs, kernels and both, at the front and elsewhere, inside and outside gradients."""
    kind, kernel_size, strides, padding, size, channels, features = case
    models = 3
    pairs = [arrays(kernel_size, size, channels, features, seed=i) for i in range(models)]
    inputs, kernels = (list(arrays) for arrays in zip(*pairs, strict=True))
    if mapped[0] is None:
        inputs = [inputs[0]] * models
    if mapped[1] is None:
        kernels = [kernels[0]] * models
    operands = [
        arrays[0] if axis is None else jnp.stack(arrays, axis)
        for arrays, axis in zip((inputs, kernels), mapped, strict=True)
    ]
    ours = partial(OURS[kind], strides=strides, padding=padding)
    theirs = jax.jit(gradients(reference(kind, kernel_size, strides, padding)))
    each = [theirs(*pair) for pair in zip(inputs, kernels, strict=True)]
    expected = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    assert_close(jax.jit(jax.vmap(gradients(ours), mapped))(*operands), expected)
    if mapped == (0, 2):
        got = jax.jit(gradients(jax.vmap(ours, mapped)))(*operands)
        inputs, kernels = expected[1]
        kernels = jnp.moveaxis(kernels, 0, mapped[1])
        assert_close(got, (jnp.sum(expected[0]), (inputs, kernels)))


@pytest.mark.parametrize("models", [2, 17])
def test_vmap_over_kernels_makes_no_groups(models):
    """A grouped convolution is several times slower than one after the other."""
    inputs, kernel = arrays((4, 4), (8, 8), 5, 6)
    operands = jnp.stack([inputs] * models), jnp.stack([kernel] * models)
    for kind in OURS.values():
        function = jax.vmap(gradients(partial(kind, strides=(2, 2))))
        text = jax.jit(function).lower(*operands).as_text()
        counts = re.findall(r"feature_group_count = (\d+)", text)
        counts += re.findall(r"batch_group_count = (\d+)", text)
        assert counts
        assert set(counts) == {"1"}


def test_vmap_beyond_the_unrolled():
    models = 17
    pairs = [arrays((3, 3), (5, 5), 2, 5, seed=i, batch=1) for i in range(models)]
    operands = [jnp.stack(each) for each in zip(*pairs, strict=True)]
    ours, theirs = conv, reference("conv", (3, 3), (1, 1), "SAME")
    each = [jax.jit(gradients(theirs))(*pair) for pair in pairs]
    expected = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    assert_close(jax.jit(jax.vmap(gradients(ours)))(*operands), expected)


def test_vmap_twice():
    pairs = [[arrays((3, 3), (5, 5), 2, 5, seed=3 * i + j) for j in range(3)] for i in range(2)]
    inputs = jnp.stack([jnp.stack([pair[0] for pair in row]) for row in pairs])
    kernels = jnp.stack([jnp.stack([pair[1] for pair in row]) for row in pairs])
    expected = jnp.stack([jnp.stack([conv(*pair) for pair in row]) for row in pairs])
    assert_close(jax.vmap(jax.vmap(conv))(inputs, kernels), expected)


@pytest.mark.parametrize("case", MARKED)
def test_scan(case):
    kind, kernel_size, strides, padding, size, channels, features = case
    pairs = [arrays(kernel_size, size, channels, features, seed=i) for i in range(2)]
    operands = [jnp.stack(each) for each in zip(*pairs, strict=True)]
    ours = gradients(partial(OURS[kind], strides=strides, padding=padding))
    theirs = gradients(reference(kind, kernel_size, strides, padding))

    @jax.jit
    def looped(inputs, kernels):
        return lax.scan(lambda carry, pair: (carry, ours(*pair)), None, (inputs, kernels))[1]

    each = [jax.jit(theirs)(*pair) for pair in pairs]
    assert_close(looped(*operands), jax.tree.map(lambda *leaves: jnp.stack(leaves), *each))


@pytest.mark.parametrize("case", MARKED)
def test_pmap_and_shard_map(case):
    """The gradient of a replicated kernel is the mean over what the devices have."""
    kind, kernel_size, strides, padding, size, channels, features = case
    devices = jax.devices()[:2]
    assert len(devices) == 2
    inputs, kernel = arrays(kernel_size, size, channels, features, batch=4)
    ours = partial(OURS[kind], strides=strides, padding=padding)

    def gradient(function, inputs, kernel):
        return jax.grad(lambda w: jnp.mean(jnp.sin(function(inputs, w))))(kernel)

    def averaged(inputs, kernel):
        return lax.pmean(gradient(ours, inputs, kernel), "devices")

    expected = gradient(reference(kind, kernel_size, strides, padding), inputs, kernel)
    mapped = jax.pmap(averaged, "devices", in_axes=(0, None), out_axes=None, devices=devices)
    assert_close(mapped(inputs.reshape(2, 2, *inputs.shape[1:]), kernel), expected)
    mesh = Mesh(np.array(devices), ("devices",))
    specs = (P("devices"), P())
    over = jax.shard_map(averaged, mesh=mesh, in_specs=specs, out_specs=P(), check_vma=False)
    assert_close(jax.jit(over)(inputs, kernel), expected)


@pytest.mark.parametrize("case", MARKED)
def test_forward_mode(case):
    """Also over reverse mode: a product of the Hessian and a vector."""
    kind, kernel_size, strides, padding, size, channels, features = case
    operands = arrays(kernel_size, size, channels, features)
    tangents = arrays(kernel_size, size, channels, features, seed=1)

    def products(function):
        return lambda *operands: (
            jax.jvp(function, operands, tangents),
            jax.jvp(gradients(function), operands, tangents),
        )

    ours = partial(OURS[kind], strides=strides, padding=padding)
    theirs = reference(kind, kernel_size, strides, padding)
    assert_close(jax.jit(products(ours))(*operands), jax.jit(products(theirs))(*operands))
