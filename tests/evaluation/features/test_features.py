import hashlib

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

from jaxgan.data.sources.digits import Digits
from jaxgan.data.sources.idx import fashion_mnist
from jaxgan.evaluation.features.backbone import _outputs
from jaxgan.evaluation.features.load import (
    SHIPPED,
    WEIGHTS,
    default_backbone,
    load_backbone,
    read_weights,
    training_record,
    weights_digest,
)


def arrays(source, split):
    examples = source.load(split)
    rows = [examples[index] for index in range(len(examples))]
    return np.stack([row["image"] for row in rows]), np.array([row["label"] for row in rows])


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def accuracy(backbone, images, labels):
    scores = [backbone.logits(images[i : i + 1000]) for i in range(0, len(images), 1000)]
    return float((np.concatenate(scores).argmax(axis=1) == labels).mean())


def test_digits_accuracy_is_the_recorded_one():
    record = training_record("digits-cnn")
    images, labels = arrays(Digits(), "test")
    found = accuracy(load_backbone("digits-cnn", (8, 8, 1)), images, labels)
    assert len(images) == record["test_count"] == 297
    # A multiple of 1/297; another rounding of the scores cannot move it by less than one image.
    assert found == pytest.approx(record["test_accuracy"], abs=1e-9)
    assert found >= 0.97


@pytest.mark.fashion_mnist
@pytest.mark.slow
def test_fashion_accuracy_is_the_recorded_one():
    record = training_record("fashion-cnn")
    images, labels = arrays(fashion_mnist(), "test")
    found = accuracy(load_backbone("fashion-cnn", (28, 28, 1)), images, labels)
    assert len(images) == record["test_count"] == 10_000
    # Of 10,000 images, two may be so close to a boundary that rounding decides.
    assert found == pytest.approx(record["test_accuracy"], abs=2.1e-4)
    assert found >= 0.90


@pytest.mark.parametrize(("name", "limit"), [("digits-cnn", 300_000), ("fashion-cnn", 1_000_000)])
def test_shipped_files_are_small_and_belong_together(name, limit):
    shipped, record = SHIPPED[name], training_record(name)
    path = WEIGHTS / f"{shipped.file}.npz"
    assert path.stat().st_size < limit
    assert weights_digest(read_weights(path)) == record["digest"]
    assert load_backbone(name, shipped.image_shape).digest == record["digest"]
    assert record["recipe"]["backbone"] == name
    assert tuple(record["network"]["widths"]) == shipped.network.widths
    assert tuple(record["network"]["strides"]) == shipped.network.strides
    assert record["command"].startswith("python experiments/feature_classifier.py --dataset")
    assert {"jax", "flax", "optax", "numpy"} <= record["versions"].keys()


def test_digits_features_worked_out_with_scipy():
    # Float64, one output channel at a time; a stride of 2 takes every second of a convolution whose
    # 3x3 windows start at even pixels (XLA pads an even side at its end only).
    weights = read_weights(WEIGHTS / "digits_cnn.npz")
    images = noise((3, 8, 8, 1))

    def leaky(x):
        return np.where(x > 0, x, 0.2 * x)

    expected = []
    for image in images:
        x = image.astype(np.float64) / 255
        for layer, stride in (("Conv_0", 1), ("Conv_1", 1), ("Conv_2", 2)):
            kernel, bias = weights[layer]["kernel"].astype(np.float64), weights[layer]["bias"]
            channels = [
                sum(
                    correlate2d(x[:, :, i], kernel[:, :, i, o], mode="same")
                    for i in range(kernel.shape[2])
                )
                for o in range(kernel.shape[3])
            ]
            x = leaky(
                np.stack(channels, axis=-1)[stride - 1 :: stride, stride - 1 :: stride] + bias
            )
        expected.append(
            leaky(x.reshape(-1) @ weights["hidden"]["kernel"] + weights["hidden"]["bias"])
        )
    backbone = load_backbone("digits-cnn", (8, 8, 1))
    found = backbone.features(jnp.asarray(images))
    assert found.shape == (3, backbone.dimension) == (3, 64)
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-4, atol=1e-5)
    scores = np.array(expected) @ weights["scores"]["kernel"] + weights["scores"]["bias"]
    np.testing.assert_allclose(backbone.logits(images), scores, rtol=1e-3, atol=1e-3)


def test_digits_features_are_scaled_and_alive():
    images, _ = arrays(Digits(), "train")
    features = np.asarray(load_backbone("digits-cnn", (8, 8, 1)).features(images))
    assert np.mean(np.square(features)) == pytest.approx(1.0, rel=1e-3)
    assert (features.std(axis=0) > 0.01).all()


def test_features_do_not_depend_on_the_rest_of_the_batch():
    backbone = load_backbone("fashion-cnn", (28, 28, 1))
    images = noise((6, 28, 28, 1))
    assert backbone.dimension == 64
    together = backbone.features(images)
    np.testing.assert_allclose(together[2:4], backbone.features(images[2:4]), rtol=1e-5, atol=1e-5)


def test_loading_again_does_not_compile_again():
    images = noise((5, 8, 8, 1))
    load_backbone("digits-cnn", (8, 8, 1)).features(images)
    compiled = _outputs._cache_size()
    assert compiled > 0
    again = load_backbone("digits-cnn", (8, 8, 1))
    again.features(images)
    assert again.logits is not None
    again.logits(images)
    assert _outputs._cache_size() == compiled


def test_digest_sees_one_bit_of_one_weight_and_its_place():
    params = read_weights(WEIGHTS / "digits_cnn.npz")
    before = weights_digest(params)
    bias = params["hidden"]["bias"]
    params["hidden"]["bias"] = bias.copy()
    assert weights_digest(params) == before
    params["hidden"]["bias"][7] = np.nextafter(bias[7], np.float32(9))
    assert weights_digest(params) != before
    assert weights_digest({"a": bias, "b": 2 * bias}) != weights_digest({"b": bias, "a": 2 * bias})


def test_pixels_average_whole_blocks():
    images = noise((4, 32, 16, 3))
    backbone = load_backbone("pixels", (32, 16, 3))
    expected = images.reshape(4, 8, 4, 8, 2, 3).mean(axis=(2, 4)) / 255
    found = backbone.features(images)
    assert backbone.name == "pixels8x8"
    assert backbone.dimension == 8 * 8 * 3
    assert backbone.logits is None
    np.testing.assert_allclose(found, expected.reshape(4, -1), rtol=1e-5)


def test_pixels_average_parts_of_pixels_by_area():
    # 28 / 8 = 3.5: the first area has pixels 0, 1, 2 and half of 3; the second has the other half.
    columns = np.zeros((8, 28))
    for area in range(8):
        for pixel in range(28):
            covered = min(3.5 * (area + 1), pixel + 1) - max(3.5 * area, pixel)
            columns[area, pixel] = max(covered, 0.0) / 3.5
    np.testing.assert_allclose(columns[0, :5], np.array([1, 1, 1, 0.5, 0]) / 3.5)
    images = noise((2, 28, 28, 1))
    expected = columns @ (images[..., 0] / 255.0) @ columns.T
    found = load_backbone("pixels", (28, 28, 1)).features(images)
    np.testing.assert_allclose(found, expected.reshape(2, 64), rtol=1e-5)


def test_pixels_leave_small_images_alone_and_name_their_size():
    images = noise((2, 6, 8, 1))
    backbone = load_backbone("pixels", (6, 8, 1))
    assert backbone.name == "pixels6x8"
    np.testing.assert_allclose(backbone.features(images), images.reshape(2, 48) / 255.0, rtol=1e-6)
    assert backbone.digest != load_backbone("pixels", (8, 6, 1)).digest


def test_identity_gives_coordinates():
    points = np.array([[1.5, -2.0], [0.0, 7.0]], np.float32).reshape(2, 1, 1, 2)
    backbone = load_backbone("identity", (1, 1, 2))
    np.testing.assert_array_equal(backbone.features(points), [[1.5, -2.0], [0.0, 7.0]])
    assert backbone.dimension == 2
    assert backbone.digest == hashlib.sha256(b"identity").hexdigest()[:12]


def test_defaults():
    assert default_backbone("digits") == "digits-cnn"
    assert default_backbone("fashion-mnist") == "fashion-cnn"
    assert default_backbone("ring") == default_backbone("grid") == "identity"
    assert default_backbone("swiss-roll") == "identity"
    assert default_backbone("cifar10") == "pixels"


def test_larger_images_are_averaged_down_to_what_a_classifier_reads():
    small = np.random.default_rng(0).integers(0, 246, (3, 8, 8, 1)).astype(np.uint8)
    large = small.repeat(3, axis=1).repeat(3, axis=2)
    # Means stay what they are where a square's values differ.
    large[:, ::3, ::3] += 9
    large[:, 1::3, 2::3] -= np.minimum(small, 9)
    exact = large.reshape(3, 8, 3, 8, 3, 1).astype(np.float64).mean(axis=(2, 4))
    backbone, plain = (load_backbone("digits-cnn", (size, size, 1)) for size in (24, 8))
    expected = plain.features(exact.astype(np.float32))
    np.testing.assert_allclose(backbone.features(large), expected, rtol=1e-4, atol=1e-4)
    assert (backbone.resize, plain.resize) == ("area8x8", "none")
    assert backbone.image_shape == (24, 24, 1)
    assert load_backbone("digits-cnn", (16, 16, 3)).image_shape == (16, 16, 3)
    for shape in ((12, 12, 1), (16, 24, 1), (4, 4, 1)):
        with pytest.raises(ValueError, match="which is no whole multiple"):
            load_backbone("digits-cnn", shape)


def test_wrong_names_and_shapes_are_refused_in_one_line():
    with pytest.raises(ValueError, match="no backbone 'vgg'; choose one of digits-cnn, fa"):
        load_backbone("vgg", (8, 8, 1))
    with pytest.raises(ValueError, match="digits-cnn reads images of 8x8x1, these are 28x28x1"):
        load_backbone("digits-cnn", (28, 28, 1))
    with pytest.raises(ValueError, match="identity reads points of 1x1xd, these are 8x8x1"):
        load_backbone("identity", (8, 8, 1))
    with pytest.raises(ValueError, match="no classifier 'pixels' is shipped"):
        training_record("pixels")
    with pytest.raises(FileNotFoundError, match=r"no weights at .*missing\.npz"):
        read_weights(WEIGHTS / "missing.npz")
