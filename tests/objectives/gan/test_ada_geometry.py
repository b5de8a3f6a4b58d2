"""ADA's geometry against NumPy and SciPy: its matrices, and how pixels are fetched."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from standard_draws import images, opened, still

from jaxgan.objectives.gan import ada_geometry
from jaxgan.objectives.gan.ada_draws import draw
from jaxgan.objectives.gan.wavelets import SYM6

HEIGHT, WIDTH = 16, 24
ALWAYS = jnp.float32(1.0)


def inverse(x, y):
    """To the place (x, y) of an image from that in the augmented one: 3x3, of a linear map."""
    return np.linalg.inv(np.array([[x[0], y[0], 0], [x[1], y[1], 0], [0, 0, 1]], float))


# What happens, and where (1, 0) and (0, 1), right and down, then go, and what is added.
BLITS = {
    "flip": (opened("flip", uniforms={"flip": 0.5}), (-1, 0), (0, 1), (0, 0)),
    "no flip": (opened("flip", uniforms={"flip": 0.49}), (1, 0), (0, 1), (0, 0)),
    "no turn": (opened("turn", uniforms={"turn": 0.24}), (1, 0), (0, 1), (0, 0)),
    "a turn": (opened("turn", uniforms={"turn": 0.25}), (0, -1), (1, 0), (0, 0)),
    "two turns": (opened("turn", uniforms={"turn": 0.5}), (-1, 0), (0, -1), (0, 0)),
    "three turns": (opened("turn", uniforms={"turn": 0.99}), (0, 1), (-1, 0), (0, 0)),
    # An eighth is three pixels across and two down.
    "shift": (
        opened("shift", uniforms={"shift x": 0.999, "shift y": 0.001}), (1, 0), (0, 1), (3, -2)
    ),
    "short shift": (
        opened("shift", uniforms={"shift x": 0.60, "shift y": 0.36}), (1, 0), (0, 1), (1, -1)
    ),
    "no shift": (
        opened("shift", uniforms={"shift x": 0.58, "shift y": 0.38}), (1, 0), (0, 1), (0, 0)
    ),
}  # fmt: skip
C, S = np.cos(0.3 * np.pi), np.sin(0.3 * np.pi)
GEOMETRIES = {
    # 2^(0.2 * 5) is 2.
    "scale": (opened("scale", normals={"scale": 5}), (2, 0), (0, 2), (0, 0)),
    "shrink": (opened("scale", normals={"scale": -5}), (0.5, 0), (0, 0.5), (0, 0)),
    "first": (
        opened("first rotation", uniforms={"first rotation": 0.65}), (C, -S), (S, C), (0, 0)
    ),
    "last": (
        opened("last rotation", uniforms={"last rotation": 0.65}), (C, -S), (S, C), (0, 0)
    ),
    "stretch": (opened("stretch", normals={"stretch": 5}), (2, 0), (0, 0.5), (0, 0)),
    "fraction": (
        opened("fraction", normals={"fraction x": 0.5, "fraction y": -0.25}),
        (1, 0), (0, 1), (1.5, -0.5),
    ),
}  # fmt: skip
EVERY = [
    *((ada_geometry.blit, name, *one) for name, one in BLITS.items()),
    *((ada_geometry.geometry, name, *one) for name, one in GEOMETRIES.items()),
]


@functools.cache
def compiled(part):
    return jax.jit(lambda draws, strength: part(draws, strength, HEIGHT, WIDTH))


@pytest.mark.parametrize(
    ("part", "draws", "x", "y", "added"), [(p, *rest) for p, _, *rest in EVERY],
    ids=[name for _, name, *_ in EVERY],
)  # fmt: skip
def test_matrices(part, draws, x, y, added):
    expected = inverse(x, y)
    expected[:2, 2] = -expected[:2, :2] @ added
    found = compiled(part)(draws, ALWAYS)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("part", [ada_geometry.blit, ada_geometry.geometry])
def test_still(part):
    """No gate is open, exactly; nor is one at strength 0."""
    np.testing.assert_array_equal(compiled(part)(still(), ALWAYS), np.eye(3))
    gates = still().gates
    np.testing.assert_array_equal(compiled(part)(opened(*gates), jnp.float32(0.0)), np.eye(3))


def test_order_of_the_transformations():
    """In the augmented image the last rotation comes first: the rest is done to what it made."""
    settings = {
        "scale": opened("scale", normals={"scale": 2}),
        "first rotation": opened("first rotation", uniforms={"first rotation": 0.9}),
        "stretch": opened("stretch", normals={"stretch": 3}),
        "last rotation": opened("last rotation", uniforms={"last rotation": 0.3}),
        "fraction": opened("fraction", normals={"fraction x": 1, "fraction y": 2}),
    }
    own = [np.asarray(compiled(ada_geometry.geometry)(one, ALWAYS)) for one in settings.values()]
    together = opened(
        *settings,
        uniforms={"first rotation": 0.9, "last rotation": 0.3},
        normals={"scale": 2, "stretch": 3, "fraction x": 1, "fraction y": 2},
    )
    found = compiled(ada_geometry.geometry)(together, ALWAYS)
    np.testing.assert_allclose(found, functools.reduce(np.matmul, own), atol=1e-5)
    swapped = [own[0], own[3], own[2], own[1], own[4]]
    assert not np.allclose(found, functools.reduce(np.matmul, swapped), atol=0.1)
    blits = [BLITS[name] for name in ("flip", "a turn", "shift")]
    together = opened(
        "flip", "turn", "shift",
        uniforms={"flip": 0.5, "turn": 0.25, "shift x": 0.999, "shift y": 0.001},
    )  # fmt: skip
    own = [np.asarray(compiled(ada_geometry.blit)(one[0], ALWAYS)) for one in blits]
    found = compiled(ada_geometry.blit)(together, ALWAYS)
    np.testing.assert_allclose(found, functools.reduce(np.matmul, own), atol=1e-6)


@functools.cache
def drawn(count=20_000):
    return jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(5), count))


@functools.cache
def many(part):
    """A function from a strength to the matrices of all draws."""
    compute = jax.jit(jax.vmap(lambda one, p: part(one, p, HEIGHT, WIDTH), in_axes=(0, None)))
    return lambda strength: np.asarray(compute(drawn(), jnp.float32(strength)))


@pytest.mark.parametrize("strength", [0.2, 0.75, 1.0])
def test_one_of_two_rotations_happens_as_often_as_a_scale(strength):
    found = many(ada_geometry.geometry)(strength)
    # Neither stretch nor scale turn anything. Strength 1: always, with the last place for rounding.
    turned = (np.abs(found[:, 0, 1]) > 1e-6) | (np.abs(found[:, 1, 0]) > 1e-6)
    scaled = np.abs(np.linalg.det(found) - 1) > 1e-4
    assert turned.mean() == pytest.approx(strength, abs=0.012)
    assert scaled.mean() == pytest.approx(strength, abs=0.012)


# The eight ways to lay an image on itself.
TURN = np.array([[0, -1], [1, 0]])
MIRROR = np.diag([-1, 1])
GROUP = [
    np.linalg.matrix_power(MIRROR, flip) @ np.linalg.matrix_power(TURN, turns)
    for flip, turns in itertools.product(range(2), range(4))
]


def shares(strength):
    """How often blits lay an image in each of the eight ways."""
    found = many(ada_geometry.blit)(strength)[:, :2, :2]
    counts = [(found == one).all(axis=(1, 2)).mean() for one in GROUP]
    assert sum(counts) == pytest.approx(1.0)
    return np.array(counts)


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.8, 1.0])
def test_leaks(strength):
    """What is behind blits can be told for a strength below 1, and the worse the nearer to it.

    A distribution over the eight ways in which an image may lie becomes another one, by a matrix
    that is a convolution over the group. On the parts in which flips and turns act alike, its
    factors are 1 - p and (1 - p) (1 or 1 - p): the smallest singular value is (1 - p)^2, and
    distributions are confused by it in their worst direction.
    """
    ways = {one.tobytes(): place for place, one in enumerate(GROUP)}
    weights = shares(strength)
    matrix = np.zeros((8, 8))
    for way, weight in zip(GROUP, weights, strict=True):
        for before, one in enumerate(GROUP):
            matrix[ways[(way @ one).tobytes()], before] += weight
    smallest = np.linalg.svd(matrix, compute_uv=False).min()
    assert smallest == pytest.approx((1 - strength) ** 2, abs=0.02)
    # The share that is left alone, by both gates and both draws.
    assert weights[0] == pytest.approx((1 - strength / 2) * (1 - 3 * strength / 4), abs=0.012)
    upright, all_ways = np.eye(8)[0], np.full(8, 1 / 8)
    apart = np.abs(matrix @ upright - matrix @ all_ways).sum() / 2
    if strength == 1.0:
        assert apart < 0.02
    else:
        assert apart > 0.5 * (1 - strength) ** 2


def reference(image, source):
    """One channel in float64, row by row, with SciPy's interpolation."""
    taps = np.array(SYM6) / np.sum(SYM6)
    height, width = image.shape

    def finer(row):
        row = np.pad(row, len(row) - 1, mode="reflect")
        spread = np.zeros(2 * len(row))
        spread[::2] = 2 * row
        return np.convolve(spread, taps)[5 : 5 + len(spread)]

    def coarser(row):
        return np.correlate(row, taps, mode="valid")[::2]

    large = np.apply_along_axis(finer, 0, np.apply_along_axis(finer, 1, image))
    wide, high = np.meshgrid(*(np.arange(2 * n + 10) - n - 4.5 for n in (width, height)))
    # From the middle, in pixels of the image: a sample is half a pixel, its filter half a sample
    # late.
    places = np.stack([(wide + 0.5) / 2, (high + 0.5) / 2, np.ones_like(wide)])
    across, down, _ = 2 * np.einsum("ij,jhw->ihw", source, places) - 0.5
    at = [down + (large.shape[0] - 1) / 2, across + (large.shape[1] - 1) / 2]
    sampled = ndimage.map_coordinates(large, at, order=1, mode="grid-constant", prefilter=False)
    return np.apply_along_axis(coarser, 0, np.apply_along_axis(coarser, 1, sampled))


warped = jax.jit(ada_geometry.warped)


def some_sources(count):
    return many(ada_geometry.geometry)(1.0)[:count].copy()


def test_fetches_what_it_should():
    sources = some_sources(6)
    sources[0] = np.eye(3)
    sources[1] = np.diag([-1.0, 1.0, 1.0])
    # Far away from the image and all of its reflections: nothing.
    sources[2] = np.eye(3) + np.array([[0, 0, 400.0], [0, 0, -900.0], [0, 0, 0]])
    # From before the first reflection to behind the last.
    sources[3] = np.diag([6.0, 5.0, 1.0])
    x = images(6, 9, 7, 2)
    found = np.asarray(warped(x, sources.astype(np.float32)))
    for before, source, after in zip(x, sources, found, strict=True):
        for channel in range(2):
            expected = reference(before[..., channel].astype(float), source.astype(float))
            np.testing.assert_allclose(after[..., channel], expected, atol=2e-5)
    np.testing.assert_array_equal(found[0], x[0])
    np.testing.assert_array_equal(found[2], 0.0)
    assert np.abs(found[3]).max() > 0.1


def test_whole_pixels_are_moved_without_a_blur():
    """And what comes in is the reflection of what there was."""
    sources = np.stack([np.eye(3)] * 6).astype(np.float32)
    # Content goes 2 to the right and 3 up, and so its source lies 2 to the left and 3 down.
    sources[:, :2, 2] = -2.0, 3.0
    x = images(6, 9, 7, 2, seed=1)
    found = np.asarray(warped(x, sources))
    padded = np.pad(x, [(0, 0), (3, 3), (2, 2), (0, 0)], mode="reflect")
    np.testing.assert_allclose(found, padded[:, 6:, :7], atol=2e-6)


def test_a_spot_goes_where_the_matrix_says():
    """For transformations of all kinds at once: there the image is as bright as in its middle."""
    count, size = 6, 41
    sources = some_sources(count)
    across, down = 5.0, -3.0
    grid = np.arange(size) - (size - 1) / 2
    x = np.exp(-((grid - across) ** 2 + (grid[:, None] - down) ** 2) / 8)
    found = np.asarray(warped(np.stack([x[..., None]] * count).astype(np.float32), sources))[..., 0]
    for after, source in zip(found, sources, strict=True):
        place = np.linalg.inv(source) @ [across, down, 1.0]
        column, row = np.round(place[:2]).astype(int) + (size - 1) // 2
        assert after[row, column] > 0.85


def test_backwards_it_is_the_transpose():
    sources = some_sources(6)
    x, other = images(6, 9, 7, 2), images(6, 9, 7, 2, seed=1)
    value, pull_back = jax.vjp(lambda batch: warped(batch, sources), jnp.asarray(x))
    (back,) = pull_back(jnp.asarray(other))
    assert float(jnp.vdot(other, value)) == pytest.approx(float(jnp.vdot(back, x)), rel=1e-4)
    assert np.abs(np.asarray(back)).reshape(6, -1).max(axis=1).min() > 0.05
