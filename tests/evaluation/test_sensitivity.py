"""The shipped digits features see what is wrong with samples, and more of it the worse it is."""

import numpy as np
import pytest
from scipy import ndimage

from jaxgan.data.digits import Digits
from jaxgan.evaluation.features import load_backbone
from jaxgan.evaluation.protocol import reference_statistics, score


@pytest.fixture(scope="module")
def digits():
    examples = Digits().load("train")
    rows = [examples[index] for index in range(len(examples))]
    images = np.stack([row["image"] for row in rows])
    backbone = load_backbone("digits-cnn", (8, 8, 1))
    reference = reference_statistics(backbone, images, split="train", sample_count=len(images))
    return images, np.array([row["label"] for row in rows]), reference


def to_bytes(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def distances(samples, reference):
    return list(score([samples], reference.under(sample_count=len(samples))).values())[:2]


def assert_rising(series):
    for name, values in zip(("fid", "kid"), np.transpose(series), strict=True):
        assert (np.diff(values) > 0).all(), (name, values)


def test_noise(digits):
    images, _, reference = digits
    noise = np.random.default_rng(0).normal(size=images.shape)
    levels = (0, 5, 10, 20, 40, 80, 160)
    assert_rising([distances(to_bytes(images + a * noise), reference) for a in levels])


def test_blur(digits):
    images, _, reference = digits
    blurred = (
        to_bytes(ndimage.gaussian_filter(images.astype(np.float64), (0, width, width, 0)))
        for width in (0, 0.4, 0.5, 0.75, 1.0, 1.5)
    )
    assert_rising([distances(samples, reference) for samples in blurred])


def test_dropped_modes(digits):
    # All other classes as they are. Which classes go matters besides how many, so the steps are
    # large.
    images, labels, reference = digits
    assert_rising([distances(images[labels >= k], reference) for k in (0, 2, 4, 7, 9)])


def test_few_distinct_samples(digits):
    # A generator that only repeats the first so many training images.
    images, _, reference = digits
    choose = np.random.default_rng(0).integers
    kept = (1500, 500, 100, 20, 5)
    assert_rising([distances(images[choose(0, n, 1500)], reference) for n in kept])


def test_real_images_beat_every_mistake_by_far(digits):
    images, _, reference = digits
    examples = Digits().load("test")
    held_out = np.stack([examples[index]["image"] for index in range(len(examples))])
    fid, kid = distances(held_out, reference)
    assert kid < 0.01
    noise = np.random.default_rng(1).integers(0, 256, images.shape, np.uint8)
    for samples in (noise, np.zeros_like(images), images[:, ::-1], 255 - images):
        worse_fid, worse_kid = distances(samples, reference)
        assert worse_fid > 10 * fid
        assert worse_kid > 0.1
