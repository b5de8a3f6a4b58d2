"""Backbones: what turns images into the features that distances are computed on.

Two small classifiers are shipped with their weights, trained on the training split alone by
``experiments/feature_classifier.py``, so that features exist without a download. Their distances
are no FIDs: they compare models with one another, not with the literature. Larger networks for
photographs are loaded from weights that others distribute.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jaxtyping import Array, Float, Num

from jaxgan.evaluation.features.backbone import Backbone, network_backbone, weights_digest
from jaxgan.evaluation.features.by_channel import by_channel
from jaxgan.evaluation.features.efficientnet import load_efficientnet_lite1
from jaxgan.evaluation.features.inception import FILTERS, load_inception
from jaxgan.evaluation.features.resizing import area_means
from jaxgan.typing import ImageShape, Params

WEIGHTS = Path(__file__).parent / "weights"
"""Where the shipped weights and the records of their training lie."""

STACK = 3
"""Channels of a stack of gray images that classifiers of these read as well."""

POOLED_SIZE = 8
"""Side to which ``pixels`` averages larger images down."""


SLOPE = 0.2
"""Of the classifiers' leaky ReLUs; plain ones left a quarter of the features always zero."""


class Classifier(nn.Module):
    """A small convolutional classifier whose last hidden layer serves as features.

    Convolutions of 3x3, one hidden dense layer, one linear layer, with leaky ReLUs between them. No
    normalization and no dropout: an image's features depend on nothing but the image.

    Args:
        widths: channels of each convolution.
        strides: stride of each convolution.
        dimension: size of the hidden layer, that is of the features.
        classes: number of classes.
    """

    widths: tuple[int, ...]
    strides: tuple[int, ...]
    dimension: int = 64
    classes: int = 10

    @nn.compact
    def __call__(
        self, images: Num[Array, "batch h w c"]
    ) -> tuple[Float[Array, "batch d"], Float[Array, "batch classes"]]:
        """Features and class scores of images whose values run from 0 to 255."""
        # Full float32 everywhere: the default on accelerators has too few digits for a number
        # that is compared across machines.
        exact = jax.lax.Precision.HIGHEST
        x = images.astype(jnp.float32) / 255.0
        for width, stride in zip(self.widths, self.strides, strict=True):
            convolution = nn.Conv(width, (3, 3), strides=(stride, stride), precision=exact)
            x = nn.leaky_relu(convolution(x), SLOPE)
        hidden = nn.Dense(self.dimension, precision=exact, name="hidden")
        scores = nn.Dense(self.classes, precision=exact, name="scores")
        features = nn.leaky_relu(hidden(x.reshape(x.shape[0], -1)), SLOPE)
        return features, scores(features)


class Shipped(NamedTuple):
    """A classifier whose weights come with the package."""

    file: str
    """Name, without suffix, of its ``.npz`` and ``.json`` in the weights' folder."""
    network: Classifier
    image_shape: ImageShape


SHIPPED: Mapping[str, Shipped] = {
    "digits-cnn": Shipped("digits_cnn", Classifier((32, 32, 32), (1, 1, 2)), (8, 8, 1)),
    "fashion-cnn": Shipped("fashion_cnn", Classifier((32, 64, 64), (2, 2, 2)), (28, 28, 1)),
}

_DEFAULTS: Mapping[str, str] = {
    "digits": "digits-cnn",
    "fashion-mnist": "fashion-cnn",
    "ring": "identity",
    "grid": "identity",
    "swiss-roll": "identity",
}


def default_backbone(source_name: str) -> str:
    """The backbone that a data set is measured with unless one is asked for.

    ``"pixels"`` where no classifier is shipped for it. Stacks of images are measured by that of
    the images.
    """
    return _DEFAULTS.get(source_name.removeprefix("stacked-"), "pixels")


def load_backbone(name: str, image_shape: ImageShape) -> Backbone:
    """A backbone by its name, for images of one shape.

    Loading the same backbone again costs no compilation: the weights are arguments of one compiled
    function.

    Args:
        name: ``"digits-cnn"`` (8x8x1), ``"fashion-cnn"`` (28x28x1), either of them for a stack of
            three such images as well (8x8x3: `jaxgan.evaluation.features.by_channel`), and for
            images of 2, 3, ... times that size, averaged over areas (``area8x8``); ``"pixels"``
            (any image; pixel
            values in [0, 1], averaged over areas down to 8x8 where the image is larger, and
            reported with that size: ``pixels8x8``), ``"identity"`` (points, 1x1xd; their
            coordinates); and for images of any size, gray or RGB: ``"inception"``, or
            ``"inception:PATH"`` (`jaxgan.evaluation.features.inception`, whose weights must be
            there, with ``"inception-pytorch-fid"`` for pytorch-fid's way to resize),
            ``"efficientnet-lite1"`` (`jaxgan.evaluation.features.efficientnet`, from a package).
        image_shape: height, width, channels of the images to be measured.

    Raises:
        ValueError: there is no such backbone, it does not read images of that shape, or it needs
            weights that are not there.
    """
    network, colon, path = name.partition(":")
    if network in FILTERS:
        _check_photographs(network, image_shape)
        return load_inception(network, Path(path) if colon else None)
    if name == "efficientnet-lite1":
        _check_photographs(name, image_shape)
        return load_efficientnet_lite1()
    if name in SHIPPED:
        return _load_shipped(name, image_shape)
    if name == "pixels":
        return _pixels(image_shape)
    if name == "identity":
        return _identity(image_shape)
    choices = ", ".join([*SHIPPED, "pixels", "identity", *FILTERS, "efficientnet-lite1"])
    raise ValueError(f"there is no backbone {name!r}; choose one of {choices}")


def read_weights(path: Path) -> Params:
    """Parameters of a network from an ``.npz`` of arrays named like ``Conv_0/kernel``, as float32.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights at {path}; experiments/feature_classifier.py makes them"
        )
    with np.load(path, allow_pickle=False) as arrays:
        flat = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
    return traverse_util.unflatten_dict(flat, sep="/")


def training_record(name: str) -> dict[str, Any]:
    """How a shipped classifier was trained and what it scored: seed, steps, accuracy, command.

    Raises:
        ValueError: no classifier of that name is shipped.
    """
    if name not in SHIPPED:
        raise ValueError(f"no classifier {name!r} is shipped; there are {', '.join(SHIPPED)}")
    return json.loads((WEIGHTS / f"{SHIPPED[name].file}.json").read_text())


def _check_photographs(name: str, image_shape: ImageShape) -> None:
    if image_shape[2] not in (1, 3) or tuple(image_shape[:2]) == (1, 1):
        raise ValueError(
            f"backbone {name} reads gray or RGB images, these are {_shape(image_shape)};"
            " 'pixels' reads images of any shape, 'identity' points"
        )


def _load_shipped(name: str, image_shape: ImageShape) -> Backbone:
    shipped = SHIPPED[name]
    height, width, _ = shipped.image_shape
    times = max(image_shape[0] // height, 1)
    if image_shape[:2] != (times * height, times * width) or image_shape[2] not in (1, STACK):
        raise ValueError(
            f"backbone {name} reads images of {_shape(shipped.image_shape)}, these are "
            f"{_shape(image_shape)}, which is no whole multiple; 'pixels' reads images of any shape"
        )
    params = read_weights(WEIGHTS / f"{shipped.file}.npz")
    backbone = network_backbone(
        shipped.network,
        params,
        prepare=(lambda images: images) if times == 1 else partial(area_means, times=times),
        name=name,
        digest=weights_digest(params),
        image_shape=(times * height, times * width, 1),
        dimension=shipped.network.dimension,
        resize="none" if times == 1 else f"area{height}x{width}",
    )
    return backbone if image_shape[2] == 1 else by_channel(backbone, image_shape[2])


def _pixels(image_shape: ImageShape) -> Backbone:
    height, width, channels = image_shape
    rows, columns = _area_weights(height), _area_weights(width)
    return Backbone(
        # What is measured depends on the size, so the size is in the name.
        name=f"pixels{len(rows)}x{len(columns)}",
        digest=weights_digest({"rows": rows, "columns": columns}),
        features=partial(_pooled, rows, columns),
        logits=None,
        image_shape=image_shape,
        dimension=len(rows) * len(columns) * channels,
    )


def _area_weights(size: int) -> Float[np.ndarray, "out size"]:
    """Row ``i``: the weight of each of ``size`` pixels in the ``i``-th of at most 8 areas."""
    pooled = min(size, POOLED_SIZE)
    edges = np.arange(pooled + 1) * (size / pooled)
    pixels = np.arange(size)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.clip(covered, 0.0, None) * (pooled / size)).astype(np.float32)


@jax.jit
def _pooled(
    rows: Float[Array | np.ndarray, "y h"],
    columns: Float[Array | np.ndarray, "x w"],
    images: Num[Array, "batch h w c"],
) -> Float[Array, "batch d"]:
    scale = 255.0 if images.dtype == jnp.uint8 else 1.0
    values = images.astype(jnp.float32) / scale
    pooled = jnp.einsum(
        "yh,bhwc,xw->byxc", rows, values, columns, precision=jax.lax.Precision.HIGHEST
    )
    return pooled.reshape(len(images), -1)


def _identity(image_shape: ImageShape) -> Backbone:
    if tuple(image_shape[:2]) != (1, 1):
        raise ValueError(
            f"backbone identity reads points of 1x1xd, these are {_shape(image_shape)}; "
            "'pixels' reads images of any shape"
        )
    return Backbone(
        name="identity",
        digest=hashlib.sha256(b"identity").hexdigest()[:12],
        features=_coordinates,
        logits=None,
        image_shape=image_shape,
        dimension=image_shape[2],
    )


@jax.jit
def _coordinates(points: Num[Array, "batch h w c"]) -> Float[Array, "batch d"]:
    return points.reshape(len(points), -1).astype(jnp.float32)


def _shape(image_shape: ImageShape) -> str:
    return "x".join(str(side) for side in image_shape)
