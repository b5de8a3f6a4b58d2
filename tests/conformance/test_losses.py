"""What every adversarial loss promises, whichever it is."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from discovery import losses

from jaxgan.run.config_json import from_json, to_json

LOSSES = losses()
EVERY = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
PLAYERS = pytest.mark.parametrize("player", ["discriminator", "generator"])
REAL = np.array([2.0, -1.5, 0.3, 5.25], np.float32)
FAKE = np.array([-0.7, 3.1, 1.2, -4.0], np.float32)


def test_the_known_ones_are_found():
    assert LOSSES.keys() >= {"Minimax", "NonSaturating", "LeastSquares", "Wasserstein", "Hinge"}


@EVERY
def test_is_a_plain_value(loss):
    """Equal by value, hashable, frozen, and the same after a trip through JSON."""
    assert dataclasses.replace(loss) == loss
    assert hash(dataclasses.replace(loss)) == hash(loss)
    assert from_json(json.loads(json.dumps(to_json(loss)))) == loss
    assert type(loss).__dataclass_params__.frozen
    assert all(loss != other for other in LOSSES.values() if type(other) is not type(loss))


@EVERY
@PLAYERS
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_one_value_an_example(loss, player, dtype):
    """Nothing is reduced, and the values go where their examples go."""
    value = getattr(loss, player)
    real, fake = jnp.asarray(REAL, dtype), jnp.asarray(FAKE, dtype)
    order = jnp.asarray([2, 0, 3, 1])
    whole, reordered = value(real=real, fake=fake), value(real=real[order], fake=fake[order])
    assert whole.shape == real.shape
    assert whole.dtype == real.dtype
    numbers, moved = (np.asarray(array, np.float64) for array in (whole[order], reordered))
    np.testing.assert_allclose(numbers, moved, rtol=1e-6 if dtype == "float32" else 1e-2)
    assert len(set(numbers)) > 1


@EVERY
@PLAYERS
def test_takes_logits_by_keyword(loss, player):
    """The order of two arrays of one shape is what nobody remembers."""
    with pytest.raises(TypeError):
        getattr(loss, player)(jnp.asarray(REAL), jnp.asarray(FAKE))


@EVERY
@PLAYERS
def test_finite_however_sure_the_discriminator_is(loss, player):
    """Values and gradients, at logits where a sigmoid has long been exactly 0 or 1."""
    extremes = jnp.asarray([-1e4, -100.0, 0.0, 100.0, 1e4])
    real, fake = (grid.ravel() for grid in jnp.meshgrid(extremes, extremes))

    def total(real, fake):
        return jnp.sum(getattr(loss, player)(real=real, fake=fake))

    values = getattr(loss, player)(real=real, fake=fake)
    gradients = jax.grad(total, argnums=(0, 1))(real, fake)
    for array in (values, *gradients):
        assert bool(jnp.isfinite(array).all())
    # A loss that were clipped before it overflows would have no gradient where it is needed most:
    # where the discriminator is sure, and wrong.
    if player == "discriminator":
        assert bool((gradients[0][real == -1e4] < 0).all())
        assert bool((gradients[1][fake == 1e4] > 0).all())


@EVERY
def test_the_players_want_the_opposite(loss):
    """Near an undecided discriminator, its descent lowers fake logits, the generator's raises them.

    Real logits, too, rise by the discriminator's descent. The generator cannot change them.
    """
    # Between all labels and margins in use: strictly between 0 and 1.
    real = fake = jnp.full((3,), 0.5)

    def gradient(player):
        return jax.grad(
            lambda real, fake: jnp.sum(getattr(loss, player)(real=real, fake=fake)), argnums=(0, 1)
        )(real, fake)

    d_real, d_fake = gradient("discriminator")
    _, g_fake = gradient("generator")
    assert bool((d_real < 0).all())
    assert bool((d_fake > 0).all())
    assert bool((g_fake < 0).all())


@EVERY
def test_measures_of_the_discriminator(loss):
    """One number between 0 and 1 an example; sure and right is 1, sure and wrong is 0."""
    sure = jnp.full((3,), 50.0)
    right, wrong = loss.correct(real=sure, fake=-sure), loss.correct(real=-sure, fake=sure)
    assert right.keys() == wrong.keys()
    for name in right:
        np.testing.assert_array_equal(np.asarray(right[name]), np.ones(3))
        np.testing.assert_array_equal(np.asarray(wrong[name]), np.zeros(3))


@EVERY
@PLAYERS
def test_works_compiled_and_mapped(loss, player):
    value = getattr(loss, player)
    real, fake = jnp.asarray(REAL), jnp.asarray(FAKE)
    plain = value(real=real, fake=fake)
    compiled = jax.jit(value)(real=real, fake=fake)
    mapped = jax.vmap(lambda r, f: value(real=r, fake=f))(real[None], fake[None])[0]
    np.testing.assert_allclose(compiled, plain, rtol=1e-6)
    np.testing.assert_allclose(mapped, plain, rtol=1e-6)
