"""The gradient penalty against closed forms, and its derivatives against finite differences."""

import dataclasses
import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from views import view

from jaxgan import rng
from jaxgan.objectives.gan import penalties
from jaxgan.objectives.gan.penalties import GradientPenalty, Penalty, interpolate

DRAWS = np.random.default_rng(0)
SHAPE = (5, 2, 3, 2)
REAL, FAKE = DRAWS.normal(size=(2, *SHAPE))
SHARE = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
# Where the gradient is taken; at the first it is a generated image, at the last a real one.
POINTS = np.stack([s * r + (1 - s) * f for s, r, f in zip(SHARE, REAL, FAKE, strict=True)])
PENALTY = GradientPenalty(weight=3.0, target=0.7)


def vectors(points):
    return points.reshape(len(points), -1)


def float32(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), tree)


def penalized(penalty, critic, part=slice(None)):
    """Values of a penalty whose shares are given, at ``POINTS``."""
    real, fake, share = float32((REAL[part], FAKE[part], SHARE[part]))
    values, state = penalty(view(critic, real, fake, share), penalty.init())
    assert state == ()
    return values


def test_interpolate():
    """Each example at a place of its own between its real and its generated partner."""
    real, fake = DRAWS.normal(size=(2, *SHAPE))
    share = np.array([0.0, 0.25, 0.5, 0.9, 1.0])
    expected = np.stack([e * r + (1 - e) * f for e, r, f in zip(share, real, fake, strict=True)])
    real, fake, share = float32((real, fake, share))
    np.testing.assert_allclose(
        interpolate(real=real, fake=fake, share=share), expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(("weight", "target"), [(10.0, 1.0), (3.0, 0.7), (3.0, 9.0), (2.0, 0.0)])
def test_of_a_linear_critic(weight, target):
    """Its gradient is the same everywhere; too short counts as much as too long."""
    slope = DRAWS.normal(size=SHAPE[1:])
    expected = weight * (np.sqrt((slope**2).sum()) - target) ** 2

    def critic(images):
        return jnp.sum(images * float32(slope), axis=(1, 2, 3)) + 5.0

    values = penalized(GradientPenalty(weight, target), critic)
    assert values.shape == (5,)
    np.testing.assert_allclose(values, np.full(5, expected), rtol=1e-5)


def test_of_a_quadratic_critic():
    """``x A x / 2 + b x`` has the gradient ``A x + b`` for symmetric A: another one everywhere."""
    half = DRAWS.normal(size=(12, 12))
    matrix, offset = half + half.T, DRAWS.normal(size=12)
    lengths = np.linalg.norm(vectors(POINTS) @ matrix + offset, axis=1)
    a, b = float32((matrix, offset))

    def critic(images):
        x = vectors(images)
        return 0.5 * jnp.sum((x @ a) * x, axis=1) + x @ b

    values = penalized(PENALTY, critic)
    np.testing.assert_allclose(values, 3.0 * (lengths - 0.7) ** 2, rtol=1e-4)


# A perceptron, f(x) = v tanh(W x + c), in two libraries. In NumPy its gradient is by hand:
# W' (v (1 - tanh^2)).


def perceptron(params, images):
    return jnp.tanh(vectors(images) @ params["w"] + params["c"]) @ params["v"]


def mean_penalty_by_hand(params, points):
    slopes = params["v"] * (1 - np.tanh(vectors(points) @ params["w"] + params["c"]) ** 2)
    lengths = np.linalg.norm(slopes @ params["w"].T, axis=1)
    return np.mean(3.0 * (lengths - 0.7) ** 2)


PARAMS = {
    "w": DRAWS.normal(size=(12, 4)) / 3,
    "c": DRAWS.normal(size=4),
    "v": DRAWS.normal(size=4),
}


@pytest.mark.parametrize("name", PARAMS)
def test_second_derivatives_are_finite_differences(name):
    """The gradient that trains a critic, against central differences in double precision."""

    def mean_penalty(params):
        return jnp.mean(penalized(PENALTY, lambda images: perceptron(params, images)))

    value, gradients = jax.jit(jax.value_and_grad(mean_penalty))(float32(PARAMS))
    assert float(value) == pytest.approx(mean_penalty_by_hand(PARAMS, POINTS), rel=1e-5)
    expected, step = np.zeros_like(PARAMS[name]), 1e-6
    for place in np.ndindex(expected.shape):
        moved = [{**PARAMS, name: PARAMS[name].copy()} for _ in range(2)]
        moved[0][name][place] += step
        moved[1][name][place] -= step
        above, below = (mean_penalty_by_hand(params, POINTS) for params in moved)
        expected[place] = (above - below) / (2 * step)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(gradients[name], expected, rtol=1e-3, atol=1e-5)


def test_flat_points_have_finite_derivatives():
    """A critic that is flat at one point: value by the formula, no NaN, the others as alone."""
    real, fake, share = float32((REAL, FAKE, SHARE))
    real, fake = real.at[2].set(0.0), fake.at[2].set(0.0)

    def each(scale, real):
        # The gradient of scale |x|^2 is 2 scale x, of length 0 at 0.
        def critic(images):
            return scale * jnp.sum(images**2, axis=(1, 2, 3))

        return PENALTY(view(critic, real, fake[: len(real)], share[: len(real)]), ())[0]

    def total(scale, real):
        return jnp.sum(each(scale, real))

    scale = jnp.float32(0.4)
    assert float(each(scale, real)[2]) == pytest.approx(3.0 * 0.7**2, rel=1e-6)
    slopes = jax.jit(jax.grad(total, argnums=(0, 1)))
    three, by_real = slopes(scale, real[:3])
    two, _ = slopes(scale, real[:2])
    assert float(three) == pytest.approx(float(two), rel=1e-5)
    assert bool(jnp.isfinite(by_real).all())
    # Flat everywhere, as a critic with weights of zero is.
    everywhere, _ = slopes(jnp.float32(0.0), real)
    assert float(everywhere) == 0.0


def test_each_example_by_itself():
    def values(part):
        return penalized(PENALTY, lambda images: perceptron(float32(PARAMS), images), part)

    whole = values(slice(None))
    assert len(set(whole.tolist())) == 5
    np.testing.assert_allclose(whole[1:3], values(slice(1, 3)), rtol=1e-5)
    np.testing.assert_allclose(whole[::-1], values(slice(None, None, -1)), rtol=1e-5)


def test_shares_are_drawn_one_an_example():
    """U(0, 1) under the role ``share``, by each example's own key."""
    real, fake = float32((REAL, FAKE))
    share = rng.per_example(jax.random.uniform, rng.role_key(rng.base_key(7), "share"), 5)
    assert len(set(share.tolist())) == 5

    def critic(images):
        return perceptron(float32(PARAMS), images)

    found, _ = PENALTY(view(critic, real, fake), ())
    expected, _ = PENALTY(view(critic, real, fake, share), ())
    np.testing.assert_array_equal(found, expected)


def test_every_changes_nothing_by_itself():
    def critic(images):
        return perceptron(float32(PARAMS), images)

    lazy = dataclasses.replace(PENALTY, every=16)
    np.testing.assert_array_equal(penalized(lazy, critic), penalized(PENALTY, critic))


def test_is_a_plain_value():
    assert isinstance(GradientPenalty(), Penalty)
    assert (GradientPenalty.name, GradientPenalty.per_example) == ("gradient", True)
    assert GradientPenalty() == GradientPenalty(10.0, target=1.0, one_sided=False, every=1)
    assert hash(GradientPenalty()) == hash(dataclasses.replace(GradientPenalty()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        GradientPenalty().weight = 1.0


@pytest.mark.parametrize("value", [0.0, -0.1, float("nan"), float("inf")])
def test_bad_weight(value):
    with pytest.raises(ValueError, match=rf"^weight = {value}: must be above 0 and finite"):
        GradientPenalty(weight=value)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_bad_target(value):
    with pytest.raises(ValueError, match=rf"^target = {value}: must be at least 0 and finite$"):
        GradientPenalty(target=value)


@pytest.mark.parametrize("every", [0, -4])
def test_bad_every(every):
    with pytest.raises(ValueError, match=rf"^every = {every}: must be at least 1$"):
        GradientPenalty(every=every)


def test_examples():
    result = doctest.testmod(penalties)
    assert result.attempted >= 9
    assert result.failed == 0


def test_one_sided():
    """Slopes below the target cost nothing and teach nothing, those above as on both sides."""
    lengths = np.array([0.2, 0.7, 2.0])
    one_sided = dataclasses.replace(PENALTY, one_sided=True)

    def values(lengths):
        def critic(images):
            return lengths * images[:, 0, 0, 0]

        return penalized(one_sided, critic, slice(3))

    expected = 3.0 * np.maximum(lengths - 0.7, 0) ** 2
    np.testing.assert_allclose(values(float32(lengths)), expected, rtol=1e-5, atol=1e-12)
    by_length = jax.grad(lambda found: jnp.sum(values(found)))(float32(lengths))
    np.testing.assert_allclose(by_length, [0.0, 0.0, 3.0 * 2 * 1.3], rtol=1e-5, atol=1e-6)


def test_target_of_progressive_growing_on_cifar():
    """``10 (|g| - 750)^2 / 750^2``, by a weight of 10 / 750^2."""
    penalty = GradientPenalty(weight=10 / 750**2, target=750.0)
    values = penalized(penalty, lambda images: 300.0 * images[:, 1, 2, 0])
    np.testing.assert_allclose(values, np.full(5, 10 * (300 - 750) ** 2 / 750**2), rtol=1e-5)
