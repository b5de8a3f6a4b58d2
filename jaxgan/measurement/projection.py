"""Images projected into the space w of a trained StyleGAN2."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jax.tree_util import Partial
from jaxtyping import Array, Float, Float32, UInt8

from jaxgan.algorithms import apply
from jaxgan.config import Experiment, config_errors
from jaxgan.evaluation.features.load import SHIPPED, default_backbone, load_backbone
from jaxgan.evaluation.manifolds import style_projection
from jaxgan.measurement import drawing, finished
from jaxgan.measurement.styles import styles
from jaxgan.measurement.trained import Trained
from jaxgan.typing import ImageShape, Pixels

PIXELS = "pixels"
"""The distance of all pixels; not the feature extractor of that name, which averages them first."""


class Projected(NamedTuple):
    """Images and what was found for each."""

    targets: UInt8[np.ndarray, "n height width channels"]
    """Those that were given."""
    images: UInt8[np.ndarray, "n height width channels"]
    """What the generator makes of ``w`` and ``maps``."""
    w: Float32[np.ndarray, "n units"]
    """Mapped latents, one for all layers."""
    maps: dict[str, Float32[np.ndarray, "n side side"]]
    """Noise maps by the layer's name."""
    by_step: Float32[np.ndarray, "steps n"]
    """Distances on the way, with the noise of each step; the first is that of the mean w."""
    distances: Float32[np.ndarray, " n"]
    """Distances at the end."""


def project(
    trained: Trained,
    images: Any,
    *,
    distance: Sequence[str] = (),
    steps: int = style_projection.STEPS,
    seed: int = 0,
) -> Projected:
    """Looks for w and noise maps whose images are close to given ones, all of them at once.

    See `jaxgan.evaluation.manifolds.style_projection`. What differs from the paper is the distance,
    which is LPIPS there, of images of 256 pixels at most.

    Args:
        trained: a run of StyleGAN2.
        images: uint8 ``(n, height, width, channels)``.
        distance: what `features_of` takes; none: `usual`.
        steps: of gradient descent.
        seed: of all noise.

    Raises:
        ConfigError: the model has no styles, the images do not fit, there is no such feature
            extractor, or a number is out of range.
    """
    space = styles(trained)
    targets = finished.checked_images(trained.experiment, images)
    drawing.whole("steps", steps, least=1)
    drawing.whole("seed", seed, least=0, below=drawing.MOST_SEEDS)
    features = features_of(tuple(distance) or usual(trained.experiment), space.image_shape)
    found = style_projection.project(
        space.synthesize,
        features,
        jnp.asarray(targets, jnp.float32) / 255.0,
        jnp.asarray(space.mapped(style_projection.MAPPED)),
        space.sides,
        steps=steps,
        seed=seed,
    )
    maps = traverse_util.flatten_dict(found.maps["synthesis"], sep="/")
    return Projected(
        targets,
        np.asarray(apply.quantized(found.images)),
        np.asarray(found.w),
        {name.removesuffix("/constant"): np.asarray(values) for name, values in maps.items()},
        np.asarray(found.by_step),
        np.asarray(found.distances),
    )


def usual(experiment: Experiment) -> tuple[str, ...]:
    """Pixels and, where a classifier is shipped for the data set and reads such images, its
    features."""
    data = experiment.data
    name = default_backbone(data.source.info().name)
    if name not in SHIPPED:
        return (PIXELS,)
    try:
        load_backbone(name, data.image_shape)
    except ValueError:
        return (PIXELS,)
    return (PIXELS, name)


@functools.cache
def features_of(names: tuple[str, ...], image_shape: ImageShape) -> Partial:
    """What the distance of images is taken of, as one function, made once.

    Each name's features are divided by the root of their number, so that the distance is the sum
    over names of mean squared differences.

    Args:
        names: `PIXELS`, or feature extractors of `jaxgan.evaluation.features.load`.
        image_shape: height, width, channels.

    Raises:
        ConfigError: there is no such feature extractor, or it does not read such images.
    """
    with config_errors():
        parts = [_part(name, image_shape) for name in names]

    def features(images: Pixels) -> Float[Array, "n d"]:
        return jnp.concatenate([part(images) for part in parts], axis=1)

    return Partial(features)


def _part(name: str, image_shape: ImageShape) -> Callable[[Pixels], Float[Array, "n d"]]:
    if name == PIXELS:
        size = math.prod(image_shape)
        return lambda images: images.reshape(len(images), size) / math.sqrt(size)
    backbone = load_backbone(name, image_shape)
    # Networks take values from 0 to 255.
    return lambda images: backbone.features(255.0 * images) / math.sqrt(backbone.dimension)
