"""The Dirac-GAN: real losses and penalties on the smallest game there is, and wrong ones."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scripts import check_written, misses, script

from jaxgan.objectives.gan.losses import Minimax
from jaxgan.objectives.gan.penalties import R1

dirac = script("dirac_gan")


@functools.cache
def reproduced():
    return dirac.reproduce()


def test_all_lines():
    found = reproduced()
    assert not misses(found)
    check_written(found)


@pytest.mark.parametrize("name", [row.split(": ")[0] for row in ("minimax", "R1, gamma 0.3")])
def test_eigenvalues_against_numbers_worked_by_hand(name):
    """``-gamma/2 +- i sqrt(1/4 - gamma^2/4)``: 0.15 and sqrt(0.2275)."""
    wanted = {"minimax": (0.0, 0.5, 0.0), "R1, gamma 0.3": (-0.15, 0.2275**0.5, -0.15)}[name]
    rows = [row for row in reproduced().rows if row.quantity.startswith(f"{name}: eigenvalue")]
    np.testing.assert_allclose([row.published for row in rows], wanted, atol=1e-12)
    np.testing.assert_allclose([row.ours for row in rows], wanted, atol=1e-12)


def test_penalties_without_their_half_are_seen():
    """The double root comes at gamma 0.5, and every number of R1 and of R2 is another one."""

    def doubled(gamma):
        return R1(2 * gamma)

    with jax.enable_x64(True):
        assert dirac.critical(doubled) == pytest.approx(0.5)
        rows = dirac.eigenvalues(doubled, doubled)
        missed = [row.quantity for row in rows if not row.within]
    for name in (f"{penalty}, gamma {gamma}" for penalty in ("R1", "R2") for gamma in "12"):
        assert any(row.startswith(f"{name}: eigenvalue") for row in missed)
    assert all(row.startswith("R") for row in missed)


def test_alternating_with_stale_gradients_is_simultaneous():
    """It is the other column that comes out, and the table says so."""

    def stale(game, alternating):
        return dirac.one_step(game, False)

    game = dirac.Game(Minimax())
    with jax.enable_x64(True):
        ((first, second),) = dirac.ends([game], stale)
        factor = dirac.factors(R1, stale)[-1]
    assert first == second
    assert dirac.written("", dirac.ENDS["GAN"][0], first).within
    assert not dirac.written("", dirac.ENDS["GAN"][1], second).within
    assert factor.quantity == "minimax: factor of an alternating step"
    assert not factor.within


def test_a_penalty_that_pushes_the_wrong_way_is_seen():
    class Pushing(R1):
        def __call__(self, view, state):
            values, state = super().__call__(view, state)
            return -values, state

    with jax.enable_x64(True):
        found = dirac.spectrum(dirac.Game(Minimax(), (Pushing(1.0),)))
        assert found.real.max() == pytest.approx(0.5, abs=1e-7)
        # The step that follows from it leads away.
        step = dirac.one_step(dirac.Game(Minimax(), (Pushing(1.0),)), False)
        assert jnp.linalg.norm(step(jnp.array([0.1, 0.1]))) > jnp.linalg.norm(jnp.full(2, 0.1))
