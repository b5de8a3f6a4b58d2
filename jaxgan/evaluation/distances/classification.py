"""Classification accuracy score: what a classifier learns from samples about real images.

Ravuri and Vinyals 2019 ("Classification Accuracy Score for Conditional Generative Models"): a
classifier is trained on generated images with the labels they were asked for, and tested on real
ones. Samples of the wrong class, classes that are missing or without variety, and images that are
unlike real ones all cost accuracy. Compare with the accuracy of the same classifier trained on as
many real images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, Num, UInt8

from jaxgan import rng
from jaxgan.evaluation.features.load import Classifier
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.evaluation.statistics.proportions import share
from jaxgan.typing import ImageShape, Params

_BATCH = 500
"""Images that are classified at a time."""


@dataclass(frozen=True)
class Recipe:
    """How the classifier is trained; the score belongs to it."""

    steps: int = 1000
    batch: int = 64
    learning_rate: float = 2e-3
    """Adam's, falling to zero along a cosine."""
    weight_decay: float = 1e-2
    seed: int = 0
    """Of the first weights and of the order of the images."""


class Classification(NamedTuple):
    """How well real images were classified."""

    accuracy: Estimate
    correct: Bool[np.ndarray, "n"]
    """For each real image."""


def classifier_for(image_shape: ImageShape, classes: int) -> Classifier:
    """The classifier for images of a size: the architecture of the shipped ones.

    Args:
        image_shape: height, width, channels.
        classes: how many.
    """
    if min(image_shape[:2]) <= 16:
        return Classifier((32, 32, 32), (1, 1, 2), classes=classes)
    return Classifier((32, 64, 64), (2, 2, 2), classes=classes)


def classification_accuracy(
    real: UInt8[np.ndarray | Array, "m h w c"],
    real_labels: Int[np.ndarray | Array, "_real_labels"],
    generated: UInt8[np.ndarray | Array, "n h w c"],
    generated_labels: Int[np.ndarray | Array, "_generated_labels"],
    *,
    classes: int | None = None,
    recipe: Recipe = Recipe(),
) -> Classification:
    """Trains on generated images, tests on real ones.

    The same images and recipe give the same result on the same hardware, and the train step is
    compiled once a process for each shape of image and recipe.

    Args:
        real: images to test on, which the generator should not have been trained on either.
        real_labels: their classes, from 0.
        generated: images to train on.
        generated_labels: the classes that they were asked for.
        classes: how many there are; None: one more than the largest label.
        recipe: of the training.

    Returns:
        The share of real images that are classified as labeled. Its interval is Wilson's and covers
        the drawing of the real images; not that of the samples, nor the classifier's seed: repeat
        with other samples and seeds for that.

    Raises:
        ValueError: a set is empty or has not as many labels as images, a label is negative or not
            below ``classes``, or the recipe asks for no step.
    """
    a, b = np.asarray(real_labels, np.int32), np.asarray(generated_labels, np.int32)
    for images, labels, name in ((real, a, "real"), (generated, b, "generated")):
        if len(labels) != len(images):
            raise ValueError(
                f"cas: the {name} set has {len(labels)} labels for {len(images)} images"
            )
        if len(labels) == 0:
            raise ValueError(f"cas: the {name} set is empty")
    count = int(max(a.max(), b.max())) + 1 if classes is None else classes
    for labels, name in ((a, "real"), (b, "generated")):
        if labels.min() < 0 or labels.max() >= count:
            raise ValueError(
                f"cas: labels of the {name} set must lie in 0 to {count - 1}, "
                f"found {labels.min()} to {labels.max()}"
            )
    if recipe.steps < 1 or recipe.batch < 1:
        raise ValueError(
            f"cas: needs at least 1 step of at least 1 image, got {recipe.steps} of {recipe.batch}"
        )
    height, width, channels = real.shape[1:]
    network = classifier_for((height, width, channels), count)
    params = _trained(network, np.asarray(generated), b, recipe)
    correct = _predictions(network, params, np.asarray(real)) == a
    return Classification(share(correct), correct)


def _trained(
    network: Classifier,
    images: UInt8[np.ndarray, "n h w c"],
    labels: Int[np.ndarray, "n"],
    recipe: Recipe,
) -> Params:
    params, state = _start(network, recipe, jnp.asarray(images[:1]))
    generator = np.random.default_rng(recipe.seed)
    order = np.zeros(0, np.int64)
    # A Python loop: on CPUs, convolutions inside a scan are many times slower.
    for _ in range(recipe.steps):
        while len(order) < recipe.batch:
            order = np.concatenate([order, generator.permutation(len(images))])
        chosen, order = order[: recipe.batch], order[recipe.batch :]
        params, state = _step(network, recipe, params, state, images[chosen], labels[chosen])
    return params


def _optimizer(recipe: Recipe) -> optax.GradientTransformation:
    schedule = optax.cosine_decay_schedule(recipe.learning_rate, recipe.steps)
    return optax.adamw(schedule, weight_decay=recipe.weight_decay)


@partial(jax.jit, static_argnums=(0, 1))
def _start(
    network: Classifier, recipe: Recipe, image: Num[Array, "1 h w c"]
) -> tuple[Params, optax.OptState]:
    variables: Any = network.init(rng.base_key(recipe.seed), image)
    return variables["params"], _optimizer(recipe).init(variables["params"])


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3))
def _step(
    network: Classifier,
    recipe: Recipe,
    params: Params,
    state: Any,
    images: UInt8[Array | np.ndarray, "b h w c"],
    labels: Int[Array | np.ndarray, "b"],
) -> tuple[Params, Any]:
    def loss_of(params: Params) -> Float[Array, ""]:
        outputs: Any = network.apply({"params": params}, images)
        return optax.softmax_cross_entropy_with_integer_labels(outputs[1], labels).mean()

    updates, state = _optimizer(recipe).update(jax.grad(loss_of)(params), state, params)
    return optax.apply_updates(params, updates), state


@partial(jax.jit, static_argnums=0)
def _predicted(
    network: Classifier, params: Params, images: UInt8[Array | np.ndarray, "b h w c"]
) -> Int[Array, "b"]:
    outputs: Any = network.apply({"params": params}, images)
    return outputs[1].argmax(axis=-1)


def _predictions(
    network: Classifier, params: Params, images: UInt8[np.ndarray, "n h w c"]
) -> Int[np.ndarray, "n"]:
    size = min(_BATCH, len(images))
    parts = []
    for start in range(0, len(images), size):
        batch = images[start : start + size]
        filled = np.pad(batch, ((0, size - len(batch)), (0, 0), (0, 0), (0, 0)))
        parts.append(np.asarray(_predicted(network, params, filled))[: len(batch)])
    return np.concatenate(parts)
