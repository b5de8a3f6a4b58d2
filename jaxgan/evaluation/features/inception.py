"""Inception-v3 as the Frechet Inception distance uses it: TensorFlow's graph of December 2015.

Szegedy et al. 2016 (arXiv:1512.00567) describe the architecture; Heusel et al. 2017
(arXiv:1706.08500) measure with this trained graph, which departs from the paper and from the
Inception-v3 of other libraries: averages at an image's border are over the pixels that exist, the
last block pools by maximum where others average, there are 1,008 classes, and images are resized by
TensorFlow 1's bilinear filter.

The weights are those of the file ``pt_inception-2015-12-05-6726825d.pth`` in the releases of the
GitHub project mseitzer/pytorch-fid, which torch-fidelity uses as well. It is not shipped here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Num

from jaxgan.evaluation.features.backbone import Backbone, Outputs, network_backbone, weights_digest
from jaxgan.evaluation.features.folding import Layer, fold
from jaxgan.evaluation.features.pytorch_file import read_checkpoint
from jaxgan.evaluation.features.resizing import Filter, resize, to_rgb

VARIABLE = "JAXGAN_INCEPTION"
"""Environment variable with the path of the weights."""

FILE = "pt_inception-2015-12-05-6726825d.pth"
WHERE = (
    f"get {FILE} from the releases of the GitHub project mseitzer/pytorch-fid, put it anywhere, and"
    f" give its path: as the backbone inception:PATH, or in the environment variable {VARIABLE}"
)

SIDE = 299
"""Pixels that the network reads, each way."""

CLASSES = 1008
DIMENSION = 2048

EPSILON = 1e-3
"""Of its batch normalization, Szegedy's as well as PyTorch's port."""

RELEASED = "6726825d"
"""The released file's SHA-256 begins like this."""

FILTERS: Mapping[str, Filter] = {"inception": "tf1-bilinear", "inception-pytorch-fid": "bilinear"}
"""Names of backbones by how they resize: as the graph of 2015 does (and torch-fidelity), or as
pytorch-fid does, which differs wherever images do not have 299x299 pixels."""

BATCH = 32
"""Images a call: their first layers take 6 MB each."""

Maps = Float[Array, "batch _h _w _c"]
Pixels = Float32[Array, "batch 299 299 3"]


def load_inception(name: str, path: Path | None = None) -> Backbone:
    """The network with weights from a file, which must be there already.

    Numbers of other weights than the released ones cannot be taken for FIDs: the backbone's name
    then ends in the weights' digest.

    Args:
        name: one of `FILTERS`.
        path: of the weights; None: what `VARIABLE` says.

    Raises:
        ValueError: no path is given, there is no such file, or it is damaged or of another network.
            One line that says where to get it and where to put it.
    """
    given = path or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if given is None:
        raise ValueError(f"backbone {name} needs weights, which are not shipped: {WHERE}")
    try:
        checkpoint = read_checkpoint(given.expanduser())
    except (OSError, ValueError) as error:
        raise ValueError(f"{error}; {WHERE}") from error
    try:
        params = fold(Inception(), (SIDE, SIDE, 3), checkpoint.tensors, _layer, epsilon=EPSILON)
    except ValueError as error:
        raise ValueError(f"{given} is not the Inception-v3 of the FID: {error}; {WHERE}") from error
    digest = weights_digest(params)
    return network_backbone(
        Inception(),
        params,
        prepare=PREPARATIONS[name],
        name=name if checkpoint.sha256.startswith(RELEASED) else f"{name}-{digest}",
        digest=digest,
        image_shape=None,
        dimension=DIMENSION,
        resize=f"{FILTERS[name]}{SIDE}x{SIDE}",
        channels="gray-to-rgb",
        batch=BATCH,
    )


def _layer(path: str) -> Layer:
    name = path.replace("/", ".")
    return Layer(name) if name == "fc" else Layer(f"{name}.conv", f"{name}.bn")


@jax.jit
def prepared_as_2015(images: Num[Array, "batch h w c"]) -> Pixels:
    """Images in [-1, 1) of 299x299, resized as the 2015 graph does; gray ones three times."""
    return (resize(to_rgb(images), SIDE, "tf1-bilinear") - 128.0) / 128.0


@jax.jit
def _prepared_as_pytorch_fid(images: Num[Array, "batch h w c"]) -> Pixels:
    return 2.0 * resize(to_rgb(images) / 255.0, SIDE, "bilinear") - 1.0


PREPARATIONS = {"inception": prepared_as_2015, "inception-pytorch-fid": _prepared_as_pytorch_fid}
"""What happens to images of values from 0 to 255, by the backbone's name."""


class Inception(nn.Module):
    """The network, without batch normalization, which its convolutions have taken in."""

    @nn.compact
    def __call__(self, pixels: Pixels) -> Outputs:
        """Features (the last pool) and class scores of images in [-1, 1].

        The scores are without the classifier's bias, as in the reference code of the Inception
        score (Salimans et al. 2016) and in torch-fidelity.
        """
        x = _conv("Conv2d_1a_3x3", pixels, 32, 3, stride=2)
        x = _conv("Conv2d_2a_3x3", x, 32, 3)
        x = _max_pool(_conv("Conv2d_2b_3x3", x, 64, 3, padding=1))
        x = _conv("Conv2d_3b_1x1", x, 80, 1)
        x = _max_pool(_conv("Conv2d_4a_3x3", x, 192, 3))
        x = BlockA(32, name="Mixed_5b")(x)
        x = BlockA(64, name="Mixed_5c")(x)
        x = BlockA(64, name="Mixed_5d")(x)
        x = BlockB(name="Mixed_6a")(x)
        for name, width in (("b", 128), ("c", 160), ("d", 160), ("e", 192)):
            x = BlockC(width, name=f"Mixed_6{name}")(x)
        x = BlockD(name="Mixed_7a")(x)
        x = BlockE(maximum=False, name="Mixed_7b")(x)
        x = BlockE(maximum=True, name="Mixed_7c")(x)
        features = x.mean((1, 2))
        exact = jax.lax.Precision.HIGHEST
        scores = nn.Dense(CLASSES, use_bias=False, precision=exact, name="fc")
        return Outputs(features, scores(features))


class BlockA(nn.Module):
    """35x35 pixels: 1x1, 5x5, two 3x3, and an average. ``pooled``: channels of the latter."""

    pooled: int

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """All four beside one another."""
        five = _conv("branch5x5_1", x, 48, 1)
        three = _conv("branch3x3dbl_2", _conv("branch3x3dbl_1", x, 64, 1), 96, 3, padding=1)
        return _beside(
            _conv("branch1x1", x, 64, 1),
            _conv("branch5x5_2", five, 64, 5, padding=2),
            _conv("branch3x3dbl_3", three, 96, 3, padding=1),
            _conv("branch_pool", _average_pool(x), self.pooled, 1),
        )


class BlockB(nn.Module):
    """From 35x35 pixels to 17x17."""

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """3x3, two 3x3, and the maximum beside one another."""
        three = _conv("branch3x3dbl_2", _conv("branch3x3dbl_1", x, 64, 1), 96, 3, padding=1)
        return _beside(
            _conv("branch3x3", x, 384, 3, stride=2),
            _conv("branch3x3dbl_3", three, 96, 3, stride=2),
            _max_pool(x),
        )


class BlockC(nn.Module):
    """17x17 pixels: 7x7 convolutions as pairs of 1x7 and 7x1. ``width``: channels between them."""

    width: int

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """1x1, one pair, two pairs, and an average beside one another."""
        one = _conv("branch7x7_1", x, self.width, 1)
        one = _conv("branch7x7_2", one, self.width, (1, 7), padding=(0, 3))
        two = _conv("branch7x7dbl_1", x, self.width, 1)
        two = _conv("branch7x7dbl_2", two, self.width, (7, 1), padding=(3, 0))
        two = _conv("branch7x7dbl_3", two, self.width, (1, 7), padding=(0, 3))
        two = _conv("branch7x7dbl_4", two, self.width, (7, 1), padding=(3, 0))
        return _beside(
            _conv("branch1x1", x, 192, 1),
            _conv("branch7x7_3", one, 192, (7, 1), padding=(3, 0)),
            _conv("branch7x7dbl_5", two, 192, (1, 7), padding=(0, 3)),
            _conv("branch_pool", _average_pool(x), 192, 1),
        )


class BlockD(nn.Module):
    """From 17x17 pixels to 8x8."""

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """3x3, a pair and 3x3, and the maximum beside one another."""
        seven = _conv("branch7x7x3_1", x, 192, 1)
        seven = _conv("branch7x7x3_2", seven, 192, (1, 7), padding=(0, 3))
        seven = _conv("branch7x7x3_3", seven, 192, (7, 1), padding=(3, 0))
        return _beside(
            _conv("branch3x3_2", _conv("branch3x3_1", x, 192, 1), 320, 3, stride=2),
            _conv("branch7x7x3_4", seven, 192, 3, stride=2),
            _max_pool(x),
        )


class BlockE(nn.Module):
    """8x8 pixels. ``maximum``: whether the pool is the graph's odd one, in its last block."""

    maximum: bool

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        """1x1, two pairs whose halves stand beside one another, and a pool."""
        one = _conv("branch3x3_1", x, 384, 1)
        two = _conv("branch3x3dbl_2", _conv("branch3x3dbl_1", x, 448, 1), 384, 3, padding=1)
        pooled = nn.max_pool(x, (3, 3), padding="SAME") if self.maximum else _average_pool(x)
        return _beside(
            _conv("branch1x1", x, 320, 1),
            _conv("branch3x3_2a", one, 384, (1, 3), padding=(0, 1)),
            _conv("branch3x3_2b", one, 384, (3, 1), padding=(1, 0)),
            _conv("branch3x3dbl_3a", two, 384, (1, 3), padding=(0, 1)),
            _conv("branch3x3dbl_3b", two, 384, (3, 1), padding=(1, 0)),
            _conv("branch_pool", pooled, 192, 1),
        )


def _conv(
    name: str,
    x: Maps,
    channels: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
) -> Maps:
    """A convolution with bias and ReLU, a submodule of the module that calls this."""
    size = (kernel, kernel) if isinstance(kernel, int) else kernel
    around = (padding, padding) if isinstance(padding, int) else padding
    convolution = nn.Conv(
        channels,
        size,
        strides=stride,
        padding=[(n, n) for n in around],
        precision=jax.lax.Precision.HIGHEST,
        kernel_init=nn.initializers.zeros_init(),  # never trained here, and quick to trace
        name=name,
    )
    return nn.relu(convolution(x))


def _max_pool(x: Maps) -> Maps:
    return nn.max_pool(x, (3, 3), strides=(2, 2))


def _average_pool(x: Maps) -> Maps:
    """Of 3x3 pixels, at the border of those that exist."""
    return nn.avg_pool(x, (3, 3), padding="SAME", count_include_pad=False)


def _beside(*maps: Maps) -> Maps:
    return jnp.concatenate(maps, axis=-1)
