"""Diagnostics of a GAN's step: what they are of known networks, and that they change nothing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan.algorithms import gan_diagnostics
from jaxgan.objectives.gan.verdict import Verdict

RNG = np.random.default_rng(0)
NAMES = {
    *("gap", "real_sign", "slope_squared", "spread", "discriminator_update", "generator_update"),
}


def same(value):
    return value


def test_gap_and_sign_of_the_logits():
    real, fake = jnp.array([3.0, 2.0, -1.0, 4.0]), jnp.array([-5.0, 1.0, 1.0, -1.0])
    found = gan_diagnostics.of_verdicts(Verdict(real), Verdict(fake))
    assert {name: float(value) for name, value in found.items()} == {
        "diagnostics/gap": 2.0 + 1.0, "diagnostics/real_sign": 0.5,
    }  # fmt: skip


def test_slope_is_the_mean_squared_norm_at_each_real_image():
    """Of ``D(x) = a |x|^2 / 2 + b x``, whose gradient is ``a x + b``."""
    images, b = RNG.normal(size=(5, 2, 3, 1)), RNG.normal(size=(2, 3, 1))

    def critic(x):
        return Verdict(jnp.sum(0.7 * jnp.square(x) / 2 + b * x, axis=(1, 2, 3)))

    expected = np.mean(np.sum((0.7 * images + b) ** 2, axis=(1, 2, 3)))
    real, every = jnp.asarray(images, jnp.float32), gan_diagnostics.EVERY
    for done, told in ((0, expected), (1, 9.0), (every - 1, 9.0), (3 * every, expected)):
        found = gan_diagnostics.slope_squared(critic, real, jnp.float32(9.0), jnp.int32(done))
        assert float(found) == pytest.approx(told, rel=1e-5)


def test_spread_is_of_pixels_over_the_batch():
    real, fake = RNG.normal(size=(9, 2, 2, 1)), 0.25 + 0.3 * RNG.normal(size=(9, 2, 2, 1))
    # Images that are flat, each of another level, vary; many copies of one varied image do not.
    arrays = [jnp.asarray(one, jnp.float32) for one in (real, fake)]
    (found,) = gan_diagnostics.of_spread(*arrays, same).values()
    expected = np.std(fake, axis=0).mean() / np.std(real, axis=0).mean()
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert 0.1 < expected < 0.9
    copies = jnp.broadcast_to(arrays[1][:1], arrays[1].shape)
    (found,) = gan_diagnostics.of_spread(arrays[0], copies, same).values()
    assert float(found) == pytest.approx(0.0, abs=1e-5)


def test_spread_of_many_devices_is_that_of_all_images():
    """Each of two devices has copies of one image: together they vary."""
    real = jnp.asarray(RNG.normal(size=(2, 4, 2, 2, 1)), jnp.float32)
    fake = jnp.broadcast_to(real[:, :1], real.shape)

    def mean(value):
        return jax.lax.pmean(value, "devices")

    apart = jax.vmap(lambda r, f: gan_diagnostics.of_spread(r, f, mean), axis_name="devices")
    together = gan_diagnostics.of_spread(*(a.reshape(8, 2, 2, 1) for a in (real, fake)), same)
    np.testing.assert_allclose(
        apart(real, fake)["diagnostics/spread"], together["diagnostics/spread"], rtol=1e-5
    )
    assert float(together["diagnostics/spread"]) > 0.1


def test_update_is_relative_to_what_was():
    before = {"a": jnp.array([3.0, 0.0]), "b": {"c": jnp.array([[0.0, 4.0]])}}
    after = {"a": jnp.array([3.0, 0.3]), "b": {"c": jnp.array([[-0.4, 4.0]])}}
    (name, found), *rest = gan_diagnostics.of_update("generator", before, after).items()
    assert (name, rest) == ("diagnostics/generator_update", [])
    assert float(found) == pytest.approx(0.1)


@pytest.fixture(scope="module")
def runs():
    """Two steps with and without diagnostics, of both critic updates each."""
    plain = tiny.gan()
    told = dataclasses.replace(plain, model=dataclasses.replace(plain.model, diagnostics=True))
    return [tiny.train(one, "none", 2) for one in (plain, told)]


def test_they_are_there_when_asked_for_and_change_nothing(runs):
    (state, metrics), (told_state, told) = runs
    assert not plain_names(metrics[0])
    assert plain_names(told[0]) == {f"diagnostics/{name}" for name in NAMES}
    slope = told_state.extras["slope"]
    without = {name: value for name, value in told_state.extras.items() if name != "slope"}
    jax.tree.map(np.testing.assert_array_equal, told_state.replace(extras=without), state)
    # Taken in the very first update, and held.
    assert slope == told[0]["diagnostics/slope_squared"] == told[1]["diagnostics/slope_squared"]
    for step in (0, 1):
        for name, value in metrics[step].items():
            np.testing.assert_array_equal(told[step][name], value)


def plain_names(metrics):
    return {name for name in metrics if name.startswith(gan_diagnostics.PREFIX)}


def test_they_are_of_the_step_that_logs_them(runs):
    _, (_, told) = runs
    for metrics in told:
        found = {name: float(metrics[f"diagnostics/{name}"]) for name in NAMES}
        assert all(np.isfinite(value) for value in found.values())
        gap = metrics["logits/real"] - metrics["logits/fake"]
        assert found["gap"] == pytest.approx(float(gap), abs=1e-6)
        assert -1 <= found["real_sign"] <= 1
        assert found["slope_squared"] > 1e-4
        # Of a generator that has not been trained.
        assert 0.01 < found["spread"] < 1.5
        # By plain gradient descent: rate times gradient, by the norm of the parameters.
        for player in ("generator", "discriminator"):
            ratio = found[f"{player}_update"]
            norm = float(metrics[f"{player}_grad_norm"]) * tiny.RATE.learning_rate / ratio
            assert 1 < norm < 30
