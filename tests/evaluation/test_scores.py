import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.evaluation.distances.fid import frechet_distance
from jaxgan.evaluation.distances.inception_score import inception_score
from jaxgan.evaluation.distances.kid import kernel_distance
from jaxgan.evaluation.features.load import Backbone, load_backbone
from jaxgan.evaluation.reference import reference_statistics
from jaxgan.evaluation.scores import score


def points(count, seed, scale=1.0):
    values = np.random.default_rng(seed).normal(0.5, scale, (count, 1, 1, 2))
    return values.astype(np.float32)


def reference(images, count, backbone=None, **options):
    backbone = load_backbone("identity", (1, 1, 2)) if backbone is None else backbone
    return reference_statistics(backbone, images, split="train", sample_count=count, **options)


def test_scores_of_points_against_numpy():
    real, generated = points(300, 0), points(120, 1, 1.5)
    found = score([generated[:50], generated[50:]], reference(real, 120, weights="raw"))
    x, y = (a.reshape(len(a), 2).astype(np.float64) for a in (real, generated))
    short = "identity,train300,gen120,f32,raw"
    assert list(found) == [f"fid[{short}]", f"kid[{short}]", f"kid_se[{short}]"]
    distance = frechet_distance(
        x.mean(axis=0), np.cov(x, rowvar=False), y.mean(axis=0), np.cov(y, rowvar=False)
    )
    np.testing.assert_allclose(found[f"fid[{short}]"].value, distance, rtol=1e-9)
    kernel = kernel_distance(x, y)
    values = [found[f"{metric}[{short}]"].value for metric in ("kid", "kid_se")]
    np.testing.assert_allclose(values, kernel, rtol=1e-9)


def test_samples_that_break_the_protocol_are_refused():
    ref = reference(points(50, 0), 20)
    with pytest.raises(ValueError, match="gen20,f32,ema is for 20 samples, got 19"):
        score([points(19, 1)], ref)
    with pytest.raises(ValueError, match="the generated ones are"):
        score([np.zeros((20, 2, 2, 1), np.float32)], ref)
    with pytest.raises(ValueError, match="real images are float32, samples must be float32"):
        score([np.zeros((20, 1, 1, 2), np.uint8)], ref)
    diverged = points(20, 1)
    diverged[4] = np.nan
    with pytest.raises(
        ValueError, match=r"fid\[identity,.*\]: the generated set has features that are NaN"
    ):
        score([diverged], ref)
    with pytest.raises(ValueError, match="the real set has 1 images"):
        reference(points(1, 0), 20)


def test_a_backbone_of_ones_own():
    def features(images):
        return jnp.stack([images.mean(axis=(1, 2, 3)), images[:, 0, 0, 0] * 1.0], axis=1)

    backbone = Backbone("mine", "1", jax.jit(features), None, None, 2)
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 5, 3), np.uint8)
    found = score([images], reference(images, 40, backbone))
    assert found["fid[mine,train40,gen40,q8,ema]"].value == pytest.approx(0.0, abs=1e-8)


def classified():
    """A backbone of the mean, whose class scores are twice that and its opposite."""

    def mean(images):
        return images.reshape(len(images), -1).mean(axis=1, keepdims=True) / 255.0

    def logits(images):
        return jnp.concatenate([2.0 * mean(images), -2.0 * mean(images)], axis=1)

    return Backbone("means", "1", jax.jit(mean), jax.jit(logits), None, 1)


IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8)
CLASSES = np.arange(40) % 2


@pytest.mark.parametrize(
    ("metric", "images", "real_labels", "labels", "message"),
    [
        ("is", IMAGES, None, None, "is needs class scores, and backbone pixels4x4 gives none"),
        (
            "cfid", IMAGES, None, CLASSES,
            "cfid needs images of known classes, and the real ones have none",
        ),
        (
            "cfid", IMAGES, CLASSES, None,
            "cfid needs images of known classes, and the generated ones have none",
        ),
        (
            "cas", points(40, 0), CLASSES, CLASSES,
            "cas needs images of 8 bits, and these are points",
        ),
        ("swd", points(40, 0), None, None, "swd needs images of 8 bits, and these are points"),
        (
            "ms_ssim", points(40, 0), None, None,
            "ms_ssim needs images of 8 bits, and these are points",
        ),
        (
            "memorization", IMAGES, None, None,
            "memorization needs the images of training, and others that were held out",
        ),
    ],
)  # fmt: skip
def test_a_metric_without_what_it_needs_is_refused(metric, images, real_labels, labels, message):
    backbone = load_backbone(
        "identity" if images.dtype == np.float32 else "pixels", images.shape[1:]
    )
    ref = reference(images, 40, backbone, labels=real_labels)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        score([images], ref, (metric,), labels=labels)


def test_class_scores_are_those_of_the_backbone():
    found = score([IMAGES], reference(IMAGES, 40, classified()), ("is",))
    mean = IMAGES.reshape(40, -1).mean(axis=1) / 255.0
    logits = np.stack([2 * mean, -2 * mean], axis=1)
    expected = inception_score(logits).mean
    assert found["is[means,train40,gen40,q8,ema]"].value == pytest.approx(expected, rel=1e-6)
    assert expected > 1.001


def test_labels_of_samples_count_and_are_named():
    ref = reference(IMAGES, 40, classified(), labels=CLASSES).under(labels="real")
    name = "cfid[means,train40,gen40,q8,ema,labels=real]"
    same = score([IMAGES], ref, ("cfid",), labels=CLASSES, replicates=0)
    assert same[name].value == pytest.approx(0.0, abs=1e-8)
    # Bright images of class 1, dark ones of class 0: exchanged, each class is far from the real.
    images = np.where(CLASSES[:, None, None, None] == 1, IMAGES // 2 + 128, IMAGES // 2)
    ref = reference(images.astype(np.uint8), 40, classified(), labels=CLASSES).under(labels="real")
    swapped = score([images.astype(np.uint8)], ref, ("cfid",), labels=1 - CLASSES, replicates=0)
    x = images.reshape(40, -1).mean(axis=1) / 255.0
    dark, bright = x[CLASSES == 0], x[CLASSES == 1]
    # Of Gaussians on a line: (difference of means)^2 + (difference of deviations)^2.
    expected = (dark.mean() - bright.mean()) ** 2 + (dark.std(ddof=1) - bright.std(ddof=1)) ** 2
    assert swapped[name].value == pytest.approx(expected, rel=1e-4)
