"""Autoencoding discriminators: energies by hand, counts to the digit, layers against plain Flax."""

import doctest

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import autoencoder, began
from jaxgan.networks.autoencoder import DcganAutoencoder, MlpAutoencoder, energy
from jaxgan.networks.began import BeganDiscriminator, BeganGenerator

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def shaped(module, inputs, **arguments):
    return jax.eval_shape(lambda: module.init(KEY, inputs, train=False, **arguments))


def size(module, inputs, **arguments):
    variables = shaped(module, inputs, **arguments)
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def started(module, inputs, **arguments):
    """Random variables in the shapes of the first ones, whose compilation takes longer."""
    return jax.tree.map(
        lambda s: jnp.asarray(RNG.uniform(-0.4, 0.4, s.shape), s.dtype),
        shaped(module, inputs, **arguments),
    )


class TestEnergy:
    IMAGES = RNG.uniform(-1, 1, size=(3, 2, 4, 2))
    OTHERS = RNG.uniform(-1, 1, size=(3, 2, 4, 2))

    @pytest.mark.parametrize("exponent", [1, 2])
    def test_is_the_mean_over_pixels_and_channels(self, exponent):
        found = energy(jnp.asarray(self.IMAGES), jnp.asarray(self.OTHERS), exponent)
        error = np.abs(self.IMAGES - self.OTHERS) ** exponent
        np.testing.assert_allclose(found, error.reshape(3, 16).mean(axis=1), rtol=1e-6)

    @pytest.mark.parametrize("exponent", [1, 2])
    def test_does_not_depend_on_the_size_of_images(self, exponent):
        doubled = (a.repeat(2, axis=1).repeat(2, axis=2) for a in (self.IMAGES, self.OTHERS))
        np.testing.assert_allclose(
            energy(*map(jnp.asarray, doubled), exponent),
            energy(jnp.asarray(self.IMAGES), jnp.asarray(self.OTHERS), exponent),
            rtol=1e-6,
        )

    @pytest.mark.parametrize("exponent", [1, 2])
    def test_slope_is_a_number_where_there_is_no_error(self, exponent):
        images = jnp.asarray(self.IMAGES)
        slope = jax.grad(lambda other: energy(images, other, exponent).sum())(images)
        assert float(jnp.abs(slope).max()) <= {1: 1 / 16, 2: 0.0}[exponent]


class TestBegan:
    def test_parameter_counts(self):
        """n 128, codes of 64, 64 pixels in color: to the digit."""
        assert size(BeganGenerator(), jnp.zeros((2, 64)), image_shape=(64, 64, 3)) == 1_716_611
        assert size(BeganDiscriminator(), jnp.zeros((2, 64, 64, 3))) == 13_405_379

    @pytest.mark.parametrize(("side", "levels", "base"), [(8, 0, 8), (28, 2, 7), (32, 2, 8)])
    def test_parameter_counts_by_formula(self, side, levels, base):
        """Convolutions of 9 weights and a bias; channels grow by n a level in the encoder."""
        n, code = 4, 5

        def convolution(before, after):
            return 9 * before * after + after

        decoder = code * base**2 * n + base**2 * n + convolution(n, 1)
        decoder += 2 * (levels + 1) * convolution(n, n)
        encoder = convolution(1, n)
        for level in range(levels + 1):
            own = n * (level + 1)
            encoder += convolution(own - n if level else n, own) + convolution(own, own)
            encoder += convolution(own, own) if level < levels else 0
        encoder += base**2 * n * (levels + 1) * code + code
        shape = (side, side, 1)
        assert size(BeganGenerator(width=n), jnp.zeros((2, code)), image_shape=shape) == decoder
        assert (
            size(BeganDiscriminator(width=n, code_size=code), jnp.zeros((2, *shape)))
            == encoder + decoder
        )

    def test_is_the_plain_one(self):
        """An energy and a code, at 16 pixels: two resolutions."""

        class Plain(nn.Module):
            @nn.compact
            def __call__(self, x):
                images, names = x, iter([f"conv{i}" for i in range(20)])

                def conv(x, channels, stride=1):
                    return nn.Conv(channels, (3, 3), (stride, stride), name=next(names))(x)

                for channels, stride in ((3, 1), (3, 1), (3, 1), (3, 2), (6, 1), (6, 1)):
                    x = nn.elu(conv(x, channels, stride))
                code = nn.Dense(5, name="code")(x.reshape(x.shape[0], -1))
                x = nn.Dense(8 * 8 * 3, name="decode")(code).reshape(-1, 8, 8, 3)
                x = nn.elu(conv(nn.elu(conv(x, 3)), 3))
                x = x.repeat(2, axis=1).repeat(2, axis=2)
                x = conv(nn.elu(conv(nn.elu(conv(x, 3)), 3)), 2)
                return -jnp.abs(images - x).mean(axis=(1, 2, 3)), code

        module = BeganDiscriminator(width=3, code_size=5)
        images = jnp.asarray(RNG.uniform(-1, 1, size=(4, 16, 16, 2)), jnp.float32)
        params = started(module, images)["params"]
        decoder = params["BeganDecoder_0"]
        encoding = [params[f"Conv_{i}"] for i in range(6)]
        decoding = [decoder[f"Conv_{i}"] for i in range(5)]
        plain = {f"conv{i}": layer for i, layer in enumerate([*encoding, *decoding])}
        plain |= {"code": params["VectorHead_0"]["Dense_0"], "decode": decoder["Dense_0"]}

        @jax.jit
        def both():
            logits, heads = module.apply({"params": params}, images, train=True)
            return (logits, heads["code"]), Plain().apply({"params": plain}, images)

        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), *both())

    def test_generator_is_the_decoder_of_the_discriminator(self):
        latent, images = jnp.zeros((2, 64)), jnp.zeros((2, 28, 28, 1))
        made = shaped(BeganGenerator(width=4), latent, image_shape=(28, 28, 1))["params"]
        judged = shaped(BeganDiscriminator(width=4), images)["params"]
        assert made["BeganDecoder_0"] == judged["BeganDecoder_0"]


@pytest.mark.parametrize(
    ("module", "weights"),
    [
        # 8 x 8 pixels; layers of 6 and 4 units, a code of 3, and back.
        (
            MlpAutoencoder(widths=(6, 4), code_size=3),
            64 * 6 + 6 + 6 * 4 + 4 + 4 * 3 + 3 + 3 * 4 + 4 + 4 * 6 + 6 + 6 * 64 + 64,
        ),
        # One level of 4x4 pixels and 2 channels, which is not normalized on the way down.
        (
            DcganAutoencoder(width=2, code_size=3),
            (16 * 2 + 2) + (32 * 3 + 3) + (3 * 32 + 2 * 2) + (16 * 2 + 1),
        ),
    ],
)
def test_parameter_counts(module, weights):
    assert size(module, jnp.zeros((2, 8, 8, 1))) == weights


@pytest.mark.parametrize("exponent", [1, 2])
def test_energy_of_dense_layers_by_hand(exponent):
    module = MlpAutoencoder(widths=(6,), code_size=3, exponent=exponent)
    images = jnp.asarray(RNG.uniform(-1, 1, size=(4, 2, 2, 2)), jnp.float32)
    variables = started(module, images)
    logits, heads = module.apply(variables, images, train=True)
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])

    def dense(values, layer):
        return values @ layer["kernel"] + layer["bias"]

    flat = np.asarray(images, np.float64).reshape(4, 8)
    hidden = np.maximum(dense(flat, params["HiddenLayers_0"]["Dense_0"]), 0)
    code = dense(hidden, params["VectorHead_0"]["Dense_0"])
    decoder = params["MlpDecoder_0"]
    hidden = np.maximum(dense(code, decoder["HiddenLayers_0"]["Dense_0"]), 0)
    error = np.abs(dense(hidden, decoder["pixels"]) - flat) ** exponent
    np.testing.assert_allclose(heads["code"], code, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logits, -error.mean(axis=1), rtol=1e-4)
    assert (np.asarray(logits) < 0).all()


@pytest.mark.parametrize("module", [MlpAutoencoder(), DcganAutoencoder(), BeganDiscriminator()])
def test_says_that_it_autoencodes(module):
    assert module.autoencodes is True


@pytest.mark.parametrize(("field", "value"), [("exponent", 3), ("code_size", 0), ("exponent", 0)])
def test_bad_settings(field, value):
    for network in (MlpAutoencoder, DcganAutoencoder, BeganDiscriminator):
        with pytest.raises(ValueError, match=rf"{network.__name__}.{field} = {value}: "):
            network(**{field: value})


def test_examples():
    for module, examples in ((autoencoder, 2), (began, 4)):
        result = doctest.testmod(module)
        assert result.attempted >= examples
        assert result.failed == 0
