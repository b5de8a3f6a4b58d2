"""Relativistic losses against the paper's formulas, in NumPy and double precision."""

import doctest
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_expit

from jaxgan.objectives.gan import relativistic
from jaxgan.objectives.gan.losses import GanLoss
from jaxgan.objectives.gan.relativistic import (
    RelativisticAverageHinge,
    RelativisticAverageSoftplus,
    RelativisticAverageSquares,
    RelativisticHinge,
    RelativisticSoftplus,
    RelativisticSquares,
    pair_accuracy,
)

# No symmetry anywhere: exchanging real with fake, or flipping a sign, changes every value.
REAL = np.array([2.0, -1.5, 0.3, 5.25])
FAKE = np.array([-0.7, 3.1, 1.2, -4.0])


# The paper's f1 of a margin in the discriminator's favor; its f2 is f1 of the opposite sign.
def softplus(y):
    return -log_expit(y)


def hinge(y):
    return np.maximum(0.0, 1.0 - y)


def squares(y):
    return (y - 1.0) ** 2


PAIRS = {
    RelativisticSoftplus: softplus,
    RelativisticHinge: hinge,
    RelativisticSquares: squares,
}
AVERAGES = {
    RelativisticAverageSoftplus: softplus,
    RelativisticAverageHinge: hinge,
    RelativisticAverageSquares: squares,
}
CLASSES = [*PAIRS, *AVERAGES]
EVERY = pytest.mark.parametrize("cls", CLASSES)
PLAYERS = ("discriminator", "generator")


def expected_of(cls, player):
    """What a player minimizes, by the paper."""
    if cls in PAIRS:
        f = PAIRS[cls]
        own = {"discriminator": lambda r, g: f(r - g), "generator": lambda r, g: f(g - r)}
    else:
        f = AVERAGES[cls]
        own = {
            "discriminator": lambda r, g: f(r - g.mean()) + f(-(g - r.mean())),
            "generator": lambda r, g: f(-(r - g.mean())) + f(g - r.mean()),
        }
    return own[player]


@functools.cache
def program():
    """One for all losses: values of both players, and the slopes of their means."""

    def found(loss, player, real, fake):
        def mean(real, fake):
            values = getattr(loss, player)(real=real, fake=fake)
            return jnp.mean(values), values

        (_, values), slopes = jax.value_and_grad(mean, (0, 1), has_aux=True)(real, fake)
        return values, *slopes

    return jax.jit(
        lambda real, fake: [
            {player: found(cls(), player, real, fake) for player in PLAYERS} for cls in CLASSES
        ]
    )


@functools.cache
def found(real, fake, dtype="float64"):
    with jax.enable_x64(True):
        arrays = jnp.asarray(real, dtype), jnp.asarray(fake, dtype)
        return dict(zip(CLASSES, jax.tree.map(np.asarray, program()(*arrays)), strict=True))


@functools.cache
def plain():
    return found(tuple(REAL), tuple(FAKE))


@EVERY
@pytest.mark.parametrize("player", PLAYERS)
def test_values(cls, player):
    np.testing.assert_allclose(
        plain()[cls][player][0], expected_of(cls, player)(REAL, FAKE), rtol=1e-13
    )
    assert isinstance(cls(), GanLoss)


@EVERY
@pytest.mark.parametrize("player", PLAYERS)
def test_gradients_of_the_mean(cls, player):
    """With respect to all logits, through the means over the batch as well."""
    step, expected = 1e-6, expected_of(cls, player)
    _, by_real, by_fake = plain()[cls][player]
    for i, move in enumerate(step * np.eye(4)):
        real = expected(REAL + move, FAKE).mean() - expected(REAL - move, FAKE).mean()
        fake = expected(REAL, FAKE + move).mean() - expected(REAL, FAKE - move).mean()
        assert by_real[i] == pytest.approx(real / (2 * step), abs=1e-8)
        assert by_fake[i] == pytest.approx(fake / (2 * step), abs=1e-8)


@EVERY
def test_a_constant_changes_nothing(cls):
    """The score of a relativistic discriminator has no zero."""
    moved = found(tuple(REAL + 64.0), tuple(FAKE + 64.0))
    for player in PLAYERS:
        for one, other in zip(moved[cls][player], plain()[cls][player], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-12)


@EVERY
def test_the_generator_is_the_discriminator_with_both_exchanged(cls):
    exchanged = found(tuple(FAKE), tuple(REAL))
    np.testing.assert_array_equal(exchanged[cls]["discriminator"][0], plain()[cls]["generator"][0])


@EVERY
def test_large_logits(cls):
    """In float32, where exp(1e4) overflows, values are the reference's and slopes finite."""
    real, fake = np.array([1e4, -1e4, 1e4, 0.0]), np.array([-1e4, 1e4, 5e3, 0.0])
    for player in PLAYERS:
        values, *slopes = found(tuple(real), tuple(fake), "float32")[cls][player]
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, expected_of(cls, player)(real, fake), rtol=1e-5)
        assert np.isfinite(slopes).all()


def test_the_loss_of_r3gan():
    """D: softplus(fake - real), G: softplus(real - fake), as in its code."""
    values = plain()[RelativisticSoftplus]
    np.testing.assert_allclose(values["discriminator"][0], np.logaddexp(0, FAKE - REAL))
    np.testing.assert_allclose(values["generator"][0], np.logaddexp(0, REAL - FAKE))


@EVERY
def test_the_generator_reads_real_examples(cls):
    """As that of no other loss does: it would have them look less real."""
    assert plain()[cls]["generator"][1].sum() > 0.02


@pytest.mark.parametrize("cls", AVERAGES)
def test_averages_are_over_the_whole_batch_as_it_is_given(cls):
    """Alone with one other, the mean of one is that one: twice the loss of pairs remains."""
    pairs = {margin: pair for pair, margin in PAIRS.items()}[AVERAGES[cls]]
    one, other = jnp.asarray(REAL[:1], jnp.float32), jnp.asarray(FAKE[:1], jnp.float32)
    np.testing.assert_allclose(
        cls().discriminator(real=one, fake=other),
        2 * pairs().discriminator(real=one, fake=other),
        rtol=1e-6,
    )


def test_accuracy_of_pairs():
    real, fake = jnp.array([3.0, -1.0, 0.5, 9.0]), jnp.array([2.0, 0.5, 0.5, -9.0])
    assert pair_accuracy(real=real, fake=fake)["pair_accuracy"].tolist() == [1, 0, 0, 1]
    # An accuracy against a threshold has another name: the two cannot be compared.
    for cls in CLASSES:
        assert cls().correct(real=real, fake=fake).keys() == {"pair_accuracy"}


def test_examples():
    result = doctest.testmod(relativistic)
    assert result.attempted >= 4
    assert result.failed == 0
