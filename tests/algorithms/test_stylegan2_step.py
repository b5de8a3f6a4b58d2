"""StyleGAN2's step against its updates recomputed; lazy ones are told apart by steps without."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_stylegan2 import BATCH, EXPERIMENT, IMAGES, KEY, MODEL, RATE, WEIGHT

from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan_game import Game, Networks
from jaxgan.algorithms.stylegan2_step import styles
from jaxgan.objectives.gan.path_length import path_lengths
from jaxgan.program import example_batch


@functools.cache
def compiled():
    algorithm = build(EXPERIMENT)
    state = jax.jit(algorithm.init)(jax.random.key(0), example_batch(EXPERIMENT))
    # Noise starts at strength 0 and the mean of w at 0, which would hide what they do.
    made = state.players["generator"]
    params = jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + 0.3 if "noise_strength" in str(path) else leaf, made.params
    )
    made = made.replace(params=params)
    state = state.replace(players={**state.players, "generator": made})
    return jax.jit(algorithm.phases[0].train_step), state


@functools.cache
def after(step):
    """The state and metrics after a step of this number, from the same state and key."""
    train_step, state = compiled()
    return train_step(state.replace(step=jnp.int32(step)), {"image": IMAGES}, KEY)


def close(found, expected):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-6), found, expected
    )


@pytest.mark.slow
def test_every_parameter_moves():
    """Mapping, styles, strengths of the noise and all: in a step without regularizers."""
    _, before = compiled()
    state, _ = after(1)
    for player in ("generator", "discriminator"):
        old, new = (one.players[player].params for one in (before, state))
        for path, moved in jax.tree_util.tree_leaves_with_path(
            jax.tree.map(lambda a, b: bool(jnp.any(a != b)), old, new)
        ):
            assert moved, jax.tree_util.keystr(path)


@pytest.mark.slow
def test_both_losses_are_softplus_of_logits_of_the_players_as_they_are():
    """The generator against the old discriminator; then the discriminator against the new one.

    Images are made in one call of the network, which is how samples are made.
    """
    _, before = compiled()
    state, metrics = after(1)
    (made, judged), (new_made, new_judged) = (
        [one.players[name] for name in ("generator", "discriminator")] for one in (before, state)
    )
    real = jnp.asarray(IMAGES, jnp.float32) / 127.5 - 1.0

    def images(params, role):
        key = rng.role_key(KEY, f"{role}-latent")
        latents = rng.per_example(lambda k: MODEL.prior.draw(k, 0), key, BATCH)
        noise = {"dropout": rng.role_key(KEY, f"{role}-noise")}
        return MODEL.generator.apply(
            {**made.variables, "params": params}, latents, image_shape=(8, 8, 1), train=True,
            rngs=noise, mutable="average",
        )  # fmt: skip

    def logits(params, shown):
        return MODEL.discriminator.apply({"params": params}, shown, train=True)

    def of_generator(params):
        fake, moved = images(params, "generator")
        return jnp.mean(jnp.log1p(jnp.exp(-logits(judged.params, fake)))), (fake, moved)

    def of_discriminator(params, fake):
        real_terms = jnp.log1p(jnp.exp(-logits(params, real)))
        return jnp.mean(real_terms + jnp.log1p(jnp.exp(logits(params, fake))))

    @jax.jit
    def expected():
        g = jax.value_and_grad(of_generator, has_aux=True)(made.params)
        fake, moved = images(new_made.params, "discriminator")
        return g, (fake, moved), jax.value_and_grad(of_discriminator)(judged.params, fake)

    ((loss, (fake, moved)), slopes), (shown, then), (of_d, slopes_d) = expected()
    close(new_made.params, jax.tree.map(lambda p, g: p - RATE * g, made.params, slopes))
    close(new_judged.params, jax.tree.map(lambda p, g: p - RATE * g, judged.params, slopes_d))
    found = [metrics["loss/generator"], metrics["loss/discriminator"]]
    np.testing.assert_allclose(found, [loss, of_d], rtol=1e-4)
    # Both sets of styles move the mean, which started from 0, each by 0.005.
    means = [one["average"]["w"] for one in (moved, then)]
    close(new_made.model_state["average"]["w"], 0.995 * means[0] + means[1])
    # No image of a batch is another's, nor does either player see those of the other's update.
    every = np.concatenate([fake, shown]).reshape(2 * BATCH, -1)
    distances = np.abs(every[:, None] - every).max(axis=-1) + np.eye(2 * BATCH)
    assert distances.min() > 0.01


def test_styles_are_mixed_from_one_layer_on_for_a_whole_batch():
    """Always, never, and in as many batches as was said; all cuts but before the first layer."""
    network, networks = (
        MODEL.generator,
        Networks(MODEL.generator, MODEL.discriminator, (8, 8, 1), 0, None),
    )
    variables = network.init(KEY, jnp.zeros((BATCH, 3)), method=network.styles)

    def draw(key, count, axis=None):
        return rng.per_example(lambda k: MODEL.prior.draw(k, 0), key, count, axis)

    def one(mixing, key):
        game = Game(dataclasses.replace(MODEL, mixing=mixing), networks, {}, draw, BATCH)
        return styles(game, variables, key, "generator", BATCH).ws

    keys = jax.random.split(KEY, 64)
    always, never, half = (
        np.asarray(jax.jit(jax.vmap(lambda k, p=p: one(p, k)))(keys)) for p in (1.0, 0.0, 0.5)
    )
    first, other = (
        np.asarray(jax.jit(jax.vmap(lambda k, role=role: network.apply(
            variables, draw(rng.role_key(k, f"generator-{role}"), BATCH), method=network.styles
        )))(keys)) for role in ("latent", "mixing")
    )  # fmt: skip
    np.testing.assert_allclose(never, np.stack([first] * 4, axis=2), rtol=1e-4, atol=1e-6)
    own = np.isclose(always, first[:, :, None], rtol=1e-4, atol=1e-6).all(axis=-1)
    others = np.isclose(always, other[:, :, None], rtol=1e-4, atol=1e-6).all(axis=-1)
    assert (own ^ others).all()
    assert (own == own[:, :1]).all()
    assert {tuple(kept) for kept in own[:, 0].tolist()} == {
        (True, False, False, False), (True, True, False, False), (True, True, True, False)
    }  # fmt: skip
    mixed = np.abs(half - never).max(axis=(1, 2, 3)) > 1e-3
    # Of 64 fair coins, fewer than 16 or more than 48 heads: once in 40,000 tries.
    assert 16 <= mixed.sum() <= 48


@pytest.mark.slow
def test_r1_is_an_update_of_its_own():
    """In step 3 and not in step 1; three times the gradient, at what the loss's update left."""
    without, with_r1 = (after(step)[0].players["discriminator"].params for step in (1, 3))
    real = jnp.asarray(IMAGES, jnp.float32) / 127.5 - 1.0

    def penalty(params):
        def logit(image):
            return MODEL.discriminator.apply({"params": params}, image, train=True)

        slopes = jax.grad(lambda images: jnp.sum(logit(images)))(real)
        return jnp.mean(0.5 * WEIGHT * jnp.sum(slopes**2, axis=(1, 2, 3)))

    value, gradient = jax.jit(jax.value_and_grad(penalty))(without)
    close(with_r1, jax.tree.map(lambda p, g: p - RATE * 3 * g, without, gradient))
    assert after(1)[1]["penalty/r1"] == after(2)[1]["penalty/r1"] == 0.0
    np.testing.assert_allclose(after(3)[1]["penalty/r1"], value, rtol=1e-4)


@pytest.mark.slow
def test_path_lengths_are_an_update_of_their_own():
    """In step 2 and not in step 1: of half the batch, twice the gradient, through the mapping."""
    without, with_paths = (after(step)[0].players["generator"] for step in (1, 2))
    constants, network = without.model_state["noise"], MODEL.generator
    latents = rng.per_example(lambda k: MODEL.prior.draw(k, 0), rng.role_key(KEY, "path-latent"), 2)
    noise = rng.per_example(
        lambda k: jax.random.normal(k, (8, 8, 1)), rng.role_key(KEY, "path-direction"), 2
    )

    def penalty(params):
        variables = {**without.variables, "params": params}
        w = network.apply(variables, latents, method=network.styles)
        lengths = path_lengths(
            lambda ws: network.apply(
                variables, ws, image_shape=(8, 8, 1), random=True, method=network.images,
                rngs={"dropout": rng.role_key(KEY, "path-noise")},
            ),
            jnp.stack([w] * 4, axis=1), noise / 8,
        )  # fmt: skip
        mean = 0.1 * jnp.mean(lengths)
        return jnp.mean(0.7 * (lengths - mean) ** 2), mean

    (value, mean), gradient = jax.jit(jax.value_and_grad(penalty, has_aux=True))(without.params)
    close(with_paths.params, jax.tree.map(lambda p, g: p - RATE * 2 * g, without.params, gradient))
    state, metrics = after(2)
    np.testing.assert_allclose(metrics["penalty/generator/path_length"], value, rtol=1e-3)
    np.testing.assert_allclose(state.extras["path_lengths"][0], mean, rtol=1e-3)
    assert after(1)[0].extras["path_lengths"][0] == 0.0
    jax.tree.map(np.testing.assert_array_equal, constants, with_paths.model_state["noise"])
    # Every set of latents that was mapped moves the mean of w: those of the path lengths too.
    assert np.abs(
        with_paths.model_state["average"]["w"] - without.model_state["average"]["w"]
    ).max()


@pytest.mark.slow
def test_the_average_is_of_weights_and_the_mean_of_w_is_copied():
    _, before = compiled()
    state, _ = after(2)
    made, ema = state.players["generator"], state.ema["generator"]
    keeps = min(0.9, 0.5 ** (1 / (0.5 * 2)))
    old = before.ema["generator"]["params"]
    close(ema["params"], jax.tree.map(lambda a, b: b + keeps * (a - b), old, made.params))
    np.testing.assert_array_equal(ema["average"]["w"], made.model_state["average"]["w"])
    assert np.abs(ema["average"]["w"]).max() > 0
