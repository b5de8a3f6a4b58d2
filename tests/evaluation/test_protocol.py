import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.evaluation.features import Backbone, load_backbone
from jaxgan.evaluation.fid import frechet_distance
from jaxgan.evaluation.kid import kernel_distance
from jaxgan.evaluation.protocol import Protocol, draw, reference_statistics, score

PROTOCOL = Protocol(
    backbone="digits-cnn",
    backbone_digest="abc",
    split="train",
    real_count=1500,
    real_digest="def",
    sample_count=1000,
)


def points(count, seed, scale=1.0):
    values = np.random.default_rng(seed).normal(0.5, scale, (count, 1, 1, 2))
    return values.astype(np.float32)


def reference(images, count, backbone=None, **options):
    backbone = load_backbone("identity", (1, 1, 2)) if backbone is None else backbone
    return reference_statistics(backbone, images, split="train", sample_count=count, **options)


def test_the_name_says_what_was_measured():
    assert PROTOCOL.name("fid") == "fid[digits-cnn,train1500,gen1000,q8,ema]"
    other = dataclasses.replace(
        PROTOCOL, split="test", real_count=297, quantized=False, weights="raw", batch_norm="batch"
    )
    assert other.name("kid") == "kid[digits-cnn,test297,gen1000,f32,raw,bn=batch]"


def test_the_digest_sees_every_field():
    changed = {
        "backbone": "pixels8x8",
        "backbone_digest": "xyz",
        "split": "test",
        "real_count": 1501,
        "real_digest": "xyz",
        "sample_count": 1001,
        "quantized": False,
        "weights": "raw",
        "batch_norm": "batch",
        "seed": 1,
    }
    assert changed.keys() == {field.name for field in dataclasses.fields(Protocol)}
    digests = {
        dataclasses.replace(PROTOCOL, **{name: value}).digest for name, value in changed.items()
    }
    assert len(digests | {PROTOCOL.digest}) == len(changed) + 1
    assert dataclasses.replace(PROTOCOL).digest == PROTOCOL.digest


def test_scores_of_points_against_numpy():
    real, generated = points(300, 0), points(120, 1, 1.5)
    found = score([generated[:50], generated[50:]], reference(real, 120, weights="raw"))
    x, y = (a.reshape(len(a), 2).astype(np.float64) for a in (real, generated))
    short = "identity,train300,gen120,f32,raw"
    assert list(found) == [f"fid[{short}]", f"kid[{short}]", f"kid_se[{short}]"]
    distance = frechet_distance(
        x.mean(axis=0), np.cov(x, rowvar=False), y.mean(axis=0), np.cov(y, rowvar=False)
    )
    np.testing.assert_allclose(found[f"fid[{short}]"], distance, rtol=1e-9)
    kernel = kernel_distance(x, y)
    values = [found[f"{metric}[{short}]"] for metric in ("kid", "kid_se")]
    np.testing.assert_allclose(values, kernel, rtol=1e-9)


def test_real_images_may_come_in_any_batches():
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), np.uint8)
    backbone = load_backbone("digits-cnn", (8, 8, 1))
    whole = reference(images, 10, backbone)
    parts = reference((images[i : i + 7] for i in range(0, 30, 7)), 10, backbone)
    on_device = reference(jnp.asarray(images), 10, backbone)
    assert whole.protocol == parts.protocol == on_device.protocol
    assert whole.protocol.quantized
    assert whole.protocol.backbone_digest == backbone.digest
    assert whole.protocol.real_count == 30
    np.testing.assert_array_equal(whole.features, parts.features)
    images[3, 4, 5, 0] ^= 1
    assert reference(images, 10, backbone).protocol.real_digest != whole.protocol.real_digest


def test_one_reference_serves_several_protocols():
    first = reference(points(50, 0), 20)
    second = first.under(sample_count=10, weights="raw", seed=3, batch_norm="standing")
    assert second.protocol == dataclasses.replace(
        first.protocol, sample_count=10, weights="raw", seed=3, batch_norm="standing"
    )
    assert second.features is first.features
    assert first.under().protocol == first.protocol


def test_drawing_takes_the_count_and_the_seed_from_the_protocol():
    asked = []

    def sample(key, count):
        asked.append(count)
        return jax.random.randint(key, (count, 8, 8, 1), 0, 256, dtype=jnp.uint8)

    protocol = dataclasses.replace(PROTOCOL, sample_count=23)
    batches = list(draw(sample, protocol, batch=10))
    assert asked == [10, 10, 10]
    assert [len(batch) for batch in batches] == [10, 10, 3]
    images = np.concatenate(batches)
    assert len(np.unique(images.reshape(23, -1), axis=0)) == 23
    again = np.concatenate(list(draw(sample, protocol, batch=10)))
    np.testing.assert_array_equal(again, images)
    other = dataclasses.replace(protocol, seed=1)
    assert (np.concatenate(list(draw(sample, other, batch=10))) != images).mean() > 0.9
    assert [len(batch) for batch in draw(sample, protocol)] == [23]


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
    assert found["fid[mine,train40,gen40,q8,ema]"] == pytest.approx(0.0, abs=1e-8)
