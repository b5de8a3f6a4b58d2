"""The ramp of an average's half-life against the reference code's formula, in images."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.algorithms.ramped_ema import RampedEma


@pytest.mark.parametrize("step", [0, 1, 3, 20, 200, 7000, 100_000])
def test_decays_are_those_of_half_lives_in_images(step):
    """min(half-life, 0.05 images seen), with 64 images a step and a half-life of 500,000."""
    seen = 64 * step
    half_life = min(500_000, 0.05 * seen)
    keeps = 0.5 ** (64 / max(half_life, 1e-8))
    ema = RampedEma(decay=0.5 ** (64 / 500_000), ramp=0.05)
    old, new = {"w": jnp.asarray([3.0, -1.0])}, {"w": jnp.asarray([5.0, 2.0])}
    found = ema.update(old, new, jnp.int32(step))["w"]
    expected = np.asarray([5.0, 2.0]) + keeps * (np.asarray([3.0, -1.0]) - [5.0, 2.0])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_whole_numbers_are_copied_and_ramps_are_positive():
    found = RampedEma(decay=0.9).update({"n": jnp.int32(3)}, {"n": jnp.int32(8)}, 10_000)
    assert found["n"] == 8
    with pytest.raises(ValueError, match="ramp = 0"):
        RampedEma(ramp=0.0)
