"""The space of styles of a trained StyleGAN2: from latents to w, and from w to images."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jax.tree_util import Partial
from jaxtyping import Array, Float32, UInt8

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.algorithms.base import at_precision
from jaxgan.algorithms.stylegan2 import StyleGan2
from jaxgan.config import ConfigError, Experiment
from jaxgan.measurement import sampling
from jaxgan.measurement.trained import Trained
from jaxgan.networks.style_levels import styles_of
from jaxgan.networks.stylegan2 import StyleImages
from jaxgan.typing import ImageShape, Latents, Pixels, Variables

TOGETHER = 500
"""Latents that are mapped, and images that are made, in one call."""


class Styles(NamedTuple):
    """What a generator does with styles, with its weights.

    Attributes:
        generator: the network, at the run's precision.
        variables: its weights, as the run's evaluation settings choose them.
        image_shape: height, width, channels.
        classes: of the labels that the mapping network sees; 0: none.
        trained: the run.
    """

    generator: StyleImages
    variables: Variables
    image_shape: ImageShape
    classes: int
    trained: Trained

    @property
    def synthesize(self) -> Partial:
        """From w, ``(n, units)`` or one a layer ``(n, styles, units)``, and noise maps (a pytree as
        `sides`, of ``(n, side, side)``; None: the layers' own) to unbounded pixels, most of them
        from 0 to 1."""
        return Partial(_Synthesis(self.generator, self.image_shape), self.variables)

    @property
    def sides(self) -> Any:
        """Side of each layer's noise map."""
        return jax.tree.map(lambda leaf: leaf.shape[-1], self.variables["noise"])

    @property
    def affines(self) -> dict[str, Float32[np.ndarray, "units channels"]]:
        """The weights that make the styles of each layer, by its name, as they are stored."""
        flat = traverse_util.flatten_dict(self.variables["params"]["synthesis"], sep="/")
        return {
            name.removesuffix("/style/kernel"): np.asarray(values, np.float32)
            for name, values in flat.items()
            if name.endswith("/style/kernel")
        }

    def mapped(self, count: int, *, seed: int = 0) -> Float32[np.ndarray, "count units"]:
        """w of latents of the prior, not truncated; with labels, of those that the prior draws."""
        key, program = rng.base_key(seed), self.trained.program
        parts = []
        for index in range(math.ceil(count / TOGETHER)):
            latents = sampling.latents_of(program, rng.role_key(key, "mapped", index), TOGETHER)
            parts.append(np.asarray(_mapped(self.generator, self.classes, self.variables, latents)))
        return np.concatenate(parts)[:count]

    def images(self, ws: Any) -> UInt8[np.ndarray, "n height width channels"]:
        """Images of w, each layer's noise map its own.

        Args:
            ws: ``(n, units)``, or one a layer ``(n, styles, units)``.
        """
        parts = []
        for start in range(0, len(ws), TOGETHER):
            part = np.asarray(ws[start : start + TOGETHER], np.float32)
            # The last call is filled up: one shape, hence one compilation.
            whole = np.resize(part, (min(TOGETHER, max(len(ws), 1)), *part.shape[1:]))
            parts.append(np.asarray(_quantized(self.synthesize, whole))[: len(part)])
        return np.concatenate(parts)


class _Synthesis(NamedTuple):
    """The function of `Styles.synthesize`; two of equal networks are equal, and compiled once."""

    generator: StyleImages
    image_shape: ImageShape

    def __call__(self, variables: Variables, w: Array, maps: Any) -> Pixels:
        styles = styles_of(self.image_shape)
        ws = w if w.ndim == 3 else jnp.broadcast_to(w[:, None], (len(w), styles, w.shape[1]))

        def made(given: Variables, ws: Array) -> Array:
            found = self.generator.apply(
                given, ws, image_shape=self.image_shape, method=StyleImages.images
            )
            assert isinstance(found, jax.Array)
            return found

        if maps is None:
            pixels = made(variables, ws)
        else:
            each = jax.vmap(lambda one, noise: made({**variables, "noise": noise}, one[None])[0])
            pixels = each(ws, maps)
        return (pixels + 1.0) / 2.0


@jax.jit
def _quantized(synthesize: Partial, ws: Array) -> Array:
    return apply.quantized(synthesize(ws, None))


def _map(generator: nn.Module, classes: int, variables: Variables, latents: Latents) -> Array:
    labels = latents["label"] if classes else None
    w: Any = generator.apply(
        variables, latents["noise"], labels, classes=classes, method=StyleImages.styles
    )
    return w


_mapped = jax.jit(_map, static_argnums=(0, 1))


def check(experiment: Experiment, what: str) -> None:
    """Refuses models without a space of styles.

    Args:
        experiment: of the run.
        what: is to be done, for the message.

    Raises:
        ConfigError: says what the model is.
    """
    if not isinstance(experiment.model, StyleGan2):
        raise ConfigError(
            f"{what} needs the space w of StyleGAN2, and {experiment.name} is a"
            f" {type(experiment.model).__name__}, whose images have no styles"
        )


def styles(trained: Trained) -> Styles:
    """The space of styles of a run.

    Raises:
        ConfigError: its model has none.
    """
    experiment, model = trained.experiment, trained.experiment.model
    check(experiment, "this")
    assert isinstance(model, StyleGan2)
    state = sampling.prepared(trained.program, trained.state, experiment.evaluation)
    generator = at_precision(model, experiment.precision).generator
    classes = experiment.data.classes if model.prior.conditional else 0
    return Styles(
        generator, state.evaluated("generator"), experiment.data.image_shape, classes, trained
    )
