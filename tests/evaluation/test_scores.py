import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.evaluation.distances.fid import frechet_distance
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
