"""R1 and R2 against closed forms, and what they teach a critic against finite differences."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from views import view

from jaxgan.objectives.gan.penalties import R1, R2, GradientPenalty, Penalty
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
SHAPE = (5, 2, 3, 2)
REAL, FAKE = DRAWS.normal(size=(2, *SHAPE))
# The penalty, and the images that it is about.
CASES = pytest.mark.parametrize(("cls", "points"), [(R1, REAL), (R2, FAKE)], ids=["r1", "r2"])


def vectors(points):
    return points.reshape(len(points), -1)


def float32(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), tree)


def penalized(penalty, critic, part=slice(None)):
    real, fake = float32((REAL[part], FAKE[part]))
    values, state = penalty(view(critic, real, fake), penalty.init())
    assert state == ()
    return values


def perceptron(params, images):
    return jnp.tanh(vectors(images) @ params["w"] + params["c"]) @ params["v"]


def mean_penalty_by_hand(params, points, weight):
    """NumPy: the gradient of ``v tanh(W x + c)`` is ``W' (v (1 - tanh^2))``."""
    slopes = params["v"] * (1 - np.tanh(vectors(points) @ params["w"] + params["c"]) ** 2)
    return np.mean(weight / 2 * np.sum((slopes @ params["w"].T) ** 2, axis=1))


PARAMS = {
    "w": DRAWS.normal(size=(12, 4)) / 3,
    "c": DRAWS.normal(size=4),
    "v": DRAWS.normal(size=4),
}


@CASES
@pytest.mark.parametrize("weight", [10.0, 0.3])
def test_of_a_linear_critic(cls, points, weight):
    """``weight / 2 |w|^2`` at every image, whose slope by w is ``weight w``."""
    slope = DRAWS.normal(size=SHAPE[1:])

    def values(w):
        return penalized(cls(weight), lambda images: jnp.sum(images * w, axis=(1, 2, 3)) + 5.0)

    found = values(float32(slope))
    assert found.shape == (5,)
    np.testing.assert_allclose(found, np.full(5, weight / 2 * (slope**2).sum()), rtol=1e-5)
    by_w = jax.grad(lambda w: jnp.mean(values(w)))(float32(slope))
    np.testing.assert_allclose(by_w, weight * slope, rtol=1e-5)


@CASES
def test_of_a_quadratic_critic(cls, points):
    """``x A x / 2 + b x`` has the gradient ``A x + b`` for symmetric A: another one everywhere."""
    half = DRAWS.normal(size=(12, 12))
    matrix, offset = half + half.T, DRAWS.normal(size=12)
    a, b = float32((matrix, offset))

    def critic(images):
        x = vectors(images)
        return 0.5 * jnp.sum((x @ a) * x, axis=1) + x @ b

    expected = 3.0 / 2 * np.sum((vectors(points) @ matrix + offset) ** 2, axis=1)
    np.testing.assert_allclose(penalized(cls(3.0), critic), expected, rtol=1e-4)


@CASES
@pytest.mark.parametrize("name", PARAMS)
def test_second_derivatives_are_finite_differences(cls, points, name):
    """The gradient that trains a critic, against central differences in double precision."""

    def mean_penalty(params):
        return jnp.mean(penalized(cls(3.0), lambda images: perceptron(params, images)))

    value, gradients = jax.jit(jax.value_and_grad(mean_penalty))(float32(PARAMS))
    assert float(value) == pytest.approx(mean_penalty_by_hand(PARAMS, points, 3.0), rel=1e-5)
    expected, step = np.zeros_like(PARAMS[name]), 1e-6
    for place in np.ndindex(expected.shape):
        moved = [{**PARAMS, name: PARAMS[name].copy()} for _ in range(2)]
        moved[0][name][place] += step
        moved[1][name][place] -= step
        above, below = (mean_penalty_by_hand(params, points, 3.0) for params in moved)
        expected[place] = (above - below) / (2 * step)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(gradients[name], expected, rtol=1e-3, atol=1e-5)


@CASES
def test_pulls_towards_flat_critics(cls, points):
    """At 0 it has its minimum, with a slope of 0 and no NaN."""

    def total(scale):
        return jnp.sum(
            penalized(cls(), lambda images: scale * jnp.sum(jnp.sin(images), axis=(1, 2, 3)))
        )

    assert float(total(jnp.float32(0.0))) == 0.0
    assert float(jax.grad(total)(jnp.float32(0.0))) == 0.0
    assert float(jax.grad(total)(jnp.float32(0.1))) > 0.0


@CASES
def test_each_example_by_itself(cls, points):
    def values(part):
        return penalized(cls(), lambda images: perceptron(float32(PARAMS), images), part)

    whole = values(slice(None))
    assert len(set(whole.tolist())) == 5
    np.testing.assert_allclose(whole[1:3], values(slice(1, 3)), rtol=1e-5)
    np.testing.assert_allclose(whole[::-1], values(slice(None, None, -1)), rtol=1e-5)


@CASES
def test_every_changes_nothing_by_itself(cls, points):
    def critic(images):
        return perceptron(float32(PARAMS), images)

    np.testing.assert_array_equal(penalized(cls(every=16), critic), penalized(cls(every=1), critic))


@CASES
def test_is_a_plain_value(cls, points):
    assert isinstance(cls(), Penalty)
    assert cls.per_example
    assert cls() == cls(weight=10.0, every=1)
    assert hash(cls()) == hash(dataclasses.replace(cls()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        cls().weight = 1.0


def test_names_differ():
    """Metrics are reported under them."""
    assert [cls.name for cls in (GradientPenalty, R1, R2)] == ["gradient", "r1", "r2"]
    assert R1() != R2()


@CASES
@pytest.mark.parametrize("value", [0.0, -0.1, float("nan"), float("inf")])
def test_bad_weight(cls, points, value):
    with pytest.raises(ValueError, match=rf"^weight = {value}: must be above 0 and finite"):
        cls(weight=value)


@CASES
def test_bad_every(cls, points):
    with pytest.raises(ValueError, match=r"^every = 0: must be at least 1$"):
        cls(every=0)


def test_r2_sees_the_labels_of_the_generated_images():
    """And R1 those of the real ones: another label is another critic."""

    def of_label(scale):
        return lambda images: Verdict(scale * jnp.sum(images, axis=(1, 2, 3)))

    real, fake = float32((REAL, FAKE))
    shown = view(lambda images: images[:, 0, 0, 0], real, fake)
    shown = shown._replace(critic=of_label(2.0), fake_critic=of_label(3.0))
    pixels = REAL[0].size
    np.testing.assert_allclose(R1(1.0)(shown, ())[0], np.full(5, 0.5 * 4 * pixels), rtol=1e-5)
    np.testing.assert_allclose(R2(1.0)(shown, ())[0], np.full(5, 0.5 * 9 * pixels), rtol=1e-5)
