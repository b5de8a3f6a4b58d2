"""LeCam regularization against its formula in NumPy, with the averages of several updates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from views import view

from jaxgan.objectives.gan.lecam import LeCam
from jaxgan.objectives.gan.penalties import Penalty
from jaxgan.objectives.gan.verdict import Verdict

BLANK = jnp.zeros((4, 1, 1, 1))
REAL = np.array([[2.0, -0.5, 1.0, 0.3], [1.0, 1.5, -2.0, 0.7], [0.2, 3.0, 0.5, -1.0]], np.float32)
FAKE = np.array(
    [[-1.0, 0.4, -2.0, 0.1], [0.5, -1.5, -0.7, 1.2], [2.0, -0.3, 0.9, -4.0]], np.float32
)


def shown(real, fake, mean=lambda tree: tree):
    return view(lambda images: images[:, 0, 0, 0], BLANK[: len(real)], BLANK)._replace(
        on_real=Verdict(real), on_fake=Verdict(fake), mean=mean
    )


def values_of(penalty, real=REAL, fake=FAKE):
    """Of one update after the other."""
    state, found = penalty.init(), []
    for one_real, one_fake in zip(real, fake, strict=True):
        values, state = penalty(shown(jnp.asarray(one_real), jnp.asarray(one_fake)), state)
        found.append(np.asarray(values))
    return found, state


def by_hand(weight, decay):
    """Real scores against the average of fake ones, and the other way round."""
    found, real_mean, fake_mean = [], None, None
    for real, fake in zip(REAL.astype(np.float64), FAKE.astype(np.float64), strict=True):
        first = real_mean is None
        real_mean = real.mean() if first else decay * real_mean + (1 - decay) * real.mean()
        fake_mean = fake.mean() if first else decay * fake_mean + (1 - decay) * fake.mean()
        above, below = np.maximum(real - fake_mean, 0), np.maximum(real_mean - fake, 0)
        found.append(weight * (above**2 + below**2))
    return found, real_mean, fake_mean


@pytest.mark.parametrize(("weight", "decay"), [(0.3, 0.9), (2.0, 0.5), (1.0, 0.0)])
def test_formula(weight, decay):
    """Averages of this update and those before it; the first is that of the first batch. (A first
    value of 0 or 7777, as published code has it, would be seen in all that come.)"""
    found, state = values_of(LeCam(weight, decay, start=0))
    expected, real_mean, fake_mean = by_hand(weight, decay)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert float(state["real"]) == pytest.approx(real_mean, rel=1e-5)
    assert float(state["fake"]) == pytest.approx(fake_mean, rel=1e-5)
    assert int(state["updates"]) == 3


@pytest.mark.parametrize("start", [1, 2])
def test_nothing_before_the_start(start):
    """And the averages are those of the last batch until then."""
    found, _ = values_of(LeCam(1.0, 0.9, start=start))
    for values in found[:start]:
        np.testing.assert_array_equal(values, np.zeros(4))
    before, now = start - 1, start
    real_mean = 0.9 * REAL[before].mean() + 0.1 * REAL[now].mean()
    fake_mean = 0.9 * FAKE[before].mean() + 0.1 * FAKE[now].mean()
    expected = np.maximum(REAL[now] - fake_mean, 0) ** 2 + np.maximum(real_mean - FAKE[now], 0) ** 2
    np.testing.assert_allclose(found[start], expected, rtol=1e-5)


def test_gradients():
    """By scores: pulled towards the other kind's average, which is no variable."""
    real, fake = jnp.asarray(REAL[0]), jnp.asarray(FAKE[0])

    def total(real, fake):
        return jnp.sum(LeCam(0.5, start=0)(shown(real, fake), LeCam().init())[0])

    by_real, by_fake = jax.grad(total, argnums=(0, 1))(real, fake)
    expected = 0.5 * 2 * np.maximum(REAL[0] - FAKE[0].mean(), 0)
    np.testing.assert_allclose(by_real, expected, rtol=1e-5)
    expected = -0.5 * 2 * np.maximum(REAL[0].mean() - FAKE[0], 0)
    np.testing.assert_allclose(by_fake, expected, rtol=1e-5)


def test_averages_are_those_of_all_devices():
    penalty = LeCam(start=0)
    whole, state = penalty(shown(jnp.asarray(REAL[0]), jnp.asarray(FAKE[0])), penalty.init())

    def of_a_device(real, fake):
        return penalty(
            shown(real, fake, lambda tree: jax.lax.pmean(tree, "devices")), penalty.init()
        )

    halves, states = jax.vmap(of_a_device, axis_name="devices")(
        jnp.asarray(REAL[0]).reshape(2, 2), jnp.asarray(FAKE[0]).reshape(2, 2)
    )
    np.testing.assert_allclose(halves.ravel(), whole, rtol=1e-5)
    np.testing.assert_allclose(states["real"], np.full(2, state["real"]), rtol=1e-6)


def test_is_a_plain_value():
    assert isinstance(LeCam(), Penalty)
    assert (LeCam.name, LeCam.per_example) == ("lecam", False)
    assert LeCam() == LeCam(weight=0.3, decay=0.9, start=1000, every=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": -1.0}, r"^weight = -1\.0: must be above 0 and finite"),
        ({"decay": 1.0}, r"^decay = 1\.0: must be at least 0 and below 1$"),
        ({"decay": -0.1}, r"^decay = -0\.1: must be at least 0 and below 1$"),
        ({"start": -1}, r"^start = -1: must be at least 0$"),
        ({"every": 0}, r"^every = 0: must be at least 1$"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        LeCam(**settings)
