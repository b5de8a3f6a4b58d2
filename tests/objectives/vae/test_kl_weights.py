"""What the KL counts: schedules by hand, and what is of a whole batch against NumPy."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.config import ConfigError
from jaxgan.objectives.vae import capacity, cyclical
from jaxgan.objectives.vae.bounds import Beta, KlWeight
from jaxgan.objectives.vae.capacity import Capacity
from jaxgan.objectives.vae.cyclical import Cyclical
from jaxgan.objectives.vae.free_bits import FreeBits

# Means by dimension: 2.0, 0.1, 0.6, 0.3, 1.0.
KL = np.array([[3.0, 0.2, 0.6, 0.1, 0.3], [1.0, 0.0, 0.6, 0.5, 1.7]], np.float32)


def alone(value):
    return value


def cost(weight, kl=KL, step=0, mean=alone):
    return weight(jnp.asarray(kl), step=jnp.int32(step), mean=mean)


def test_examples():
    results = [doctest.testmod(module) for module in (capacity, cyclical)]
    assert all(result.attempted >= 1 and result.failed == 0 for result in results)


def test_cycles():
    """Fu et al. 2019, by hand: 40 steps in 4 cycles, the weight rising in half of each."""
    weight = Cyclical(value=2.0, cycle_steps=10, cycles=4, rising=0.5)
    rise = [0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.0, 2.0, 2.0, 2.0]
    expected = rise * 4 + [2.0] * 12
    at = jax.jit(weight.at)
    np.testing.assert_allclose([at(jnp.int32(t)) for t in range(52)], expected, rtol=1e-6)
    np.testing.assert_allclose(cost(weight, step=13), 1.2 * KL.sum(1), rtol=1e-6)


def test_a_cycle_that_rises_to_its_end_is_a_warm_up():
    weight, other = Cyclical(value=3.0, cycle_steps=7, cycles=1, rising=1.0), Beta(3.0, 7)
    for step in (0, 1, 6, 7, 20):
        assert float(weight.at(step)) == pytest.approx(float(other.at(step)), rel=1e-6)


@pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (5, 3.0), (10, 6.0), (99, 6.0)])
def test_capacity(step, capacity):
    """Of the batch's mean KL, 4 nats: not the mean of each image's distance."""
    weight = Capacity(weight=10.0, most=6.0, steps=10)
    np.testing.assert_allclose(cost(weight, step=step), [10 * abs(4.0 - capacity)] * 2, rtol=1e-6)
    slope = jax.grad(lambda kl: jnp.mean(cost(weight, kl, step)))(KL)
    # A KL that is too small is drawn up.
    sign = 1.0 if capacity < 4.0 else -1.0
    np.testing.assert_allclose(slope, np.full(KL.shape, 10 * sign / 2), rtol=1e-6)
    # Between the two images' KLs, 4.2 and 3.8, the mean of distances would be twice as much.
    np.testing.assert_allclose(cost(Capacity(10.0, 3.9, steps=0)), [1.0] * 2, rtol=1e-5)
    assert [float(Capacity(most=6.0, steps=0).at(t)) for t in (0, 1)] == [6.0, 6.0]


@pytest.mark.parametrize(
    ("groups", "expected", "paid"),
    [
        # Of each dimension: 2.0, 0.5, 0.6, 0.5, 1.0.
        (None, 4.6, [1, 0, 1, 0, 1]),
        (5, 4.6, [1, 0, 1, 0, 1]),
        # 2.0 + 0.1 + 0.6 and 0.3 + 1.0: the first group is the longer one.
        (2, 4.0, [1, 1, 1, 1, 1]),
        # 2.1, 0.9, 1.0.
        (3, 4.0, [1, 1, 1, 1, 1]),
        # 2.1, 0.6, 0.5 for 0.3, 1.0.
        (4, 4.2, [1, 1, 1, 0, 1]),
        (1, 4.0, [1, 1, 1, 1, 1]),
    ],
)
def test_free_bits(groups, expected, paid):
    """The batch's mean of a group is compared; what costs less than is free has no slope.

    An image of its own that costs less, such as the first one's last dimension, has.
    """
    weight = FreeBits(nats=0.5, groups=groups)
    np.testing.assert_allclose(cost(weight), [expected] * 2, rtol=1e-6)
    slope = jax.grad(lambda kl: jnp.mean(cost(weight, kl)))(KL)
    np.testing.assert_allclose(slope, np.tile(paid, (2, 1)) / 2.0, rtol=1e-6)


@pytest.mark.parametrize("weight", [Capacity(2.0, 3.0, 0), FreeBits(0.5), FreeBits(0.5, 2)])
def test_the_batch_is_that_of_all_devices(weight):
    """Two devices with one row each cost what one with both rows does."""
    mapped = jax.vmap(
        lambda kl: cost(weight, kl, mean=lambda value: jax.lax.pmean(value, "devices")),
        axis_name="devices",
    )
    np.testing.assert_allclose(mapped(KL[:, None])[:, 0], cost(weight), rtol=1e-6)


def test_settings_that_cannot_work():
    for cls, field, bad in [
        (Cyclical, "value", 0.0),
        (Cyclical, "cycle_steps", 0),
        (Cyclical, "cycles", 0),
        (Cyclical, "rising", 0.0),
        (Cyclical, "rising", 1.1),
        (Capacity, "weight", 0.0),
        (Capacity, "most", math.inf),
        (Capacity, "steps", -1),
        (FreeBits, "nats", 0.0),
        (FreeBits, "groups", 0),
    ]:
        with pytest.raises(ValueError, match=f"{field} = {bad}"):
            cls(**{field: bad})
    with pytest.raises(ConfigError, match="FreeBits has 6 groups, and this KL comes in 5"):
        cost(FreeBits(groups=6))


def test_what_they_say():
    weights = Cyclical(), Capacity(), FreeBits()
    assert [weight.mark() for weight in weights] == [
        "beta = 1 in 4 cycles", "capacity 25", "0.25 nats free a group",
    ]  # fmt: skip
    assert all(isinstance(weight, KlWeight) for weight in weights)
    assert [weight.linear for weight in weights] == [True, False, False]
