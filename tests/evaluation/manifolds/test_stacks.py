"""Modes of stacked images: counts, their KL, its floor, and the classifier by channel."""

import math

import numpy as np
import pytest
from scipy import stats

from jaxgan.data import reading
from jaxgan.data.sources.stacked import Stacked
from jaxgan.evaluation import scores
from jaxgan.evaluation.features.by_channel import by_channel
from jaxgan.evaluation.features.extraction import extract
from jaxgan.evaluation.features.load import default_backbone, load_backbone
from jaxgan.evaluation.manifolds.stacks import kl_floor, mode_kl, stack_metrics
from jaxgan.evaluation.reference import reference_statistics

DIGITS = Stacked(count=400)
HOW = "digits-cnn,train400,gen300,q8,ema,channels=each"


def scores_of(modes, total):
    return np.eye(total, dtype=np.float32)[modes]


def test_kl_of_shares():
    assert mode_kl(np.array([3, 3, 3])) == pytest.approx(0.0, abs=1e-12)
    assert mode_kl(np.array([0, 7, 0, 0])) == pytest.approx(math.log(4))
    counts = np.array([1, 2, 5, 0])
    assert mode_kl(counts) == pytest.approx(stats.entropy(counts, np.ones(4)))
    # The other way round it would be infinite.
    assert mode_kl(counts) < math.log(4)
    with pytest.raises(ValueError, match="at least one sample"):
        mode_kl(np.zeros(4, int))


def test_floor_of_a_thousand_equal_modes():
    """0.0191 +- 0.0009 at 26,000 samples, as measured elsewhere; the formula for large counts."""
    found = kl_floor(np.full(1000, 1e-3), 26_000)
    assert found.value == pytest.approx(0.0191, abs=0.0009)
    assert found.value == pytest.approx(999 / 52_000, rel=0.03)
    assert found.low < found.value < found.high
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(0.0009, rel=0.3)
    # With fewer samples than modes the formula says 4.995; the truth is at most log(1000 / 100).
    assert kl_floor(np.full(1000, 1e-3), 100).value == pytest.approx(math.log(10), abs=0.1)
    # Shares that are not equal have a KL of their own.
    uneven = np.array([0.7, 0.2, 0.1])
    assert kl_floor(uneven, 100_000).value == pytest.approx(
        stats.entropy(uneven, np.ones(3)), rel=0.01
    )


def test_metrics_of_modes():
    real = scores_of(np.arange(1000), 1000)
    covered = stack_metrics(scores_of(np.arange(1000).repeat(3), 1000), real)
    assert covered["modes"].value == 1000
    assert covered["mode_kl"].value == pytest.approx(0.0, abs=1e-12)
    assert covered["mode_kl_floor"].value == pytest.approx(999 / 6000, rel=0.1)
    collapsed = stack_metrics(scores_of([5] * 50, 1000), real, replicates=10)
    assert collapsed["modes"] == (1, 1, 1)
    assert collapsed["mode_kl"].value == pytest.approx(math.log(1000))
    half = stack_metrics(scores_of(np.arange(500).repeat(4), 1000), real, replicates=10)
    assert half["modes"].value == 500
    assert half["mode_kl"].value == pytest.approx(math.log(2))
    assert half["mode_kl"].low <= half["mode_kl"].value <= half["mode_kl"].high


def test_the_floor_knows_how_common_classes_are():
    """Of 8 modes of two classes, one class making up 3/4 of all images in each channel."""
    share = np.array([0.75, 0.25])
    counts = np.einsum("a,b,c->abc", share, share, share).ravel() * 64
    real = scores_of(np.repeat(np.arange(8), counts.astype(int)), 8)
    found = stack_metrics(scores_of(np.arange(8).repeat(10_000), 8), real)
    assert found["mode_kl"].value == pytest.approx(0.0, abs=1e-12)
    assert found["mode_kl_floor"].value == pytest.approx(3 * stats.entropy(share, [1, 1]), rel=0.02)


def test_a_classifier_by_channel_is_the_classifier_of_each_channel():
    gray, stacked = load_backbone("digits-cnn", (8, 8, 1)), load_backbone("digits-cnn", (8, 8, 3))
    found = reading.arrays(DIGITS.load("train"), slice(40))
    images, labels = found["image"], found["label"]
    each = [extract(gray, [images[..., [c]]], logits=True) for c in range(3)]
    whole = extract(stacked, [images], logits=True)
    np.testing.assert_allclose(
        whole.features, np.concatenate([one.features for one in each], axis=1), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(stacked.features(images), whole.features, rtol=1e-5, atol=1e-5)
    assert stacked.dimension == whole.features.shape[1] == 192
    assert (stacked.name, stacked.digest) == (gray.name, gray.digest)
    assert (gray.channels, stacked.channels) == ("none", "each")
    shares = [np.exp(one.logits) / np.exp(one.logits).sum(1, keepdims=True) for one in each]
    product = np.einsum("na,nb,nc->nabc", *shares).reshape(40, 1000)
    np.testing.assert_allclose(np.exp(whole.logits), product, rtol=1e-3, atol=1e-6)
    # Training images, all of which the classifier knows: the modes are the labels.
    np.testing.assert_array_equal(whole.logits.argmax(axis=1), labels)
    assert by_channel(gray, 2).image_shape == (8, 8, 2)


def test_stacks_are_measured_by_the_classifier_of_their_images():
    assert default_backbone("stacked-digits") == "digits-cnn"
    assert default_backbone("stacked-fashion-mnist") == "fashion-cnn"
    assert default_backbone("stacked-photographs") == "pixels"
    assert load_backbone("fashion-cnn", (28, 28, 3)).dimension == 192
    with pytest.raises(ValueError, match="digits-cnn reads images of 8x8x1, these are 8x8x2"):
        load_backbone("digits-cnn", (8, 8, 2))


def test_modes_are_a_metric_of_samples():
    images = reading.arrays(DIGITS.load("train"))["image"]
    backbone = load_backbone("digits-cnn", (8, 8, 3))
    real = reference_statistics(backbone, images, split="train", sample_count=300)
    found = scores.results([images[:300]], real, ["modes"], replicates=0)
    assert [*found] == [f"{name}[{HOW}]" for name in ("modes", "mode_kl", "mode_kl_floor")]
    one = scores.results([images[[9] * 300]], real, ["modes"], replicates=0)
    assert one[f"modes[{HOW}]"].value.value == 1
    assert one[f"mode_kl[{HOW}]"].value.value == pytest.approx(math.log(1000))
    gray = reference_statistics(
        load_backbone("digits-cnn", (8, 8, 1)), images[..., :1], split="train", sample_count=300
    )
    with pytest.raises(ValueError, match="modes needs a data set of stacked gray images"):
        scores.results([images[:300, ..., :1]], gray, ["modes"])
