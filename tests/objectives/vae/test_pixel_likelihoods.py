"""Likelihoods against SciPy, in double precision, and at the ends of float32."""

import doctest
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxgan.objectives.vae import categorical, continuous_bernoulli
from jaxgan.objectives.vae.binarized import DynamicBernoulli
from jaxgan.objectives.vae.categorical import Categorical
from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian, PixelGaussian
from jaxgan.objectives.vae.laplace import Laplace
from jaxgan.objectives.vae.likelihoods import Bernoulli, Gaussian, Likelihood, Observing
from jaxgan.objectives.vae.logistic import DiscretizedLogistic
from jaxgan.objectives.vae.logistic_mixture import LogisticMixture

EVERY = [
    *(Bernoulli(), DynamicBernoulli(), ContinuousBernoulli(), Gaussian(), LearnedGaussian()),
    *(PixelGaussian(), Laplace(), DiscretizedLogistic(), LogisticMixture(4), Categorical(17)),
]
EACH = pytest.mark.parametrize("likelihood", EVERY, ids=lambda one: type(one).__name__)
DRAWS = np.random.default_rng(0)
SHAPE = (3, 4, 5, 2)
GRAY = DRAWS.beta(0.4, 0.7, SHAPE)
LEVELS = DRAWS.integers(0, 256, SHAPE) / 255
LEVELS[0, :2, :2] = [[[0.0, 1.0]]]
FLOOR = 1 / 255


def outputs_of(likelihood, channels=2, seed=1, spread=1.5):
    size = likelihood.decoded(channels) + len(likelihood.learned(channels))
    return np.random.default_rng(seed).normal(0.2, spread, (*SHAPE[:3], size))


@functools.cache
def compiled(function):
    return jax.jit(function)


def in_double(function, **arguments):
    with jax.enable_x64(True):
        arrays = {name: jnp.asarray(value) for name, value in arguments.items()}
        return np.asarray(compiled(function)(**arrays))


def log_prob(likelihood, outputs, targets):
    return in_double(likelihood.log_prob, outputs=outputs, targets=targets)


def close(found, each, rtol=1e-10):
    """Log-probabilities are those of each pixel, summed."""
    np.testing.assert_allclose(found, each.reshape(len(each), -1).sum(1), rtol=rtol)


def pixel(*values):
    return jnp.asarray(values, jnp.float32).reshape(1, 1, 1, -1)


def test_all_are_likelihoods_and_only_those_that_draw_observe():
    assert all(isinstance(one, Likelihood) for one in EVERY)
    assert not isinstance(object(), Likelihood)
    assert [isinstance(one, Observing) for one in EVERY] == [False, True] + [False] * 8
    of_points = {type(one).__name__ for one in EVERY if not one.bounded}
    assert of_points == {"Gaussian", "LearnedGaussian", "PixelGaussian", "Laplace"}


# The continuous Bernoulli.


def continuous_by_the_book(outputs, targets):
    """Loaiza-Ganem and Cunningham 2019: lambda^t (1 - lambda)^(1 - t) C(lambda)."""
    p = special.expit(outputs)
    constant = 2 * np.arctanh(1 - 2 * p) / (1 - 2 * p)
    return np.log(p**targets * (1 - p) ** (1 - targets) * constant)


def test_continuous_bernoulli():
    outputs = outputs_of(ContinuousBernoulli())
    found = log_prob(ContinuousBernoulli(), outputs, GRAY)
    close(found, continuous_by_the_book(outputs, GRAY), rtol=1e-9)


@pytest.mark.parametrize("logit", [-8.0, -1.0, -1e-3, 0.0, 0.9, 30.0])
def test_continuous_bernoulli_is_a_density_with_its_own_mean(logit):
    likelihood = ContinuousBernoulli()

    points, weights = np.polynomial.legendre.leggauss(60)
    points, weights = (points + 1) / 2, weights / 2
    outputs = np.full((60, 1, 1, 1), logit)
    values = np.exp(log_prob(likelihood, outputs, points.reshape(-1, 1, 1, 1)))
    assert weights @ values == pytest.approx(1.0, rel=1e-9)
    mean = in_double(likelihood.mean, outputs=np.full((1,) * 4, logit))
    assert mean.item() == pytest.approx(weights @ (values * points), rel=1e-8)


def test_continuous_bernoulli_near_one_half():
    """The series of the constant, log 2 + 4/3 (p - 1/2)^2 + 104/45 (p - 1/2)^4, in float32."""
    for p in (0.5, 0.4999, 0.5003, 0.493):
        logit, t = float(special.logit(p)), 0.3
        single = compiled(ContinuousBernoulli().log_prob)
        value = float(single(outputs=pixel(logit), targets=pixel(t))[0])
        constant = math.log(2) + 4 / 3 * (p - 0.5) ** 2 + 104 / 45 * (p - 0.5) ** 4
        gray = t * math.log(p) + (1 - t) * math.log(1 - p)
        assert value == pytest.approx(constant + gray, abs=1e-7)


def test_the_cross_entropy_of_gray_images_is_low_by_the_constant():
    """At least 784 log 2 = 543.4 nats of 28x28 pixels."""
    outputs = DRAWS.normal(0, 3, (2, 28, 28, 1))
    targets = DRAWS.random((2, 28, 28, 1))
    gap = log_prob(ContinuousBernoulli(), outputs, targets) - log_prob(
        Bernoulli(), outputs, targets
    )
    assert (gap > 543.4).all()
    none = np.zeros((1, 28, 28, 1))
    gap = log_prob(ContinuousBernoulli(), none, none) - log_prob(Bernoulli(), none, none)
    assert gap[0] == pytest.approx(543.4, abs=0.05)


def test_gradients_of_the_continuous_bernoulli_are_those_of_an_exponential_family():
    """Target minus mean, at the middle, at the seam of the series, and far out."""
    logits = np.array([-1e4, -40.0, -1.0001, -0.9999, -1e-4, 0.0, 1e-6, 0.5, 1.0, 88.0, 1e4])
    outputs, targets = jnp.asarray(logits, jnp.float32).reshape(1, 1, -1, 1), 0.3
    (_, means), slopes = slopes_of(ContinuousBernoulli())(outputs, jnp.full_like(outputs, targets))
    np.testing.assert_allclose(slopes, targets - means, atol=2e-6)
    exact = [1 / -np.expm1(-a) - 1 / a if a else 0.5 for a in logits[1:-1]]
    np.testing.assert_allclose(np.ravel(means)[1:-1], exact, atol=1e-4)
    # Not the probability, which is further from the middle.
    assert float(means[0, 0, 8, 0]) == pytest.approx(0.5819767, abs=1e-6)
    curves = jax.jit(jax.grad(lambda x: jnp.sum(ContinuousBernoulli().mean(x))))(outputs)
    assert np.isfinite(curves).all()


# Gaussians with scales of their own, and Laplace.


def effective(raw):
    return FLOOR * np.exp(np.logaddexp(0, raw - np.log(FLOOR)))


def test_pixel_gaussian():
    outputs = outputs_of(PixelGaussian())
    mean, raw = outputs[..., :2], outputs[..., 2:]
    close(log_prob(PixelGaussian(), outputs, GRAY), stats.norm.logpdf(GRAY, mean, effective(raw)))
    np.testing.assert_array_equal(in_double(PixelGaussian().mean, outputs=outputs), mean)


def test_learned_gaussian():
    outputs = outputs_of(LearnedGaussian())
    assert outputs.shape[-1] == 3
    mean, raw = outputs[..., :2], outputs[..., 2:]
    close(log_prob(LearnedGaussian(), outputs, GRAY), stats.norm.logpdf(GRAY, mean, effective(raw)))
    np.testing.assert_array_equal(in_double(LearnedGaussian().mean, outputs=outputs), mean)


def test_the_best_scale_is_the_root_of_the_mean_squared_error():
    """Rybkin et al. 2021, and every book."""
    mean = outputs_of(Gaussian())
    best = np.sqrt(np.square(GRAY - mean).mean())
    # The raw number whose scale above the floor that is.
    raw = np.log(FLOOR) + np.log(np.expm1(np.log(best / FLOOR)))
    with jax.enable_x64(True):

        def total(number):
            planes = jnp.full((*SHAPE[:3], 1), number)
            outputs = jnp.concatenate([jnp.asarray(mean), planes], axis=-1)
            values = LearnedGaussian().log_prob(outputs=outputs, targets=jnp.asarray(GRAY))
            return jnp.sum(values)

        slope = jax.jit(jax.grad(total))
        slope, beyond = float(slope(raw)), float(slope(raw + 0.1))
    assert abs(slope) < 1e-8
    assert beyond < -10


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_laplace(scale):
    outputs = outputs_of(Laplace())
    close(log_prob(Laplace(scale), outputs, GRAY), stats.laplace.logpdf(GRAY, outputs, scale))
    assert Laplace(scale).mean(jnp.asarray(outputs)).shape == SHAPE


# Probabilities of levels.


def every_level(likelihood, outputs, levels):
    """The log-probability of each level of one pixel, ``(levels,)``."""
    targets = (np.rint(np.arange(levels) * (255 / (levels - 1))) / 255).reshape(-1, 1, 1, 1)
    outputs = np.broadcast_to(outputs, (levels, 1, 1, len(outputs)))
    return log_prob(likelihood, outputs, targets)


@pytest.mark.parametrize(
    ("likelihood", "outputs"),
    [
        (DiscretizedLogistic(), [0.1, 0.4]),
        (DiscretizedLogistic(), [-0.7, -3.0]),
        (DiscretizedLogistic(), [1.5, -9.0]),
        (DiscretizedLogistic(), [0.0, 30.0]),
        (LogisticMixture(2), [0.3, -0.4, -0.5, 0.6, -2.0, -4.0]),
    ],
)
def test_probabilities_of_all_levels_sum_to_one(likelihood, outputs):
    found = every_level(likelihood, np.array(outputs), 256)
    assert found.shape == (256,)
    assert special.logsumexp(found) == pytest.approx(0.0, abs=1e-9)
    assert np.isfinite(found).all()


def bins(means, log_scales, targets):
    """Masses between edges, from SciPy's distribution function; black and white are open."""
    logistic = stats.logistic(means, np.exp(log_scales))
    centers = 2 * targets - 1
    lower = np.where(targets == 0, -np.inf, centers - 1 / 255)
    upper = np.where(targets == 1, np.inf, centers + 1 / 255)
    # On the side of the mean where nothing is lost.
    above = logistic.sf(lower) - logistic.sf(upper)
    return np.where(lower > means, above, logistic.cdf(upper) - logistic.cdf(lower))


def test_discretized_logistic():
    outputs = outputs_of(DiscretizedLogistic())
    mean, log_scale = outputs[..., :2], outputs[..., 2:]
    expected = np.log(bins(mean, log_scale, LEVELS))
    close(log_prob(DiscretizedLogistic(), outputs, LEVELS), expected, rtol=1e-8)


def test_scales_of_logistics_have_a_floor():
    """exp(-7), below which only the error counts: that of a level next to the mean's."""
    outputs = np.array([0.0, -9.0])
    found = every_level(DiscretizedLogistic(), outputs, 256)
    expected = np.log(bins(0.0, -7.0, np.array([0.5 - 0.5 / 255, 0.5 + 0.5 / 255])))
    np.testing.assert_allclose(found[127:129], expected, rtol=1e-8)


def exact_mean(likelihood, outputs):
    return np.exp(every_level(likelihood, np.array(outputs), 256)) @ (np.arange(256) / 255)


@pytest.mark.parametrize(
    ("outputs", "tolerance"),
    [
        *(((mean, scale), 1e-5) for mean in (-0.9, 0.05, 1.4) for scale in (-3.0, 0.5, 6.0)),
        # Narrower than a level, half a level's width may be missing.
        ((0.303, -7.0), 0.5 / 255),
    ],
)
def test_the_mean_of_a_discretized_logistic(outputs, tolerance):
    found = in_double(DiscretizedLogistic().mean, outputs=np.reshape(outputs, (1, 1, 1, 2)))
    assert found.item() == pytest.approx(exact_mean(DiscretizedLogistic(), outputs), abs=tolerance)
    single = compiled(DiscretizedLogistic().mean)(outputs=pixel(*outputs))
    assert float(single[0, 0, 0, 0]) == pytest.approx(found.item(), abs=2e-6)


def mixture_by_loops(likelihood, outputs, targets):
    """Equation 3 of PixelCNN++, pixel by pixel, component by component."""
    count, channels = likelihood.components, targets.shape[-1]
    total = np.zeros(len(targets))
    for place in np.ndindex(targets.shape[:-1]):
        values, x = outputs[place], 2 * targets[place] - 1
        weights = special.softmax(values[:count])
        rest = values[count:].reshape(-1, count)
        probability = 0.0
        for k in range(count):
            mean, scale = rest[:channels, k].copy(), rest[channels : 2 * channels, k]
            c = np.tanh(rest[2 * channels :, k])
            if channels > 1:
                mean[1] += c[0] * x[0]
            if channels > 2:
                mean[2] += c[1] * x[0] + c[2] * x[1]
            probability += weights[k] * np.prod(bins(mean, scale, targets[place]))
        total[place[0]] += np.log(probability)
    return total


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_mixture_of_logistics(channels):
    likelihood = LogisticMixture(3)
    assert likelihood.decoded(channels) == {1: 9, 2: 18, 3: 30}[channels]
    targets = np.concatenate([LEVELS, LEVELS[..., ::-1]], axis=-1)[..., :channels]
    outputs = outputs_of(likelihood, channels, spread=0.8)
    expected = mixture_by_loops(likelihood, outputs, targets)
    np.testing.assert_allclose(log_prob(likelihood, outputs, targets), expected, rtol=1e-8)


def test_the_mean_of_a_mixture():
    """Of one channel exactly; a later one moves with those before it."""
    outputs = [0.3, -0.4, -0.5, 0.6, -2.0, -1.0]
    found = in_double(LogisticMixture(2).mean, outputs=np.reshape(outputs, (1, 1, 1, 6)))
    assert found.item() == pytest.approx(exact_mean(LogisticMixture(2), outputs), abs=1e-6)
    # One component: red 0.5 and green 0.1 + tanh(0.8) 0.5, both narrow.
    one = compiled(LogisticMixture(1).mean)(outputs=pixel(0.0, 0.5, 0.1, -5.0, -5.0, 0.8))
    expected = [0.75, 0.5 * (1.1 + math.tanh(0.8) * 0.5)]
    np.testing.assert_allclose(np.ravel(one), expected, atol=1e-5)


def test_categorical():
    likelihood = Categorical(17)
    outputs = outputs_of(likelihood)
    levels = DRAWS.integers(0, 17, SHAPE)
    targets = np.rint(levels * (255 / 16)) / 255
    each = special.log_softmax(outputs.reshape(*SHAPE, 17), axis=-1)
    expected = np.take_along_axis(each, levels[..., None], axis=-1)[..., 0]
    close(log_prob(likelihood, outputs, targets), expected)
    mean = special.softmax(outputs.reshape(*SHAPE, 17), axis=-1) @ (np.arange(17) / 16)
    np.testing.assert_allclose(in_double(likelihood.mean, outputs=outputs), mean, rtol=1e-10)
    found = every_level(likelihood, outputs[0, 0, 0, :17], 17)
    assert special.logsumexp(found) == pytest.approx(0.0, abs=1e-10)


# All of them.


@functools.cache
def slopes_of(likelihood):
    def total(outputs, targets):
        values = likelihood.log_prob(outputs=outputs, targets=targets)
        return jnp.sum(values), likelihood.mean(outputs)

    return jax.jit(jax.value_and_grad(total, has_aux=True))


@EACH
def test_extremes_have_finite_gradients(likelihood):
    targets = jnp.asarray([0.0, 1 / 255, 128 / 255, 1.0], jnp.float32).reshape(1, 2, 2, 1)
    count = likelihood.decoded(1) + len(likelihood.learned(1))
    every = np.ones(count), np.where(np.arange(count) % 2, 1, -1)
    for size, signs in itertools.product((0.0, 40.0, -40.0, 1e4, -1e4), every):
        outputs = jnp.asarray(np.broadcast_to(size * signs, (1, 2, 2, count)), jnp.float32)
        (value, means), slopes = slopes_of(likelihood)(outputs, targets)
        assert np.isfinite(float(value))
        assert np.isfinite(slopes).all()
        assert np.isfinite(means).all()


@EACH
def test_single_precision_is_double_but_for_rounding(likelihood):
    outputs = outputs_of(likelihood)
    targets = np.rint(LEVELS * 15) * 17 / 255
    double = log_prob(likelihood, outputs, targets)
    single = compiled(likelihood.log_prob)(
        outputs=jnp.asarray(outputs, jnp.float32), targets=jnp.asarray(targets, jnp.float32)
    )
    np.testing.assert_allclose(single, double, rtol=2e-5)
    means = jax.eval_shape(lambda: likelihood.mean(jnp.asarray(outputs, jnp.float32)))
    assert means.shape == SHAPE
    images = np.rint(targets * 255).astype(np.uint8)
    np.testing.assert_allclose(likelihood.from_uint8(jnp.asarray(images)), targets, rtol=1e-6)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([0, 255], "mass mass density density density density density mass mass mass"),
        ([0, 16, 255], "cross-entropy coarsened density density density density density mass mass"
         " mass"),
        ([0, 17, 255], "cross-entropy coarsened density density density density density mass mass"
         " coarsened"),
    ],
)  # fmt: skip
def test_what_the_numbers_are_logs_of(levels, expected):
    images = np.array(levels, np.uint8)
    assert [one.measure(images) for one in EVERY] == expected.split()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Laplace(0.0), "scale = 0.0"),
        (lambda: LearnedGaussian(-1.0), "floor = -1.0"),
        (lambda: PixelGaussian(math.inf), "floor = inf"),
        (lambda: LogisticMixture(0), "components = 0"),
        (lambda: Categorical(1), "levels = 1"),
        (lambda: Categorical(257), "levels = 257"),
    ],
)
def test_settings_that_cannot_be(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_examples():
    results = [doctest.testmod(module) for module in (categorical, continuous_bernoulli)]
    assert all(result.attempted >= 1 and result.failed == 0 for result in results)
