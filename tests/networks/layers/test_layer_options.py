import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.layers.options import activate, compute_dtype, kernel_init, unit_init
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.vae import ConvDecoder, ConvEncoder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0.0, 0.0, 3.0]),
        ("leaky_relu", [-0.5, 0.0, 3.0]),
        ("tanh", [np.tanh(-2.0), 0.0, np.tanh(3.0)]),
    ],
)
def test_activate(name, expected):
    got = activate(name, jnp.array([-2.0, 0.0, 3.0]), slope=0.25)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_default_slope():
    """Radford et al. 2016, section 4: 0.2."""
    assert float(activate("leaky_relu", jnp.array([-1.0]))[0]) == pytest.approx(-0.2)


def test_dtypes():
    assert compute_dtype("float32") == jnp.float32
    assert compute_dtype("bfloat16") == jnp.bfloat16
    assert compute_dtype(None) == jnp.float32


def test_initializers():
    shape, key = (400, 100), jax.random.key(0)
    errors = 4 / (2 * 40_000) ** 0.5
    assert np.std(kernel_init(0.3)(key, shape)) == pytest.approx(0.3, rel=errors)
    assert np.std(kernel_init(None)(key, shape)) == pytest.approx(0.05, rel=errors)
    scales = np.asarray(unit_init(0.3)(key, shape))
    assert scales.mean() == pytest.approx(1.0, abs=4 * 0.3 / 200)
    assert scales.std() == pytest.approx(0.3, rel=errors)


@pytest.mark.parametrize("shape", [(3, 3, 2, 6), (1, 2, 2, 9), (5, 3)])
def test_orthogonal_weights(shape):
    """Saxe et al. 2014, as matrices of (outputs, inputs) of a kernel's taps and channels."""
    kernel = np.asarray(kernel_init(0.02, orthogonal=True)(jax.random.key(0), shape))
    matrix = kernel.reshape(-1, shape[-1]).T
    small = matrix if len(matrix) <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(small @ small.T, np.eye(len(small)), atol=1e-5)


NETWORKS = [
    MlpGenerator,
    MlpDiscriminator,
    MlpEncoder,
    MlpDecoder,
    DcganGenerator,
    DcganDiscriminator,
    ConvEncoder,
    ConvDecoder,
]


@pytest.mark.parametrize(
    "bad",
    [
        {"width": 0},
        {"max_multiple": 0},
        {"widths": (10, 0)},
        {"pieces": 0},
        {"dropout": 1.0},
        {"input_dropout": -0.5},
        {"init_std": 0.0},
        {"activation": "gelu"},
        {"dtype": "float8"},
        {"norm": "group"},
        {"weight_norm": "batch"},
        {"minibatch": "mean"},
    ],
)
def test_bad_values(bad):
    """Every network that has the field refuses the value, and says which field of which network."""
    (name,) = bad
    owners = [network for network in NETWORKS if name in network.__dataclass_fields__]
    assert owners
    for network in owners:
        with pytest.raises(ValueError, match=rf"^{network.__name__}\.{name} = "):
            network(**bad)


def test_one_normalization_a_layer():
    for network in (DcganGenerator, DcganDiscriminator, MlpGenerator):
        with pytest.raises(ValueError, match=r"switch batch_norm off \(no-batch-norm\)"):
            network(batch_norm=True, norm="layer")


def test_units_have_no_values_to_average_over():
    for network in (MlpGenerator, MlpDiscriminator):
        with pytest.raises(ValueError, match="layer would do"):
            network(norm="instance")
