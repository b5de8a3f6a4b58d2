"""R3GAN's networks: published sizes, and what is computed in which order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.r3gan import (
    ConditionalR3GanDiscriminator,
    ConditionalR3GanGenerator,
    R3GanDiscriminator,
    R3GanGenerator,
    stages,
)

FFHQ_256 = (768, 768, 768, 768, 384, 192, 96)
# pixels, classes, widths, channels of a group, parameters of both networks
PUBLISHED = {
    "CIFAR-10": (32, 10, (768,), 16, 20_781_952, 21_280_512),
    "FFHQ-64": (64, 0, FFHQ_256[:5], 16, 22_429_824, 22_381_440),
    "FFHQ-256": (256, 0, FFHQ_256, 16, 23_057_952, 23_009_568),
    "ImageNet-32": (32, 1000, (1536,), 32, 82_914_304, 86_548_992),
    "ImageNet-64": (64, 1000, (1536,), 32, 103_570_432, 107_205_120),
}
KEY = jax.random.key(0)


def made_from(generator, size, classes=0, channels=3, latent_size=64, batch=2):
    """The generator's call, with latents of zeros."""
    noise = jnp.zeros((batch, latent_size))
    latents = {"noise": noise, "label": jnp.zeros(batch, jnp.int32)} if classes else noise
    more = {"classes": classes} if classes else {}
    return (latents,), {"image_shape": (size, size, channels), "train": False, **more}


def judged_by(discriminator, size, classes=0, channels=3, batch=2):
    images, more = jnp.zeros((batch, size, size, channels)), {}
    if classes:
        more = {"classes": classes}
    labels = (jnp.zeros(batch, jnp.int32),) if classes else ()
    return (images, *labels), {"train": False, **more}


def count(network, given, arguments):
    shapes = jax.eval_shape(lambda: network.init(KEY, *given, **arguments))
    assert shapes.keys() == {"params"}
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_parameters(name):
    size, classes, widths, group, in_generator, in_discriminator = PUBLISHED[name]
    making, judging = (
        (ConditionalR3GanGenerator, ConditionalR3GanDiscriminator)
        if classes
        else (R3GanGenerator, R3GanDiscriminator)
    )
    making, judging = (kind(widths=widths, group_width=group) for kind in (making, judging))
    assert count(making, *made_from(making, size, classes)) == in_generator
    assert count(judging, *judged_by(judging, size, classes)) == in_discriminator


@pytest.mark.parametrize(
    ("size", "widths", "expected"),
    [
        (4, (8,), (4, (8,))),
        (8, (8, 6), (4, (8, 6))),
        (16, (8, 6), (4, (8, 6, 6))),
        (14, (8, 6, 4), (7, (8, 6))),
        (256, FFHQ_256, (4, FFHQ_256)),
    ],
)
def test_stages_by_hand(size, widths, expected):
    assert stages(size, widths) == expected


def small(kind, **changes):
    return kind(**{"widths": (4, 2), "group_width": 2, "blocks": 1, **changes})


def drawn(network, given, arguments, seed=0):
    shapes = jax.eval_shape(lambda: network.init(KEY, *given, **arguments))
    draws = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: draws.normal(size=leaf.shape) * 0.5, shapes["params"])


def block(values, params):
    """See the layer's own test; groups of two channels."""

    def active(values, name):
        values = values + params[name]["bias"]
        return np.where(values > 0, values, 0.2 * values)

    inside = active(values @ params["widen"]["kernel"][0, 0], "first")
    padded, made = np.pad(inside, ((0, 0), (1, 1), (1, 1), (0, 0))), np.zeros_like(inside)
    size = values.shape[1]
    for start in range(0, inside.shape[-1], 2):
        own = slice(start, start + 2)
        for row in range(3):
            for column in range(3):
                seen = padded[:, row : row + size, column : column + size, own]
                made[..., own] += seen @ params["grouped"]["kernel"][row, column][:, own]
    return values + active(made, "second") @ params["narrow"]["kernel"][0, 0]


def matrix(size, up):
    """Along one axis, what a filter [1, 3, 3, 1] does: doubling N pixels or halving 2 N."""
    doubling = np.zeros((2 * size, size))
    for place in range(size):
        # Pixel n lies between 2 n and 2 n + 1.
        for offset, tap in zip((-1, 0, 1, 2), (0.25, 0.75, 0.75, 0.25), strict=True):
            if 0 <= 2 * place + offset < 2 * size:
                doubling[2 * place + offset, place] = tap
    return doubling if up else doubling.T / 2


def resampled(values, up):
    along = matrix(values.shape[1] // (1 if up else 2), up)
    return np.einsum("ph,qw,nhwc->npqc", along, along, values)


def test_a_generator_by_its_definition():
    """4 pixels, then a 1x1 convolution and doubling, then 8; a 1x1 convolution, and no tanh."""
    network = small(R3GanGenerator)
    given, arguments = made_from(network, 8, latent_size=3)
    params = drawn(network, given, arguments)
    latents = np.random.default_rng(5).normal(size=(2, 3))
    basis = params["GenerativeBasis_0"]
    values = basis["basis"] * (latents @ basis["kernel"])[:, None, None, :]
    values = block(values, params["AggregatedBlock_0"])
    values = resampled(values @ params["Conv_0"]["kernel"][0, 0], up=True)
    values = block(values, params["AggregatedBlock_1"]) @ params["Conv_1"]["kernel"][0, 0]
    assert np.abs(values).max() > 1.4
    got = network.apply(
        {"params": jax.tree.map(jnp.float32, params)}, jnp.float32(latents), **arguments
    )
    np.testing.assert_allclose(got, values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("classes", [0, 3])
def test_a_discriminator_by_its_definition(classes):
    """8 pixels, halving and then a 1x1 convolution, 4 pixels, all pixels; the label's vector."""
    network = small(ConditionalR3GanDiscriminator if classes else R3GanDiscriminator)
    given, arguments = judged_by(network, 8, classes)
    params = drawn(network, given, arguments)
    images = np.random.default_rng(6).normal(size=(2, 8, 8, 3))
    values = block(images @ params["Conv_0"]["kernel"][0, 0], params["AggregatedBlock_0"])
    values = resampled(values, up=False) @ params["Conv_1"]["kernel"][0, 0]
    values = block(values, params["AggregatedBlock_1"])
    basis = params["DiscriminativeBasis_0"]
    numbers = (values * basis["basis"]).sum(axis=(1, 2)) @ basis["kernel"]
    labels = np.array([2, 0])
    expected = numbers[:, 0]
    if classes:
        expected = (numbers * params["ClassEmbedding_0"]["table"][labels]).sum(axis=1)
    given = (jnp.float32(images), *([jnp.asarray(labels)] if classes else []))
    got = network.apply({"params": jax.tree.map(jnp.float32, params)}, *given, **arguments)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_class_vectors_come_after_the_noise_and_start_small():
    network = small(ConditionalR3GanGenerator, embedding=5)
    given, arguments = made_from(network, 8, 3, latent_size=2)
    params = drawn(network, given, arguments)
    labels, noise = np.array([2, 0]), np.array([[1.0, -2.0], [0.5, 3.0]])
    plain = small(R3GanGenerator)
    vectors = params.pop("ClassEmbedding_0")["table"]
    told = np.concatenate([noise, vectors[labels]], axis=1)
    params = jax.tree.map(jnp.float32, params)
    expected = plain.apply(
        {"params": params}, jnp.float32(told), image_shape=(8, 8, 3), train=False
    )
    params["ClassEmbedding_0"] = {"table": jnp.float32(vectors)}
    got = network.apply(
        {"params": params}, {"noise": jnp.float32(noise), "label": jnp.asarray(labels)}, **arguments
    )
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_first_class_vectors():
    """A product with one-hot labels of 100 classes; the discriminator's is divided by 16 too."""

    def table(network, given, arguments):
        init = jax.jit(lambda: network.init(KEY, *given, **arguments)["params"])
        return np.asarray(init()["ClassEmbedding_0"]["table"])

    making = small(ConditionalR3GanGenerator, embedding=300, widths=(4,))
    judging = small(ConditionalR3GanDiscriminator, widths=(256,), group_width=256)
    found = table(making, *made_from(making, 4, 100))
    assert found.std() == pytest.approx(0.1, rel=0.02)
    found = table(judging, *judged_by(judging, 4, 100))
    assert found.std() == pytest.approx(0.1 / 16, rel=0.02)


@pytest.mark.parametrize("kind", [R3GanGenerator, R3GanDiscriminator])
def test_the_finest_stages_may_compute_in_half_the_bits(kind):
    network = small(kind, widths=(4, 4, 4), bfloat16_stages=2)
    describe = made_from if kind is R3GanGenerator else judged_by
    given, arguments = describe(network, 16)
    variables = jax.eval_shape(lambda: network.init(KEY, *given, **arguments))
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}

    def inside(variables):
        return network.apply(
            variables, *given, capture_intermediates=True, mutable="intermediates", **arguments
        )

    made, kept = jax.eval_shape(inside, variables)
    assert made.dtype == jnp.float32
    found = [
        kept["intermediates"][f"AggregatedBlock_{i}"]["__call__"][0].dtype.name for i in range(3)
    ]
    coarse_first = found if kind is R3GanGenerator else found[::-1]
    assert coarse_first == ["float32", "bfloat16", "bfloat16"]


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="there must be a width"):
        R3GanGenerator(widths=())
    with pytest.raises(ValueError, match="blocks = 0"):
        R3GanDiscriminator(blocks=0)
    with pytest.raises(ValueError, match="8 by 4 pixels"):
        jax.eval_shape(lambda: R3GanDiscriminator().init(KEY, jnp.zeros((1, 8, 4, 1)), train=False))
