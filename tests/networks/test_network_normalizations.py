"""Which layers of a network its normalizations reach; only shapes are worked out."""

import jax
import jax.numpy as jnp
import pytest

from jaxgan.networks.auxiliary import AuxiliaryDcganDiscriminator
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.networks.projection import ProjectionMlpDiscriminator
from jaxgan.networks.resnet import ResnetDiscriminator, ResnetGenerator

SHAPE = (16, 16, 1)
LATENT = jnp.zeros((1, 5))
IMAGE = jnp.zeros((1, *SHAPE))
LABELS = {"labels": jnp.zeros(1, jnp.int32), "classes": 3}
MADE = {"image_shape": SHAPE}
CALLS = [
    pytest.param(DcganGenerator(width=4, batch_norm=False), LATENT, MADE, id="dcgan G"),
    pytest.param(DcganDiscriminator(width=4, batch_norm=False), IMAGE, {}, id="dcgan D"),
    pytest.param(
        AuxiliaryDcganDiscriminator(width=4, batch_norm=False), IMAGE, LABELS, id="dcgan AC-D"
    ),
    pytest.param(MlpGenerator((4, 4)), LATENT, MADE, id="mlp G"),
    pytest.param(MlpDiscriminator((4, 4)), IMAGE, {}, id="mlp D"),
    pytest.param(ProjectionMlpDiscriminator((4, 4)), IMAGE, LABELS, id="mlp projection D"),
    pytest.param(ResnetGenerator(width=4, batch_norm=False), LATENT, MADE, id="resnet G"),
    pytest.param(ResnetDiscriminator(width=4, weight_norm=None), IMAGE, {}, id="resnet D"),
]
NORMED = ("dcgan G", "dcgan D", "mlp D", "resnet D")
EVERY = pytest.mark.parametrize(("network", "inputs", "arguments"), CALLS)


def variables(network, inputs, arguments):
    """By collection, the paths of its leaves and their shapes."""
    key = jax.random.key(0)
    found = jax.eval_shape(lambda: network.init(key, inputs, train=False, **arguments))
    return {
        name: {
            jax.tree_util.keystr(path, simple=True, separator="/"): leaf.shape
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        }
        for name, tree in found.items()
    }


@EVERY
def test_all_weights(network, inputs, arguments):
    plain = variables(network, inputs, arguments)
    assert plain.keys() == {"params"}
    weights = {path: s for path, s in plain["params"].items() if len(s) > 1}
    spectral = variables(network.clone(weight_norm="spectral"), inputs, arguments)
    assert spectral["params"] == plain["params"]
    assert spectral["spectral"] == {
        **{f"{path}/u": (shape[-1],) for path, shape in weights.items()},
        **{f"{path}/v": (jnp.zeros(shape[:-1]).size,) for path, shape in weights.items()},
    }
    lengths = variables(network.clone(weight_norm="weight"), inputs, arguments)
    assert lengths.keys() == {"params"}
    assert lengths["params"] == {
        **plain["params"],
        **{f"{path}_length": shape[-1:] for path, shape in weights.items()},
    }


@pytest.mark.parametrize(("network", "inputs", "arguments"), [c for c in CALLS if c.id in NORMED])
@pytest.mark.parametrize("norm", ["layer", "virtual_batch"])
def test_hidden_layers(network, inputs, arguments, norm):
    found = variables(network.clone(norm=norm), inputs, arguments)
    scales = [path for path in found["params"] if path.endswith("/scale")]
    assert scales
    assert all(path.split("/")[-2].startswith(("LayerNorm", "VirtualBatch")) for path in scales)
    assert found.keys() == {"params"} | ({"reference"} if norm == "virtual_batch" else set())
    if norm == "virtual_batch":
        shapes = set(found["reference"].values())
        flat = "Mlp" in type(network).__name__ and inputs is IMAGE
        assert shapes == {(), (64, 256) if flat else (64, *inputs.shape[1:])}


@pytest.mark.parametrize("kind", ["stddev", "discrimination"])
@pytest.mark.parametrize(
    "network", [MlpDiscriminator((4,)), DcganDiscriminator(width=4), ResnetDiscriminator(width=4)]
)
def test_the_batch_is_beside_the_features(network, kind):
    def last(network):
        return variables(network, IMAGE, {})["params"]["LogitHead_0/Dense_0/kernel"][0]

    assert last(network.clone(minibatch=kind)) - last(network) == {"stddev": 1}.get(kind, 100)
