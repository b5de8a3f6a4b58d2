import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.conditional_resnet import (
    ConditionalResnetGenerator,
    ProjectionResnetDiscriminator,
)
from jaxgan.networks.residual_levels import discriminator_blocks, generator_levels
from jaxgan.networks.resnet import (
    ResnetDiscriminator,
    ResnetGenerator,
)

KEY = jax.random.key(0)
LATENTS = jnp.zeros((1, 128))
WIDE = {"width": 64, "max_multiple": 16}


def count(network, *inputs, **arguments):
    variables = jax.eval_shape(lambda: network.init(KEY, *inputs, train=False, **arguments))
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


@pytest.mark.parametrize(
    ("size", "options", "made", "judged"),
    [
        (32, {}, 4_276_739, 1_053_825),
        (48, WIDE, 4_878_083, 10_141_441),
        (64, WIDE, 12_220_675, 10_141_441),
        (128, WIDE, 32_150_787, 29_017_857),
    ],
)
def test_parameters_of_sngan(size, options, made, judged):
    """Those of mimicry, to the digit."""
    shape = (size, size, 3)
    assert count(ResnetGenerator(**options), LATENTS, image_shape=shape) == made
    assert count(ResnetDiscriminator(**options), jnp.zeros((1, *shape))) == judged


def test_parameters_of_the_projection_gan():
    shape, labels = (32, 32, 3), jnp.zeros(1, jnp.int32)
    latents = {"noise": LATENTS, "label": labels}
    generator, discriminator = ConditionalResnetGenerator(), ProjectionResnetDiscriminator()
    assert count(generator, latents, image_shape=shape, classes=10) == 4_304_387
    assert count(discriminator, jnp.zeros((1, *shape)), labels, classes=10) == 1_055_105


def test_the_authors_last_layer_has_no_bias():
    images = jnp.zeros((1, 32, 32, 3))
    assert count(ResnetDiscriminator(last_bias=False), images) == 1_053_824


@pytest.mark.parametrize(
    ("size", "base", "halvings", "more"),
    [
        (8, 4, 1, 2),
        (16, 4, 1, 2),
        (28, 7, 2, 2),
        (32, 4, 2, 2),
        (48, 6, 4, 1),
        (64, 4, 5, 0),
        (128, 4, 5, 1),
    ],
)
def test_resolutions(size, base, halvings, more):
    shape = (size, size, 1)
    assert generator_levels(shape, 8, 2).base == base
    assert discriminator_blocks(shape) == (halvings, more)
    assert size % 2**halvings == 0
    images = jax.eval_shape(
        lambda: ResnetGenerator(width=4).init_with_output(
            KEY, LATENTS, image_shape=shape, train=False
        )
    )[0]
    assert images.shape == (1, *shape)
    network = ResnetDiscriminator(width=4)
    logits = jax.eval_shape(
        lambda: network.init_with_output(KEY, jnp.zeros((3, *shape)), train=True)
    )[0]
    assert logits.shape == (3,)


@pytest.mark.parametrize("size", [9, 4, 256])
def test_sizes_that_cannot_be(size):
    with pytest.raises(ValueError, match=f"images of {size}x{size}"):
        generator_levels((size, size, 1), 8, 2)
    with pytest.raises(ValueError, match=f"images of {size}x{size}"):
        discriminator_blocks((size, size, 1))


def test_every_layer_of_the_discriminator_is_normalized():
    """Except biases; and batch norm is nowhere."""
    network = ResnetDiscriminator(width=4)
    variables = jax.eval_shape(lambda: network.init(KEY, jnp.zeros((1, 8, 8, 1)), train=False))
    assert variables.keys() == {"params", "spectral"}
    paths = {
        jax.tree_util.keystr(path)
        for path, leaf in jax.tree_util.tree_leaves_with_path(variables["params"])
        if leaf.ndim > 1
    }
    vectors = jax.tree_util.tree_leaves_with_path(variables["spectral"])
    assert {jax.tree_util.keystr(path[:-1]) for path, _ in vectors} == paths
    # Three of the first block, two of each other (whose shortcuts are plain), the last layer.
    assert len(paths) == 3 + 2 * 2 + 1


@pytest.mark.slow
def test_the_logit_is_a_sum_over_pixels():
    """Or a mean: 16 pixels of the last block make the former 16 times the latter."""
    images = jnp.asarray(np.random.default_rng(0).normal(size=(3, 8, 8, 1)), jnp.float32)
    summed = ResnetDiscriminator(width=4, weight_norm=None, last_bias=False)
    variables = jax.jit(lambda: summed.init(KEY, images, train=False))()
    apply = jax.jit(lambda network: network.apply(variables, images, train=False), static_argnums=0)
    whole, mean = apply(summed), apply(summed.clone(pooling="mean"))
    np.testing.assert_allclose(whole, 16.0 * mean, rtol=1e-5)
    assert np.ptp(np.asarray(whole)) > 1e-3
