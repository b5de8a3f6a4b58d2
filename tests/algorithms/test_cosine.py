"""Cosines at places worked out by hand, and Adam under them against loops in double precision."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.algorithms.cosine import Cosine, CosineAdam
from jaxgan.optim import Optimizer


def test_a_cosine_by_hand():
    """cos(pi / 3) = 1/2, so that a third of the way is a quarter of the change."""
    course = Cosine(2e-4, 5e-5)
    for share, expected in (
        (0.0, 2e-4),
        (1 / 3, 1.625e-4),
        (0.5, 1.25e-4),
        (1.0, 5e-5),
        (9.0, 5e-5),
    ):
        assert float(course.at(share)) == pytest.approx(expected, rel=1e-6)
    assert float(Cosine(0.0, 0.3).at(jnp.float32(2 / 3))) == pytest.approx(0.225, rel=1e-6)


def test_adam_by_hand():
    """Updates over 2.5: the third is at 0.8 of the way, the fourth behind its end."""
    optimizer = CosineAdam(Cosine(0.1, 0.02), b1=0.6, b2=Cosine(0.5, 0.9), eps=1e-3)
    assert isinstance(optimizer, Optimizer)
    update, gradients = optimizer.build(2.5), np.random.default_rng(0).normal(size=(4, 3))
    state = update.init(jnp.zeros(3))
    mean, square = np.zeros(3), np.zeros(3)
    step = jax.jit(update.update)
    for t, gradient in enumerate(gradients):
        got, state = step(jnp.float32(gradient), state)
        course = (1 - math.cos(math.pi * min(t / 2.5, 1))) / 2
        rate, b2 = 0.1 - 0.08 * course, 0.5 + 0.4 * course
        mean, square = 0.6 * mean + 0.4 * gradient, b2 * square + (1 - b2) * gradient**2
        corrected = mean / (1 - 0.6 ** (t + 1)), square / (1 - b2 ** (t + 1))
        expected = -rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-3)
        np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert int(state.updates) == 4


def test_numbers_that_no_adam_can_have_are_refused():
    for settings, message in (
        ({"learning_rate": Cosine(-1.0, 0.1)}, "learning_rate"),
        ({"b1": 1.0}, "decay of 1.0"),
        ({"b2": Cosine(0.9, 1.0)}, "decay of 1.0"),
        ({"eps": 0.0}, "eps = 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            CosineAdam(**settings)
