import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.vae import ConvDecoder, ConvEncoder

RNG = np.random.default_rng(0)


def size(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_parameter_counts():
    """28 pixels: 16 in out + out of each convolution, two heads of 49 x 128 x 20 + 20; mirrored."""
    images, latent = jnp.zeros((2, 28, 28, 1)), jnp.zeros((2, 20))
    encoder = jax.eval_shape(
        lambda: ConvEncoder().init(jax.random.key(0), images, latent_size=20, train=False)
    )
    convolutions = (16 * 1 * 64 + 64) + (16 * 64 * 128 + 128)
    assert size(encoder) == convolutions + 2 * (49 * 128 * 20 + 20)
    decoder = jax.eval_shape(
        lambda: ConvDecoder().init(jax.random.key(0), latent, image_shape=(28, 28, 1), train=False)
    )
    convolutions = (16 * 128 * 64 + 64) + (16 * 64 * 1 + 1)
    assert size(decoder) == (20 * 49 * 128 + 49 * 128) + convolutions


def test_decoder_is_a_generator_without_tanh():
    latent = jnp.asarray(RNG.normal(size=(3, 5)), jnp.float32)
    decoder = ConvDecoder(width=4, batch_norm=True)
    generator = DcganGenerator(width=4)
    variables = decoder.init(jax.random.key(0), latent, image_shape=(8, 8, 1), train=False)
    outputs = decoder.apply(variables, latent, image_shape=(8, 8, 1), train=False)
    images = generator.apply(variables, latent, image_shape=(8, 8, 1), train=False)
    np.testing.assert_allclose(jnp.tanh(outputs), images, rtol=1e-6)


def test_encoder_has_the_trunk_of_a_discriminator():
    images = jnp.asarray(RNG.uniform(-1, 1, size=(3, 16, 16, 1)), jnp.float32)
    encoder = ConvEncoder(width=4, batch_norm=True, activation="leaky_relu")
    discriminator = DcganDiscriminator(width=4)
    key = jax.random.key(0)
    one = jax.eval_shape(lambda: encoder.init(key, images, latent_size=3, train=False))
    two = jax.eval_shape(lambda: discriminator.init(key, images, train=False))
    assert one["params"]["DownPyramid_0"] == two["params"]["DownPyramid_0"]


def test_outputs_are_unbounded():
    latent = jnp.asarray(RNG.normal(size=(3, 5)), jnp.float32)
    decoder = ConvDecoder(width=4, init_std=3.0)
    outputs, _ = decoder.init_with_output(
        jax.random.key(0), latent, image_shape=(8, 8, 1), train=False
    )
    assert float(outputs.max()) > 1.0
    assert float(outputs.min()) < -1.0


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_activations_differ(activation):
    """A single convolution with known weights: 16 ones times -1/16 is -1 inside the image."""
    images = -jnp.ones((1, 8, 8, 1)) / 16
    encoder = ConvEncoder(width=1, activation=activation, slope=0.25)
    variables = encoder.init(jax.random.key(0), images, latent_size=1, train=False)
    variables = jax.tree.map(jnp.ones_like, variables)
    params = variables["params"]
    params["DownPyramid_0"]["Conv_0"]["bias"] = jnp.zeros(1)
    params["GaussianHead_0"]["mean"]["kernel"] = jnp.zeros((16, 1)).at[5].set(1.0)
    params["GaussianHead_0"]["mean"]["bias"] = jnp.zeros(1)
    mean, _ = encoder.apply(variables, images, latent_size=1, train=False)
    expected = {"relu": 0.0, "leaky_relu": -0.25, "tanh": np.tanh(-1.0)}[activation]
    assert float(mean[0, 0]) == pytest.approx(expected, rel=1e-5)
