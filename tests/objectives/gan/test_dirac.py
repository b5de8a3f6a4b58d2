"""The Dirac-GAN: the real losses and penalties on the smallest game there is, in double precision.

All data is the point 0, the generator makes the point theta, and the discriminator's logit is
psi x. Mescheder et al. (Which Training Methods for GANs do actually Converge?, 2018) give the
spectra at the equilibrium (0, 0), of gradient flow and of gradient steps. The ends of the
trajectories after 500 steps of 0.2 are those of their equations, iterated by another program.

Their discriminator says of generated points what ours says of real ones: their psi is -psi here.
Their penalty of WGAN-GP has the factor 1/2 of R1, and a weight of 0.7 is half of that here.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import rng
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.losses import Minimax, NonSaturating, Wasserstein
from jaxgan.objectives.gan.penalties import R1, R2, GradientPenalty, View
from jaxgan.objectives.gan.verdict import Verdict

STEP, STEPS = 0.2, 500
NOISE = 0.7


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def points(*values):
    return jnp.stack([jnp.asarray(value, jnp.float64) for value in values]).reshape(-1, 1, 1, 1)


def critic(psi):
    return lambda images: Verdict(psi * images[:, 0, 0, 0])


def losses(loss, penalties=(), noise=0.0):
    """Both players' losses by (theta, psi). Noise of two points has the moments that matter."""
    moves = points(noise, -noise) if noise else points(0.0)

    def of_discriminator(theta, psi):
        real, fake, judge = moves, moves + theta, critic(psi)
        values = loss.discriminator(real=judge(real).logits, fake=judge(fake).logits)
        view = View(
            judge, real, fake, generate=lambda z: z, latents=None,
            draw=lambda role, one: rng.per_example(one, rng.role_key(rng.base_key(0), role), 1),
            fake_critic=judge,
        )  # fmt: skip
        for penalty in penalties:
            values = values + penalty(view, penalty.init())[0]
        return jnp.mean(values)

    def of_generator(theta, psi):
        judge = critic(psi)
        logits = (judge(images).logits for images in (moves, moves + theta))
        return jnp.mean(loss.generator(**dict(zip(("real", "fake"), logits, strict=True))))

    return of_generator, of_discriminator


def field(*game, **settings):
    """Where gradient descent goes from (theta, psi)."""
    of_generator, of_discriminator = losses(*game, **settings)

    def direction(place):
        return -jnp.stack([jax.grad(of_generator)(*place), jax.grad(of_discriminator, 1)(*place)])

    return direction


def spectrum(*game, **settings):
    """Eigenvalues at the equilibrium, the one with the larger imaginary (or real) part first."""
    jacobian = jax.jacfwd(field(*game, **settings))(jnp.zeros(2))
    found = np.linalg.eigvals(np.asarray(jacobian)).astype(complex)
    return sorted(found, key=lambda value: (-value.imag, -value.real))


@pytest.mark.parametrize("loss", [Minimax(), NonSaturating()], ids=["minimax", "non-saturating"])
def test_without_a_penalty_it_turns_for_ever(loss):
    np.testing.assert_allclose(spectrum(loss), [0.5j, -0.5j], atol=1e-12)


@pytest.mark.parametrize("penalty", [R1, R2])
@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
def test_zero_centered_penalties(penalty, gamma):
    """``-gamma/2 +- sqrt(gamma^2/4 - 1/4)``. At 1 both roots meet; without its 1/2, a penalty would
    have them meet at 0.5."""
    root = np.sqrt(complex(gamma**2 / 4 - 1 / 4))
    # Where roots meet, rounding moves them by its square root.
    found = spectrum(Minimax(), (penalty(gamma),))
    np.testing.assert_allclose(found, [-gamma / 2 + root, -gamma / 2 - root], atol=1e-7)


def test_instance_noise():
    """``f''(0) s^2 +- sqrt(f''(0)^2 s^4 - f'(0)^2)`` with f'(0) = 1/2 and f''(0) = -1/4."""
    real = -0.25 * NOISE**2
    root = np.sqrt(complex(real**2 - 0.25))
    found = spectrum(Minimax(), noise=NOISE)
    np.testing.assert_allclose(found, [real + root, real - root], atol=1e-12)
    np.testing.assert_allclose(found, [-0.1225 + 0.485j, -0.1225 - 0.485j], atol=5e-4)


@pytest.mark.parametrize(
    ("penalties", "factor"),
    [((), 1.00499), ((R1(0.3),), 0.9747), ((R1(1.0),), 0.9000), ((R1(2.0),), 0.9732)],
    ids=["none", "0.3", "1", "2"],
)
def test_factor_of_a_simultaneous_step(penalties, factor):
    values = np.abs(1 + STEP * np.array(spectrum(Minimax(), penalties)))
    assert values.max() == pytest.approx(factor, abs=5e-5 if factor < 1 else 5e-6)


def one_step(alternating, game, constraints=()):
    """The generator first; "alternating" with stale gradients would be simultaneous."""
    of_generator, of_discriminator = losses(*game)

    def step(place):
        theta, psi = place
        after = theta - STEP * jax.grad(of_generator)(theta, psi)
        seen = after if alternating else theta
        psi = psi - STEP * jax.grad(of_discriminator, 1)(seen, psi)
        for constraint in constraints:
            psi = constraint(psi)
        return jnp.stack([after, psi])

    return step


def test_factor_of_an_alternating_step():
    """Exactly 1."""
    jacobian = jax.jacfwd(one_step(True, (Minimax(),)))(jnp.zeros(2))
    values = np.abs(np.linalg.eigvals(np.asarray(jacobian)))
    np.testing.assert_allclose(values, [1.0, 1.0], rtol=1e-12)


@functools.cache
def ends():
    """Distances from the equilibrium, of all games at once: one program."""
    games = {
        "GAN": ((Minimax(),), ()),
        "non-saturating": ((NonSaturating(),), ()),
        "WGAN": ((Wasserstein(),), (Clip(1.0),)),
        "WGAN-GP": ((Wasserstein(), (GradientPenalty(0.7 / 2),)), ()),
        "R1 0.3": ((Minimax(), (R1(0.3),)), ()),
        "R1 1.0": ((Minimax(), (R1(1.0),)), ()),
    }
    steps = [one_step(after, *game) for game in games.values() for after in (False, True)]

    def all_steps(places, _):
        return jnp.stack([step(p) for step, p in zip(steps, places, strict=True)]), None

    start = jnp.tile(jnp.array([1.0, -1.0]), (len(steps), 1))
    last, _ = jax.jit(lambda places: jax.lax.scan(all_steps, places, length=STEPS))(start)
    found = np.hypot(*np.asarray(last).T).reshape(-1, 2)
    return dict(zip(games, found, strict=True))


@pytest.mark.parametrize(
    ("name", "simultaneous", "alternating"),
    [
        ("GAN", "3.0969", "1.4210"),
        ("non-saturating", "0.6402", "0.2839"),
        ("WGAN", "1.0022", "1.0241"),
        ("WGAN-GP", "1.8018", "1.2211"),
        ("R1 0.3", "2.643e-06", "2.301e-07"),
        ("R1 1.0", "9.5e-22", "7.5e-17"),
    ],
)
def test_where_500_steps_end(name, simultaneous, alternating):
    """To all digits that were written down."""
    for found, expected in zip(ends()[name], (simultaneous, alternating), strict=True):
        digits = len(expected.partition("e")[0].partition(".")[2])
        assert f"{found:.{digits}{'e' if 'e' in expected else 'f'}}" == expected
