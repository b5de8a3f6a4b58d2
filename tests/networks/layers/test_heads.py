import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks.layers.heads import GaussianHead, LogitHead

FEATURES = jnp.asarray(np.random.default_rng(0).normal(size=(4, 6)), jnp.float32)


def test_logit():
    logits, variables = LogitHead().init_with_output(jax.random.key(0), FEATURES)
    dense = variables["params"]["Dense_0"]
    assert logits.shape == (4,)
    np.testing.assert_allclose(
        logits, np.asarray(FEATURES) @ np.ravel(dense["kernel"]), rtol=1e-5, atol=1e-6
    )


def test_gaussian():
    (mean, log_variance), variables = GaussianHead(3).init_with_output(jax.random.key(0), FEATURES)
    params = variables["params"]
    for got, name in ((mean, "mean"), (log_variance, "log_variance")):
        assert got.shape == (4, 3)
        expected = np.asarray(FEATURES) @ np.asarray(params[name]["kernel"])
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(mean, log_variance)


def test_float32_whatever_comes_in():
    features = FEATURES.astype(jnp.bfloat16)
    results = [
        LogitHead().init_with_output(jax.random.key(0), features)[0],
        *GaussianHead(2).init_with_output(jax.random.key(0), features)[0],
    ]
    assert all(r.dtype == jnp.float32 for r in results)


@pytest.mark.parametrize(("std", "expected"), [(0.02, 0.02), (None, 1000**-0.5)])
def test_first_weights(std, expected):
    """None is LeCun's 1 / sqrt(fan-in); four standard errors of a deviation over 1000 weights."""
    variables = LogitHead(std).init(jax.random.key(0), jnp.zeros((1, 1000)))
    kernel = np.asarray(variables["params"]["Dense_0"]["kernel"])
    assert kernel.std() == pytest.approx(expected, rel=4 / 2000**0.5)
