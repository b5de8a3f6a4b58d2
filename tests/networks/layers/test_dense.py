import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.dense import Dense, add_bias

DRAWS = np.random.default_rng(0)
INPUTS = jnp.asarray(DRAWS.normal(size=(4, 6)), jnp.float32)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("dtype", [None, jnp.float32, jnp.bfloat16])
def test_is_that_of_flax(use_bias, dtype):
    """Variables, values and gradients; in bfloat16 up to the rounding of the bias."""
    ours, theirs = (layer(3, use_bias=use_bias, dtype=dtype) for layer in (Dense, nn.Dense))
    variables = theirs.init(jax.random.key(0), INPUTS)
    same = ours.init(jax.random.key(0), INPUTS)
    jax.tree.map(np.testing.assert_array_equal, same, variables)
    if use_bias:
        variables["params"]["bias"] = jnp.asarray([0.3, -2.0, 1.0])

    def run(layer):
        def total(variables, inputs):
            outputs = layer.apply(variables, inputs)
            return jnp.sum(jnp.sin(outputs.astype(jnp.float32))), outputs

        return jax.grad(total, argnums=(0, 1), has_aux=True)(variables, INPUTS)

    (got, outputs), (expected, expected_outputs) = run(ours), run(theirs)
    assert outputs.dtype == expected_outputs.dtype == (dtype or jnp.float32)
    tolerance = 0.05 if dtype == jnp.bfloat16 else 1e-6
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance),
        (got, outputs.astype(jnp.float32)), (expected, expected_outputs.astype(jnp.float32)),
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(4096, 2), (8, 64, 64, 2)])
def test_the_gradient_of_a_bias_is_summed_in_float32(shape):
    """Of many ones, bfloat16 can count no more than a few hundred."""

    @jax.jit
    def gradient(bias):
        zeros = jnp.zeros(shape, jnp.bfloat16)
        return jax.grad(lambda b: jnp.sum(add_bias(zeros, b).astype(jnp.float32)))(bias)

    assert gradient(jnp.zeros(2)).tolist() == [np.prod(shape) / 2] * 2


def test_biases_are_added_before_rounding():
    """Bfloat16 values at 256 are 2 apart: a bias a little above 1 goes up, one below goes down."""
    values = jnp.full((1, 2), 256.0, jnp.bfloat16)
    # In bfloat16 both biases are 1, and 257 goes to the even one, 256.
    summed = add_bias(values, jnp.asarray([1.0 + 2.0**-9, 1.0 - 2.0**-10]))
    assert summed.dtype == jnp.bfloat16
    assert summed.astype(jnp.float32).tolist() == [[258.0, 256.0]]
