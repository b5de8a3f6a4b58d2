"""f-GAN's games against the definitions of f-divergences, in SciPy and double precision."""

import dataclasses
import doctest
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from jaxgan.objectives.gan import f_divergences
from jaxgan.objectives.gan.f_divergences import (
    ForwardKl,
    JensenShannon,
    PearsonChiSquared,
    ReverseKl,
    SquaredHellinger,
)
from jaxgan.objectives.gan.losses import GanLoss, Minimax, NonSaturating


class Known(NamedTuple):
    """What the paper says of a divergence (Nowozin et al. 2016, tables 1, 2 and 6)."""

    f: object
    slope: object  # f'
    activation: object
    output: object  # v with g(v) = f'(u)
    top: float  # least upper bound of the conjugate's domain
    points: list[float]  # of the domain


KNOWN = {
    ForwardKl: Known(
        lambda u: u * np.log(u),
        lambda u: 1 + np.log(u),
        lambda v: v,
        lambda u: 1 + np.log(u),
        math.inf,
        [-3.0, -0.2, 1.0, 2.5],
    ),
    ReverseKl: Known(
        lambda u: -np.log(u),
        lambda u: -1 / u,
        lambda v: -np.exp(-v),
        np.log,
        0.0,
        [-4.0, -1.0, -0.3, -0.05],
    ),
    PearsonChiSquared: Known(
        lambda u: (u - 1) ** 2,
        lambda u: 2 * (u - 1),
        lambda v: v,
        lambda u: 2 * (u - 1),
        math.inf,
        [-5.0, -2.1, -0.5, 3.0],
    ),
    SquaredHellinger: Known(
        lambda u: (np.sqrt(u) - 1) ** 2,
        lambda u: 1 - u**-0.5,
        lambda v: 1 - np.exp(-v),
        lambda u: 0.5 * np.log(u),
        1.0,
        [-3.0, -0.5, 0.0, 0.6],
    ),
    JensenShannon: Known(
        lambda u: u * np.log(u) - (u + 1) * np.log((u + 1) / 2),
        lambda u: np.log(2 * u / (u + 1)),
        lambda v: math.log(2) - np.log(1 + np.exp(-v)),
        np.log,
        math.log(2),
        [-4.0, -1.0, 0.0, 0.5],
    ),
}
EVERY = pytest.mark.parametrize("cls", KNOWN)
# Two laws on five points, every ratio of which is another.
P = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
Q = np.array([0.1, 0.2, 0.23, 0.26, 0.21])
EXTREMES = [-1e4, -89.0, -12.0, 12.0, 89.0, 1e4]
INNER = np.linspace(-9.5, 9.5, 20)
EDGES = np.concatenate([edge + np.array([-1e-7, 1e-7]) for edge in (-10.0, 10.0, 11.0)])


class Found(NamedTuple):
    """What a loss says at many outputs of a discriminator, and the slopes of it."""

    activation: np.ndarray
    activation_slope: np.ndarray
    conjugated: np.ndarray
    conjugated_slope: np.ndarray
    curvatures: np.ndarray
    conjugate_of_activation: np.ndarray
    discriminator: np.ndarray
    generator: np.ndarray
    saturating: np.ndarray
    generator_slope: np.ndarray
    saturating_slope: np.ndarray


@functools.cache
def program():
    """One for all divergences: compiling takes longer than all that it computes."""

    def found(cls, raw):
        loss, ahead = cls(), jnp.roll(raw, 1)
        full = dataclasses.replace(loss, non_saturating=False)

        def slope(function):
            return jax.grad(lambda x: jnp.sum(function(x)))

        def by(player):
            return lambda fake: player(real=ahead, fake=fake)

        activation, conjugated = slope(loss.activation), slope(loss.conjugated)
        return Found(
            loss.activation(raw), activation(raw), loss.conjugated(raw), conjugated(raw),
            slope(activation)(raw) + slope(conjugated)(raw),
            loss.conjugate(loss.activation(raw)),
            loss.discriminator(real=ahead, fake=raw),
            by(loss.generator)(raw), by(full.generator)(raw),
            slope(by(loss.generator))(raw), slope(by(full.generator))(raw),
        )  # fmt: skip

    return jax.jit(lambda raws: [found(cls, raw) for cls, raw in zip(KNOWN, raws, strict=True)])


@functools.cache
def at(dtype="float64"):
    """By class: where it was asked, and what it said (five best outputs, then the rest)."""
    with jax.enable_x64(True):
        raws = [np.concatenate([k.output(P / Q), INNER, EDGES, EXTREMES]) for k in KNOWN.values()]
        found = program()([jnp.asarray(raw, dtype) for raw in raws])
        assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(found))
        found = [Found(*(np.asarray(leaf, np.float64) for leaf in one)) for one in found]
    return dict(zip(KNOWN, zip(raws, found, strict=True), strict=True))


@EVERY
def test_conjugates(cls):
    """``f*(t) = sup_u (u t - f(u))`` over ``u > 0``, the supremum found numerically."""
    f, points = KNOWN[cls].f, np.array(KNOWN[cls].points)
    suprema = [
        -optimize.minimize_scalar(
            lambda log_u, t=t: f(np.exp(log_u)) - np.exp(log_u) * t,
            bounds=(-30.0, 10.0),
            method="bounded",
            options={"xatol": 1e-10},
        ).fun
        for t in points
    ]
    np.testing.assert_allclose(cls().conjugate(jnp.asarray(points)), suprema, rtol=1e-5, atol=1e-6)


@EVERY
def test_activations(cls):
    """The paper's up to 10; the one expression for both functions is the one after the other."""
    raw, found = at()[cls]
    inner = np.abs(raw) < 9.9
    np.testing.assert_allclose(
        found.activation[inner], KNOWN[cls].activation(raw[inner]), rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        found.conjugated[inner], found.conjugate_of_activation[inner], rtol=1e-8, atol=1e-12
    )


@EVERY
def test_activations_increase_onto_the_domain(cls):
    """Any best answer f'(u) is some output's, and a larger output is a larger ratio."""
    raw, found = at()[cls]
    raw, places = np.unique(raw, return_index=True)
    increments = np.diff(found.activation[places])
    assert (increments >= 0).all()
    assert (increments[np.abs(raw[1:]) <= 12.0] > 0).all()
    assert found.activation.min() < -15.0
    top = KNOWN[cls].top
    if math.isinf(top):
        assert found.activation.max() > 15.0
    else:
        assert top - 1e-4 < found.activation.max() <= top


@EVERY
def test_undecided_is_where_densities_are_equal(cls):
    assert KNOWN[cls].output(1.0) == cls.undecided
    beside = jnp.asarray(cls.undecided + np.array([0.125, -0.125]), jnp.float32)
    correct = cls().correct(real=beside, fake=beside)
    assert correct["accuracy_real"].tolist() == [1, 0]
    assert correct["accuracy_fake"].tolist() == [0, 1]


@EVERY
def test_the_best_discriminator_tells_the_divergence(cls):
    """The bound is tight at g(v) = f'(p / q), there is none above, and it is the definition's."""
    _, found = at()[cls]
    five = slice(0, 5)
    np.testing.assert_allclose(found.activation[five], KNOWN[cls].slope(P / Q), rtol=1e-12)
    slopes = P * found.activation_slope[five] - Q * found.conjugated_slope[five]
    np.testing.assert_allclose(slopes, 0.0, atol=1e-12)
    value = np.sum(P * found.activation[five] - Q * found.conjugated[five])
    assert value == pytest.approx(np.sum(Q * KNOWN[cls].f(P / Q)), rel=1e-12)
    for i in range(5):
        values = P[i] * found.activation - Q[i] * found.conjugated
        assert values.argmax() == i


def test_divergences_are_those_of_their_names():
    m = (P + Q) / 2
    named = {
        ForwardKl: np.sum(P * np.log(P / Q)),
        ReverseKl: np.sum(Q * np.log(Q / P)),
        PearsonChiSquared: np.sum((P - Q) ** 2 / Q),
        SquaredHellinger: np.sum((np.sqrt(P) - np.sqrt(Q)) ** 2),
        JensenShannon: np.sum(P * np.log(P / m)) + np.sum(Q * np.log(Q / m)),
    }
    assert len({round(float(value), 3) for value in named.values()}) == 5
    for cls, expected in named.items():
        assert float(np.sum(Q * KNOWN[cls].f(P / Q))) == pytest.approx(float(expected))


@EVERY
def test_players(cls):
    """What each minimizes, term by term, and which argument each term is a function of."""
    _, found = at()[cls]
    real = np.roll(found.activation, 1)
    np.testing.assert_allclose(found.discriminator, found.conjugated - real, rtol=1e-12)
    np.testing.assert_array_equal(found.generator, -found.activation)
    np.testing.assert_array_equal(found.saturating, -found.conjugated)


@EVERY
def test_no_generator_makes_samples_look_less_real(cls):
    """However sure the discriminator is; Pearson's parabola, unclipped, would below -2."""
    raw, found = at()[cls]
    assert (found.generator_slope <= 0).all()
    assert (found.saturating_slope <= 0).all()
    # The alternative of section 3.2 is there for samples that are surely not real.
    assert (found.generator_slope[raw < -5] < -0.9).all()


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_nothing_overflows(dtype):
    """Nor a gradient or a second derivative, at outputs whose exponential is no float32."""
    for cls, (_, found) in at(dtype).items():
        for name, values in found._asdict().items():
            if name != "conjugate_of_activation":
                assert np.isfinite(values).all(), (cls, name)


@pytest.mark.parametrize("cls", [ForwardKl, ReverseKl, SquaredHellinger])
def test_beyond_ten_it_is_a_bound_of_the_same_divergence(cls):
    """Still the exact conjugate of the activation: what is slowed is the way there alone."""
    raw, found = at()[cls]
    far = (np.abs(raw) == 12.0) | (raw == -89.0)
    np.testing.assert_allclose(found.conjugated[far], found.conjugate_of_activation[far], rtol=1e-8)
    # No jump of a value or a slope at the places where it begins.
    for left in range(5 + INNER.size, 5 + INNER.size + EDGES.size, 2):
        for values in found[:4]:
            assert values[left + 1] == pytest.approx(values[left], rel=1e-5, abs=1e-11)


def test_jensen_shannon_is_the_first_gan():
    """But for constants: log 4 in the discriminator's loss, log 2 in the generator's."""
    raw, found = at()[JensenShannon]
    raw, real = jnp.asarray(raw, jnp.float32), jnp.asarray(np.roll(raw, 1), jnp.float32)
    near = {"rtol": 1e-6, "atol": 1e-6}
    first = NonSaturating()
    np.testing.assert_allclose(
        found.discriminator + math.log(4), first.discriminator(real=real, fake=raw), **near
    )
    np.testing.assert_allclose(
        found.generator + math.log(2), first.generator(real=real, fake=raw), **near
    )
    np.testing.assert_allclose(
        found.saturating - math.log(2), Minimax().generator(real=real, fake=raw), **near
    )


@EVERY
def test_is_a_loss(cls):
    assert isinstance(cls(), GanLoss)
    assert cls().non_saturating
    assert cls(non_saturating=False) != cls()


def test_examples():
    result = doctest.testmod(f_divergences)
    assert result.attempted >= 3
    assert result.failed == 0
