"""Labels beside noise and images, against the same networks without labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conditional_networks import (
    BATCH,
    CLASSES,
    IMAGES,
    KEYS,
    LABELS,
    NOISE,
    ONE_HOT,
    RNG,
    SHAPE,
    assert_close,
    evaluated,
    initialized,
)

from jaxgan.networks.conditional import (
    ConditionalDcganGenerator,
    LabelledDecoder,
    LabelledDiscriminator,
    LabelledEncoder,
    LabelledGenerator,
)
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator


def test_one_hot_beside_the_noise():
    """The body sees noise, then the one-hot label, and nothing else."""
    for wrapper in (LabelledGenerator, LabelledDecoder):
        for body in (DcganGenerator(width=4), MlpDecoder((8,))):
            module = wrapper(body)
            variables = initialized(module, NOISE, image_shape=SHAPE)
            got = evaluated(module, variables, NOISE, LABELS, image_shape=SHAPE)
            inner = {name: tree["body"] for name, tree in variables.items()}
            assert {name: {"body": tree} for name, tree in inner.items()} == variables
            beside = jnp.concatenate([NOISE, ONE_HOT], axis=1)
            expected = body.apply(inner, beside, image_shape=SHAPE, train=False)
            assert_close(got, expected)


def test_embedding_beside_the_noise():
    body = MlpGenerator((8,))
    module = LabelledGenerator(body, embedding=3)
    variables = initialized(module, NOISE, image_shape=SHAPE)
    table = np.asarray(variables["params"]["ClassEmbedding_0"]["table"])
    assert table.shape == (CLASSES, 3)
    beside = jnp.concatenate([NOISE, table[np.asarray(LABELS)]], axis=1)
    inner = {"params": variables["params"]["body"]}
    expected = body.apply(inner, beside, image_shape=SHAPE, train=False)
    assert_close(evaluated(module, variables, NOISE, LABELS, image_shape=SHAPE), expected)


@pytest.mark.parametrize("planes", [True, False])
@pytest.mark.parametrize(
    ("wrapper", "body", "arguments"),
    [
        (LabelledDiscriminator, MlpDiscriminator((8,)), {}),
        (LabelledEncoder, MlpEncoder((8,)), {"latent_size": 3}),
    ],
)
def test_one_hot_beside_the_image(wrapper, body, arguments, planes):
    """A channel a class at every pixel, or numbers behind those of the image."""
    module = wrapper(body, planes=planes)
    variables = initialized(module, IMAGES, **arguments)
    got = evaluated(module, variables, IMAGES, LABELS, **arguments)
    if planes:
        beside = np.empty((BATCH, 16, 16, 2 + CLASSES), np.float32)
        beside[..., :2] = IMAGES
        beside[..., 2:] = ONE_HOT[:, None, None]
    else:
        flat = [np.concatenate([np.ravel(x), y]) for x, y in zip(IMAGES, ONE_HOT, strict=True)]
        beside = np.stack(flat).reshape(BATCH, 1, 1, -1)
    inner = {"params": variables["params"]["body"]}
    assert_close(got, body.apply(inner, jnp.asarray(beside), train=False, **arguments))


def test_planes_for_convolutions():
    body = DcganDiscriminator(width=4)
    module = LabelledDiscriminator(body)
    variables = initialized(module, IMAGES)
    planes = np.broadcast_to(ONE_HOT[:, None, None], (BATCH, 16, 16, CLASSES))
    inner = {name: tree["body"] for name, tree in variables.items()}
    expected = body.apply(inner, jnp.concatenate([IMAGES, planes], axis=3), train=False)
    assert_close(evaluated(module, variables, IMAGES, LABELS), expected)
    with pytest.raises(ValueError, match="images of 1x1"):
        initialized(LabelledDiscriminator(body, planes=False), IMAGES)


def test_points():
    points = jnp.asarray(RNG.normal(size=(BATCH, 1, 1, 2)), jnp.float32)
    for planes in (True, False):
        module = LabelledDiscriminator(MlpDiscriminator((4,)), planes=planes)
        assert evaluated(module, initialized(module, points), points, LABELS).shape == (BATCH,)
    maker = LabelledGenerator(MlpGenerator((4,), bounded=False))
    arguments = {"image_shape": (1, 1, 2)}
    variables = initialized(maker, NOISE, **arguments)
    assert evaluated(maker, variables, NOISE, LABELS, **arguments).shape == points.shape


# What parts of the networks are.


def test_conditional_dcgan_starts_as_dcgan():
    """Scales 1 and biases 0: with DCGAN's other weights and scales of 1, it is that generator."""
    module, plain = ConditionalDcganGenerator(width=4), DcganGenerator(width=4)
    latents = {"noise": NOISE, "label": LABELS}
    variables = module.init(KEYS, latents, image_shape=SHAPE, classes=CLASSES, train=False)
    params, stats = (variables[name]["UpPyramid_0"] for name in ("params", "batch_stats"))

    def renamed(tree, changed=lambda v: v):
        return {
            "UpPyramid_0": {
                name.replace("ConditionalBatchNorm", "BatchNorm"): (
                    jax.tree.map(changed, value) if "Norm" in name else value
                )
                for name, value in tree.items()
            }
        }

    one = module.apply(variables, latents, image_shape=SHAPE, classes=CLASSES, train=True,
                       mutable=["batch_stats"])[0]  # fmt: skip
    expected = plain.apply(
        {"params": renamed(params, lambda v: v[0]), "batch_stats": renamed(stats)},
        NOISE, image_shape=SHAPE, train=True, mutable=["batch_stats"],
    )[0]  # fmt: skip
    assert_close(one, expected)
    assert sum("ConditionalBatchNorm" in name for name in params) == 2


def test_conditional_dcgan_is_dcgan_with_the_scales_of_the_class():
    """One class at a time, in evaluation: DCGAN with that class's scales and biases."""
    module, plain = ConditionalDcganGenerator(width=4), DcganGenerator(width=4)
    variables = initialized(module, NOISE, image_shape=SHAPE)
    got = evaluated(module, variables, NOISE, LABELS, image_shape=SHAPE)
    for label in range(CLASSES):
        inner = {
            collection: {
                "UpPyramid_0": {
                    name.replace("ConditionalBatchNorm", "BatchNorm"): {
                        key: leaf[label] if name.startswith("Cond") and leaf.ndim == 2 else leaf
                        for key, leaf in layer.items()
                    }
                    for name, layer in tree["UpPyramid_0"].items()
                }
            }
            for collection, tree in variables.items()
        }
        expected = plain.apply(inner, NOISE, image_shape=SHAPE, train=False)
        mine = np.asarray(LABELS) == label
        assert_close(np.asarray(got)[mine], np.asarray(expected)[mine])
