"""Against sums over single pixels in float64, straight from the definitions."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxgan.networks.layers import tiles, winograd
from jaxgan.networks.layers.axis import Axis
from jaxgan.networks.layers.convolution import conv, conv_transpose

# Pixels, taps, stride, zeros before; results follow.
SIZES = [(8, 4, 2, 1), (7, 3, 1, 1), (9, 4, 2, 1), (10, 4, 2, 2), (6, 2, 1, 0), (8, 3, 1, 2)]

# How exact they are is said of what users run.
pytestmark = pytest.mark.usefixtures("full_compilation")


def axis(pixels, taps, stride, before):
    """An axis with as many zeros after the last pixel as before the first."""
    return Axis(pixels, (pixels + 2 * before - taps) // stride + 1, taps, stride, before)


def pairs(axis):
    """All (i, t, j) with ``i s + t - b = j`` a pixel."""
    for i, t in itertools.product(range(axis.results), range(axis.taps)):
        if 0 <= (j := i * axis.stride + t - axis.before) < axis.pixels:
            yield i, t, j


def by_definition(x, w, y, axes):
    """The three maps, one pixel, tap and result at a time."""
    convolved, spreaded, compared = np.zeros_like(y), np.zeros_like(x), np.zeros_like(w)
    for (i, t, j), (k, u, m) in itertools.product(pairs(axes[0]), pairs(axes[1])):
        convolved[:, i, k] += x[:, j, m] @ w[t, u]
        spreaded[:, j, m] += y[:, i, k] @ w[t, u].T
        compared[t, u] += x[:, j, m].T @ y[:, i, k]
    return convolved, spreaded, compared


def all_tilings(axes):
    """Tiles for every size, also where they would not pay."""
    tilings = []
    for a in axes:
        taps = -(-a.taps // a.stride)
        tilings.append(tiles.Tiling(a, tiles.FORMS[taps], taps, -(-a.results // tiles.TILE)))
    return tuple(tilings)


PAIRS = list(zip(SIZES, SIZES[1:] + SIZES[:1], strict=True))
# Every size once whole, and one pair in parts; the rest takes long.
THREE_MAPS = [
    pytest.param(
        *pair, largest, id=f"{number}-{name}", marks=() if quick(number) else pytest.mark.slow
    )
    for name, largest, quick in (
        ("whole", 2**23, lambda number: number % 2 == 0),
        ("in parts", 600, lambda number: number == 0),
    )
    for number, pair in enumerate(PAIRS)
]


@pytest.mark.slow
@pytest.mark.parametrize(("high", "wide", "largest"), THREE_MAPS)
def test_three_maps(monkeypatch, high, wide, largest):
    monkeypatch.setattr(winograd, "LARGEST_BYTES", largest)
    axes, rng = (axis(*high), axis(*wide)), np.random.default_rng(0)
    x = rng.normal(size=(4, axes[0].pixels, axes[1].pixels, 3))
    w = rng.normal(size=(axes[0].taps, axes[1].taps, 3, 5))
    y = rng.normal(size=(4, axes[0].results, axes[1].results, 5))
    expected = by_definition(x, w, y, axes)
    tilings = all_tilings(axes)
    x, w, y = (jnp.asarray(a, jnp.float32) for a in (x, w, y))
    got = jax.jit(
        lambda x, w, y: (
            winograd.convolve(x, w, tilings),
            winograd.spread(y, w, tilings),
            winograd.compare(x, y, tilings),
        )
    )(x, w, y)
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        assert one.dtype == jnp.float32
        assert np.linalg.norm(one - other) < 2e-6 * np.linalg.norm(other)


@pytest.mark.parametrize("taps", tiles.FORMS)
def test_forms_are_convolutions(taps):
    """``A'[(G w) * (B' x)]`` against NumPy's correlation; integers, so exactly."""
    form, rng = tiles.FORMS[taps], np.random.default_rng(1)
    x, w = rng.integers(-9, 9, tiles.TILE + taps - 1), 2 * rng.integers(-9, 9, taps)
    pixels, kernel, results = (np.array(m) for m in (form.pixels, form.taps, form.results))
    expected = np.correlate(x, w, "valid")
    assert (results @ ((kernel @ w) * (pixels @ x)) == expected).all()


def test_used_where_it_pays():
    high = axis(16, 4, 2, 1)
    assert winograd.tilings_of(jnp.float32, 64, 64, 128, (high, high)) is not None
    assert winograd.tilings_of(jnp.float32, 64, 128, 128, (axis(32, 3, 1, 1),) * 2) is not None


@pytest.mark.parametrize(
    ("dtype", "batch", "channels", "sizes"),
    [
        (jnp.bfloat16, 64, (64, 128), (16, 4, 2, 1)),
        (jnp.float32, 64, (1, 64), (32, 4, 2, 1)),
        (jnp.float32, 64, (64, 1), (32, 4, 2, 1)),
        (jnp.float32, 1, (64, 64), (8, 4, 2, 1)),
        # Seven results need four tiles, which leaves nothing to gain.
        (jnp.float32, 64, (64, 128), (14, 4, 2, 1)),
        # Three taps in steps of two are two and one: nine products instead of nine.
        (jnp.float32, 64, (64, 128), (16, 3, 2, 0)),
        (jnp.float32, 64, (64, 128), (16, 5, 1, 2)),
        (jnp.float32, 64, (64, 128), (16, 3, 1, -1)),
    ],
)
def test_left_alone_elsewhere(dtype, batch, channels, sizes):
    assert winograd.tilings_of(dtype, batch, *channels, (axis(*sizes),) * 2) is None


def lax_conv(x, w, strides):
    return lax.conv_general_dilated(
        x, w, strides, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def lax_transpose(x, w, strides):
    return lax.conv_transpose(x, w, strides, "SAME")


LAYERS = pytest.mark.parametrize(
    ("ours", "theirs", "size", "taps", "strides", "channels"),
    [
        (conv, lax_conv, 16, 4, (2, 2), (32, 40)),
        (conv, lax_conv, 16, 3, (1, 1), (32, 32)),
        (conv_transpose, lax_transpose, 8, 4, (2, 2), (40, 32)),
    ],
)


def operands_of(size, taps, channels):
    """Large enough that the forms pay."""
    keys = jax.random.split(jax.random.key(2), 2)
    x = jax.random.normal(keys[0], (16, size, size, channels[0]))
    return x, jax.random.normal(keys[1], (taps, taps, *channels)) / taps


@pytest.mark.slow
@LAYERS
def test_layers_take_them(ours, theirs, size, taps, strides, channels):
    """In value and gradients."""
    x, w = operands_of(size, taps, channels)
    loss = jax.grad(lambda x, w: jnp.sum(jnp.sin(ours(x, w, strides=strides))), (0, 1))
    text = jax.jit(loss).lower(x, w).as_text()
    assert "dot" in text
    assert "convolution" not in text


@pytest.mark.slow
@LAYERS
def test_layers_and_their_derivatives(ours, theirs, size, taps, strides, channels):
    """At sizes that are large enough: value, gradients, gradients of a penalty."""
    x, w = operands_of(size, taps, channels)

    def all_of(function):
        def loss(x, w):
            return jnp.sum(jnp.sin(function(x, w)))

        def penalty(x, w):
            return jnp.sum(jnp.square(jax.grad(loss)(x, w)))

        return jax.jit(
            lambda x, w: (
                function(x, w),
                jax.grad(loss, (0, 1))(x, w),
                jax.grad(penalty, (0, 1))(x, w),
            )
        )

    got = all_of(lambda x, w: ours(x, w, strides=strides))
    assert "dot" in got.lower(x, w).as_text()
    assert "convolution" not in got.lower(x, w).as_text()
    expected = all_of(lambda x, w: theirs(x, w, strides))(x, w)
    for one, other in zip(jax.tree.leaves(got(x, w)), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(other)
