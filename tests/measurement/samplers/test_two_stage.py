"""The second VAE: its bound against SciPy, its draws by hand, and that it learns a distribution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgan import rng
from jaxgan.config import ConfigError
from jaxgan.measurement.samplers.two_stage import TwoStage

SMALL = TwoStage(layers=2, width=5, steps=4, batch_size=8)
KEY = rng.base_key(2)


def perceptron(params, inputs):
    """In NumPy: two hidden layers, and the last one sees the inputs beside them."""
    hidden = inputs
    for place in (0, 1):
        hidden = np.maximum(hidden @ params[f"weight{place}"] + params[f"bias{place}"], 0.0)
    return np.hstack([hidden, inputs]) @ params["weight2"] + params["bias2"]


def params_of(size=3):
    params = SMALL._init(KEY, size)
    params["log_scale"] = jnp.float32(-0.4)
    return params, jax.tree.map(np.float64, params)


def test_the_bound_of_codes():
    params, plain = params_of()
    assert plain["encoder"]["weight2"].shape == (5 + 3, 2 * 3)
    codes = np.random.default_rng(0).normal(size=(6, 3))
    both = perceptron(plain["encoder"], codes)
    mean, variance = both[:, :3], np.exp(both[:, 3:])
    own = mean + np.sqrt(variance) * np.float64(jax.random.normal(KEY, (6, 3)))
    made = perceptron(plain["decoder"], own)
    likelihood = stats.norm(made, np.exp(-0.4)).logpdf(codes).sum(1)
    kl = 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum(1)
    found = SMALL._loss(params, jnp.float32(codes), KEY)
    assert found == pytest.approx((kl - likelihood).mean(), rel=1e-5)


def test_a_draw_is_decoded_from_the_prior_with_noise():
    params, plain = params_of()
    arrays = {"log_scale": params["log_scale"], **params["decoder"]}
    for temperature in (1.0, 0.3):
        sampler = TwoStage(layers=2, width=5, temperature=temperature)
        code, noise = (
            np.float64(jax.random.normal(rng.role_key(KEY, role), (3,)))
            for role in ("code", "noise")
        )
        expected = perceptron(plain["decoder"], temperature * code[None])[0]
        found = sampler.draw(arrays, KEY)
        np.testing.assert_allclose(found, expected + np.exp(-0.4) * noise, rtol=1e-4, atol=1e-5)


def test_what_is_kept_and_what_is_refused():
    codes, lines = np.random.default_rng(1).normal(size=(30, 2)).astype(np.float32), []
    arrays = SMALL.fit(codes, lines.append)
    assert set(arrays) == {"log_scale", *(f"{n}{i}" for n in ("weight", "bias") for i in range(3))}
    assert arrays["weight2"].shape == (5 + 2, 2)
    assert len(lines) == 1
    again = SMALL.fit(codes, lines.append)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, again[name])
    with pytest.raises(ConfigError, match="the second VAE diverged"):
        SMALL.fit(np.full_like(codes, np.nan), lines.append)
    for name in ("layers", "width", "steps", "draws"):
        with pytest.raises(ValueError, match=f"{name} = 0"):
            TwoStage(**{name: 0})
    with pytest.raises(ValueError, match=r"learning_rate = 0\.0"):
        TwoStage(learning_rate=0.0)


@pytest.mark.slow
def test_it_learns_a_distribution_that_is_no_gaussian():
    """A ring, whose centre is empty: the noise's scale is learned, and the prior is filled."""
    draws = np.random.default_rng(2)
    angle = draws.uniform(0, 2 * np.pi, 2000)
    radius = draws.normal(2.0, 0.1, 2000)
    codes = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)
    sampler = TwoStage(layers=2, width=64, steps=3000)
    arrays = sampler.fit(codes, lambda line: None)
    keys = jax.random.split(KEY, 2000)
    found = np.asarray(jax.vmap(lambda key: sampler.draw(arrays, key))(keys))
    distance = np.linalg.norm(found, axis=1)
    assert np.median(distance) == pytest.approx(2.0, abs=0.1)
    assert (distance < 1.0).mean() < 0.05
    np.testing.assert_allclose(found.mean(0), 0.0, atol=0.3)
    assert np.exp(arrays["log_scale"]) < 0.4
