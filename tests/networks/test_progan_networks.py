"""Networks that grow: published sizes, and what they compute at each stage of their growth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.growth import PixelBiasDense, blended, faded, pixel_norm
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator, level_sizes

KEY = jax.random.key(0)
SIZE, RATE = 16, np.sqrt(2.0)


def making(network, size, channels=3, latent_size=512, batch=2):
    arguments = {"image_shape": (size, size, channels), "train": False}
    return (jnp.zeros((batch, latent_size)),), arguments


def judging(network, size, channels=3, batch=2):
    return (jnp.zeros((batch, size, size, channels)),), {"train": False}


def shapes(network, given, arguments):
    return jax.eval_shape(lambda: network.init(KEY, *given, **arguments))["params"]


def count(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize(
    ("size", "width", "in_generator", "in_discriminator"),
    [
        (32, 512, 20_719_628, 20_726_785),
        (64, 512, 22_490_383, 22_498_049),
        (128, 512, 22_933_394, 22_941_313),
        (256, 512, 23_044_309, 23_052_353),
        (1024, 512, 23_079_115, 23_087_249),
        (32, 128, 1_296_908, 1_298_689),
    ],
)
def test_published_parameters(size, width, in_generator, in_discriminator):
    network = ProganGenerator(width=width)
    assert count(shapes(network, *making(network, size, latent_size=width))) == in_generator
    network = ProganDiscriminator(width=width)
    assert count(shapes(network, *judging(network, size))) == in_discriminator


@pytest.mark.parametrize(
    ("size", "in_generator", "in_discriminator"),
    [(8, 11_275_779, 11_281_409), (16, 15_995_395, 16_001_025)],
)
def test_published_parameters_without_rgb_layers_of_coarser_levels(
    size, in_generator, in_discriminator
):
    finest = len(level_sizes((size, size, 3))) - 1
    for network, describe, expected in (
        (ProganGenerator(), making, in_generator),
        (ProganDiscriminator(), judging, in_discriminator),
    ):
        found = shapes(network, *describe(network, size))
        kept = {n: t for n, t in found.items() if "rgb" not in n or n.endswith(f"_{finest}")}
        assert count(kept) == expected


def test_widths_and_levels_by_hand():
    assert [ProganGenerator().channels(i) for i in range(-1, 7)] == [*[512] * 5, 256, 128, 64]
    assert level_sizes((256, 256, 3)) == (4, 8, 16, 32, 64, 128, 256)
    with pytest.raises(ValueError, match="8 by 4 pixels"):
        level_sizes((8, 4, 1))


def drawn(network, given, arguments, seed=0):
    draws = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: draws.normal(size=leaf.shape), shapes(network, given, arguments)
    )


def active(values):
    return np.where(values > 0, values, 0.2 * values)


def normed(values):
    return values / np.sqrt(np.mean(values**2, axis=-1, keepdims=True) + 1e-8)


def conv(values, params, gain=RATE):
    """Tap by tap; weights times gain / sqrt(fan_in), then the bias as it is."""
    kernel = params["kernel"] * gain / np.sqrt(np.prod(params["kernel"].shape[:3]))
    size, edge = values.shape[1], kernel.shape[0] // 2
    padded = np.pad(values, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    made = sum(
        padded[:, row : row + size, column : column + size] @ kernel[row, column]
        for row in range(kernel.shape[0])
        for column in range(kernel.shape[1])
    )
    return made + params["bias"]


def twice(values):
    return values.repeat(2, axis=1).repeat(2, axis=2)


def half(values):
    return sum(values[:, a::2, b::2] for a in (0, 1) for b in (0, 1)) / 4


def generated(p, latents, levels):
    """Images of 16 pixels, of the levels that take part, by the definition."""
    dense = p["dense"]
    scale = RATE / 4 / np.sqrt(latents.shape[1])
    values = (normed(latents) @ dense["kernel"] * scale).reshape(len(latents), 4, 4, -1)
    values = normed(active(values + dense["bias"]))
    values = normed(active(conv(values, p["conv_0"])))
    images = conv(values, p["to_rgb_0"], 1.0)
    for level in (1, 2):
        share = np.clip(levels - level + 1, 0, 1)
        values = normed(active(conv(twice(values), p[f"first_{level}"])))
        values = normed(active(conv(values, p[f"second_{level}"])))
        new = conv(values, p[f"to_rgb_{level}"], 1.0)
        images = (1 - share) * twice(images) + share * new
    return images


def judged(p, images, levels, group):
    values = active(conv(images, p["from_rgb_2"]))
    for level in (2, 1):
        share = np.clip(levels - level + 1, 0, 1)
        values = active(conv(values, p[f"first_{level}"]))
        values = half(active(conv(values, p[f"second_{level}"])))
        images = half(images)
        old = active(conv(images, p[f"from_rgb_{level - 1}"]))
        values = (1 - share) * old + share * values
    apart = values.reshape(group, -1, *values.shape[1:])
    spread = np.sqrt(apart.var(axis=0) + 1e-8).mean(axis=(1, 2, 3))
    channel = np.tile(spread, group)[:, None, None, None] * np.ones((*values.shape[:3], 1))
    values = active(conv(np.concatenate([values, channel], axis=-1), p["conv"]))
    values = values.reshape(len(values), -1)
    dense, last = p["dense"], p["logit"]
    values = active(values @ dense["kernel"] * RATE / np.sqrt(values.shape[1]) + dense["bias"])
    return (values @ last["kernel"] / np.sqrt(values.shape[1]) + last["bias"])[:, 0]


# Levels that take part, and those computed: none of the last two steady; half of the second; all.
GROWTH = [(0.0, 0), (0.0, None), (0.4, 1), (1.0, 2), (1.75, 2), (2.0, None)]


def variables(params, levels):
    return {
        "params": jax.tree.map(jnp.float32, params),
        "growth": {"levels": jnp.float32(levels)},
    }


@pytest.mark.parametrize(("levels", "finest"), GROWTH)
def test_a_generator_by_its_definition(levels, finest):
    network = ProganGenerator(width_base=24, width=5)
    given, arguments = making(network, SIZE, 2, latent_size=3)
    params = drawn(network, given, arguments)
    latents = np.random.default_rng(5).normal(size=(2, 3))
    expected = generated(params, latents, levels)
    network = network.clone(finest=finest)
    call = jax.jit(lambda v, z: network.apply(v, z, **arguments))
    got = call(variables(params, levels), jnp.float32(latents))
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    # Levels that do not take part are squares of one color.
    coarse = {0.0: 4, 0.4: 2, 1.0: 2}.get(levels, 1)
    blocks = expected.reshape(2, SIZE // coarse, coarse, SIZE // coarse, coarse, 2)
    assert np.ptp(blocks, axis=(2, 4)).max() < 1e-12


@pytest.mark.parametrize(("levels", "finest"), GROWTH)
def test_a_discriminator_by_its_definition(levels, finest):
    network = ProganDiscriminator(width_base=24, width=5, group=2)
    given, arguments = judging(network, SIZE, 2)
    params = drawn(network, given, arguments)
    images = np.random.default_rng(6).normal(size=(4, SIZE, SIZE, 2))
    expected = judged(params, images, levels, group=2)
    network = network.clone(finest=finest)
    call = jax.jit(lambda v, x: network.apply(v, x, **arguments))
    got = call(variables(params, levels), jnp.float32(images))
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-4)


def test_layers_by_hand():
    """The bias is one a channel; weights start from N(0, 1) and are scaled when used."""
    dense = PixelBiasDense(2, 3, gain=4.0)
    params = jax.jit(lambda: dense.init(KEY, jnp.zeros((1, 400)))["params"])()
    assert params["bias"].shape == (3,)
    assert np.asarray(params["kernel"]).std() == pytest.approx(1.0, rel=0.05)
    inputs = np.random.default_rng(0).normal(size=(2, 400))
    bias = jnp.array([1.0, 2.0, 3.0])
    got = dense.apply({"params": {**params, "bias": bias}}, jnp.float32(inputs))
    expected = (inputs @ np.asarray(params["kernel"]) * 4 / 20).reshape(2, 2, 2, 3)
    np.testing.assert_allclose(got, expected + np.array(bias), rtol=1e-4, atol=1e-4)
    values = np.random.default_rng(1).normal(size=(2, 3, 3, 5))
    np.testing.assert_allclose(pixel_norm(jnp.float32(values)), normed(values), rtol=1e-5)
    assert float(blended(jnp.float32(2.0), jnp.float32(5.0), 1.7)) == 5.0
    assert float(blended(jnp.float32(2.0), jnp.float32(5.0), -0.1)) == 2.0


@pytest.mark.parametrize(("factor", "share"), [(1, 0.0), (1, 0.3), (2, 0.75), (4, 1.0)])
def test_real_images_fade_in(factor, share):
    images = np.random.default_rng(2).normal(size=(2, 8, 8, 1))
    small = images
    for _ in range(factor // 2 if factor < 4 else 2):
        small = half(small)
    expected = share * small + (1 - share) * twice(half(small))
    expected = expected.repeat(factor, axis=1).repeat(factor, axis=2)
    got = faded(jnp.float32(images), factor, share)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
