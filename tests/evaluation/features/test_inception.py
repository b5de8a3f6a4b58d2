import json
from pathlib import Path

import numpy as np
import pytest
from pytorch_files import images, save, weights

from jaxgan.evaluation.features import inception
from jaxgan.evaluation.features.inception import PREPARATIONS, VARIABLE
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.features.pytorch_file import Checkpoint

HERE = Path(__file__).parents[1] / "reference"
# torch-fidelity and pytorch-fid with the same weights and images (make_networks.py).
REFERENCE = np.load(HERE / "networks.npz")
SHAPES = json.loads((HERE / "networks.json").read_text())["shapes"]["inception"]
BATCH = images(2, 2, 40, 56, 3)
WHERE = (
    r"; get pt_inception-2015-12-05-6726825d\.pth from the releases of the GitHub project "
    r"mseitzer/pytorch-fid, put it anywhere, and give its path: as the backbone inception:PATH, "
    r"or in the environment variable JAXGAN_INCEPTION$"
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    save(path, weights(SHAPES, seed=1))
    return path


def assert_close(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    # Sums of many terms: what is small beside the others is known to their rounding.
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).mean())


@pytest.mark.slow
def test_it_is_that_of_the_reference_implementations(path):
    backbone = load_backbone(f"inception:{path}", (40, 56, 3))
    assert backbone.both is not None
    both = backbone.both(BATCH)
    assert_close(both.features, REFERENCE["inception_features"])
    # Without the bias, as Inception scores are computed.
    assert_close(both.logits, REFERENCE["inception_logits"])
    np.testing.assert_array_equal(backbone.features(BATCH), both.features)
    assert backbone.logits is not None
    np.testing.assert_array_equal(backbone.logits(BATCH), both.logits)
    other = load_backbone(f"inception-pytorch-fid:{path}", (40, 56, 3))
    assert_close(other.features(BATCH), REFERENCE["pytorch_fid_features"])
    # What a protocol tells of them.
    assert (backbone.dimension, backbone.channels, backbone.image_shape) == (
        *(2048, "gray-to-rgb"),
        None,
    )
    assert backbone.resize == "tf1-bilinear299x299"
    assert other.resize == "bilinear299x299"
    # Not the released weights, so not the FID's network; and the name says which.
    assert backbone.name == f"inception-{backbone.digest}"
    assert other.name == f"inception-pytorch-fid-{backbone.digest}"
    assert other.digest == backbone.digest


def test_what_the_networks_read():
    # An image of 299x299 is not resized; (x - 128) / 128 against 2 x / 255 - 1.
    whole = images(6, 1, 299, 299, 3)
    exact = (whole.astype(np.float64) - 128) / 128
    np.testing.assert_allclose(PREPARATIONS["inception"](whole), exact, atol=1e-6)
    exact = 2 * whole.astype(np.float64) / 255 - 1
    np.testing.assert_allclose(PREPARATIONS["inception-pytorch-fid"](whole), exact, atol=1e-6)
    gray = images(7, 2, 28, 28, 1)
    for prepare in PREPARATIONS.values():
        found = prepare(gray)
        assert found.shape == (2, 299, 299, 3)
        np.testing.assert_allclose(found, prepare(np.repeat(gray, 3, axis=3)), atol=1e-6)


@pytest.mark.slow
def test_the_released_weights_need_no_digest_in_the_name(monkeypatch):
    tensors = {name: np.broadcast_to(np.float32(1), shape) for name, shape in SHAPES.items()}
    released = Checkpoint(tensors, "6726825d" + "0" * 56)
    monkeypatch.setattr(inception, "read_checkpoint", lambda _: released)
    for name in inception.FILTERS:
        assert load_backbone(f"{name}:x.pth", (32, 32, 3)).name == name


def test_the_variable_names_the_file(path, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(path))
    name = load_backbone("inception", (28, 28, 1)).name
    assert name.startswith("inception-")
    assert len(name) == len("inception-") + 12
    # What is given counts more than what is usual.
    with pytest.raises(ValueError, match=r"there is no file .*other\.pth" + WHERE):
        load_backbone(f"inception:{tmp_path}/other.pth", (28, 28, 1))


@pytest.mark.parametrize("given", [None, ""])
def test_missing_weights_are_one_line(given, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(VARIABLE, given)
    message = r"^backbone inception needs weights, which are not shipped" + WHERE.replace(
        "; ", ": "
    )
    with pytest.raises(ValueError, match=message):
        load_backbone("inception", (32, 32, 3))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        # The Inception-v3 of torchvision.
        ({"fc.weight": np.zeros((1000, 2048))}, r"fc\.weight is of shape \(1000, 2048\), not"),
        ({"Mixed_7c.branch_pool.bn.bias": None}, r"it has no Mixed_7c\.branch_pool\.bn\.bias"),
        ({"Mixed_6a.branch3x3.bn.bias": np.full(384, np.nan)}, r"Mixed_6a\.\S+ has values that"),
        ({"Mixed_6a.branch3x3.bn.running_var": np.full(384, -1)}, r"Mixed_6a\.\S+ has values that"),
    ],
    ids=["classes", "missing", "nan", "variance"],
)
def test_another_network_is_one_line(changes, complaint, monkeypatch):
    tensors = {name: np.broadcast_to(np.float32(1), shape) for name, shape in SHAPES.items()}
    tensors = {name: x for name, x in (tensors | changes).items() if x is not None}
    read = Checkpoint(tensors, "0" * 64)
    monkeypatch.setattr(inception, "read_checkpoint", lambda _: read)
    message = rf"^wrong\.pth is not the Inception-v3 of the FID: {complaint}.*" + WHERE
    with pytest.raises(ValueError, match=message):
        load_backbone("inception:wrong.pth", (32, 32, 3))


def test_a_damaged_file_is_one_line(path, tmp_path):
    cut = tmp_path / "cut.pth"
    cut.write_bytes(path.read_bytes()[:1_000_000])
    with pytest.raises(ValueError, match=r"cut\.pth is no PyTorch checkpoint, or.*" + WHERE):
        load_backbone(f"inception:{cut}", (32, 32, 3))


@pytest.mark.parametrize("shape", [(1, 1, 2), (8, 8, 2), (1, 1, 3)])
def test_points_are_no_photographs(shape, path):
    with pytest.raises(ValueError, match="backbone inception reads gray or RGB images, these are"):
        load_backbone(f"inception:{path}", shape)
