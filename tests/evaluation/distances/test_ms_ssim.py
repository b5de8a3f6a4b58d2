import math

import numpy as np
import pytest
from scipy import ndimage

from jaxgan.evaluation.distances.ms_ssim import WEIGHTS, Scales, diversity, ms_ssim, scales_of


def images(count, seed, shape=(40, 44, 1)):
    """Smooth textures, so that no contrast term is negative by chance."""
    noise = np.random.default_rng(seed).normal(size=(count, *shape))
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2, 0))
    return np.clip(128 + 250 * smooth, 0, 255).astype(np.uint8)


def reference(x, y, scales, window=11, sigma=1.5, top=255.0):
    """Equation 7 of Wang et al. 2003 in float64, with SciPy's correlation of whole images."""
    offsets = np.arange(window) - (window - 1) / 2
    line = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel = np.outer(line, line) / line.sum() ** 2
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    c1, c2 = (0.01 * top) ** 2, (0.03 * top) ** 2

    def blurred(z):
        # Full correlation, cut to where the window lies within the image.
        from scipy.signal import correlate2d

        return correlate2d(z, kernel, mode="valid")

    channels = []
    for channel in range(x.shape[2]):
        a, b = x[..., channel].astype(np.float64), y[..., channel].astype(np.float64)
        value = 1.0
        for scale in range(scales):
            mean_a, mean_b = blurred(a), blurred(b)
            variances = blurred(a * a) - mean_a**2 + blurred(b * b) - mean_b**2
            contrast = (2 * (blurred(a * b) - mean_a * mean_b) + c2) / (variances + c2)
            term = contrast
            if scale == scales - 1:
                term = term * (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
            value *= max(term.mean(), 0.0) ** weights[scale]
            a, b = (
                (z[0::2, 0::2] + z[1::2, 0::2] + z[0::2, 1::2] + z[1::2, 1::2]) / 4
                for z in (z[: len(z) // 2 * 2, : z.shape[1] // 2 * 2] for z in (a, b))
            )
        channels.append(value)
    return np.mean(channels)


@pytest.mark.parametrize(
    ("shape", "scales", "window"),
    [
        ((28, 28, 1), 2, 11),
        ((8, 9, 1), 1, 8),
        ((45, 51, 3), 3, 11),
        ((176, 177, 1), 5, 11),
    ],
)
def test_against_numpy(shape, scales, window):
    assert scales_of(*shape[:2]) == Scales(scales, window)
    x = images(3, 0, shape)
    y = np.clip(0.6 * x + 0.4 * images(3, 1, shape) + 9, 0, 255).astype(np.uint8)
    expected = [
        reference(a, b, scales, window, 1.5 * window / 11) for a, b in zip(x, y, strict=True)
    ]
    assert 0.2 < min(expected) < max(expected) < 0.95
    np.testing.assert_allclose(ms_ssim(x, y), expected, rtol=2e-5)
    np.testing.assert_allclose(ms_ssim(y, x), expected, rtol=2e-5)


def test_constant_images_by_hand():
    # No contrast: only the luminance at the coarsest of the three scales is not 1.
    x, y = np.full((1, 44, 44, 1), 100, np.uint8), np.full((1, 44, 44, 1), 50, np.uint8)
    c = (0.01 * 255) ** 2
    luminance = (2 * 100 * 50 + c) / (100**2 + 50**2 + c)
    exponent = WEIGHTS[2] / sum(WEIGHTS[:3])
    assert ms_ssim(x, y)[0] == pytest.approx(luminance**exponent, rel=1e-5)


def test_equal_images_and_inverted_ones():
    x = images(4, 2)
    np.testing.assert_allclose(ms_ssim(x, x), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(ms_ssim(x, 255 - x), 0.0)


def test_floats_need_their_range():
    x, y = images(2, 3), images(2, 4)
    scaled = [z.astype(np.float32) / np.float32(255) for z in (x, y)]
    np.testing.assert_allclose(
        ms_ssim(*scaled, value_range=1.0), ms_ssim(x, y), rtol=1e-4, atol=1e-6
    )


def test_many_pairs_go_in_batches():
    x, y = images(300, 5, (12, 12, 1)), images(300, 6, (12, 12, 1))
    whole = ms_ssim(x, y)
    np.testing.assert_allclose(
        whole[250:260], ms_ssim(x[250:260], y[250:260]), rtol=1e-4, atol=1e-6
    )
    assert whole.shape == (300,)


def test_pairs_are_of_one_class_and_no_image_is_in_two():
    # Every image of class 5 is the same; class 2 is mixed.
    same, mixed = np.repeat(images(1, 7), 20, axis=0), images(30, 8)
    everything = np.concatenate([same, mixed])
    labels = np.array([5] * 20 + [2] * 30)
    order = np.random.default_rng(0).permutation(50)
    found = diversity(everything[order], labels[order], pairs=100)
    assert found.classes[5].value == pytest.approx(1.0, abs=1e-5)
    assert found.classes[2].value < 0.9
    middle = (found.classes[5].value + found.classes[2].value) / 2
    assert found.value.value == pytest.approx(middle)
    assert found.value.low < found.value.value < found.value.high
    assert found.scales == Scales(2, 11)
    alone = diversity(mixed, np.full(30, 2), pairs=100)
    assert alone.classes[2].low <= alone.value.value <= alone.classes[2].high


def test_rises_as_variety_falls():
    x = images(200, 9)
    generator = np.random.default_rng(1)
    values = [
        diversity(x[generator.integers(0, kept, 200)], pairs=100).value.value
        for kept in (200, 8, 3, 1)
    ]
    assert (np.diff(values) > 0).all()


def test_the_interval_covers_the_mean_over_all_pairs():
    x = images(60, 10)
    i, j = np.triu_indices(60, 1)
    truth = ms_ssim(x[i], x[j]).mean()
    results = [diversity(x, pairs=30, seed=seed).value for seed in range(20)]
    assert sum(found.low <= truth <= found.high for found in results) >= 16
    assert len({found.value for found in results}) == 20
    assert diversity(x, pairs=30, seed=4).value == results[4]


def test_one_pair_has_no_interval():
    found = diversity(images(2, 0)).value
    assert math.isnan(found.low)
    assert math.isfinite(found.value)


def test_what_cannot_be_compared_is_refused():
    x = images(4, 0)
    with pytest.raises(ValueError, match="class 1 has 1 image"):
        diversity(x, np.array([0, 0, 0, 1]))
    with pytest.raises(ValueError, match="3 labels for 4 images"):
        diversity(x, np.zeros(3, int))
    with pytest.raises(ValueError, match="at least 1 pair"):
        diversity(x, pairs=0)
    with pytest.raises(ValueError, match="no images"):
        diversity(x[:0])
    with pytest.raises(ValueError, match="value_range"):
        ms_ssim(x, x, value_range=0.0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        ms_ssim(np.full((1, 12, 12, 1), np.nan), np.zeros((1, 12, 12, 1)))
