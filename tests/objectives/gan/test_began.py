"""BEGAN's losses and its equilibrium by hand, and where a run of k comes to rest."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan import began
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.losses import GanLoss, StatefulLoss

# Energies, which are never negative; logits are their negatives.
REAL = np.array([0.6, 0.2, 1.5], np.float32)
FAKE = np.array([0.1, 0.7, 0.3], np.float32)
LOGITS = {"real": jnp.asarray(-REAL), "fake": jnp.asarray(-FAKE)}


@pytest.mark.parametrize("k", [0.0, 0.25, 1.0])
def test_losses(k):
    loss = Began().at(jnp.float32(k))
    np.testing.assert_allclose(loss.discriminator(**LOGITS), REAL - k * FAKE, rtol=1e-6)
    np.testing.assert_allclose(loss.generator(**LOGITS), FAKE, rtol=1e-6)
    assert loss.correct(**LOGITS) == {}


@pytest.mark.parametrize("k", [0.25, 1.0])
def test_gradients(k):
    """The discriminator lowers real energies and raises generated ones k times as much; the
    generator lowers its own, and real images are none of its business."""
    loss = Began().at(jnp.float32(k))

    def slopes(player):
        def total(real, fake):
            return jnp.sum(getattr(loss, player)(real=-real, fake=-fake))

        return jax.grad(total, argnums=(0, 1))(jnp.asarray(REAL), jnp.asarray(FAKE))

    np.testing.assert_allclose(slopes("discriminator"), [[1.0] * 3, [-k] * 3])
    np.testing.assert_allclose(slopes("generator"), [[0.0] * 3, [1.0] * 3])


def test_first_step_is_without_generated_images():
    loss = Began()
    assert float(loss.init()) == 0.0
    for player in ("discriminator", "generator"):
        np.testing.assert_array_equal(
            getattr(loss, player)(**LOGITS), getattr(loss.at(loss.init()), player)(**LOGITS)
        )
    assert loss.correct(**LOGITS) == {}


@pytest.mark.parametrize(("gamma", "rate"), [(0.5, 1e-3), (0.9, 0.02)])
def test_k_moves_by_the_imbalance(gamma, rate):
    """From the means over the batch, in the real images' favor upwards; metrics are of the step."""
    k, metrics = Began(gamma, rate).update(jnp.float32(0.3), **LOGITS)
    real, fake = REAL.mean(), FAKE.mean()
    assert gamma * real - fake > 0
    assert float(k) == pytest.approx(0.3 + rate * (gamma * real - fake), rel=1e-6)
    assert float(metrics["began/k"]) == pytest.approx(0.3)
    assert float(metrics["began/convergence"]) == pytest.approx(
        real + abs(gamma * real - fake), rel=1e-6
    )
    exchanged = {"real": LOGITS["fake"], "fake": LOGITS["real"]}
    k, metrics = Began(gamma, rate).update(jnp.float32(0.3), **exchanged)
    assert float(k) == pytest.approx(0.3 + rate * (gamma * fake - real), rel=1e-6)
    assert float(k) < 0.3
    assert float(metrics["began/convergence"]) == pytest.approx(
        fake + abs(gamma * fake - real), rel=1e-6
    )


@pytest.mark.parametrize(("real", "fake", "end"), [(1e4, 0.0, 1.0), (0.0, 1e4, 0.0)])
def test_k_stays_a_share(real, fake, end):
    k, metrics = Began(rate=0.5).update(
        jnp.float32(0.5), real=jnp.array([-real]), fake=jnp.array([-fake])
    )
    assert float(k) == end
    assert all(bool(jnp.isfinite(value)) for value in metrics.values())


def test_the_state_keeps_its_type():
    """Not weak, or the second step would be compiled anew."""
    state = Began().init()
    after, _ = jax.eval_shape(lambda s: Began().update(s, **LOGITS), state)
    assert (after.shape, after.dtype, after.weak_type) == ((), jnp.float32, False)
    assert not jax.eval_shape(Began().init).weak_type


def test_gamma_is_a_proportion_and_the_rate_is_not():
    """Energies that are sums over n pixels give the same k where the rate is n times smaller."""
    n = 64
    summed = {name: n * logits for name, logits in LOGITS.items()}
    k, _ = Began(rate=1e-3).update(jnp.float32(0.3), **LOGITS)
    other, _ = Began(rate=1e-3 / n).update(jnp.float32(0.3), **summed)
    assert float(k) == pytest.approx(float(other), rel=1e-6)


def test_k_comes_to_rest_where_the_proportion_is_reached():
    """A discriminator whose generated energy rises with k: 0.9 k for a real energy of 1."""
    loss, k = Began(gamma=0.5, rate=0.5), jnp.float32(0.0)
    for _ in range(100):
        k, metrics = loss.update(k, real=-jnp.ones(4), fake=-0.9 * k * jnp.ones(4))
    assert float(k) == pytest.approx(0.5 / 0.9, rel=1e-5)
    assert float(metrics["began/convergence"]) == pytest.approx(1.0, rel=1e-5)


def test_is_a_loss_with_a_state():
    assert isinstance(Began(), GanLoss)
    assert isinstance(Began(), StatefulLoss)
    assert isinstance(Began().at(Began().init()), GanLoss)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("field", ["gamma", "rate"])
def test_bad_settings(field, value):
    with pytest.raises(ValueError, match=f"^{field} = {value}: must be above 0"):
        Began(**{field: value})


def test_examples():
    result = doctest.testmod(began)
    assert result.attempted >= 5
    assert result.failed == 0
