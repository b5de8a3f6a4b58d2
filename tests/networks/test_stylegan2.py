"""StyleGAN2's networks: sizes, values by their definitions in NumPy, truncation and mixing.

Counts are those of the modules of stylegan2-ada-pytorch, with 512 latents and RGB images.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.style_mapping import StyleMapping
from jaxgan.networks.style_levels import cropped, dtype_at, framed, resolutions, styles_of
from jaxgan.networks.stylegan2 import LabelledStyleGan2Generator, StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import (
    LabelledStyleGan2Discriminator,
    StyleGan2Discriminator,
)

HALF, SHORT = {"base": 16384}, {"base": 16384, "mapping_layers": 2}
G_COUNTS = [
    (32, {"mapping_layers": 2}, 0, 19_947_539),
    (32, {"mapping_layers": 2}, 10, 20_215_315),
    *((32, SHORT, 0, 19_947_539), (64, SHORT, 0, 22_243_608)),
    *((128, SHORT, 0, 22_949_277), (256, SHORT, 0, 23_191_522)),
    *((64, {}, 0, 27_032_600), (128, {}, 0, 29_328_669), (256, {}, 0, 30_034_338)),
    (256, HALF, 0, 24_767_458),
]
D_COUNTS = [
    (32, {"architecture": "orig"}, 0, 20_720_641),
    (32, {"architecture": "orig"}, 10, 23_089_664),
    *((32, HALF, 0, 21_507_073), (64, HALF, 0, 23_407_361)),
    *((128, HALF, 0, 23_882_369), (256, HALF, 0, 24_001_089)),
    *((64, {}, 0, 26_488_833), (128, {}, 0, 28_389_121), (256, {}, 0, 28_864_129)),
]
LABEL = jax.ShapeDtypeStruct((1,), jnp.int32)


def size_of(network, *inputs, **arguments):
    shapes = jax.eval_shape(
        lambda *given: network.init(jax.random.key(0), *given, train=False, **arguments), *inputs
    )
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


@pytest.mark.parametrize(("pixels", "fields", "classes", "count"), G_COUNTS)
def test_parameters_of_generators(pixels, fields, classes, count):
    noise, shape = jax.ShapeDtypeStruct((1, 512), jnp.float32), (pixels, pixels, 3)
    if classes:
        latents = {"noise": noise, "label": LABEL}
        network = LabelledStyleGan2Generator(**fields)
        assert size_of(network, latents, image_shape=shape, classes=classes) == count
    else:
        assert size_of(StyleGan2Generator(**fields), noise, image_shape=shape) == count


@pytest.mark.parametrize(("pixels", "fields", "classes", "count"), D_COUNTS)
def test_parameters_of_discriminators(pixels, fields, classes, count):
    images = jax.ShapeDtypeStruct((1, pixels, pixels, 3), jnp.float32)
    if classes:
        network = LabelledStyleGan2Discriminator(**fields)
        assert size_of(network, images, LABEL, classes=classes) == count
    else:
        assert size_of(StyleGan2Discriminator(**fields), images) == count


# Values: every layer by what it is said to do, in float64.


def act(values, gain=1.0):
    return np.where(values > 0, values, 0.2 * values) * 2**0.5 * gain


def dense(params, inputs, multiplier=1.0):
    weights = np.asarray(params["kernel"], np.float64) * multiplier / inputs.shape[-1] ** 0.5
    return inputs @ weights + multiplier * np.asarray(params["bias"], np.float64)


def normalized(vectors):
    return vectors / np.sqrt(np.mean(vectors**2, axis=1, keepdims=True) + 1e-8)


def mapped(params, vectors, layers):
    for place in range(layers):
        vectors = act(dense(params[f"dense_{place}"], vectors, 0.01))
    return vectors


def windows(images, kernel, stride=1):
    """A correlation by a loop over the places of its window; nothing is added at the edges."""
    size = len(kernel)
    rows = (images.shape[1] - size) // stride + 1
    made = np.zeros((len(images), rows, rows, kernel.shape[-1]))
    for i in range(rows):
        for j in range(rows):
            seen = images[:, stride * i : stride * i + size, stride * j : stride * j + size]
            made[:, i, j] = np.einsum("nhwi,hwio->no", seen, kernel)
    return made


def edged(images, before, behind):
    return np.pad(images, ((0, 0), (before, behind), (before, behind), (0, 0)))


def blurred(images, before, behind, stride=1):
    """The filter [1, 3, 3, 1], of sum 1, on each channel."""
    taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    each = np.einsum("hw,io->hwio", taps, np.eye(images.shape[-1]))
    return windows(edged(images, before, behind), each, stride)


def spread(images):
    made = np.zeros((len(images), 2 * images.shape[1], 2 * images.shape[2], images.shape[3]))
    made[:, ::2, ::2] = images
    return made


def styled(params, image, w, demodulate=True, up=False):
    """Styles, and the convolution of one example with weights of its own."""
    style, kernel = dense(params["style"], w[None])[0], np.asarray(params["kernel"], np.float64)
    if not demodulate:
        style = style / len(style) ** 0.5
    own = kernel * style[None, None, :, None]
    if demodulate:
        own = own / np.sqrt(np.sum(own**2, axis=(0, 1, 2)) + 1e-8)
    if up:
        # What each pixel leaves behind: a correlation of the spread image with the flipped kernel.
        left = windows(edged(spread(image[None]), 2, 1), own[::-1, ::-1])
        return 4 * blurred(left, 1, 1)[0]
    edge = len(kernel) // 2
    return windows(edged(image[None], edge, edge), own)[0]


@functools.cache
def generator(labelled=False):
    """A small one for 8 pixels, and variables whose noise and biases matter."""
    kind = LabelledStyleGan2Generator if labelled else StyleGan2Generator
    network = kind(width=3, units=5, mapping_layers=2)
    noise = jnp.asarray(np.random.default_rng(0).normal(size=(2, 4)), jnp.float32)
    latents = {"noise": noise, "label": jnp.asarray([2, 0])} if labelled else noise
    told = {"image_shape": (8, 8, 2), **({"classes": 3} if labelled else {})}
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), latents, train=False, **told))
    draws = np.random.default_rng(1)
    variables = jax.tree.map(lambda s: jnp.asarray(draws.normal(size=s.shape), s.dtype), shapes)
    mapping = variables["params"]["mapping"]
    for name in mapping:  # stored at a hundred times the scale
        mapping[name] = jax.tree.map(lambda leaf: 100 * leaf, mapping[name])
    return network, variables, latents, told


def images_of(variables, ws):
    """The skip generator at 8 pixels, example by example and layer by layer."""
    params, noise = variables["params"]["synthesis"], variables["noise"]["synthesis"]

    def layer(name, image, w, up=False):
        made = styled(params[name], image, w, up=up)
        maps = float(params[name]["noise_strength"]) * np.asarray(noise[name]["constant"])
        return act(made + maps[..., None] + np.asarray(params[name]["bias"]))

    def shown(name, image, w):
        made = styled(params[name], image, w, demodulate=False)
        return made + np.asarray(params[name]["bias"])

    found = []
    for own in np.asarray(ws, np.float64):
        values = layer("conv_4", np.asarray(params["constant"], np.float64), own[0])
        image = shown("image_4", values, own[1])
        values = layer("conv_8", layer("up_8", values, own[1], up=True), own[2])
        found.append(4 * blurred(spread(image[None]), 2, 1)[0] + shown("image_8", values, own[3]))
    return np.stack(found)


@functools.cache
def compiled(labelled=False):
    network, _, _, told = generator(labelled)
    return jax.jit(lambda variables, latents: network.apply(
        variables, latents, train=False, **told))  # fmt: skip


@pytest.mark.parametrize("labelled", [False, True])
def test_mapped_latents(labelled):
    network, variables, latents, _ = generator(labelled)
    params, noise = variables["params"]["mapping"], latents["noise"] if labelled else latents
    parts = [normalized(np.asarray(noise, np.float64))]
    given, told = (noise,), {}
    if labelled:
        rows = np.eye(3)[[2, 0]]
        parts.append(normalized(dense(params["labels"], rows)))
        given, told = (noise, latents["label"]), {"classes": 3}
    found = network.apply(variables, *given, **told, method=network.styles)
    expected = mapped(params, np.concatenate(parts, axis=1), 2)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_images_of_styles():
    """Each layer has the style of its own, which the next resolution's first layer shares."""
    network, variables, _, told = generator()
    ws = np.random.default_rng(2).normal(size=(2, 4, 5))
    made = jax.jit(lambda w: network.apply(variables, w, method=network.images, **told))
    found = made(jnp.asarray(ws, jnp.float32))
    np.testing.assert_allclose(found, images_of(variables, ws), rtol=1e-3, atol=1e-3)


def test_a_latent_is_one_style_for_all_layers():
    network, variables, latents, _ = generator()
    w = network.apply(variables, latents, method=network.styles)
    expected = images_of(variables, np.repeat(np.asarray(w)[:, None], 4, axis=1))
    np.testing.assert_allclose(compiled()(variables, latents), expected, rtol=1e-3, atol=1e-3)


def test_truncation_and_mixing_are_what_they_are_defined_as():
    """w_mean + psi (w - w_mean), of styles of which those from the cut on are another latent's."""
    network, variables, latents, _ = generator()
    fine = latents[::-1] + 1.0
    w, other = (
        np.asarray(network.apply(variables, z, method=network.styles)) for z in (latents, fine)
    )
    ws = np.repeat(w[:, None], 4, axis=1)
    ws[0, 1:], ws[1, 3:] = other[0], 0.25 * other[1] + 0.75 * w[1]
    mean = np.asarray(variables["average"]["w"])
    for n, psi in enumerate((0.7, -0.5)):
        ws[n] = mean + psi * (ws[n] - mean)
    given = {
        "noise": latents, "fine": fine, "cut": jnp.asarray([1, 3]),
        "share": jnp.asarray([1.0, 0.25]), "psi": jnp.asarray([0.7, -0.5]),
    }  # fmt: skip
    found = compiled()(variables, given)
    np.testing.assert_allclose(found, images_of(variables, ws), rtol=1e-3, atol=1e-3)


def test_the_mean_of_mapped_latents_follows_in_training_alone():
    network, variables, latents, told = generator()
    w = np.asarray(network.apply(variables, latents, method=network.styles))
    before = np.asarray(variables["average"]["w"])
    step = jax.jit(
        lambda v, z: network.apply(v, z, train=True, mutable=["average", "noise"], **told)
    )
    _, after = step(variables, latents)
    np.testing.assert_allclose(
        after["average"]["w"], 0.995 * before + 0.005 * w.mean(axis=0), rtol=1e-5, atol=1e-6
    )
    # Sampling leaves it alone.
    _, after = network.apply(variables, latents, mutable=["average"], method=network.styles)
    np.testing.assert_array_equal(after["average"]["w"], before)


@pytest.mark.parametrize("architecture", ["resnet", "orig"])
@pytest.mark.parametrize("labelled", [False, True])
def test_logits(architecture, labelled):
    """Blocks, the standard deviation of groups of images far apart, and the last layers."""
    kind = LabelledStyleGan2Discriminator if labelled else StyleGan2Discriminator
    network = kind(width=3, architecture=architecture, group=2, mapping_layers=2)
    draws = np.random.default_rng(3)
    images = draws.uniform(-1, 1, size=(4, 8, 8, 2))
    labels = [2, 0, 1, 1]
    given = (jnp.asarray(images, jnp.float32), *((jnp.asarray(labels),) if labelled else ()))
    told = {"train": False, **({"classes": 3} if labelled else {})}
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), *given, **told))
    params = jax.tree.map(
        lambda s: jnp.asarray(draws.normal(size=s.shape), s.dtype), shapes["params"]
    )

    def conv(name, values, before=0, stride=1):
        kernel = np.asarray(params[name]["kernel"], np.float64)
        kernel = kernel / np.prod(kernel.shape[:3]) ** 0.5
        made = windows(edged(values, before, before), kernel, stride)
        return made + np.asarray(params[name].get("bias", 0.0))

    values = act(conv("from_image", images))
    made = conv("down_8", blurred(act(conv("conv_8", values, 1)), 2, 2), stride=2)
    if architecture == "resnet":
        shortcut = conv("skip_8", blurred(values, 1, 1), stride=2)
        values = act(made, 0.5**0.5) + 0.5**0.5 * shortcut
    else:
        values = act(made)
    apart = [np.sqrt(np.var(values[n::2], axis=0) + 1e-8).mean() for n in (0, 1)]
    channel = np.broadcast_to(np.asarray(apart * 2)[:, None, None, None], (4, 4, 4, 1))
    values = act(conv("end_conv", np.concatenate([values, channel], axis=-1), 1))
    values = dense(params["end_logit"], act(dense(params["end_dense"], values.reshape(4, -1))))
    if labelled:
        of_labels = normalized(dense(params["mapping"]["labels"], np.eye(3)[labels]))
        of_labels = mapped(params["mapping"], of_labels, 2)
        expected = np.sum(values * of_labels, axis=1) / 3**0.5
    else:
        expected = values[:, 0]
    found = jax.jit(lambda *seen: network.apply({"params": params}, *seen, **told))(*given)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_resolutions_of_other_sizes():
    assert resolutions((28, 20, 1)) == (4, 8, 16, 32)
    assert resolutions((8, 8, 1)) == (4, 8)
    assert [styles_of((size, size, 3)) for size in (32, 1024)] == [8, 18]
    for shape in ((4, 4, 1), (8, 1025, 3), (1, 1, 2)):
        with pytest.raises(ValueError, match="want 8 to 1024"):
            resolutions(shape)


def test_images_of_other_sizes_are_in_the_middle():
    images = jnp.arange(28 * 28.0).reshape(1, 28, 28, 1) + 1.0
    whole = framed(images)
    assert whole.shape == (1, 32, 32, 1)
    np.testing.assert_array_equal(cropped(whole, (28, 28, 1)), images)
    assert int(jnp.sum(whole == 0)) == 32 * 32 - 28 * 28


def test_only_the_finest_resolutions_are_in_bfloat16():
    """Of 256 pixels the four finest; never that of 4 pixels."""

    def coarse(shape, count=4):
        found = {n: dtype_at(n, shape, count, "bfloat16") for n in resolutions(shape)}
        return [n for n, dtype in found.items() if dtype is jnp.float32]

    assert coarse((256, 256, 3)) == [4, 8, 16]
    assert coarse((32, 32, 3)) == coarse((16, 16, 3)) == [4]
    assert coarse((32, 32, 3), 0) == [4, 8, 16, 32]
    assert dtype_at(256, (256, 256, 3), 4, None) is jnp.float32


def test_mappings_of_nothing_are_refused():
    with pytest.raises(ValueError, match="nothing to map"):
        StyleMapping().init(jax.random.key(0), None)
    with pytest.raises(ValueError, match="architecture = 'skip'"):
        StyleGan2Discriminator(architecture="skip")
