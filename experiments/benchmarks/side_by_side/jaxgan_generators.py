"""StyleGAN2's and BigGAN's generators by themselves, as jaxgan has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxgan import rng
from jaxgan.algorithms import base
from jaxgan.algorithms.apply import to_symmetric
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.config import Experiment, Model
from jaxgan.networks.biggan import BigGanGenerator
from jaxgan.networks.layers.spectral import moved
from jaxgan.networks.style_levels import styles_of
from jaxgan.networks.stylegan2 import StyleSynthesis
from jaxgan.optim import Adam
from side_by_side.reference import labels_of
from side_by_side.steps import CLASSES, EMBEDDING, GAN_ADAM, Size

FIRST = 0.5
"""Attention's gamma and the noise's strengths start from this and not from 0, so that what comes
behind them is compared from the first step on."""


def model(step: str, size: Size) -> Fit:
    """A generator in training; of BigGAN or StyleGAN2."""
    if step == "biggan":
        network = BigGanGenerator(size.width, max_multiple=1, embedding_size=EMBEDDING)
        return Fit(network, size)
    # As wide at all resolutions.
    return Fit(StyleSynthesis(size.width, size.width * size.image, 4, None), size)


@dataclasses.dataclass(frozen=True)
class Fit(Model):
    """A generator that is trained to make given images of given latents."""

    generator: Any
    size: Size

    def arguments(self, latents: Array) -> tuple[Any, dict[str, Any]]:
        """What the network is called with, and its settings."""
        size = self.size
        shape = (size.image, size.image, size.channels)
        if isinstance(self.generator, StyleSynthesis):
            places = (len(latents), styles_of(shape), size.latent)
            return (jnp.broadcast_to(latents[:, None], places), None), {"image_shape": shape}
        given = {"noise": latents, "label": jnp.asarray(labels_of(len(latents)))}
        return (given,), {"image_shape": shape, "classes": CLASSES, "train": True}

    def draw(self, key: Any, count: int) -> Array:
        """Latents of one step."""
        key = rng.role_key(key, "latent")
        return rng.per_example(lambda own: jax.random.normal(own, (self.size.latent,)), key, count)

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """As an algorithm updates a network: power iterations, gradients, Adam."""
        optimizer = Adam(*GAN_ADAM).build(experiment.steps)

        def init(key: Any, batch: Any) -> State:
            latents = jnp.zeros((len(batch["image"]), self.size.latent))
            inputs, settings = self.arguments(latents)
            variables = dict(self.generator.init(key, *inputs, **settings))
            variables["params"] = _started(variables["params"])
            return new_state({"generator": new_player(variables, optimizer)})

        def train_step(state: State, batch: Any, key: Any) -> Any:
            player = state.players["generator"]
            targets = to_symmetric(batch["image"])
            inputs, settings = self.arguments(self.draw(key, len(targets)))
            carried = {k: v for k, v in moved(player.variables).items() if k != "params"}

            def loss(params: Any) -> Any:
                images, changed = self.generator.apply(
                    {"params": params, **carried}, *inputs, **settings, mutable=list(carried)
                )
                return jnp.mean(jnp.square(images - targets)), changed

            (value, after), gradients = jax.value_and_grad(loss, has_aux=True)(player.params)
            players = {"generator": player.update(optimizer, gradients, after)}
            return state.replace(step=state.step + 1, players=players), {"loss/generator": value}

        return base.Algorithm(init, (base.Phase(experiment.steps, train_step),), lambda *_: {})


def _started(params: Any) -> Any:
    """Parameters with `FIRST` in place of the zeros that hide others."""
    if not isinstance(params, Mapping):
        return params
    hidden = ("gamma", "noise_strength")
    return {
        name: jnp.full_like(value, FIRST) if name in hidden else _started(value)
        for name, value in params.items()
    }


def carried(state: State) -> dict[str, Any]:
    """Of the generator's collections what others must start from, as one tree by network."""
    found = state.players["generator"].model_state
    return {"generator": {**found.get("noise", {}), **_first_vectors(found.get("spectral", {}))}}


def _first_vectors(vectors: Any) -> Any:
    """Of `u` and `v` the one that a power iteration starts from."""
    if "u" in vectors:
        return {"u": vectors["u"]}
    return {name: _first_vectors(inner) for name, inner in vectors.items()}
