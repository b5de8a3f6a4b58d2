"""A VAE-GAN of linear networks: each player's update by hand, and what would be a wrong route."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from scipy.special import expit, log_expit

from jaxgan.algorithms.base import build
from jaxgan.algorithms.vae_gan import VaeGan
from jaxgan.config import ConfigError
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.measurement import available
from jaxgan.networks.mlp import MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.optim import Ema, Sgd
from jaxgan.program import example_batch

ROWS, SIZE, FEATURES, RATE, GAMMA = 5, 3, 4, 0.05, 0.3
NORMAL = nn.initializers.normal(0.7)
SEEN = []
"""The codes that the decoder was given in training."""


class Encoder(nn.Module):
    """Means ``x A`` and log variances ``x S``."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        x = images.reshape(images.shape[0], -1)
        return tuple(x @ self.param(name, NORMAL, (2, latent_size)) for name in ("a", "s"))


class Decoder(nn.Module):
    """``z B``, which shows its codes."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        weight = self.param("b", NORMAL, (latent.shape[-1], 2))
        if train:
            jax.debug.callback(lambda z: SEEN.append(np.asarray(z, np.float64)), latent)
        return (latent @ weight).reshape(-1, *image_shape)


class Judge(nn.Module):
    """Features ``x F`` and logits ``(x F) w + c``."""

    perceives = True

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        features = images.reshape(images.shape[0], -1) @ self.param("f", NORMAL, (2, FEATURES))
        logits = features @ self.param("w", NORMAL, (FEATURES,)) + self.param("c", NORMAL, ())
        return logits, {}, (jnp.zeros_like(features), features)


def experiment_of(**changes):
    settings = {
        "encoder": Encoder(), "decoder": Decoder(), "discriminator": Judge(), "latent_size": SIZE,
        "gamma": GAMMA, "optimizer": Sgd(RATE), "discriminator_optimizer": Sgd(RATE),
        "ema": Ema(0.5, warmup=False),
    }  # fmt: skip
    data = Data(source=Ring(), image_size=1, channels=2)
    return tiny.gan(model=VaeGan(**{**settings, **changes}), data=data, batch_size=ROWS)


@functools.cache
def stepped(saturating=False):
    """States before and after a step, metrics, the images, and codes of images and of the prior."""
    experiment = experiment_of(saturating=saturating)
    algorithm = build(experiment)
    state = algorithm.init(jax.random.key(0), example_batch(experiment))
    images = np.random.default_rng(1).normal(size=(ROWS, 1, 1, 2)).astype(np.float32)
    SEEN.clear()
    step = jax.jit(algorithm.phases[0].train_step)
    after, metrics = step(state, {"image": images}, jax.random.key(2))
    jax.effects_barrier()
    x = images.reshape(ROWS, 2).astype(np.float64)
    mean = x @ np.asarray(state.players["encoder"].params["a"], np.float64)
    # The three players' losses see the same two arrays of codes, in any order.
    unique = np.unique(np.round(np.stack(SEEN), 5), axis=0)
    assert len(unique) == 2
    half = np.exp(x @ np.asarray(state.players["encoder"].params["s"], np.float64) / 2)
    # Both are draws: those of images are the ones whose distance from the means is reported.
    b = np.asarray(state.players["decoder"].params["b"], np.float64)
    f = np.asarray(state.players["discriminator"].params["f"], np.float64)

    def off(codes):
        reported = float(metrics["feature_distance"])
        return abs(0.5 * np.square((x - codes @ b) @ f).sum(1).mean() - reported)

    codes, latents = sorted(unique, key=off)
    assert off(codes) < 1e-3 < off(latents)
    return jax.device_get((state, after, metrics)), x, codes, latents, (codes - mean) / half


def numbers(state):
    return {
        name: {key: np.asarray(value, np.float64) for key, value in player.params.items()}
        for name, player in state.players.items()
    }


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


@functools.cache
def slopes(saturating=False):
    """By hand: of the distance and of the game by decoded and generated images."""
    (before, _, _), x, codes, latents, _ = stepped(saturating)
    known = numbers(before)
    b, d = known["decoder"]["b"], known["discriminator"]
    decoded, generated = codes @ b, latents @ b
    distance = -(x - decoded) @ d["f"] @ d["f"].T / ROWS

    def game(images):
        logits = images @ d["f"] @ d["w"] + d["c"]
        slope = -expit(logits) if saturating else -expit(-logits)
        return slope[:, None] * (d["f"] @ d["w"]) / ROWS

    return distance, game(decoded), game(generated)


def test_the_encoder_minimizes_kl_and_distance_and_plays_no_game():
    (before, after, metrics), x, _, _, noise = stepped()
    known = numbers(before)
    mean, log_variance = x @ known["encoder"]["a"], x @ known["encoder"]["s"]
    distance, _, _ = slopes()
    by_codes = distance @ known["decoder"]["b"].T
    by_mean = by_codes + mean / ROWS
    by_log = by_codes * noise * np.exp(log_variance / 2) / 2
    by_log += (np.exp(log_variance) - 1) / 2 / ROWS
    found = after.players["encoder"].params
    close(found["a"], known["encoder"]["a"] - RATE * x.T @ by_mean)
    close(found["s"], known["encoder"]["s"] - RATE * x.T @ by_log)
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(1)
    close(metrics["kl"], kl.mean())
    close(metrics["loss/encoder"], kl.mean() + metrics["feature_distance"])


@pytest.mark.parametrize("saturating", [False, True])
def test_the_decoder_weighs_the_distance_and_fools_the_discriminator(saturating):
    """With both decoded and generated images; the KL is none of its business."""
    (before, after, metrics), _, codes, latents, _ = stepped(saturating)
    known = numbers(before)
    distance, of_decoded, of_generated = slopes(saturating)
    slope = codes.T @ (GAMMA * distance + of_decoded) + latents.T @ of_generated
    close(after.players["decoder"].params["b"], known["decoder"]["b"] - RATE * slope)
    b, d = known["decoder"]["b"], known["discriminator"]
    logits = [z @ b @ d["f"] @ d["w"] + d["c"] for z in (codes, latents)]
    # -log D, or log(1 - D).
    expected = sum(log_expit(-each) if saturating else -log_expit(each) for each in logits)
    close(metrics["game"], expected.mean())
    close(metrics["loss/decoder"], GAMMA * metrics["feature_distance"] + expected.mean())


def test_the_discriminator_tells_three_kinds_apart_and_keeps_its_features():
    """It is not moved by the distance of features, which it could make 0."""
    (before, after, metrics), x, codes, latents, _ = stepped()
    known = numbers(before)
    b, d = known["decoder"]["b"], known["discriminator"]
    kinds = {"real": (x, 1), "decoded": (codes @ b, 0), "generated": (latents @ b, 0)}
    by_f, by_w, by_c, value = np.zeros_like(d["f"]), np.zeros_like(d["w"]), 0.0, 0.0
    for name, (images, label) in kinds.items():
        logits = images @ d["f"] @ d["w"] + d["c"]
        slope = (expit(logits) - label) / ROWS
        by_f = by_f + np.outer(images.T @ slope, d["w"])
        by_w = by_w + (images @ d["f"]).T @ slope
        by_c += slope.sum()
        value -= (log_expit(logits) if label else log_expit(-logits)).mean()
        close(metrics[f"logits/{name}"], logits.mean())
    found = after.players["discriminator"].params
    close(found["f"], d["f"] - RATE * by_f)
    close(found["w"], d["w"] - RATE * by_w)
    close(found["c"], d["c"] - RATE * by_c)
    close(metrics["loss/discriminator"], value)


def test_encoder_and_decoder_are_averaged():
    (before, after, _), *_ = stepped()
    assert after.ema.keys() == {"encoder", "decoder"}
    for player, key in (("encoder", "a"), ("decoder", "b")):
        middle = (before.players[player].params[key] + after.players[player].params[key]) / 2
        close(after.ema[player]["params"][key], middle)


def test_evaluation():
    (_, state, _), x, *_ = stepped()
    algorithm = build(experiment_of())
    batch = {"image": x.reshape(ROWS, 1, 1, 2).astype(np.float32), "mask": np.ones(ROWS)}
    a, s = (np.asarray(state.ema["encoder"]["params"][key], np.float64) for key in ("a", "s"))
    again = x @ a @ state.ema["decoder"]["params"]["b"]
    found = algorithm.evaluate(state, batch, jax.random.key(0))
    close(found["reconstruction_mse"], [np.square(again - x).mean(1).sum(), ROWS])
    f = state.players["discriminator"].params["f"]
    close(found["feature_distance"][0], 0.5 * np.square((x - again) @ f).sum())
    close(found["kl"][0], 0.5 * (np.exp(x @ s) + (x @ a) ** 2 - 1 - x @ s).sum())
    logits = x @ f @ state.players["discriminator"].params["w"]
    logits += state.players["discriminator"].params["c"]
    assert float(found["discriminator_accuracy_real"][0]) == (logits > 0).sum()
    assert algorithm.density is None
    assert {"codes", "encoder", "samples", "generator"} <= available.has(algorithm)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latent_size": 0}, "latent_size = 0"),
        ({"gamma": -1.0}, "gamma = -1.0"),
        ({"discriminator": MlpDiscriminator()}, "returns no features"),
    ],
)
def test_bad_settings_are_refused(changes, message):
    settings = {
        "encoder": MlpEncoder(), "decoder": MlpGenerator(), "discriminator": Judge(), **changes
    }  # fmt: skip
    with pytest.raises(ConfigError, match=message) as raised:
        VaeGan(**settings)
    assert "\n" not in str(raised.value)
