"""Discriminators looked ahead at: where they go, and what that does to the generator's gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.algorithms.state import new_player
from jaxgan.algorithms.unrolling import unrolled
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.optim import Adam, AdamW, RmsProp, Sgd

RATE, STEPS = 0.3, 4
PSI, THETA, DATA = 0.7, -1.3, 0.4


def same(tree):
    return tree


def test_gradient_through_unrolled_updates_of_a_quadratic():
    """``L_D = c / 2 (psi - theta)^2`` pulls psi to theta, all but ``(1 - rate c)^K`` of the way.

    A stop-gradient on the unrolled weights gives 0 here.
    """
    optimizer = Sgd(RATE).build(10)
    player = new_player({"params": jnp.float32(PSI)}, optimizer)

    def ahead(theta):
        return unrolled(
            player, optimizer, (), lambda psi: 0.25 * (psi - theta) ** 2, same, STEPS
        )  # fmt: skip

    left = (1 - RATE * 0.5) ** STEPS
    value, slope = jax.jit(jax.value_and_grad(ahead))(THETA)
    np.testing.assert_allclose(value, THETA + left * (PSI - THETA), rtol=1e-6)
    np.testing.assert_allclose(slope, 1 - left, rtol=1e-6)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_generator_of_an_unrolled_wasserstein_dirac_gan(steps):
    """``psi_K = psi - K rate (theta - data)``; ``-psi_K theta`` has the slope below."""
    optimizer = Sgd(RATE).build(10)
    player = new_player({"params": jnp.float32(PSI)}, optimizer)

    def loss(theta):
        psi = unrolled(player, optimizer, (), lambda psi: psi * (theta - DATA), same, steps)
        return -psi * theta

    psi = PSI - steps * RATE * (THETA - DATA)
    np.testing.assert_allclose(
        jax.jit(jax.grad(loss))(THETA), -psi + steps * RATE * THETA, rtol=1e-5
    )


def adam_by_hand(theta, gradient, psi, mean, square, done, steps, rate=RATE):
    """Kingma and Ba 2015, algorithm 1, from the moments after so many updates."""
    for count in range(done + 1, done + steps + 1):
        slope = gradient(psi, theta)
        mean = 0.5 * mean + 0.5 * slope
        square = 0.9 * square + 0.1 * slope**2
        psi = psi - rate * (mean / (1 - 0.5**count)) / (
            np.sqrt(square / (1 - 0.9**count)) + 1e-8
        )  # fmt: skip
    return psi


def test_adam_goes_on_from_its_state():
    """Moments of a real update are carried into those looked ahead at; fresh ones differ."""
    optimizer = Adam(RATE, b1=0.5, b2=0.9).build(10)

    def loss(psi, theta):
        return jnp.cosh(psi - jnp.sin(theta))

    def gradient(psi, theta):
        return np.sinh(psi - np.sin(theta))

    player = new_player({"params": jnp.float32(PSI)}, optimizer)
    player = player.update(optimizer, jax.grad(loss)(PSI, 0.9), {})
    first = gradient(PSI, 0.9)
    started = adam_by_hand(0.9, gradient, PSI, 0.0, 0.0, 0, 1)
    np.testing.assert_allclose(player.params, started, rtol=1e-6)

    def by_hand(theta):
        return adam_by_hand(theta, gradient, started, 0.5 * first, 0.1 * first**2, 1, STEPS)

    def ahead(theta):
        return unrolled(player, optimizer, (), lambda psi: loss(psi, theta), same, STEPS)

    value, slope = jax.jit(jax.value_and_grad(ahead))(THETA)
    np.testing.assert_allclose(value, by_hand(THETA), rtol=1e-5)
    step = 1e-5
    expected = (by_hand(THETA + step) - by_hand(THETA - step)) / (2 * step)
    np.testing.assert_allclose(slope, expected, rtol=1e-4)
    fresh = adam_by_hand(THETA, gradient, started, 0.0, 0.0, 0, STEPS)
    assert abs(fresh - by_hand(THETA)) > 0.005


@pytest.mark.parametrize(
    "optimizer",
    [Adam(RATE, clip_norm=1.0), AdamW(RATE), RmsProp(RATE, clip_norm=1.0)],
    ids=["adam", "adamw", "rmsprop"],
)
@pytest.mark.parametrize("reached", [0.0, 1e-18])
def test_units_that_no_example_reaches_leave_gradients_finite(optimizer, reached):
    """The root of their mean square is at 0, where its slope is infinite."""
    built = optimizer.build(10)
    player = new_player({"params": jnp.asarray([PSI, 0.3, 1.5])}, built)
    alive = jnp.asarray([1.0, 0.5, reached])

    def ahead(theta):
        def loss(psi):
            return jnp.sum(jnp.square(psi - theta) * alive)

        return jnp.sum(unrolled(player, built, (), loss, same, 2))

    value, slope = jax.jit(jax.value_and_grad(ahead))(THETA)
    assert np.isfinite([value, slope]).all()
    # What the other units say is heard.
    assert slope != 0.0


def test_constraints_hold_after_each_update():
    optimizer = Sgd(1.0).build(10)
    player = new_player({"params": jnp.float32(0.0)}, optimizer)
    shown = []

    def loss(psi):
        shown.append(psi)
        return -(psi + 0.125 * psi**2)

    found = unrolled(player, optimizer, (Clip(0.25),), loss, same, 2)
    np.testing.assert_array_equal(found, 0.25)
    assert len(shown) == 2
    np.testing.assert_array_equal(unrolled(player, optimizer, (), loss, same, 2), 2.25)


def test_gradients_are_averaged_over_devices():
    """Two devices of three rows each go where one of six rows goes, and pull alike."""
    optimizer = Sgd(RATE).build(10)
    player = new_player({"params": jnp.float32(PSI)}, optimizer)
    rows = jnp.asarray(np.random.default_rng(0).normal(size=6), jnp.float32)

    def value(theta, rows, mean):
        def loss(psi):
            return jnp.mean(jnp.cosh(psi - theta * rows))

        psi = unrolled(player, optimizer, (), loss, mean, STEPS)
        return jnp.mean(jnp.sin(psi * rows * theta))

    slope = jax.value_and_grad(value)
    whole = jax.jit(lambda rows: slope(THETA, rows, same))(rows)
    shared = jax.jit(
        jax.vmap(
            lambda own: slope(THETA, own, lambda tree: jax.lax.pmean(tree, "devices")),
            axis_name="devices",
        )
    )(rows.reshape(2, 3))
    np.testing.assert_allclose(jnp.mean(shared[0]), whole[0], rtol=1e-5)
    np.testing.assert_allclose(jnp.mean(shared[1]), whole[1], rtol=1e-5)
