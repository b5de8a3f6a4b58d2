"""Gated and residual encoders and decoders, and those of the study of disentanglement."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from jaxgan.networks import disentanglement
from jaxgan.networks.disentanglement import DisentanglementDecoder, DisentanglementEncoder
from jaxgan.networks.gated import GatedDecoder, GatedEncoder
from jaxgan.networks.residual_vae import ResnetDecoder, ResnetEncoder
from jaxgan.networks.resnet import ResnetDiscriminator, ResnetGenerator

KEY = jax.random.key(0)
DRAWS = np.random.default_rng(0)


def shapes(network, *inputs, **arguments):
    return jax.eval_shape(lambda: network.init(KEY, *inputs, train=False, **arguments))


def size(network, *inputs, **arguments):
    params = shapes(network, *inputs, **arguments)["params"]
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def drawn(like):
    return jax.tree.map(lambda leaf: jnp.asarray(DRAWS.normal(size=leaf.shape), jnp.float32), like)


def dense(inputs, outputs):
    return inputs * outputs + outputs


def conv(kernel, inputs, outputs):
    return kernel * kernel * inputs * outputs + outputs


def test_parameters_of_the_study_of_disentanglement():
    """Layer by layer as in the paper's table: 64 pixels, one channel, codes of 10."""
    convolutions = conv(4, 1, 32) + conv(4, 32, 32) + conv(2, 32, 64) + conv(2, 64, 64)
    expected = convolutions + dense(4 * 4 * 64, 256) + 2 * dense(256, 10)
    images = jnp.zeros((1, 64, 64, 1))
    assert size(DisentanglementEncoder(), images, latent_size=10) == expected == 309_204
    convolutions = conv(4, 64, 64) + conv(4, 64, 32) + conv(4, 32, 32) + conv(4, 32, 1)
    expected = dense(10, 256) + dense(256, 4 * 4 * 64) + convolutions
    found = size(DisentanglementDecoder(), jnp.zeros((1, 10)), image_shape=(64, 64, 1))
    assert found == expected == 381_313


@pytest.mark.parametrize(("pixels", "halvings"), [(8, 1), (28, 2), (32, 3), (64, 4)])
def test_smaller_images_have_fewer_layers(pixels, halvings):
    image_shape = (pixels, pixels, 3)
    given = shapes(DisentanglementEncoder(), jnp.zeros((1, *image_shape)), latent_size=2)
    made = shapes(DisentanglementDecoder(), jnp.zeros((1, 2)), image_shape=image_shape)
    assert sum(name.startswith("Conv_") for name in given["params"]) == halvings
    assert sum(name.startswith("ConvTranspose_") for name in made["params"]) == halvings


def test_what_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="odd size"):
        shapes(DisentanglementEncoder(), jnp.zeros((1, 9, 9, 1)), latent_size=2)


def test_the_study_of_disentanglement_has_relus_but_none_at_the_end():
    """With every weight 1 and biases of -1 where a ReLU follows, nothing but the last biases."""
    network = DisentanglementDecoder(width=2, units=3)
    latent = jnp.zeros((1, 2))
    params = shapes(network, latent, image_shape=(16, 16, 1))["params"]
    weights = jax.tree_util.tree_map_with_path(
        lambda path, leaf: jnp.full(leaf.shape, -1.0 if path[-1].key == "bias" else 1.0), params
    )
    made = network.apply({"params": weights}, latent, image_shape=(16, 16, 1), train=False)
    np.testing.assert_array_equal(made, -1.0)


def test_parameters_of_the_gated_networks():
    """Two layers of 300 gated units, codes of 40, 28 pixels: each unit has two sets of weights."""
    hidden = 2 * dense(784, 300) + 2 * dense(300, 300)
    images = jnp.zeros((1, 28, 28, 1))
    assert size(GatedEncoder(), images, latent_size=40) == hidden + 2 * dense(300, 40)
    hidden = 2 * dense(40, 300) + 2 * dense(300, 300)
    found = size(GatedDecoder(), jnp.zeros((1, 40)), image_shape=(28, 28, 1))
    assert found == hidden + dense(300, 784)


def test_gated_layers_by_hand():
    images = jnp.asarray(DRAWS.uniform(-1, 1, (4, 2, 2, 1)), jnp.float32)
    network = GatedEncoder(widths=(3, 2))
    like = shapes(network, images, latent_size=2)["params"]
    params = drawn(like)
    mean, log_variance = network.apply({"params": params}, images, latent_size=2, train=False)

    def layer(values, name, inner=None):
        weights = params[name][inner] if inner else params["GatedLayers_0"][name]
        return values @ np.asarray(weights["kernel"], np.float64) + np.asarray(weights["bias"])

    values = np.asarray(images).reshape(4, -1)
    for level in range(2):
        values = layer(values, f"values_{level}") * expit(layer(values, f"gate_{level}"))
    np.testing.assert_allclose(mean, layer(values, "GaussianHead_0", "mean"), rtol=1e-5)
    expected = layer(values, "GaussianHead_0", "log_variance")
    np.testing.assert_allclose(log_variance, expected, rtol=1e-5)


def test_residual_networks_have_the_trunks_of_sngan():
    """But for the last layers: the heads of the codes, and the tanh."""
    options = {"width": 8, "max_multiple": 2}
    images = jnp.zeros((1, 16, 16, 1))
    encoder = shapes(ResnetEncoder(**options), images, latent_size=3)
    discriminator = shapes(ResnetDiscriminator(**options, weight_norm=None), images)
    assert encoder.keys() == {"params"}
    heads = encoder["params"].pop("GaussianHead_0")
    assert heads["mean"]["kernel"].shape == (16, 3)
    discriminator["params"].pop("LogitHead_0")
    assert encoder["params"] == discriminator["params"]

    latent, arguments = jnp.asarray(DRAWS.normal(size=(2, 5)), jnp.float32), {
        "image_shape": (8, 8, 1), "train": False,
    }  # fmt: skip
    generator, decoder = ResnetGenerator(width=4, batch_norm=False), ResnetDecoder(width=4)
    like = jax.eval_shape(lambda: decoder.init(KEY, latent, **arguments))
    assert like == jax.eval_shape(lambda: generator.init(KEY, latent, **arguments))
    params = drawn(like)

    @jax.jit
    def both(params):
        return [one.apply(params, latent, **arguments) for one in (decoder, generator)]

    made, images = both(params)
    np.testing.assert_allclose(np.tanh(made), images, atol=1e-6)
    assert float(jnp.abs(made).max()) > 1.0


def test_examples():
    result = doctest.testmod(disentanglement)
    assert (result.attempted, result.failed) == (2, 0)
