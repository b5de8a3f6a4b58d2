"""The autoencoders beside InfoGAN's pair: parameter counts, shared trunks, layers in plain Flax."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.infogan import InfoGanDiscriminator, InfoGanGenerator
from jaxgan.networks.infogan_autoencoders import InfoGanAutoencoder, InfoGanDecoder, InfoGanEncoder

RNG = np.random.default_rng(0)
KEY = jax.random.key(0)
MNIST, CODES = jnp.zeros((2, 28, 28, 1)), jnp.zeros((2, 64))


def size(module, inputs, **arguments):
    variables = jax.eval_shape(lambda: module.init(KEY, inputs, train=False, **arguments))
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_parameter_counts():
    """Kernels and biases, layer by layer, and two numbers for each that is normalized."""
    down = (4 * 4 * 1 * 64 + 64) + (4 * 4 * 64 * 128 + 128)
    up = (4 * 4 * 128 * 64 + 64) + (4 * 4 * 64 * 1 + 1)
    pixels = 7 * 7 * 128
    encoder = down + (pixels * 1024 + 1024) + 2 * (1024 * 64 + 64)
    assert size(InfoGanEncoder(batch_norm=False), MNIST, latent_size=64) == encoder == 6_687_040
    decoder = (64 * 1024 + 1024) + (1024 * pixels + pixels) + up + 2 * (1024 + pixels + 64)
    assert decoder == 6_642_241
    assert size(InfoGanDecoder(biases=True), CODES, image_shape=(28, 28, 1)) == decoder
    energies = down + (pixels * 64 + 64) + (64 * pixels + pixels) + up
    assert size(InfoGanAutoencoder(), MNIST) == energies == 1_073_601
    # With batch norm a scale takes the place of each bias, but for its own bias.
    assert size(InfoGanAutoencoder(batch_norm=True), MNIST) == energies + 64 + pixels + 64


def test_encoder_has_the_trunk_of_the_discriminator():
    trunk = {"width": 4, "units": 6, "slope": 0.2, "batch_norm": False}
    images = jnp.asarray(RNG.uniform(-1, 1, size=(3, 8, 8, 1)), jnp.float32)
    encoder, discriminator = InfoGanEncoder(**trunk), InfoGanDiscriminator(**trunk)
    variables = encoder.init(KEY, images, latent_size=6, train=False)
    params = dict(variables["params"])
    params["GaussianHead_0"]["mean"] = {"kernel": jnp.eye(6), "bias": jnp.zeros(6)}
    features, _ = encoder.apply({"params": params}, images, latent_size=6, train=False)
    del params["GaussianHead_0"]
    weights = jnp.asarray(RNG.normal(size=(6, 1)), jnp.float32)
    params["LogitHead_0"] = {"Dense_0": {"kernel": weights, "bias": jnp.zeros(1)}}
    logits = discriminator.apply({"params": params}, images, train=False)
    np.testing.assert_allclose(features @ weights[:, 0], logits, rtol=1e-5, atol=1e-8)


def test_decoder_is_the_generator_without_tanh():
    codes = jnp.asarray(RNG.normal(size=(3, 5)), jnp.float32)
    decoder = InfoGanDecoder(width=4, units=6, init_std=2.0)
    generator = InfoGanGenerator(width=4, units=6)
    variables = decoder.init(KEY, codes, image_shape=(8, 8, 1), train=False)
    outputs = decoder.apply(variables, codes, image_shape=(8, 8, 1), train=False)
    images = generator.apply(variables, codes, image_shape=(8, 8, 1), train=False)
    assert float(jnp.abs(outputs).max()) > 1.0
    np.testing.assert_allclose(jnp.tanh(outputs), images, rtol=1e-5, atol=1e-7)


class PlainAutoencoder(nn.Module):
    norm: bool

    @nn.compact
    def __call__(self, x, train):
        def finish(x):
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x) if self.norm else x
            return nn.leaky_relu(x, 0.25)

        bias = not self.norm
        y = nn.leaky_relu(nn.Conv(4, (4, 4), (2, 2))(x), 0.25)
        y = nn.Conv(8, (4, 4), (2, 2))(y).reshape(x.shape[0], -1)
        code = finish(nn.Dense(5, use_bias=bias)(y))
        y = finish(nn.Dense(2 * 3 * 8, use_bias=bias)(code)).reshape(-1, 2, 3, 8)
        y = finish(nn.ConvTranspose(4, (4, 4), (2, 2), use_bias=bias)(y))
        y = jnp.tanh(nn.ConvTranspose(2, (4, 4), (2, 2))(y))
        return -jnp.abs(x - y).mean(axis=(1, 2, 3)), {"code": code}


@pytest.mark.parametrize("norm", [False, True])
def test_autoencoder_is_the_plain_one(norm):
    images = jnp.asarray(RNG.uniform(-1, 1, size=(5, 8, 12, 2)), jnp.float32)
    ours = InfoGanAutoencoder(width=4, code_size=5, batch_norm=norm, slope=0.25)
    shapes = jax.eval_shape(lambda: ours.init(KEY, images, train=False))
    variables = {
        # Variances are positive, all else has both signs.
        name: jax.tree.map(
            lambda s, low=low: jnp.asarray(RNG.uniform(low, 0.4, s.shape), s.dtype), shapes[name]
        )
        for name, low in (("params", -0.3), ("batch_stats", 0.1))
        if name in shapes
    }

    @jax.jit
    def both():
        return [
            (
                ours.apply(variables, images, train=train, mutable=["batch_stats"]),
                PlainAutoencoder(norm).apply(variables, images, train, mutable=["batch_stats"]),
            )
            for train in (False, True)
        ]

    for got, expected in both():
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), got, expected
        )


def test_impossible_shapes():
    for network, inputs, arguments in (
        (InfoGanEncoder(), jnp.zeros((2, 10, 8, 1)), {"latent_size": 3}),
        (InfoGanDecoder(), jnp.zeros((2, 5)), {"image_shape": (8, 10, 1)}),
        (InfoGanAutoencoder(), jnp.zeros((2, 10, 8, 1)), {}),
    ):
        with pytest.raises(ValueError, match="InfoGAN's networks halve them twice"):
            size(network, inputs, **arguments)
