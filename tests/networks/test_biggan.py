"""BigGAN's and SAGAN's networks: parameters to the digit, and what parts of a latent reach."""

import doctest
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import biggan, residual_levels, resnet
from jaxgan.networks.biggan import BigGanDiscriminator, BigGanGenerator, parts
from jaxgan.networks.conditional_resnet import ConditionalResnetGenerator
from jaxgan.networks.layers.attention import SelfAttention
from jaxgan.networks.layers.labels import ClassEmbedding
from jaxgan.networks.resnet import ResnetDiscriminator, ResnetGenerator
from jaxgan.networks.sagan import SaganDiscriminator, SaganGenerator

DRAWS = np.random.default_rng(0)
KEY = jax.random.key(0)
CLASSES = 4
WIDE = {"width": 64, "max_multiple": 16}


def shapes_of(network, *inputs, **arguments):
    return jax.eval_shape(lambda: network.init(KEY, *inputs, train=False, **arguments))


def counts(generator, discriminator, size, latents, classes):
    """Parameters of both."""
    shape, label = (size, size, 3), jnp.zeros(1, jnp.int32)
    given = {"noise": jnp.zeros((1, latents)), "label": label}
    made = shapes_of(generator, given, image_shape=shape, classes=classes)
    judged = shapes_of(discriminator, jnp.zeros((1, *shape)), label, classes=classes)
    return tuple(
        sum(leaf.size for leaf in jax.tree.leaves(one["params"])) for one in (made, judged)
    )


@pytest.mark.parametrize(
    ("generator", "discriminator", "size", "latents", "classes", "expected"),
    [
        pytest.param(
            BigGanGenerator(width=384, max_multiple=1),
            BigGanDiscriminator(width=192, max_multiple=1),
            *(32, 80, 10, (9_416_196, 2_415_170)),
            id="BigGAN 32, StudioGAN",
        ),
        pytest.param(
            ConditionalResnetGenerator(weight_norm="spectral", init_std=0.02),
            BigGanDiscriminator(width=256, max_multiple=1, attention=()),
            *(32, 128, 10, (4_304_387, 4_207_361)),
            id="BigGAN 32, BigGAN-PyTorch",
        ),
        pytest.param(
            BigGanGenerator(),
            BigGanDiscriminator(),
            *(128, 120, 1000, (70_433_988, 87_982_370)),
            id="BigGAN 128",
        ),
        pytest.param(
            SaganGenerator(),
            SaganDiscriminator(),
            *(32, 128, 10, (4_386_308, 1_075_586)),
            id="SAGAN 32",
        ),
        pytest.param(
            SaganGenerator(**WIDE),
            SaganDiscriminator(**WIDE),
            *(128, 128, 1000, (42_017_412, 39_448_258)),
            id="SAGAN 128",
        ),
    ],
)
def test_parameters(generator, discriminator, size, latents, classes, expected):
    """Those of StudioGAN and of the author's BigGAN-PyTorch, to the digit."""
    assert counts(generator, discriminator, size, latents, classes) == expected


def test_at_64_pixels():
    """No count is published; by hand, from the channels of both codes: 16, 16, 8, 4, 2 times 80 in
    the generator, and 1, 2, 4, 8, 16 times 80 in the discriminator, whose last block halves not."""

    def conv(taps, channels, features):
        return taps * channels * features + features

    def attention(c):
        return 2 * c * (c // 8) + 2 * c * (c // 2) + 1

    width, condition = 80, 128 + 20
    made = 200 * 128 + 20 * 16 * 16 * width + 16 * 16 * width  # embedding, dense layer
    for before, after in ((16, 16), (16, 8), (8, 4), (4, 2)):
        a, b = before * width, after * width
        made += 2 * condition * (a + b) + conv(9, a, b) + conv(9, b, b) + conv(1, a, b)
    made += attention(4 * width) + 2 * 2 * width + conv(9, 2 * width, 3)
    judged = conv(9, 3, width) + conv(9, width, width) + conv(1, 3, width) + attention(width)
    for before, after in ((1, 2), (2, 4), (4, 8), (8, 16)):
        a, b = before * width, after * width
        judged += conv(9, a, b) + conv(9, b, b) + conv(1, a, b)
    judged += 16 * width + 1 + 200 * 16 * width  # last layer and embedding
    networks = BigGanGenerator(width=160, max_multiple=8), BigGanDiscriminator(width=80)
    assert counts(*networks, 64, 100, 200) == (made, judged)


def test_resolutions():
    shape = (64, 64, 3)
    assert BigGanDiscriminator().blocks(shape) == SaganDiscriminator().blocks(shape) == (4, 1)
    assert doctest.testmod(residual_levels).failed == 0
    assert doctest.testmod(biggan).failed == 0


def attended(network, *inputs, **arguments):
    """Channels of the features that attention is on, in order."""
    params = shapes_of(network, *inputs, **arguments)["params"]
    names = sorted(name for name in params if name.startswith("SelfAttention"))
    return [params[name]["out"]["kernel"].shape[-1] for name in names]


@pytest.mark.parametrize("halvings", [(), (1,), (3,), (2, 1)])
def test_where_attention_is(halvings):
    """Channels tell: they are 2, 4, 8, 16 after as many halvings in one, half of it in the other.

    The generator's own first features are those after three, which the dense layer makes."""
    settings = {"width": 2, "max_multiple": 8, "attention": halvings}
    images, latent = jnp.zeros((1, 32, 32, 1)), jnp.zeros((1, 8))
    made = attended(ResnetGenerator(**settings), latent, image_shape=(32, 32, 1))
    assert made == [min(2 * 2**n, 16) for n in sorted(halvings, reverse=True)]
    if 3 not in halvings:  # which at 32 pixels no discriminator has
        judged = attended(ResnetDiscriminator(**settings), images)
        assert judged == [2**n for n in sorted(halvings)]


@pytest.mark.parametrize(
    ("network", "inputs", "arguments"),
    [
        (ResnetGenerator(attention=(4,)), (1, 8), {"image_shape": (32, 32, 1)}),
        (ResnetDiscriminator(attention=(0,)), (1, 32, 32, 1), {}),
        (ResnetDiscriminator(attention=(3,)), (1, 32, 32, 1), {}),
    ],
)
def test_attention_where_there_are_no_features(network, inputs, arguments):
    with pytest.raises(ValueError, match=r"attention = .*: of images of this size there are no"):
        shapes_of(network, jnp.zeros(inputs), **arguments)


def test_parts():
    noise = jnp.arange(11.0)[None]
    assert [part[0].tolist() for part in parts(noise, 4)] == [
        [0, 1, 2, 3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
    ]
    with pytest.raises(ValueError, match=r"3 latents for a dense layer and 3 blocks"):
        parts(noise[:, :3], 4)


SMALL = BigGanGenerator(width=4, max_multiple=2, embedding_size=3)
ARGUMENTS = {"image_shape": (16, 16, 1), "classes": CLASSES}
LATENTS = {
    "noise": jnp.asarray(DRAWS.normal(size=(3, 9)), jnp.float32),
    "label": jnp.array([2, 0, 3]),
}


@functools.cache
def variables(network):
    """Random ones, in which attention is on."""
    shapes = shapes_of(network, LATENTS, **ARGUMENTS)
    # They may be made first while something is traced.
    with jax.ensure_compile_time_eval():
        return jax.tree.map(
            lambda s: jnp.asarray(np.abs(DRAWS.normal(0.5, 0.3, s.shape)), s.dtype), shapes
        )


@functools.cache
def blocks_of(network):
    """From latents to the results of dense layer, blocks and last layer, compiled."""

    def results(latents):
        _, kept = network.apply(
            variables(network), latents, train=False, capture_intermediates=True, **ARGUMENTS
        )
        layers = ("Dense_0", "UpBlock_0", "UpBlock_1", "Conv_0")
        return [kept["intermediates"][name]["__call__"][0] for name in layers]

    return jax.jit(results)


def reached(network, changed):
    """Which of dense layer, blocks and last layer another latent changes."""
    one, other = blocks_of(network)(LATENTS), blocks_of(network)({**LATENTS, **changed})
    return [not np.array_equal(a, b) for a, b in zip(one, other, strict=True)]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, [True, True, True, True]),
        (2, [True, True, True, True]),
        (3, [False, True, True, True]),
        (5, [False, True, True, True]),
        (6, [False, False, True, True]),
        (8, [False, False, True, True]),
    ],
)
def test_what_each_part_of_a_latent_reaches(place, expected):
    """The first third the dense layer, the second the first block, the last the second one."""
    noise = LATENTS["noise"].at[:, place].add(1.0)
    assert reached(SMALL, {"noise": noise}) == expected


def test_without_a_hierarchy_the_dense_layer_gets_all_of_it():
    plain = SMALL.clone(hierarchical=False)
    kernels = {n: shapes_of(n, LATENTS, **ARGUMENTS)["params"] for n in (SMALL, plain)}
    dense = {n: params["Dense_0"]["kernel"].shape[0] for n, params in kernels.items()}
    assert dense == {SMALL: 3, plain: 9}
    scales = [params["ModulatedBatchNorm_0"]["scale"]["kernel"] for params in kernels.values()]
    assert [scale.shape[0] for scale in scales] == [3 + 3, 3]
    noise = LATENTS["noise"].at[:, 8].add(1.0)
    assert reached(plain, {"noise": noise}) == [True] * 4


def test_the_class_reaches_every_block_and_not_the_dense_layer():
    assert reached(SMALL, {"label": jnp.array([1, 1, 1])}) == [False, True, True, True]


def test_one_embedding_for_all_layers():
    params = shapes_of(SMALL, LATENTS, **ARGUMENTS)["params"]
    tables = [name for name in params if name.startswith("ClassEmbedding")]
    assert len(tables) == 1
    assert params[tables[0]]["table"].shape == (CLASSES, 3)


class FrozenGamma(SelfAttention):
    """A planted fault: what attention finds is never added."""

    def param(self, name, *arguments):
        value = super().param(name, *arguments)
        return jax.lax.stop_gradient(value) if name == "gamma" else value


class DeafEmbedding(ClassEmbedding):
    """A planted fault: all classes are one."""

    def __call__(self, labels, *, classes):
        return jax.lax.stop_gradient(super().__call__(0 * labels, classes=classes))


# Variables are found by the names of classes.
FrozenGamma.__name__, DeafEmbedding.__name__ = "SelfAttention", "ClassEmbedding"


def unused(network):
    """Names of parameters that no image depends on: their slopes are all zero."""
    given = variables(network)

    def total(params):
        _, kept = network.apply(
            {**given, "params": params}, LATENTS, train=False, capture_intermediates=True,
            **ARGUMENTS,
        )  # fmt: skip
        # Before the tanh, which has no slope far from zero.
        return jnp.sum(jnp.sin(kept["intermediates"]["Conv_0"]["__call__"][0]))

    slopes = jax.tree_util.tree_leaves_with_path(jax.jit(jax.grad(total))(given["params"]))
    return {jax.tree_util.keystr(path[-1:], simple=True) for path, g in slopes if not g.any()}


def test_everything_is_used_and_planted_faults_are_seen(monkeypatch):
    assert unused(SMALL) == set()
    monkeypatch.setattr(resnet, "SelfAttention", FrozenGamma)
    assert unused(SMALL) == {"gamma"}
    monkeypatch.setattr(biggan, "ClassEmbedding", DeafEmbedding)
    assert unused(SMALL) == {"gamma", "table"}


@pytest.mark.slow
def test_first_weights_are_orthogonal():
    """Of both networks, with a gain of 1 throughout, up to their last digits."""
    label = LATENTS["label"]
    judging = BigGanDiscriminator(width=4, max_multiple=2)
    made = jax.jit(lambda: SMALL.init(KEY, LATENTS, train=False, **ARGUMENTS)["params"])()
    judged = jax.jit(
        lambda: judging.init(KEY, jnp.zeros((3, 16, 16, 1)), label, classes=CLASSES, train=False)
    )()
    seen = 0
    for path, leaf in jax.tree_util.tree_leaves_with_path((made, judged["params"])):
        if leaf.ndim < 2:
            continue
        matrix = np.asarray(leaf).reshape(-1, leaf.shape[-1])
        matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        np.testing.assert_allclose(
            matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-5, err_msg=str(path)
        )
        seen += 1
    assert seen > 30
