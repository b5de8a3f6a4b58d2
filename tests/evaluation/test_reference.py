import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.evaluation import cache
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.protocol import Protocol
from jaxgan.evaluation.reference import classes_of, draw, reference_statistics

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
    third = first.under(via="a-b", sampler="ddim", nfe=50, labels="real").protocol
    assert (third.via, third.sampler, third.nfe, third.labels) == ("a-b", "ddim", 50, "real")
    assert third.sample_count == 20
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


def test_drawing_hands_on_classes():
    asked = []

    def sample(key, count, labels):
        asked.append((jax.random.key_data(key).tolist(), count, labels.tolist()))
        return np.tile(labels[:, None, None, None], (1, 2, 2, 1)).astype(np.uint8)

    protocol = dataclasses.replace(PROTOCOL, sample_count=7)
    labels = np.array([5, 0, 3, 3, 1, 2, 4], np.int32)
    batches = list(draw(sample, protocol, 3, labels))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert np.concatenate(batches)[:, 1, 1, 0].tolist() == labels.tolist()
    # Always as many are asked for; the surplus goes on with the first classes.
    assert [(count, some) for _, count, some in asked] == [
        (3, [5, 0, 3]), (3, [3, 1, 2]), (3, [4, 5, 0])
    ]  # fmt: skip
    keys = []

    def unlabeled(key, count):
        keys.append(jax.random.key_data(key).tolist())
        return np.zeros((count, 2, 2, 1), np.uint8)

    list(draw(unlabeled, protocol, 3))
    assert [key for key, *_ in asked] == keys
    assert len(set(map(tuple, keys))) == 3
    with pytest.raises(ValueError, match="there are 6 labels for 7 samples"):
        next(draw(sample, protocol, 3, labels[:6]))


@pytest.mark.parametrize(
    ("how", "count", "classes", "real", "expected"),
    [
        ("uniform", 12, 3, None, [4, 4, 4]),
        # What is left goes to the lower classes.
        ("uniform", 11, 3, None, [4, 4, 3]),
        ("real", 6, 3, [2, 2, 2, 0, 2, 0], [2, 0, 4]),
        # Shares 1/6, 2/6, 3/6 of 10: 1.67, 3.33 and 5; the largest remainder is that of the first.
        ("real", 10, 3, [0, 1, 1, 2, 2, 2], [2, 3, 5]),
        ("2", 4, 3, None, [0, 0, 4]),
        ("0", 4, 3, None, [4, 0, 0]),
    ],
)
def test_classes_of_samples(how, count, classes, real, expected):
    protocol = dataclasses.replace(PROTOCOL, sample_count=count, labels=how)
    real = None if real is None else np.array(real)
    found = classes_of(protocol, classes, real)
    assert found.dtype == np.int32
    assert np.bincount(found, minlength=classes).tolist() == expected
    np.testing.assert_array_equal(classes_of(protocol, classes, real), found)


def test_classes_of_samples_are_mixed_by_the_seed():
    protocol = dataclasses.replace(PROTOCOL, sample_count=1000, labels="uniform")
    found = classes_of(protocol, 10)
    # Sorted, the first tenth would be of one class; mixed, it has 10 of each, give or take 2.8.
    counts = np.bincount(found[:100], minlength=10)
    assert counts.min() > 0
    assert counts.max() < 25
    other = classes_of(dataclasses.replace(protocol, seed=1), 10)
    assert (found != other).mean() > 0.8
    assert classes_of(PROTOCOL, 10) is None


@pytest.mark.parametrize(
    ("how", "real", "message"),
    [
        ("real", None, "labels = 'real': the real images have no classes"),
        ("real", [0, 3], "a real image is of class 3; there are 3"),
        ("3", None, "labels = '3': must be uniform, real, or a class from 0 to 2"),
        ("-1", None, "labels = '-1': must be uniform, real, or a class from 0 to 2"),
        ("even", None, "labels = 'even': must be uniform, real, or a class from 0 to 2"),
    ],
)
def test_classes_that_there_are_not(how, real, message):
    protocol = dataclasses.replace(PROTOCOL, labels=how)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        classes_of(protocol, 3, None if real is None else np.array(real))


def test_statistics_are_computed_once(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), np.uint8)
    backbone = load_backbone("digits-cnn", (8, 8, 1))
    calls = []

    def counted(batch):
        calls.append(len(batch))
        return backbone.features(batch)

    counting = backbone._replace(features=counted, both=None)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))

    def measured(images, **changes):
        return reference(images, 10, counting._replace(**changes), use_cache=True)

    first = measured(images)
    assert len(calls) == 1
    second = measured(images)
    assert len(calls) == 1
    for name in ("features", "logits", "kernel_sums"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.moments.mean, second.moments.mean)
    np.testing.assert_array_equal(first.moments.second, second.moments.second)
    assert first.moments.count == second.moments.count == 30
    assert first.protocol == second.protocol
    # Whatever they depend on makes them others.
    measured(images[:29])
    measured(255 - images)
    measured(images, digest="another")
    measured(images, name="another")
    assert len(calls) == 5
    reference(images, 10, counting)
    assert len(calls) == 6


def test_labels_belong_to_images():
    images = points(30, 0)
    assert reference(images, 10, labels=np.arange(30)).labels[7] == 7
    with pytest.raises(ValueError, match="there are 29 labels for 30 real images"):
        reference(images, 10, labels=np.arange(29))
