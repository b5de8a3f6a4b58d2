"""Flips and instance noise against what their names say."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from standard_draws import images

from jaxgan.objectives.gan import simple_augmentations
from jaxgan.objectives.gan.simple_augmentations import Flip, InstanceNoise
from jaxgan.objectives.gan.verdict import Verdict


def keys(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


@pytest.mark.parametrize("probability", [0.5, 0.2, 1.0])
def test_flip(probability):
    """Left and right are exchanged, up and down are not."""
    x = images(600, 3, 4, 2)
    found = np.asarray(Flip(probability)(jnp.asarray(x), keys(600), ()))
    mirrored = (found == x[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (found == x).all(axis=(1, 2, 3))).all()
    assert mirrored.mean() == pytest.approx(probability, abs=0.07)


def test_flips_are_of_each_image():
    x, own = jnp.asarray(images(40, 3, 4, 2)), keys(40)
    whole = Flip()(x, own, ())
    np.testing.assert_array_equal(Flip()(x[::-1], own[::-1], ()), whole[::-1])
    slope = jax.grad(lambda batch: jnp.vdot(Flip()(batch, own, ()), x))(x)
    np.testing.assert_array_equal(slope, Flip()(x, own, ()))


@pytest.mark.parametrize(
    ("updates", "std"), [(0, 0.5), (4, 0.35), (10, 0.125), (11, 0.125), (10_000, 0.125)]
)
def test_noise_falls_in_a_line_and_stays(updates, std):
    augment = InstanceNoise(first=0.5, last=0.125, updates=10)
    if updates <= 11:
        state = augment.init()
        for _ in range(updates):
            state = augment.update(state, Verdict(jnp.ones(2)), 64)
        assert int(state) == updates
    else:
        state = jnp.int32(updates)
    x = images(500, 2, 3, 1)
    noise = np.asarray(augment(jnp.asarray(x), keys(500), state)) - x
    assert float(augment.metrics(state)["instance_noise/std"]) == pytest.approx(std)
    assert stats.kstest(noise.ravel(), stats.norm(0, std).cdf).pvalue > 1e-3
    pixels = noise.reshape(500, -1)
    assert np.abs(np.corrcoef(pixels.T)[~np.eye(6, dtype=bool)]).max() < 0.2


def test_noise_ends():
    augment = InstanceNoise(first=0.5, updates=10)
    x = jnp.asarray(images(4, 2, 3, 1))
    np.testing.assert_array_equal(augment(x, keys(4), jnp.int32(10)), x)
    np.testing.assert_array_equal(
        jax.grad(lambda batch: augment(batch, keys(4), jnp.int32(0)).sum())(x), 1.0
    )


def test_what_cannot_be():
    with pytest.raises(ValueError, match=r"probability = 0\.0"):
        Flip(0.0)
    with pytest.raises(ValueError, match=r"probability = 1.5: must be over 0 and at most 1"):
        Flip(1.5)
    with pytest.raises(ValueError, match="must not be negative"):
        InstanceNoise(first=-0.1)
    with pytest.raises(ValueError, match="nor both be 0"):
        InstanceNoise(first=0.0)
    with pytest.raises(ValueError, match="updates = 0"):
        InstanceNoise(updates=0)
    Flip().check((8, 8, 1), "uint8")
    with pytest.raises(ValueError, match="one pixel wide"):
        Flip().check((1, 1, 2), "float32")
    InstanceNoise().check((1, 1, 2), "float32")


def test_examples():
    result = doctest.testmod(simple_augmentations)
    assert result.attempted >= 3
    assert result.failed == 0
