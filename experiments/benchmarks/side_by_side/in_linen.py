"""The steps as one writes them with flax.linen, optax and jax.jit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util
from jax import Array

from side_by_side import linen_biggan, linen_style
from side_by_side import linen_networks as networks
from side_by_side import reference as ref
from side_by_side.bench import Bench, Outcome
from side_by_side.in_jax import adam_moments, cycle, forward_layers, read_losses, with_carried
from side_by_side.resnet import Stack
from side_by_side.steps import (
    CHECKED_STEPS,
    EMA_DECAY,
    FITTED,
    GAN_ADAM,
    PENALTY_WEIGHT,
    VAE_ADAM,
    VAES,
    Size,
)

Draws = tuple[Array, Array]
"""Latents (or a VAE's noise) and shares of one step."""

Update = Callable[[Any, Any, Draws], tuple[Any, dict[str, Array]]]
"""State, uint8 images (for the ResNet real ones and fakes) and draws to the next state and losses.

A state is a dictionary: ``params``, ``statistics``, ``optimizer`` and ``ema`` by network, ``step``.
"""


class Stepper(NamedTuple):
    """The parts of one step: networks and optimizer by name, and how they are updated."""

    networks: dict[str, nn.Module]
    optimizer: optax.GradientTransformation
    averaged: tuple[str, ...]
    update: Update


def build(step: str, size: Size, precision: Any, path: Path, kind: str = "linen") -> Bench:
    """A step whose weights are those of the reference at ``path``; see `in_jaxgan.build`.

    Args:
        step, size, precision, path: as there.
        kind: linen, or linen_fused.
    """
    reference = ref.read(path)
    stepper = _stepper(step, size, jnp.dtype(precision), kind)
    weights = traverse_util.unflatten_dict(
        {tuple(name.split("/")): value for name, value in reference.parameters.items()}
    )
    batches: list[Any] = [jnp.asarray(images) for images in reference.images]
    if step == "resnet":
        batches = list(zip(batches, map(jnp.asarray, reference.fakes), strict=True))

    @jax.jit
    def start(params: Any) -> Any:
        statistics = {
            name: with_carried(
                name,
                network.init(jax.random.key(0), _input(step, name, size)).get("batch_stats"),
                reference.carried,
            )
            for name, network in stepper.networks.items()
        }
        ema = {k: jax.tree.map(jnp.copy, (params[k], statistics[k])) for k in stepper.averaged}
        return {
            "params": params,
            "statistics": statistics,
            "optimizer": {k: stepper.optimizer.init(params[k]) for k in stepper.networks},
            "ema": ema,
            "step": jnp.int32(0),
        }

    def check() -> Outcome:
        update = jax.jit(stepper.update)
        state, losses, moments = start(weights), [], {}
        for number in range(CHECKED_STEPS):
            draws = jnp.asarray(reference.latents[number]), jnp.asarray(reference.shares[number])
            state, found = update(state, batches[number], draws)
            losses.append(read_losses({f"loss/{k}": v for k, v in found.items()}))
            moments = moments or adam_moments(state["optimizer"])
        return Outcome(losses, moments)

    def train_step(state: Any, images: Any) -> Any:
        key = jax.random.fold_in(jax.random.key(0), state["step"])
        latent_key, share_key = jax.random.split(key)
        latents = jax.random.normal(latent_key, (size.batch, size.latent))
        draws = latents, jax.random.uniform(share_key, (size.batch,))
        return stepper.update(state, images, draws)[0]

    shapes = {
        name: jax.eval_shape(network.init, jax.random.key(0), _input(step, name, size))["params"]
        for name, network in stepper.networks.items()
    }
    layers: dict[str, int] = {}
    for name, network in stepper.networks.items():
        layers |= forward_layers(network, (_input(step, name, size),), {}, name)
    return Bench(
        parameters=sum(leaf.size for leaf in jax.tree.leaves(shapes)),
        layers=layers,
        check=check,
        run=cycle(jax.jit(train_step, donate_argnums=0), start(weights), batches),
    )


def _input(step: str, name: str, size: Size) -> Any:
    """A blank argument of the network called ``name``."""
    if step == "biggan":
        return np.zeros((size.batch, size.latent), np.float32), ref.labels_of(size.batch)
    if name in ("generator", "decoder"):
        return np.zeros((size.batch, size.latent), np.float32)
    return np.zeros((size.batch, size.image, size.image, size.channels), np.float32)


def _stepper(step: str, size: Size, dtype: Any, kind: str) -> Stepper:
    adam = optax.adam(*(VAE_ADAM if step in VAES else GAN_ADAM))
    if step in FITTED:
        if step == "biggan":
            made: nn.Module = linen_biggan.Generator(size, dtype)
        else:
            made = linen_style.Synthesis(size, kind == "linen_fused", dtype)
        labels = ref.labels_of(size.batch) if step == "biggan" else None
        return Stepper({"generator": made}, adam, (), _fit_update(made, adam, labels))
    if step == "resnet":
        stack = Stack(size.width, dtype=dtype)
        return Stepper({"discriminator": stack}, adam, (), _critic_update(stack, adam))
    if step in VAES:
        if step == "mlp_vae":
            encoder = networks.MlpEncoder(size, dtype)
            decoder = networks.MlpGenerator(size, bounded=False, dtype=dtype)
        else:
            encoder, decoder = networks.ConvEncoder(size, dtype), networks.ConvDecoder(size, dtype)
        both = {"encoder": encoder, "decoder": decoder}
        return Stepper(both, adam, ("encoder", "decoder"), _vae_update(encoder, decoder, adam))
    if step == "mlp_gan":
        generator = networks.MlpGenerator(size, bounded=True, dtype=dtype)
        discriminator = networks.MlpDiscriminator(size, dtype)
    else:
        generator = networks.Generator(size, dtype)
        discriminator = networks.Discriminator(size, batch_norm=step == "dcgan", dtype=dtype)
    both = {"generator": generator, "discriminator": discriminator}
    update = _gan_update(generator, discriminator, adam, wasserstein=step == "wgan_gp")
    return Stepper(both, adam, ("generator",), update)


def _symmetric(images: Array) -> Array:
    """uint8 to [-1, 1]."""
    return images.astype(jnp.float32) / 127.5 - 1.0


def _averaged(ema: Any, fresh: Any, step: Array) -> Any:
    share = jnp.maximum(1.0 - EMA_DECAY, 9.0 / (10.0 + step))
    return jax.tree.map(lambda old, new: old + share * (new - old), ema, fresh)


def _call(network: nn.Module, params: Any, statistics: Any, inputs: Any) -> tuple[Any, Any]:
    """Outputs and new batch statistics; None where a network has none."""
    if statistics is None:
        return network.apply({"params": params}, inputs), None
    variables = {"params": params, "batch_stats": statistics}
    outputs, changed = network.apply(variables, inputs, mutable=["batch_stats"])
    return outputs, changed["batch_stats"]


def _gan_update(generator: Any, discriminator: Any, adam: Any, *, wasserstein: bool) -> Update:
    def penalty(params: Any, statistics: Any, real: Array, fake: Array, share: Array) -> Array:
        share = share[:, None, None, None]
        points = share * real + (1.0 - share) * fake

        def total(images: Array) -> Array:
            return jnp.sum(_call(discriminator, params, statistics, images)[0])

        lengths = jnp.sqrt(jnp.sum(jax.grad(total)(points) ** 2, axis=(1, 2, 3)))
        return PENALTY_WEIGHT * jnp.mean((lengths - 1.0) ** 2)

    def d_loss(params: Any, statistics: Any, real: Array, fake: Array, share: Array) -> Any:
        real_logits, statistics = _call(discriminator, params, statistics, real)
        fake_logits, statistics = _call(discriminator, params, statistics, fake)
        if wasserstein:
            value = jnp.mean(fake_logits - real_logits)
            return value + penalty(params, statistics, real, fake, share), statistics
        value = jnp.mean(jax.nn.softplus(-real_logits) + jax.nn.softplus(fake_logits))
        return value, statistics

    def g_loss(fake: Array, params: Any, statistics: Any) -> Array:
        logits, _ = _call(discriminator, params, statistics, fake)
        return jnp.mean(-logits if wasserstein else jax.nn.softplus(-logits))

    def update(state: Any, images: Array, draws: Draws) -> Any:
        latents, share = draws
        real = _symmetric(images)
        params, statistics = dict(state["params"]), dict(state["statistics"])
        optimizer = dict(state["optimizer"])
        # The fakes are made once, and serve both players.
        fake, pull_back, g_statistics = jax.vjp(
            lambda p: _call(generator, p, statistics["generator"], latents),
            params["generator"],
            has_aux=True,
        )
        (d_value, d_statistics), gradients = jax.value_and_grad(d_loss, has_aux=True)(
            params["discriminator"], statistics["discriminator"], real, fake, share
        )
        statistics = {"generator": g_statistics, "discriminator": d_statistics}
        _apply(adam, "discriminator", params, optimizer, gradients)
        g_value, gradient = jax.value_and_grad(g_loss)(fake, params["discriminator"], d_statistics)
        _apply(adam, "generator", params, optimizer, pull_back(gradient)[0])
        fresh = {"generator": (params["generator"], g_statistics)}
        new = {
            "params": params,
            "statistics": statistics,
            "optimizer": optimizer,
            "ema": _averaged(state["ema"], fresh, state["step"]),
            "step": state["step"] + 1,
        }
        return new, {"discriminator": d_value, "generator": g_value}

    return update


def _vae_update(encoder: Any, decoder: Any, adam: Any) -> Update:
    def update(state: Any, images: Array, draws: Draws) -> Any:
        targets, noise = images.astype(jnp.float32) / 255.0, draws[0]

        def loss(params: Any) -> Array:
            mean, log_variance = encoder.apply({"params": params["encoder"]}, _symmetric(images))
            codes = mean + jnp.exp(0.5 * log_variance) * noise
            logits = decoder.apply({"params": params["decoder"]}, codes)
            losses = optax.sigmoid_binary_cross_entropy(logits, targets)
            kl = 0.5 * (mean**2 + jnp.exp(log_variance) - 1.0 - log_variance)
            return jnp.mean(jnp.sum(losses, axis=(1, 2, 3)) + jnp.sum(kl, axis=-1))

        params, optimizer = dict(state["params"]), dict(state["optimizer"])
        value, gradients = jax.value_and_grad(loss)(params)
        for name in params:
            _apply(adam, name, params, optimizer, gradients[name])
        fresh = {name: (params[name], None) for name in params}
        ema = _averaged(state["ema"], fresh, state["step"])
        new = {**state, "params": params, "optimizer": optimizer, "ema": ema}
        return {**new, "step": state["step"] + 1}, {"autoencoder": value}

    return update


def _critic_update(network: Any, adam: Any) -> Update:
    def update(state: Any, images: tuple[Array, Array], draws: Draws) -> Any:
        both = _symmetric(jnp.concatenate(images))

        def loss(params: Any) -> Array:
            real, fake = jnp.split(network.apply({"params": params}, both), 2)
            return jnp.mean(nn.relu(1.0 - real)) + jnp.mean(nn.relu(1.0 + fake))

        params, optimizer = dict(state["params"]), dict(state["optimizer"])
        value, gradients = jax.value_and_grad(loss)(params["discriminator"])
        _apply(adam, "discriminator", params, optimizer, gradients)
        new = {**state, "params": params, "optimizer": optimizer, "step": state["step"] + 1}
        return new, {"discriminator": value}

    return update


def _fit_update(network: Any, adam: Any, labels: Any) -> Update:
    def update(state: Any, images: Array, draws: Draws) -> Any:
        inputs = draws[0] if labels is None else (draws[0], labels)

        def loss(params: Any) -> Any:
            made, changed = _call(network, params, state["statistics"]["generator"], inputs)
            return jnp.mean((made - _symmetric(images)) ** 2), changed

        params, optimizer = dict(state["params"]), dict(state["optimizer"])
        found = jax.value_and_grad(loss, has_aux=True)(params["generator"])
        (value, changed), gradients = found
        _apply(adam, "generator", params, optimizer, gradients)
        new = {**state, "params": params, "optimizer": optimizer, "step": state["step"] + 1}
        return {**new, "statistics": {"generator": changed}}, {"generator": value}

    return update


def _apply(adam: Any, name: str, params: Any, optimizer: Any, gradients: Any) -> None:
    """One update of one network, put into the two dictionaries."""
    changes, optimizer[name] = adam.update(gradients, optimizer[name])
    params[name] = optax.apply_updates(params[name], changes)
