"""Penalties on the players' gradients against the Dirac-GAN, whose every gradient is known."""

import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan.game_gradients import Consensus, GradientRegularization
from jaxgan.objectives.gan.losses import Minimax

PSI, THETA = 0.7, -1.3
SIGMOID = 1 / (1 + np.exp(-PSI * THETA))
SLOPE = SIGMOID * (1 - SIGMOID)


class Game(NamedTuple):
    """What both kinds of views have that these penalties read."""

    critic_params: Any
    generator_params: Any
    losses: Any
    mean: Any = staticmethod(lambda tree: tree)


def dirac(psi, theta):
    """Mescheder et al. 2018, definition 2.1: ``D(x) = psi x``, data at 0, a generator at theta."""

    def losses(critic, generator):
        logits = {"real": jnp.zeros(1), "fake": (critic["psi"] * generator["theta"])[None]}
        game = Minimax()
        return game.discriminator(**logits)[0], game.generator(**logits)[0]

    return Game({"psi": jnp.asarray(psi)}, {"theta": jnp.asarray(theta)}, losses)


def value(penalty, psi, theta):
    found, state = penalty.generator(dirac(psi, theta), penalty.init())
    assert state == ()
    return found


def of_discriminator(penalty, psi, theta):
    return penalty(dirac(psi, theta), penalty.init())[0]


def test_gradient_regularization_of_the_dirac_gan():
    """``L_D`` grows with psi by ``s theta``, s the sigmoid of the logit."""
    penalty = GradientRegularization(weight=0.3)
    np.testing.assert_allclose(
        value(penalty, PSI, THETA), 0.3 * (SIGMOID * THETA) ** 2, rtol=1e-5
    )  # fmt: skip
    np.testing.assert_allclose(
        jax.jit(jax.grad(value, argnums=2), static_argnums=0)(penalty, PSI, THETA),
        0.3 * 2 * SIGMOID * THETA * (SLOPE * PSI * THETA + SIGMOID),
        rtol=1e-5,
    )


def test_consensus_of_the_dirac_gan():
    """Half the squares of both players' gradients, ``s theta`` and ``-s psi``, for both players."""
    penalty = Consensus(weight=0.3)
    squares = THETA**2 + PSI**2
    np.testing.assert_allclose(
        value(penalty, PSI, THETA), 0.15 * SIGMOID**2 * squares, rtol=1e-5
    )  # fmt: skip
    for player, of, own, other in ((1, of_discriminator, PSI, THETA), (2, value, THETA, PSI)):
        np.testing.assert_allclose(
            jax.jit(jax.grad(of, argnums=player), static_argnums=0)(penalty, PSI, THETA),
            0.3 * (SIGMOID * SLOPE * other * squares + SIGMOID**2 * own),
            rtol=1e-5,
        )


def field(point, penalties_d=(), penalties_g=()):
    """Where both players go: minus the gradients of what they minimize."""

    def objective(player):
        def minimized(own):
            psi, theta = (own, point[1]) if player == 0 else (point[0], own)
            game = dirac(psi, theta)
            terms = penalties_d if player == 0 else penalties_g
            method = operator.attrgetter("__call__" if player == 0 else "generator")
            bare = game.losses(game.critic_params, game.generator_params)[player]
            return bare + sum(method(penalty)(game, ())[0] for penalty in terms)

        return -jax.grad(minimized)(point[player])

    return jnp.stack([objective(0), objective(1)])


@pytest.mark.parametrize(
    ("penalties_d", "penalties_g", "real", "imaginary"),
    [
        ((), (), 0.0, 0.5),
        ((Consensus(1.0),), (Consensus(1.0),), -0.25, 0.5),
        # theta' = psi / 2 - 2 eta (1 / 4) theta: half of it in the real part.
        ((), (GradientRegularization(1.0),), -0.25, np.sqrt(0.25 - 0.0625)),
    ],
    ids=["none", "consensus", "gradient regularization"],
)
def test_spectrum_at_the_equilibrium(penalties_d, penalties_g, real, imaginary):
    """Those of Mescheder et al. 2018, and by hand; consensus without its half would give -0.5."""
    matrix = jax.jit(jax.jacfwd(lambda point: field(point, penalties_d, penalties_g)))(jnp.zeros(2))
    found = np.linalg.eigvals(np.asarray(matrix, np.float64))
    np.testing.assert_allclose(found.real, real, atol=1e-6)
    np.testing.assert_allclose(np.sort(found.imag), [-imaginary, imaginary], atol=1e-6)


@pytest.mark.parametrize("penalty", [GradientRegularization(0.3), Consensus(0.3)])
def test_gradients_are_averaged_over_devices_before_they_are_squared(penalty):
    """Two devices of three rows each are one of six: in its value and in its gradient."""
    rows = jnp.asarray(np.random.default_rng(0).normal(size=6), jnp.float32)

    def value(theta, rows, mean):
        def losses(psi, theta):
            made = jnp.tanh(theta * rows)
            return jnp.mean(jnp.square(psi * made - 1.0)), -jnp.mean(psi * made)

        return penalty.generator(Game(jnp.float32(0.7), theta, losses, mean), ())[0]

    slope = jax.value_and_grad(value)
    whole = jax.jit(lambda rows: slope(0.4, rows, lambda tree: tree))(rows)
    shared = jax.jit(
        jax.vmap(
            lambda own: slope(0.4, own, lambda tree: jax.lax.pmean(tree, "devices")),
            axis_name="devices",
        )
    )(rows.reshape(2, 3))
    np.testing.assert_allclose(shared[0], [whole[0]] * 2, rtol=1e-5)
    np.testing.assert_allclose(jnp.mean(shared[1]), whole[1], rtol=1e-5)


@pytest.mark.parametrize("cls", [GradientRegularization, Consensus])
def test_weights_and_steps_of_nothing_are_refused(cls):
    for weight in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match=r"weight = .*: must be above 0 and finite"):
            cls(weight=weight)
    with pytest.raises(ValueError, match="every = 0: must be at least 1"):
        cls(every=0)
