"""DiffAugment: what it did is read off its images and compared with what it should do."""

import dataclasses
import doctest
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgan.objectives.gan import augmentations
from jaxgan.objectives.gan.augmentations import Augmentation, DiffAugment
from jaxgan.objectives.gan.verdict import Verdict

COLOR = DiffAugment(color=True, translation=False, cutout=False)
TRANSLATION = DiffAugment(color=False, translation=True, cutout=False)
CUTOUT = DiffAugment(color=False, translation=False, cutout=True)
ALL = DiffAugment()
EACH = pytest.mark.parametrize("augment", [COLOR, TRANSLATION, CUTOUT, ALL], ids=repr)


def keys(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, size=shape).astype(np.float32)


@functools.partial(jax.jit, static_argnums=0)
def augmented(augment, batch, own):
    return augment(batch, own, ())


def apply(augment, batch, seed=0):
    return np.asarray(augmented(augment, batch, keys(len(batch), seed)))


def shifted(image, down, right):
    """NumPy: content moved, zeros where it came from."""
    height, width = image.shape[:2]
    padded = np.pad(image, [(height, height), (width, width), (0, 0)])
    top, left = height - down, width - right
    return padded[top : top + height, left : left + width]


# Color: with a channel mean m of each pixel and a mean M of the image,
# y = c s x + c (1 - s) m + (1 - c) M + b. The three numbers follow from x and y.


def settings(x, y):
    """Brightness, saturation and contrast that made an image of another, and what is left over."""
    gray = np.broadcast_to(x.mean(axis=2, keepdims=True), x.shape)
    columns = np.stack([x.ravel(), gray.ravel(), np.ones(x.size)], axis=1)
    (own, shared, constant), *_ = np.linalg.lstsq(columns, y.ravel(), rcond=None)
    contrast = own + shared
    brightness = constant - (1 - contrast) * x.mean()
    left = np.abs(columns @ [own, shared, constant] - y.ravel()).max()
    return brightness, own / contrast, contrast, left


def test_color():
    x = images(1500, 3, 4, 3).astype(np.float64)
    y = apply(COLOR, x.astype(np.float32)).astype(np.float64)
    found = np.array([settings(*pair) for pair in zip(x, y, strict=True)])
    assert found[:, 3].max() < 1e-5
    ranges = {"brightness": (-0.5, 0.5), "saturation": (0.0, 2.0), "contrast": (0.5, 1.5)}
    for values, (low, high) in zip(found.T, ranges.values(), strict=False):
        assert low - 1e-4 < values.min() < low + 0.02
        assert high - 0.02 < values.max() < high + 1e-4
        assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-3
        # Their means and spreads differ, so that no two were exchanged.
    correlations = np.corrcoef(found[:, :3].T)[~np.eye(3, dtype=bool)]
    assert np.abs(correlations).max() < 0.1


def test_color_keeps_the_mean_but_for_brightness():
    """Saturation and contrast are about means: of a constant image only brightness is left."""
    x = np.full((20, 4, 4, 3), 0.25, np.float32)
    y = apply(COLOR, x)
    assert np.ptp(y, axis=(1, 2, 3)).max() < 1e-6
    assert len(set(y[:, 0, 0, 0].tolist())) == 20


def test_gray_images_have_no_saturation():
    """The contrast that is read off one channel is in its own range, not that of a product."""
    x = images(400, 4, 4, 1)
    y = apply(COLOR, x)
    slopes = (y[:, 0, 0, 0] - y[:, 1, 1, 0]) / (x[:, 0, 0, 0] - x[:, 1, 1, 0])
    assert 0.499 < slopes.min() < 0.52
    assert 1.48 < slopes.max() < 1.501


# height, width and the reach of shifts: int(size / 8 + 1/2)
SIZES = {(16, 24): (2, 3), (12, 7): (2, 1), (28, 8): (4, 1)}


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_translation(size):
    """Whole pixels, zeros coming in, each shift as likely as another, axes by themselves."""
    down, right = SIZES[size]
    shifts = list(itertools.product(range(-down, down + 1), range(-right, right + 1), repeat=1))
    x = images(40 * len(shifts), *size, 2)
    y = apply(TRANSLATION, x)
    counts = dict.fromkeys(shifts, 0)
    for before, after in zip(x, y, strict=True):
        (found,) = [shift for shift in shifts if np.array_equal(after, shifted(before, *shift))]
        counts[found] += 1
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_small_images_are_not_moved():
    """``int(3 / 8 + 1/2)`` is 0."""
    x = images(20, 3, 3, 1)
    np.testing.assert_array_equal(apply(TRANSLATION, x), x)


def test_gradients_are_moved_back():
    """What a pixel gets is the slope of where it went; what left the image gets none."""
    x, slopes = images(60, 16, 16, 2), images(60, 16, 16, 2, seed=1)
    y, pull_back = jax.vjp(lambda batch: augmented(TRANSLATION, batch, keys(60)), jnp.asarray(x))
    (back,) = pull_back(jnp.asarray(slopes))
    shifts, seen = list(itertools.product(range(-2, 3), repeat=2)), set()
    for before, after, slope, found in zip(x, np.asarray(y), slopes, np.asarray(back), strict=True):
        (shift,) = [s for s in shifts if np.array_equal(after, shifted(before, *s))]
        np.testing.assert_array_equal(found, shifted(slope, -shift[0], -shift[1]))
        seen.add(shift)
    assert len(seen) > 10


def intervals(length):
    """The rows hidden for every middle: half as many as there are, cut off at the border.

    An even number of rows has its middle on one of the lines between pixels, the two borders of the
    image included; an odd number on a pixel.
    """
    size = int(length / 2 + 0.5)
    if size % 2:
        starts = [middle - (size - 1) // 2 for middle in range(length)]
    else:
        starts = [line - size // 2 for line in range(length + 1)]
    return [(max(0, start), min(length, start + size)) for start in starts]


@pytest.mark.parametrize(("height", "width"), [(8, 12), (6, 4), (7, 9)])
def test_cutout(height, width):
    x = 2.0 + images(1200, height, width, 2)
    y = apply(CUTOUT, x)
    places = {0: intervals(height), 1: intervals(width)}
    counts = {axis: dict.fromkeys(places[axis], 0) for axis in places}
    pairs = set()
    for before, after in zip(x, y, strict=True):
        hidden = after[..., 0] == 0
        rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
        found = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
        expected = before.copy()
        expected[slice(*found[0]), slice(*found[1])] = 0.0
        np.testing.assert_array_equal(after, expected)
        for axis in counts:
            counts[axis][found[axis]] += 1
        pairs.add(found)
    for axis, length in ((0, height), (1, width)):
        assert stats.chisquare(list(counts[axis].values())).pvalue > 1e-3
        largest = max(end - start for start, end in counts[axis])
        assert largest == int(length / 2 + 0.5)
    # Every row interval with every column interval: the axes are drawn apart.
    assert len(pairs) == len(counts[0]) * len(counts[1])


def test_hidden_pixels_have_no_gradient():
    x = 2.0 + images(30, 8, 8, 2)
    slopes = jax.grad(lambda batch: jnp.sum(3.0 * augmented(CUTOUT, batch, keys(30))))(
        jnp.asarray(x)
    )
    np.testing.assert_array_equal(slopes, np.where(apply(CUTOUT, x) == 0, 0.0, 3.0))


@pytest.mark.slow
@EACH
def test_gradients_are_those_of_a_map_without_bends(augment):
    """Every part is affine in the image, so that its derivative is a difference."""
    x, step = jnp.asarray(images(12, 8, 8, 3)), jnp.asarray(images(12, 8, 8, 3, seed=1))

    def seen(batch):
        return augmented(augment, batch, keys(12))

    value, slope = jax.jvp(seen, (x,), (step,))
    np.testing.assert_allclose(seen(x + step) - value, slope, atol=2e-6)
    assert float(jnp.abs(slope).max()) > 0.5
    # Backwards it is the transpose of the same map.
    other = jnp.asarray(images(12, 8, 8, 3, seed=2))
    (back,) = jax.vjp(seen, x)[1](other)
    assert float(jnp.vdot(other, slope)) == pytest.approx(float(jnp.vdot(back, step)), rel=1e-4)


@pytest.mark.slow
@EACH
def test_each_image_by_its_own_key(augment):
    x, own = images(6, 16, 16, 3), keys(6)
    whole = augmented(augment, x, own)
    order = np.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_allclose(augmented(augment, x[order], own[order]), whole[order], atol=1e-6)
    np.testing.assert_allclose(augmented(augment, x[2:3], own[2:3]), whole[2:3], atol=1e-6)
    # The same again with the same keys, something else with others.
    np.testing.assert_array_equal(augmented(augment, x, own), whole)
    assert not np.array_equal(augmented(augment, x, keys(6, seed=1)), whole)
    # Equal images with keys of their own differ.
    same = augmented(augment, np.stack([x[0]] * 6), own)
    assert len({image.tobytes() for image in np.asarray(same)}) > 3


@pytest.mark.slow
def test_order_of_the_parts():
    """Color first: what is moved in or cut out is exactly 0. A part does the same by itself."""
    x = images(10, 16, 16, 3)
    moved = apply(CUTOUT, apply(TRANSLATION, x))
    expected = apply(CUTOUT, apply(TRANSLATION, apply(COLOR, x)))
    found = apply(ALL, x)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(found == 0, expected == 0)
    np.testing.assert_array_equal(apply(DiffAugment(color=False), x), moved)
    assert not np.allclose(apply(COLOR, moved), expected, atol=1e-2)


@EACH
def test_keeps_shape_and_type(augment):
    found = apply(augment, images(2, 8, 12, 3))
    assert found.shape == (2, 8, 12, 3)
    assert found.dtype == np.float32


def test_has_no_state():
    assert ALL.init() == ()
    assert ALL.update((), Verdict(jnp.zeros(2)), 2) == ()


def test_is_a_value():
    assert isinstance(ALL, Augmentation)
    assert DiffAugment() == DiffAugment(color=True, translation=True, cutout=True)
    assert hash(ALL) == hash(dataclasses.replace(ALL))
    with pytest.raises(dataclasses.FrozenInstanceError):
        ALL.color = False


def test_what_cannot_be():
    with pytest.raises(ValueError, match="no part is on"):
        DiffAugment(color=False, translation=False, cutout=False)
    with pytest.raises(ValueError, match="points have only one pixel"):
        ALL(jnp.zeros((2, 1, 1, 2)), keys(2), ())


def test_examples():
    result = doctest.testmod(augmentations)
    assert result.attempted >= 3
    assert result.failed == 0
