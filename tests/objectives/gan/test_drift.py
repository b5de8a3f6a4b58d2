"""The drift term: the square of real scores alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from views import view

from jaxgan.objectives.gan.drift import Drift
from jaxgan.objectives.gan.penalties import Penalty
from jaxgan.objectives.gan.verdict import Verdict

REAL, FAKE = jnp.array([3.0, -2.0, 0.5]), jnp.array([7.0, -5.0, 1.0])
IMAGES = jnp.zeros((3, 1, 1, 1))


def penalized(penalty, real=REAL):
    shown = view(lambda x: x[:, 0, 0, 0], IMAGES, IMAGES)
    values, state = penalty(shown._replace(on_real=Verdict(real), on_fake=Verdict(FAKE)), ())
    assert state == ()
    return values


def test_formula():
    np.testing.assert_allclose(penalized(Drift()), [0.009, 0.004, 0.00025], rtol=1e-6)
    np.testing.assert_allclose(penalized(Drift(2.0)), [18.0, 8.0, 0.5], rtol=1e-6)
    slope = jax.grad(lambda real: jnp.sum(penalized(Drift(2.0), real)))(REAL)
    np.testing.assert_allclose(slope, [12.0, -8.0, 2.0], rtol=1e-6)


def test_is_a_plain_value():
    assert isinstance(Drift(), Penalty)
    assert (Drift.name, Drift.per_example) == ("drift", False)
    assert Drift() == Drift(weight=0.001, every=1)


@pytest.mark.parametrize("settings", [{"weight": 0.0}, {"every": 0}])
def test_bad_settings(settings):
    with pytest.raises(ValueError, match=r"^(weight|every) = .*: must be"):
        Drift(**settings)
