"""Against the convolutions of Flax, which leave all derivatives to XLA."""

import re
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from jaxgan.networks.layers import convolution
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


def reference(kind, kernel_size, strides, padding):
    """The layer of Flax without bias, as a function of inputs and kernel."""
    layer = nn.Conv if kind == "conv" else nn.ConvTranspose

    def apply(inputs, kernel):
        module = layer(kernel.shape[3], kernel_size, strides, padding, use_bias=False)
        return module.apply({"params": {"kernel": kernel}}, inputs)

    return apply


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


@settings(max_examples=12, deadline=None, derandomize=True)
@given(convolutions())
def test_value_and_derivatives_as_flax(case):
    check_against_flax(case)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(convolutions())
def test_many_values_and_derivatives_as_flax(case):
    check_against_flax(case)


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


@pytest.mark.parametrize("mapped", [(4, None), (None, 0), (0, 2)])
@pytest.mark.parametrize("case", CASES)
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


@pytest.mark.parametrize("case", CASES)
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


@pytest.mark.parametrize("case", CASES)
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


@pytest.mark.parametrize("case", CASES)
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
