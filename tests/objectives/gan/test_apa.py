"""Adaptive pseudo augmentation: which images are exchanged, and how often, update by update."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan import apa
from jaxgan.objectives.gan.apa import Apa
from jaxgan.objectives.gan.augmentations import Augmentation, Replacing
from jaxgan.objectives.gan.verdict import Verdict

KEYS = jax.random.split(jax.random.key(5), 4000)


def follow(augment, batches, count):
    """p after each update on given logits."""
    update, state, found = jax.jit(augment.update, static_argnums=2), augment.init(), []
    for logits in batches:
        state = update(state, Verdict(jnp.asarray(logits, jnp.float32)), count)
        found.append(float(augment.metrics(state)["apa/p"]))
    return found, state


def test_p_rises_while_too_many_are_believed_and_falls_while_too_few_are():
    """By interval B / (1000 kimg) at once, after the mean of all signs since the last time."""
    # Signs 0.75 and 0.5: 0.625 is above 0.6, though the last one is below. Then 0.5 and 0.5.
    high, low = [[2.0] * 7 + [-1.0], [2.0] * 6 + [-1e4] * 2], [[2.0] * 6 + [-1.0] * 2] * 2
    found, state = follow(Apa(kimg=0.4, interval=2), [*high, *high, *low], count=8)
    step = 2 * 8 / 400
    np.testing.assert_allclose(found, [0, step, step, 2 * step, 2 * step, step], rtol=1e-5)
    logged = Apa().metrics(state)
    assert set(logged) == {"apa/p", "apa/sign"}
    assert float(logged["apa/sign"]) == pytest.approx(0.5)


@pytest.mark.parametrize(("most", "expected"), [(1.0, 1.0), (0.5, 0.5), (math.inf, 1.2)])
def test_bounds(most, expected):
    found, _ = follow(Apa(kimg=0.1, most=most), [[1.0]] * 12 + [[-1.0]] * 40, count=10)
    assert max(found) == pytest.approx(expected, rel=1e-5)
    assert min(found) == found[-1] == 0.0


def test_defaults():
    """Those of the paper's code: from 0 to 1 in 500,000 images, every fourth update."""
    found, _ = follow(Apa(), [[1.0]] * 8, count=64)
    np.testing.assert_allclose(found, np.repeat([0, 1, 2], [3, 4, 1]) * 4 * 64 / 5e5, rtol=1e-5)
    assert Apa().target == 0.6


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_each_image_by_itself_with_probability_p(p):
    flags = np.asarray(Apa().replaced(KEYS, {**Apa().init(), "p": jnp.float32(p)}))
    # Four standard deviations of a share of 4,000.
    assert abs(flags.mean() - p) <= 4 * math.sqrt(p * (1 - p) / len(KEYS))
    state = {**Apa().init(), "p": jnp.float32(p)}
    np.testing.assert_array_equal(Apa().replaced(KEYS[7:9], state), flags[7:9])


def test_images_are_left_as_they_are():
    images = jnp.arange(24.0).reshape(2, 3, 4, 1)
    state = {**Apa().init(), "p": jnp.float32(1.0)}
    np.testing.assert_array_equal(Apa()(images, KEYS[:2], state), images)
    assert isinstance(Apa(), Augmentation)
    assert isinstance(Apa(), Replacing)
    Apa().check((1, 1, 2), "float32")


@pytest.mark.parametrize("changes", [{"kimg": 0.0}, {"interval": 0}, {"most": 0.0}])
def test_what_cannot_be(changes):
    with pytest.raises(ValueError, match="must be positive"):
        Apa(**changes)


def test_examples():
    result = doctest.testmod(apa)
    assert result.attempted >= 3
    assert result.failed == 0
