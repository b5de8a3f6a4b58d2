"""Losses against SciPy's own log-sigmoid in double precision, and against the papers' numbers."""

import dataclasses
import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, log_expit

from jaxgan.objectives.gan import losses
from jaxgan.objectives.gan.losses import (
    GanLoss,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Wasserstein,
    accuracy,
)

# No symmetry anywhere: exchanging real with fake, or flipping a sign, changes every value.
REAL = np.array([2.0, -1.5, 0.3, 5.25])
FAKE = np.array([-0.7, 3.1, 1.2, -4.0])


def cross_entropy(real, fake, label=1.0):
    """-[y log D(x) + (1 - y) log(1 - D(x))] - log(1 - D(G(z))), D the logistic function."""
    return -label * log_expit(real) - (1 - label) * log_expit(-real) - log_expit(-fake)


# (loss, what the discriminator minimizes, what the generator minimizes), as in the papers.
CASES = {
    "minimax": (Minimax(), cross_entropy, lambda r, f: log_expit(-f)),
    "minimax smoothed": (
        Minimax(real_label=0.9),
        lambda r, f: cross_entropy(r, f, 0.9),
        lambda r, f: log_expit(-f),
    ),
    "non-saturating": (NonSaturating(), cross_entropy, lambda r, f: -log_expit(f)),
    "non-saturating smoothed": (
        NonSaturating(real_label=0.8),
        lambda r, f: cross_entropy(r, f, 0.8),
        lambda r, f: -log_expit(f),
    ),
    "least squares": (
        LeastSquares(),
        lambda r, f: (r - 1) ** 2 / 2 + f**2 / 2,
        lambda r, f: (f - 1) ** 2 / 2,
    ),
    "least squares abc": (
        LeastSquares(real_label=1.5, fake_label=-1.0, generator_label=0.25),
        lambda r, f: (r - 1.5) ** 2 / 2 + (f + 1) ** 2 / 2,
        lambda r, f: (f - 0.25) ** 2 / 2,
    ),
    "wasserstein": (Wasserstein(), lambda r, f: f - r, lambda r, f: -f),
    "hinge": (
        Hinge(),
        lambda r, f: np.maximum(0, 1 - r) + np.maximum(0, 1 + f),
        lambda r, f: -f,
    ),
}
LOSSES = pytest.mark.parametrize("name", CASES)


@LOSSES
def test_values(name):
    loss, discriminator, generator = CASES[name]
    with jax.enable_x64(True):
        real, fake = jnp.asarray(REAL), jnp.asarray(FAKE)
        got_d = np.asarray(loss.discriminator(real=real, fake=fake))
        got_g = np.asarray(loss.generator(real=real, fake=fake))
    np.testing.assert_allclose(got_d, discriminator(REAL, FAKE), rtol=1e-13)
    np.testing.assert_allclose(got_g, generator(REAL, FAKE), rtol=1e-13)


@LOSSES
def test_gradients(name):
    """Against central differences of SciPy's values; no test point is near a kink."""
    loss, *references = CASES[name]
    step = 1e-6
    for method, reference in zip((loss.discriminator, loss.generator), references, strict=True):
        with jax.enable_x64(True):
            got = jax.grad(lambda r, f, m=method: m(real=r, fake=f).sum(), argnums=(0, 1))(
                jnp.asarray(REAL), jnp.asarray(FAKE)
            )
        # A reference that ignores an argument has a difference of exactly 0 there.
        real_slope = (reference(REAL + step, FAKE) - reference(REAL - step, FAKE)) / (2 * step)
        fake_slope = (reference(REAL, FAKE + step) - reference(REAL, FAKE - step)) / (2 * step)
        np.testing.assert_allclose(np.asarray(got[0]), real_slope, atol=1e-8)
        np.testing.assert_allclose(np.asarray(got[1]), fake_slope, atol=1e-8)


@LOSSES
def test_one_value_an_example(name):
    loss = CASES[name][0]
    real, fake = jnp.asarray(REAL, jnp.float32), jnp.asarray(FAKE, jnp.float32)
    for method in (loss.discriminator, loss.generator):
        assert method(real=real, fake=fake).shape == REAL.shape
        for jacobian in jax.jacobian(lambda r, f, m=method: m(real=r, fake=f), (0, 1))(real, fake):
            off_diagonal = np.asarray(jacobian)[~np.eye(REAL.size, dtype=bool)]
            assert not off_diagonal.any()


@LOSSES
@pytest.mark.parametrize(("real", "fake"), [(1e4, -1e4), (-1e4, 1e4), (1e4, 1e4)])
def test_large_logits(name, real, fake):
    """In float32, where exp(1e4) overflows."""
    loss, discriminator, generator = CASES[name]
    arrays = jnp.array([real]), jnp.array([fake])
    for method, reference in ((loss.discriminator, discriminator), (loss.generator, generator)):
        value, gradients = jax.value_and_grad(
            lambda r, f, m=method: m(real=r, fake=f).sum(), argnums=(0, 1)
        )(*arrays)
        np.testing.assert_allclose(value, reference(np.float64(real), np.float64(fake)), rtol=1e-6)
        assert np.isfinite(gradients).all()


def test_saturation():
    """Goodfellow et al. 2014, section 3: the minimax generator learns nothing from a sure no."""
    sure = jnp.array([-30.0])

    def slope(loss):
        return float(jax.grad(lambda f: loss.generator(real=f, fake=f).sum())(sure)[0])

    assert abs(slope(Minimax())) < 1e-12
    assert slope(NonSaturating()) == pytest.approx(-1.0, abs=1e-12)


def test_optimum_of_the_game():
    """Goodfellow et al. 2014, theorem 1: the value is -log 4 where the discriminator says 1/2."""
    zero = jnp.zeros(1)
    assert float(Minimax().discriminator(real=zero, fake=zero)[0]) == pytest.approx(math.log(4))
    assert float(Minimax().generator(real=zero, fake=zero)[0]) == pytest.approx(-math.log(2))
    assert float(NonSaturating().generator(real=zero, fake=zero)[0]) == pytest.approx(math.log(2))


@pytest.mark.parametrize("loss", [Minimax, NonSaturating])
def test_smoothing_moves_the_best_answer(loss):
    """With a real label of 0.9 the best logit of real examples is that of probability 0.9."""
    grid = jnp.linspace(-6.0, 6.0, 1201)
    values = loss(real_label=0.9).discriminator(real=grid, fake=jnp.zeros_like(grid))
    assert float(expit(grid[int(jnp.argmin(values))])) == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize("loss", [Minimax, NonSaturating])
@pytest.mark.parametrize("label", [0.7, 0.9, 1.0])
def test_smoothing_is_one_sided(loss, label):
    """A generated example is never to be called real with a probability above 0.

    Smoothed on that side as well, the discriminator would hold up logits that are low enough, and
    samples near where it does would have a reason to stay there (Salimans et al., section 3.4).
    """
    fake = jnp.array([-8.0, -3.0, 0.0, 3.0])
    slope = jax.grad(
        lambda f: loss(real_label=label).discriminator(real=jnp.zeros(4), fake=f).sum()
    )(fake)
    np.testing.assert_allclose(slope, expit(np.asarray(fake)), rtol=1e-5)
    # There is no such setting either.
    assert [field.name for field in dataclasses.fields(loss)] == ["real_label"]


def test_accuracy():
    real, fake = jnp.array([0.5, -0.5, 0.0, 2.0]), jnp.array([-0.5, -1.0, 0.0, 0.5])
    result = accuracy(real=real, fake=fake)
    assert result["accuracy_real"].tolist() == [1, 0, 0, 1]
    assert result["accuracy_fake"].tolist() == [1, 1, 0, 0]
    assert result["accuracy"].tolist() == [1, 0.5, 0, 0.5]
    shifted = accuracy(real=real, fake=fake, threshold=0.75)
    assert shifted["accuracy_real"].tolist() == [0, 0, 0, 1]
    assert shifted["accuracy_fake"].tolist() == [1, 1, 1, 1]


def test_correct():
    real, fake = jnp.array([0.3, 0.6]), jnp.array([0.4, -0.2])
    for loss in (Minimax(), NonSaturating(0.9), Hinge()):
        result = loss.correct(real=real, fake=fake)
        assert result["accuracy_real"].tolist() == [1, 1]
        assert result["accuracy_fake"].tolist() == [0, 1]
    # Undecided is 1/2 between labels 0 and 1, and 0.25 between -1 and 1.5.
    result = LeastSquares().correct(real=real, fake=fake)
    assert result["accuracy_real"].tolist() == [0, 1]
    assert result["accuracy_fake"].tolist() == [1, 1]
    result = LeastSquares(1.5, -1.0).correct(real=real, fake=fake)
    assert result["accuracy_real"].tolist() == [1, 1]
    assert result["accuracy_fake"].tolist() == [0, 1]
    assert Wasserstein().correct(real=real, fake=fake) == {}


@LOSSES
def test_is_a_value(name):
    loss = CASES[name][0]
    assert isinstance(loss, GanLoss)
    copy = dataclasses.replace(loss)
    assert copy == loss
    assert hash(copy) == hash(loss)
    with pytest.raises(dataclasses.FrozenInstanceError):
        loss.real_label = 0.5


@pytest.mark.parametrize("label", [0.0, -0.1, 1.1, math.nan])
@pytest.mark.parametrize("loss", [Minimax, NonSaturating])
def test_bad_labels(loss, label):
    with pytest.raises(ValueError, match="real_label"):
        loss(real_label=label)


def test_bad_least_squares():
    with pytest.raises(ValueError, match=r"real_label = 0\.0 must be above fake_label = 0\.0"):
        LeastSquares(real_label=0.0)


def test_examples():
    result = doctest.testmod(losses)
    assert result.attempted >= 5
    assert result.failed == 0
