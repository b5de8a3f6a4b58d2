"""Parameter counts derived by hand, first weights, and values against plain Flax layers."""

import doctest

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import dcgan
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator

RNG = np.random.default_rng(0)


def init_shapes(module, inputs, **arguments):
    return jax.eval_shape(lambda: module.init(jax.random.key(0), inputs, train=False, **arguments))


def jitted_init(module, inputs, **arguments):
    init = jax.jit(lambda key, x: module.init(key, x, train=False, **arguments))
    return init(jax.random.key(0), inputs)


def size(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


# Generator: z x base^2 x C weights of the dense layer; 16 x in x out of each transposed
# convolution, the last with a bias; two parameters a normalized channel. Discriminator: 16 x in x
# out, a bias in the first layer; two a normalized channel; base^2 x C + 1 of the last layer.
COUNTS = [
    (
        (32, 32, 1),
        100 * 16 * 256 + 16 * (256 * 128 + 128 * 64 + 64 * 1) + 1 + 2 * (256 + 128 + 64),
        16 * (1 * 64 + 64 * 128 + 128 * 256) + 64 + 2 * (128 + 256) + 16 * 256 + 1,
    ),
    (
        (28, 28, 1),
        100 * 49 * 128 + 16 * (128 * 64 + 64 * 1) + 1 + 2 * (128 + 64),
        16 * (1 * 64 + 64 * 128) + 64 + 2 * 128 + 49 * 128 + 1,
    ),
    # PyTorch's DCGAN example (64 pixels, width 64, z of 100) has 3,576,704 and 2,765,568. Ours
    # differ by the biases that it goes without: 3 of the last layer of the generator, 64 of the
    # first and 1 of the last of the discriminator.
    ((64, 64, 3), 3_576_704 + 3, 2_765_568 + 64 + 1),
    (
        (128, 128, 3),
        100 * 16 * 512
        + 16 * (512 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
        + 3
        + 2 * (512 + 512 + 256 + 128 + 64),
        16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512)
        + 64
        + 2 * (128 + 256 + 512 + 512)
        + 16 * 512
        + 1,
    ),
    (
        (8, 8, 1),
        100 * 16 * 64 + 16 * 64 + 1 + 2 * 64,
        16 * 64 + 64 + 16 * 64 + 1,
    ),
]


@pytest.mark.parametrize(("shape", "generator", "discriminator"), COUNTS)
def test_parameter_counts(shape, generator, discriminator):
    latent, images = jnp.zeros((2, 100)), jnp.zeros((2, *shape))
    assert size(init_shapes(DcganGenerator(), latent, image_shape=shape)) == generator
    assert size(init_shapes(DcganDiscriminator(), images)) == discriminator


def test_parameter_counts_without_batch_norm():
    """Biases, one a channel or a unit of the dense layer, instead of two a normalized channel."""
    shape = (32, 32, 1)
    latent, images = jnp.zeros((2, 100)), jnp.zeros((2, *shape))
    _, generator, discriminator = COUNTS[0]
    plain = init_shapes(DcganGenerator(batch_norm=False), latent, image_shape=shape)
    assert size(plain) == generator - 2 * (256 + 128 + 64) + (16 * 256 + 128 + 64)
    assert list(plain) == ["params"]
    plain = init_shapes(DcganDiscriminator(batch_norm=False), images)
    assert size(plain) == discriminator - (128 + 256)
    assert list(plain) == ["params"]


def test_first_weights():
    """Radford et al. 2016, section 4: N(0, 0.02); norm scales around 1, biases 0."""
    latent, images = jnp.zeros((2, 100)), jnp.zeros((2, 16, 16, 1))
    for variables in (
        jitted_init(DcganGenerator(width=32), latent, image_shape=(16, 16, 1)),
        jitted_init(DcganDiscriminator(width=32), images),
    ):
        for path, value in jax.tree_util.tree_leaves_with_path(variables["params"]):
            name, count = path[-1].key, value.size
            values = np.asarray(value, np.float64)
            if name == "bias":
                assert not values.any()
                continue
            mean = 1.0 if name == "scale" else 0.0
            # Five standard errors, for two dozen comparisons.
            assert values.mean() == pytest.approx(mean, abs=5 * 0.02 / count**0.5)
            assert values.std() == pytest.approx(0.02, rel=5 / (2 * count) ** 0.5)


class PlainGenerator(nn.Module):
    """DCGAN at 16 pixels as one would write it down with Flax alone."""

    @nn.compact
    def __call__(self, z, train):
        def norm(x):
            return nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)

        x = nn.Dense(4 * 4 * 16, use_bias=False)(z).reshape(-1, 4, 4, 16)
        x = nn.relu(norm(x))
        x = nn.relu(norm(nn.ConvTranspose(8, (4, 4), (2, 2), use_bias=False)(x)))
        return jnp.tanh(nn.ConvTranspose(2, (4, 4), (2, 2))(x))


class PlainDiscriminator(nn.Module):
    """DCGAN's discriminator at 16 pixels as one would write it down with Flax alone."""

    @nn.compact
    def __call__(self, x, train):
        x = nn.leaky_relu(nn.Conv(8, (4, 4), (2, 2))(x), 0.2)
        x = nn.Conv(16, (4, 4), (2, 2), use_bias=False)(x)
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)
        x = nn.leaky_relu(x, 0.2)
        return nn.Dense(1)(x.reshape(x.shape[0], -1))[:, 0]


def perturbed(variables):
    """Away from the start, where biases are 0 and running variances 1."""
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda v: v + jnp.asarray(rng.uniform(0, 0.1, v.shape), v.dtype), variables)


def check_against(module, variables, plain, plain_variables, inputs, **arguments):
    for train in (False, True):
        got, got_state = module.apply(
            variables, inputs, train=train, mutable=["batch_stats"], **arguments
        )
        expected, expected_state = plain.apply(
            plain_variables, inputs, train, mutable=["batch_stats"]
        )
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
        got_leaves = jax.tree.leaves(got_state)
        expected_leaves = jax.tree.leaves(expected_state)
        assert len(got_leaves) == len(expected_leaves) > 0
        for a, b in zip(got_leaves, expected_leaves, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_generator_is_the_plain_one():
    module, plain = DcganGenerator(width=8), PlainGenerator()
    latent = jnp.asarray(RNG.normal(size=(5, 7)), jnp.float32)
    variables = perturbed(
        module.init(jax.random.key(0), latent, image_shape=(16, 16, 2), train=False)
    )
    inner = {name: tree["UpPyramid_0"] for name, tree in variables.items()}
    check_against(module, variables, plain, inner, latent, image_shape=(16, 16, 2))


def test_discriminator_is_the_plain_one():
    module, plain = DcganDiscriminator(width=8), PlainDiscriminator()
    images = jnp.asarray(RNG.uniform(-1, 1, size=(5, 16, 16, 2)), jnp.float32)
    variables = perturbed(module.init(jax.random.key(0), images, train=False))
    inner = {name: tree["DownPyramid_0"] for name, tree in variables.items() if name != "params"}
    inner["params"] = {
        **variables["params"]["DownPyramid_0"],
        "Dense_0": variables["params"]["LogitHead_0"]["Dense_0"],
    }
    check_against(module, variables, plain, inner, images)


def test_range():
    module = DcganGenerator(width=4, init_std=5.0)
    latent = jnp.asarray(RNG.normal(size=(5, 7)), jnp.float32)
    images, _ = module.init_with_output(
        jax.random.key(0), latent, image_shape=(8, 8, 1), train=False
    )
    assert float(jnp.abs(images).max()) <= 1.0
    assert float(jnp.abs(images).max()) > 0.9


@pytest.mark.parametrize("shape", [(28, 32, 1), (27, 27, 1), (4, 4, 1), (1, 1, 2), (256, 256, 3)])
def test_impossible_shapes(shape):
    with pytest.raises(ValueError, match=f"images of {shape[0]}x{shape[1]}"):
        init_shapes(DcganGenerator(), jnp.zeros((2, 10)), image_shape=shape)
    with pytest.raises(ValueError, match=f"images of {shape[0]}x{shape[1]}"):
        init_shapes(DcganDiscriminator(), jnp.zeros((2, *shape)))


def test_examples():
    result = doctest.testmod(dcgan)
    assert result.attempted >= 5
    assert result.failed == 0
