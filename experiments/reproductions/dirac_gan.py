"""The Dirac-GAN. Mescheder, Geiger and Nowozin, Which Training Methods for GANs do actually
Converge?, 2018.

    python experiments/reproductions/dirac_gan.py

All data is the point 0, the generator makes the point theta, and the discriminator's logit is
psi x. The real losses, penalties and constraints play this game in double precision:

- the eigenvalues of gradient flow at the equilibrium (0, 0), with ``f(t) = -log(1 + exp(-t))``,
  ``f'(0) = 1/2`` and ``f''(0) = -1/4``: none ``+-i/2``; R1 ``-gamma/2 +- sqrt(gamma^2/4 - 1/4)``,
  whose double root is at gamma 1; instance noise of deviation s ``f''(0) s^2 +- sqrt(f''(0)^2 s^4 -
  f'(0)^2)``; consensus of weight 1 ``-1/4 +- i/2``;
- the factor of a step of 0.2, both players at once (the largest absolute value of ``1 + h lambda``)
  or the generator first (exactly 1 without a penalty);
- the distance from (0, 0) after 500 steps of 0.2 from (1, 1), against the paper's equations
  iterated by another program, to all digits that were written down.

Their discriminator says of generated points what ours says of real ones: their psi is -psi here.
Their penalty of WGAN-GP has the factor 1/2 of R1, and a weight of 0.7 is half of that here. WGAN
clips at 1.

All lines agree (`experiments/results/reproductions/dirac_gan.json`); there is no chance in them.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import shelf

from jaxgan import rng
from jaxgan.objectives.gan.constraints import Clip, Constraint
from jaxgan.objectives.gan.game_gradients import Consensus
from jaxgan.objectives.gan.generator_penalties import GeneratorView
from jaxgan.objectives.gan.losses import GanLoss, Minimax, NonSaturating, Wasserstein
from jaxgan.objectives.gan.penalties import R1, R2, GradientPenalty, View
from jaxgan.objectives.gan.verdict import Verdict

STEP, STEPS = 0.2, 500
NOISE = 0.7
ENDS = {
    "GAN": ("3.0969", "1.4210"),
    "non-saturating": ("0.6402", "0.2839"),
    "WGAN": ("1.0022", "1.0241"),
    "WGAN-GP": ("1.8018", "1.2211"),
    "R1, gamma 0.3": ("2.643e-06", "2.301e-07"),
    "R1, gamma 1": ("9.5e-22", "7.5e-17"),
}
"""Distances at the end, simultaneous and alternating."""


class Game(NamedTuple):
    """Both players' objectives."""

    loss: GanLoss
    penalties: Sequence[Any] = ()
    generator_penalties: Sequence[Any] = ()
    constraints: Sequence[Constraint] = ()
    noise: float = 0.0
    """Standard deviation of instance noise."""


def points(*values: Any) -> jax.Array:
    """Images of one pixel."""
    return jnp.stack([jnp.asarray(value, jnp.float64) for value in values]).reshape(-1, 1, 1, 1)


def judge(psi: Any, images: jax.Array) -> Verdict:
    """What the discriminator says."""
    return Verdict(psi * images[:, 0, 0, 0])


def losses(game: Game) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The generator's and the discriminator's loss by (theta, psi), penalties included."""
    # Noise of two points has the moments that matter.
    moves = points(game.noise, -game.noise) if game.noise else points(0.0)

    def bare(psi: Any, theta: Any) -> tuple[jax.Array, jax.Array]:
        real, fake = judge(psi, moves).logits, judge(psi, moves + theta).logits
        of_discriminator = game.loss.discriminator(real=real, fake=fake)
        return jnp.mean(of_discriminator), jnp.mean(game.loss.generator(real=real, fake=fake))

    def draw(role: str, one: Any) -> jax.Array:
        return rng.per_example(one, rng.role_key(rng.base_key(0), role), len(moves))

    def mean(values: Any) -> Any:
        return values

    def of_discriminator(theta: Any, psi: Any) -> jax.Array:
        def critic(images: jax.Array) -> Verdict:
            return judge(psi, images)

        view = View(
            critic, moves, moves + theta, generate=lambda z: z, latents=None, draw=draw,
            fake_critic=critic, critic_params=psi, generator_params=theta, losses=bare, mean=mean,
        )  # fmt: skip
        values = bare(psi, theta)[0]
        return values + sum(jnp.mean(one(view, one.init())[0]) for one in game.penalties)

    def of_generator(theta: Any, psi: Any) -> jax.Array:
        view = GeneratorView(
            theta, psi, lambda params, z: moves + params, (), moves, judge, bare, draw, mean
        )
        added = (one.generator(view, one.init())[0] for one in game.generator_penalties)
        return bare(psi, theta)[1] + sum(jnp.mean(values) for values in added)

    return of_generator, of_discriminator


def spectrum(game: Game) -> np.ndarray:
    """Eigenvalues of gradient flow at the equilibrium, the largest imaginary (or real) part first.

    Args:
        game: smooth at (0, 0).
    """
    of_generator, of_discriminator = losses(game)

    def direction(place: jax.Array) -> jax.Array:
        return -jnp.stack([jax.grad(of_generator)(*place), jax.grad(of_discriminator, 1)(*place)])

    # Not compiled as a whole: there are many games, each looked at once.
    found = np.linalg.eigvals(np.asarray(jax.jacfwd(direction)(jnp.zeros(2))))
    return np.array(sorted(found.astype(complex), key=lambda value: (-value.imag, -value.real)))


def one_step(game: Game, alternating: bool) -> Callable[[jax.Array], jax.Array]:
    """A step of both players from (theta, psi); alternating, the generator is first."""
    of_generator, of_discriminator = losses(game)

    def step(place: jax.Array) -> jax.Array:
        theta, psi = place
        after = theta - STEP * jax.grad(of_generator)(theta, psi)
        psi = psi - STEP * jax.grad(of_discriminator, 1)(after if alternating else theta, psi)
        for constraint in game.constraints:
            psi = constraint(psi)
        return jnp.stack([after, psi])

    return step


def ends(games: Sequence[Game], step: Callable[..., Any] = one_step) -> np.ndarray:
    """Distances from the equilibrium after all steps, ``(games, 2)``: simultaneous, alternating."""
    steps = [step(game, alternating) for game in games for alternating in (False, True)]

    def all_steps(places: jax.Array, _: Any) -> tuple[jax.Array, None]:
        return jnp.stack([one(place) for one, place in zip(steps, places, strict=True)]), None

    start = jnp.tile(jnp.array([1.0, -1.0]), (len(steps), 1))
    last, _ = jax.jit(lambda places: jax.lax.scan(all_steps, places, length=STEPS))(start)
    return np.hypot(*np.asarray(last).T).reshape(-1, 2)


def critical(penalty: Callable[[float], Any]) -> float:
    """The weight at which both eigenvalues meet, so that the game stops turning."""
    from scipy.optimize import brentq

    def discriminant(weight: float) -> float:
        first, second = spectrum(Game(Minimax(), (penalty(weight),)))
        return float(((first - second) ** 2).real)

    return float(brentq(discriminant, 0.2, 5.0, xtol=1e-12))  # pyright: ignore[reportArgumentType]


def eigenvalues(r1: Callable[[float], Any], r2: Callable[[float], Any]) -> list[shelf.Row]:
    """Both eigenvalues of every game: parts of the first one, and the second where it is real."""
    slope, curve = 0.5, -0.25
    consensus = (Consensus(1.0),)
    every: list[tuple[str, Game, float, float]] = [
        ("minimax", Game(Minimax()), 0.0, 1e-12),
        ("non-saturating", Game(NonSaturating()), 0.0, 1e-12),
        ("instance noise 0.7", Game(Minimax(), noise=NOISE), curve * NOISE**2, 1e-12),
        # Weights of 1: -1/4 turns as fast as the game without.
        ("consensus 1", Game(Minimax(), consensus, consensus), -(slope**2), 1e-12),
    ]
    for name, penalty in (("R1", r1), ("R2", r2)):
        # Where roots meet, rounding moves them by its square root.
        every += [
            (f"{name}, gamma {gamma:g}", Game(Minimax(), (penalty(gamma),)), -gamma / 2, 1e-7)
            for gamma in (0.3, 1.0, 2.0)
        ]
    rows = []
    for name, game, real, tolerance in every:
        inside = -(slope**2) if name.startswith("consensus") else real**2 - slope**2
        root, found = cmath.sqrt(inside), spectrum(game)
        parts = [("real part", real + root.real, found[0].real)]
        parts.append(("imaginary part", root.imag, found[0].imag))
        parts.append(("real part of the other", real - root.real, found[1].real))
        rows += [
            shelf.Row(f"{name}: eigenvalue, {part}", wanted, ours, tolerance,
                      headline=part == "imaginary part" and name == "instance noise 0.7")
            for part, wanted, ours in parts
        ]  # fmt: skip
    return rows


def factors(r1: Callable[[float], Any], step: Callable[..., Any]) -> list[shelf.Row]:
    """By how much a step lengthens the distance, close to the equilibrium."""
    rows = []
    for gamma, factor in ((0.0, "1.00499"), (0.3, "0.9747"), (1.0, "0.9000"), (2.0, "0.9732")):
        game = Game(Minimax(), (r1(gamma),) if gamma else ())
        name = f"R1, gamma {gamma:g}" if gamma else "minimax"
        found = np.abs(1 + STEP * spectrum(game)).max()
        rows.append(written(f"{name}: factor of a simultaneous step", factor, found))
    jacobian = jax.jacfwd(step(Game(Minimax()), True))(jnp.zeros(2))
    found = np.abs(np.linalg.eigvals(np.asarray(jacobian))).max()
    rows.append(
        shelf.Row("minimax: factor of an alternating step", 1.0, found, 1e-12, source="derived")
    )
    return rows


def written(quantity: str, published: str, ours: float, headline: bool = False) -> shelf.Row:
    """A derived value to all digits that were written down."""
    digits, _, exponent = published.partition("e")
    places = len(digits.partition(".")[2])
    half = 0.5 * 10.0 ** (int(exponent or 0) - places)
    # A distance of exactly half a digit is rounding's to decide.
    return shelf.Row(
        quantity, float(published), float(ours), 1.001 * half, source="derived", headline=headline
    )


def reproduce(
    r1: Callable[[float], Any] = R1,
    r2: Callable[[float], Any] = R2,
    step: Callable[..., Any] = one_step,
) -> shelf.Reproduction:
    """All lines of the page; penalties and steps may be replaced by wrong ones."""
    games = [
        Game(Minimax()),
        Game(NonSaturating()),
        Game(Wasserstein(), constraints=(Clip(1.0),)),
        Game(Wasserstein(), (GradientPenalty(0.7 / 2),)),
        Game(Minimax(), (r1(0.3),)),
        Game(Minimax(), (r1(1.0),)),
    ]
    with jax.enable_x64(True):
        meeting = critical(r1)
        rows = [shelf.Row("R1: critical gamma", 1.0, meeting, 1e-9, headline=True)]
        rows += eigenvalues(r1, r2) + factors(r1, step)
        for (name, wanted), found in zip(ENDS.items(), ends(games, step), strict=True):
            for how, value, ours in zip(
                ("simultaneous", "alternating"), wanted, found, strict=True
            ):
                quantity = f"{name}: distance at the end, {how}"
                rows.append(written(quantity, value, ours, headline=name == "GAN"))
    return shelf.Reproduction(
        name="dirac_gan",
        paper="Mescheder et al., Which Training Methods for GANs do actually Converge?, 2018",
        what="Dirac-GAN: spectra at the equilibrium, where 500 steps end",
        rows=tuple(rows),
        settings={"step": STEP, "steps": STEPS, "precision": "float64"},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table."""
    shelf.run(reproduce, __doc__, arguments)


if __name__ == "__main__":
    main()
