"""What every adversarial loss promises, whichever it is.

A loss that reads more than logits is given a verdict whose heads and features are functions of its
logits. What it says of an example may depend on the whole batch.
"""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from discovery import losses

from jaxgan.objectives.gan.losses import Reader, StatefulLoss, read
from jaxgan.objectives.gan.top_k import TopK
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.run.config_json import from_json, to_json

LOSSES = losses()
EVERY = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
BY_LOGITS = {
    name: loss
    for name, loss in LOSSES.items()
    if not isinstance(loss, Reader) or isinstance(loss, TopK)
}
"""Losses whose players change nothing but logits; those of the others have tests of their own."""
BY_LOGITS_ONLY = pytest.mark.parametrize("loss", BY_LOGITS.values(), ids=BY_LOGITS)
PLAYERS = pytest.mark.parametrize("player", ["discriminator", "generator"])
# One number of examples everywhere: what is compiled for it need not be compiled again.
BATCH = 25
REAL, FAKE = np.random.default_rng(0).normal(0.0, 3.0, (2, BATCH)).astype(np.float32)


def seen(loss, logits):
    """What a loss reads of a verdict with these logits."""
    vectors = jnp.stack([logits, 0.5 * logits + 1.0, -logits], axis=-1)
    return read(loss, Verdict(logits, {"embedding": vectors}, (vectors, 2.0 * vectors)))


def in_the_run(loss):
    """A loss that changes, after a step in which real images had the smaller logits."""
    if not isinstance(loss, StatefulLoss):
        return loss
    real, fake = seen(loss, jnp.full((4,), -1.0)), seen(loss, jnp.zeros((4,)))
    return loss.at(loss.update(loss.init(), real=real, fake=fake)[0])


def call(loss, method, real, fake):
    """A method's value at logits."""
    return getattr(loss, method)(real=seen(loss, real), fake=seen(loss, fake))


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
    """The values go where their examples go; they are one value where the whole batch has one."""

    def value(real, fake):
        return call(loss, player, real, fake)

    real, fake = jnp.asarray(REAL, dtype), jnp.asarray(FAKE, dtype)
    order = jnp.asarray(np.random.default_rng(1).permutation(BATCH))
    whole, reordered = value(real, fake), value(real[order], fake[order])
    assert whole.shape == real.shape
    assert whole.dtype == real.dtype
    numbers, moved = (np.asarray(array, np.float64) for array in (whole[order], reordered))
    # Sums over pairs are added up in another order.
    atol = 1e-6 if isinstance(loss, Reader) else 0
    np.testing.assert_allclose(numbers, moved, rtol=1e-6 if dtype == "float32" else 1e-2, atol=atol)
    assert len(set(numbers)) > 1 or isinstance(loss, Reader)


@EVERY
@PLAYERS
def test_takes_logits_by_keyword(loss, player):
    """The order of two arrays of one shape is what nobody remembers."""
    with pytest.raises(TypeError):
        getattr(loss, player)(seen(loss, jnp.asarray(REAL)), seen(loss, jnp.asarray(FAKE)))


@EVERY
@PLAYERS
def test_finite_however_sure_the_discriminator_is(loss, player):
    """Values and gradients, at logits where a sigmoid has long been exactly 0 or 1."""
    extremes = jnp.asarray([-1e4, -100.0, 0.0, 100.0, 1e4])
    real, fake = (grid.ravel() for grid in jnp.meshgrid(extremes, extremes))

    now = in_the_run(loss)

    def total(real, fake):
        return jnp.sum(call(now, player, real, fake))

    values = call(now, player, real, fake)
    gradients = jax.grad(total, argnums=(0, 1))(real, fake)
    for array in (values, *gradients):
        assert bool(jnp.isfinite(array).all())
    # A loss that were clipped before it overflows would have no gradient where it is needed most:
    # where the discriminator is sure, and wrong.
    if player == "discriminator" and loss in BY_LOGITS.values():
        assert bool((gradients[0][real == -1e4] < 0).all())
        assert bool((gradients[1][fake == 1e4] > 0).all())


@BY_LOGITS_ONLY
def test_the_players_want_the_opposite(loss):
    """Near an undecided discriminator, its descent lowers fake logits, the generator's raises them.

    Real logits, too, rise by the discriminator's descent. The generator cannot change them, though
    a relativistic one has a wish.
    """
    # Between all labels and margins in use: strictly between 0 and 1.
    real = fake = jnp.full((BATCH,), 0.5)

    now = in_the_run(loss)

    def gradient(player):
        return jax.grad(lambda real, fake: jnp.sum(call(now, player, real, fake)), argnums=(0, 1))(
            real, fake
        )

    d_real, d_fake = gradient("discriminator")
    _, g_fake = gradient("generator")
    assert bool((d_real < 0).all())
    assert bool((d_fake > 0).all())
    assert bool((g_fake < 0).all())


@EVERY
def test_measures_of_the_discriminator(loss):
    """One number between 0 and 1 an example; sure and right is 1, sure and wrong is 0."""
    sure = jnp.full((BATCH,), 50.0)
    right, wrong = call(loss, "correct", sure, -sure), call(loss, "correct", -sure, sure)
    assert right.keys() == wrong.keys()
    for name in right:
        np.testing.assert_array_equal(np.asarray(right[name]), np.ones(BATCH))
        np.testing.assert_array_equal(np.asarray(wrong[name]), np.zeros(BATCH))


@EVERY
@PLAYERS
def test_works_compiled_and_mapped(loss, player):
    def value(real, fake):
        return call(loss, player, real, fake)

    real, fake = jnp.asarray(REAL), jnp.asarray(FAKE)
    plain = value(real, fake)
    compiled = jax.jit(value)(real, fake)
    mapped = jax.vmap(value)(real[None], fake[None])[0]
    np.testing.assert_allclose(compiled, plain, rtol=1e-6)
    np.testing.assert_allclose(mapped, plain, rtol=1e-6)


STATEFUL = {name: loss for name, loss in LOSSES.items() if isinstance(loss, StatefulLoss)}


@pytest.mark.parametrize("loss", STATEFUL.values(), ids=STATEFUL)
def test_states_are_arrays_and_keep_their_structure(loss):
    """The first step's loss is what the value itself says, and reads alike."""
    state = loss.init()
    now = loss.at(state)
    real, fake = jnp.asarray(REAL), jnp.asarray(FAKE)
    assert jax.tree.structure(seen(now, real)) == jax.tree.structure(seen(loss, real))
    for player in ("discriminator", "generator"):
        np.testing.assert_array_equal(call(now, player, real, fake), call(loss, player, real, fake))
    after, metrics = loss.update(state, real=seen(now, real), fake=seen(now, fake))

    def kinds(tree):
        return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), tree)

    assert kinds(after) == kinds(state)
    assert jax.tree.leaves(state)
    assert metrics
    assert all(jnp.shape(value) == () for value in metrics.values())
