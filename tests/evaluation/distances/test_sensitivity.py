"""The shipped digits features see what is wrong with samples, and more of it the worse it is."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from jaxgan.data.sources.digits import Digits
from jaxgan.evaluation.distances.fid_infinity import fid_infinity, frechet_estimate
from jaxgan.evaluation.distances.inception_score import inception_score
from jaxgan.evaluation.distances.kid import kernel_distance
from jaxgan.evaluation.distances.precision_recall import prdc
from jaxgan.evaluation.features.extraction import extract
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.reference import reference_statistics
from jaxgan.evaluation.scores import score


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
    found = score([samples], reference.under(sample_count=len(samples)), replicates=0)
    return [estimate.value for estimate in found.values()][:2]


def assert_rising(series):
    for name, values in zip(("fid", "kid"), np.transpose(series), strict=True):
        assert (np.diff(values) > 0).all(), (name, values)


def assert_significantly_rising(samples, reference):
    """Each set of samples is worse than the one before by more than the 95% intervals of both."""
    found = {"fid": [], "fid_inf": [], "kid": []}
    for images in samples:
        features = extract(reference.backbone, [images]).features
        found["fid"].append(frechet_estimate(reference.moments, features))
        found["fid_inf"].append(fid_infinity(reference.moments, features, points=8))
        found["kid"].append(
            kernel_distance(reference.features, features, real_sums=reference.kernel_sums).interval
        )
    for name, estimates in found.items():
        for better, worse in pairwise(estimates):
            assert better.low <= better.value <= better.high < worse.low, (name, estimates)


@pytest.mark.slow
def test_noise(digits):
    images, _, reference = digits
    noise = np.random.default_rng(0).normal(size=images.shape)
    levels = (0, 5, 10, 20, 40, 80, 160)
    assert_rising([distances(to_bytes(images + a * noise), reference) for a in levels])


@pytest.mark.slow
def test_blur(digits):
    images, _, reference = digits
    blurred = (
        to_bytes(ndimage.gaussian_filter(images.astype(np.float64), (0, width, width, 0)))
        for width in (0, 0.4, 0.5, 0.75, 1.0, 1.5)
    )
    assert_rising([distances(samples, reference) for samples in blurred])


@pytest.mark.slow
def test_dropped_modes(digits):
    # All other classes as they are. Which classes go matters besides how many, so the steps are
    # large.
    images, labels, reference = digits
    assert_rising([distances(images[labels >= k], reference) for k in (0, 2, 4, 7, 9)])


def test_noise_by_more_than_the_intervals(digits):
    images, _, reference = digits
    noise = np.random.default_rng(0).normal(size=images.shape)
    assert_significantly_rising(
        (to_bytes(images + a * noise) for a in (10, 40, 80, 160)), reference
    )


@pytest.mark.slow
def test_blur_by_more_than_the_intervals(digits):
    images, _, reference = digits
    assert_significantly_rising(
        (
            to_bytes(ndimage.gaussian_filter(images.astype(np.float64), (0, width, width, 0)))
            for width in (0.4, 0.5, 0.75, 1.0, 1.5)
        ),
        reference,
    )


@pytest.mark.slow
def test_dropped_modes_by_more_than_the_intervals(digits):
    images, labels, reference = digits
    assert_significantly_rising((images[labels >= k] for k in (2, 4, 7, 9)), reference)


def recalls(samples, reference):
    features = (extract(reference.backbone, [images]).features for images in samples)
    return np.array([prdc(reference.features, each).recall.value for each in features])


@pytest.mark.slow
def test_recall_falls_with_noise_and_blur(digits):
    images, _, reference = digits
    noise = np.random.default_rng(0).normal(size=images.shape)
    found = recalls((to_bytes(images + a * noise) for a in (0, 20, 40, 80, 160)), reference)
    assert found[0] == 1.0
    assert (np.diff(found) < 0).all(), found
    assert found[-1] < 0.75
    blurred = recalls(
        (
            to_bytes(ndimage.gaussian_filter(images.astype(np.float64), (0, width, width, 0)))
            for width in (0, 0.5, 0.75, 1.0)
        ),
        reference,
    )
    assert (np.diff(blurred) < 0).all(), blurred
    assert blurred[-1] < 0.01


@pytest.mark.slow
def test_recall_is_the_share_of_the_modes_that_are_left(digits):
    images, labels, reference = digits
    shares = [np.mean(labels >= k) for k in (0, 2, 4, 7, 9)]
    found = recalls((images[labels >= k] for k in (0, 2, 4, 7, 9)), reference)
    np.testing.assert_allclose(found, shares, atol=0.03)
    assert (np.diff(found) < 0).all()


@pytest.mark.slow
def test_inception_score_falls_with_dropped_modes(digits):
    # The same number of samples each; at best the score is the number of classes that are left.
    images, labels, reference = digits
    chosen = np.random.default_rng(0).permutation(len(images))
    intervals = []
    for k in (0, 2, 4, 7):
        kept = images[chosen[labels[chosen] >= k][:440]]
        logits = extract(reference.backbone, [kept], logits=True).logits
        intervals.append(inception_score(logits, splits=4).interval)
        assert 0.8 * (10 - k) < intervals[-1].value <= 10 - k + 0.3
    for better, worse in pairwise(intervals):
        assert worse.high < better.low, intervals


def test_inception_score_falls_with_noise(digits):
    images, _, reference = digits
    noise = np.random.default_rng(0).normal(size=images.shape)
    intervals = [
        inception_score(
            extract(reference.backbone, [to_bytes(images + a * noise)], logits=True).logits
        ).interval
        for a in (0, 40, 80, 160)
    ]
    for better, worse in pairwise(intervals):
        assert worse.high < better.low, intervals


@pytest.mark.slow
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
