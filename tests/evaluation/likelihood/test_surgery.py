"""The parts of the KL against quadrature and closed forms; active units against NumPy."""

import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.likelihood.posteriors import Codes
from jaxgan.evaluation.likelihood.surgery import active_units, aggregated_log_density, surgery

TERMS = ("mutual_information", "total_correlation", "dimension_wise_kl")


def codes_of(mean, log_variance):
    mean = np.asarray(mean, np.float32)
    return Codes(mean, np.broadcast_to(np.float32(log_variance), mean.shape))


FIVE = Codes(
    np.float32([[-1.5, -1.2], [-0.4, 0.3], [0.2, 0.1], [1.1, 1.6], [2.0, 1.4]]),
    np.float32([[-1.0, -0.5], [0.2, -2.0], [-1.5, -1.0], [-0.3, -0.8], [-2.0, 0.1]]),
)


def by_quadrature(codes):
    """The three terms of a 2-D mixture, by sums over a fine grid, and its KL."""
    grid, step = np.linspace(-9, 9, 1201, retstep=True)
    scale = np.exp(codes.log_variance / 2)
    factors = stats.norm.pdf(grid, codes.mean[..., None], scale[..., None])
    density = factors[:, 0, :, None] * factors[:, 1, None, :]
    joint, marginals = density.mean(0), factors.mean(0)

    def integral(weight, numerator, denominator):
        cell = step**weight.ndim
        return np.sum(weight * (np.log(numerator + 1e-300) - np.log(denominator + 1e-300))) * cell

    prior = stats.norm.pdf(grid)
    information = np.mean([integral(own, own, joint) for own in density])
    correlation = integral(joint, joint, np.outer(*marginals))
    dimension_wise = [integral(marginal, marginal, prior) for marginal in marginals]
    kl = np.mean([integral(own, own, np.outer(prior, prior)) for own in density])
    return information, correlation, np.array(dimension_wise), kl


def test_five_images_against_quadrature():
    information, correlation, dimension_wise, kl = by_quadrature(FIVE)
    assert information + correlation + dimension_wise.sum() == pytest.approx(kl, abs=1e-6)
    found = surgery(FIVE, samples=8000)
    # 40,000 draws of differences of logs that vary by less than 2 nats.
    tolerance = 5 * 1.0 / np.sqrt(40_000)
    assert min(information, correlation, *dimension_wise) > 2 * tolerance
    assert found.mutual_information.value == pytest.approx(information, abs=tolerance)
    assert found.total_correlation.value == pytest.approx(correlation, abs=tolerance)
    np.testing.assert_allclose(found.dimension_wise_kl_by_dimension, dimension_wise, atol=tolerance)
    assert found.kl.value == pytest.approx(kl, abs=1e-6)
    assert found.marginal_kl.value == pytest.approx(kl - information, abs=tolerance)
    assert found.ceiling == pytest.approx(np.log(5))


def test_densities_of_the_aggregated_posterior():
    points = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    scale = np.exp(np.float64(FIVE.log_variance) / 2)
    each = stats.norm.pdf(points[:, None], FIVE.mean, scale)
    for block in (1, 3, 256):
        joint, marginal = aggregated_log_density(points, FIVE, block=block)
        np.testing.assert_allclose(joint, np.log(each.prod(-1).mean(1)), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(marginal, np.log(each.mean(1)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 2, None])
def test_the_terms_add_up_to_the_kl_exactly(samples):
    draws = np.random.default_rng(1)
    codes = Codes(
        draws.normal(0, 1.5, (70, 6)).astype(np.float32),
        draws.normal(-2, 1.0, (70, 6)).astype(np.float32),
    )
    found = surgery(codes, samples=samples)
    kl = 0.5 * (codes.mean.astype(np.float64) ** 2 + np.exp(np.float64(codes.log_variance)))
    kl = (kl - 0.5 * (1 + np.float64(codes.log_variance))).mean(0)
    np.testing.assert_allclose(found.kl_by_dimension, kl, rtol=1e-9)
    assert found.kl.value == pytest.approx(kl.sum(), rel=1e-9)
    total = sum(getattr(found, name).value for name in TERMS)
    assert total == pytest.approx(found.kl.value, rel=1e-10)
    assert found.marginal_kl.value == pytest.approx(
        found.total_correlation.value + found.dimension_wise_kl.value, rel=1e-10
    )
    assert found.dimension_wise_kl.value == pytest.approx(
        found.dimension_wise_kl_by_dimension.sum(), rel=1e-10
    )


def test_a_gaussian_aggregated_posterior():
    """Means spread evenly over N(m, C), posteriors N(., S): q(z) is close to N(m, C + S)."""
    covariance = np.array([[0.9, 0.5], [0.5, 0.6]])
    center, own = np.array([0.4, -0.2]), np.array([0.5, 0.7])
    spread = stats.qmc.MultivariateNormalQMC(center, covariance, seed=0).random(2048)
    found = surgery(codes_of(spread, np.log(own)), samples=4)
    total = covariance + np.diag(own)
    information = 0.5 * np.log(np.linalg.det(total) / own.prod())
    correlation = 0.5 * np.log(np.diag(total).prod() / np.linalg.det(total))
    dimension_wise = 0.5 * (np.diag(total) + center**2 - 1 - np.log(np.diag(total)))
    assert found.mutual_information.value == pytest.approx(information, abs=0.01)
    assert found.total_correlation.value == pytest.approx(correlation, abs=0.01)
    np.testing.assert_allclose(found.dimension_wise_kl_by_dimension, dimension_wise, atol=0.01)
    assert min(information, correlation, *dimension_wise) > 0.03
    # The intervals hold, and say something.
    for name, truth in zip(TERMS, (information, correlation, dimension_wise.sum()), strict=True):
        estimate = getattr(found, name)
        assert estimate.low < truth < estimate.high
        assert 0.002 < estimate.high - estimate.low < 0.2


def test_intervals_cover_the_drawing_of_images():
    """Over 40 data sets of 200 images, about 95% of the intervals of each term hold the truth."""
    covariance, own = np.array([[0.5, 0.3], [0.3, 0.4]]), np.array([0.8, 0.9])
    total = covariance + np.diag(own)
    truth = {
        "mutual_information": 0.5 * np.log(np.linalg.det(total) / own.prod()),
        "total_correlation": 0.5 * np.log(np.diag(total).prod() / np.linalg.det(total)),
        "dimension_wise_kl": 0.5 * (np.diag(total) - 1 - np.log(np.diag(total))).sum(),
    }
    draws = np.random.default_rng(0)
    held = dict.fromkeys(TERMS, 0)
    for seed in range(40):
        means = draws.multivariate_normal([0, 0], covariance, 200)
        found = surgery(codes_of(means, np.log(own)), samples=1, seed=seed)
        for name in TERMS:
            estimate = getattr(found, name)
            held[name] += estimate.low < truth[name] < estimate.high
    assert all(count >= 32 for count in held.values()), held


def test_images_with_codes_of_their_own():
    """Far apart on a diagonal: I = log N; each entry tells all, so TC = log N too."""
    n = 64
    places = np.repeat(np.arange(n)[:, None] - n / 2, 2, axis=1)
    found = surgery(codes_of(places, np.log(1e-4)), samples=3)
    assert found.mutual_information.value == pytest.approx(np.log(n), abs=1e-3)
    assert found.total_correlation.value == pytest.approx(np.log(n), abs=2e-3)
    assert found.ceiling == pytest.approx(np.log(n))


def test_posteriors_that_are_the_prior():
    found = surgery(codes_of(np.zeros((30, 4)), 0.0))
    for name in (*TERMS, "kl", "marginal_kl"):
        np.testing.assert_allclose(getattr(found, name), 0, atol=1e-5)


def test_very_narrow_posteriors():
    """Standard deviations of 1/20,000: no density overflows, no code loses its own image."""
    means = np.random.default_rng(0).normal(size=(50, 8))
    found = surgery(codes_of(means, -20.0), samples=2)
    assert found.mutual_information.value == pytest.approx(np.log(50), abs=1e-3)
    assert np.isfinite([getattr(found, name).value for name in TERMS]).all()


def test_neither_block_nor_order_of_blocks_changes_the_result():
    draws = np.random.default_rng(2)
    codes = codes_of(draws.normal(size=(45, 3)), -1.0)
    whole = surgery(codes, samples=2)
    for block in (1, 7, 45):
        other = surgery(codes, samples=2, block=block)
        for name in TERMS:
            np.testing.assert_allclose(getattr(other, name), getattr(whole, name), atol=1e-5)
    assert surgery(codes, samples=2, seed=1).total_correlation != whole.total_correlation


def test_the_control_variate_takes_noise_away():
    """Over seeds, sampled terms alone would vary as the sampled KL does."""
    codes = codes_of(np.random.default_rng(3).normal(size=(100, 10)), -1.0)
    found = [surgery(codes, samples=2, seed=seed) for seed in range(20)]
    # The standard deviation of log q(z|x) - log p(z) over the noise, for 2 codes of 100 images.
    variance = 0.5 * 10 * (1 - np.exp(-1.0)) ** 2 + np.exp(-1.0) * 10
    plain = np.sqrt(variance / 200)
    for name in TERMS:
        assert np.std([getattr(one, name).value for one in found]) < 0.6 * plain


def test_what_cannot_be_taken_apart_is_refused():
    with pytest.raises(ValueError, match="1 image: an aggregated posterior needs at least 2"):
        surgery(codes_of(np.zeros((1, 2)), 0.0))
    with pytest.raises(ValueError, match="samples = 0"):
        surgery(FIVE, samples=0)
    with pytest.raises(ValueError, match="block = 0"):
        surgery(FIVE, block=0)
    damaged = Codes(FIVE.mean, FIVE.log_variance.copy())
    damaged.log_variance[2, 1] = np.inf
    with pytest.raises(ValueError, match="posterior of image 2"):
        surgery(damaged)


def test_active_units():
    """Variances of 1, about 0.02, about 0.005 and 0; the second is not sure with 20 images."""
    draws = np.random.default_rng(0).normal(size=(2000, 4))
    mean = draws * np.sqrt([1.0, 0.02, 0.005, 0.0]) + [0.0, 5.0, -3.0, 2.0]
    found = active_units(mean.astype(np.float32))
    np.testing.assert_allclose(found.variances, mean.var(0, ddof=1), rtol=1e-3, atol=1e-9)
    assert found.active.tolist() == [True, True, False, False]
    assert found.count == (2, 2, 2)
    assert active_units(mean.astype(np.float32), threshold=0.003).count.value == 3
    few = active_units(mean[:12].astype(np.float32))
    assert few.count.low < few.count.high


@pytest.mark.parametrize(
    ("threshold", "count"),
    [
        # The variance of -1, -1, 1, 1 is 4/3 with one degree of freedom taken off; m4 = 1 and
        # n = 4, so that variance of variance is (1 - 16/9 * 1/3) / 4 = 11/108 (Cramer 1946, 27.4)
        # and the interval 4/3 +- 1.96 * 0.31914 = (0.7078, 1.9588).
        (0.70, (1, 1, 1)),
        (0.71, (1, 0, 1)),
        (1.33, (1, 0, 1)),
        (1.34, (0, 0, 1)),
        (1.95, (0, 0, 1)),
        (1.97, (0, 0, 0)),
    ],
)
def test_active_units_of_four_images_worked_by_hand(threshold, count):
    found = active_units(np.float32([[-1], [-1], [1], [1]]), threshold=threshold)
    np.testing.assert_allclose(found.variances, [4 / 3], rtol=1e-12)
    assert found.count == count
    assert found.active.tolist() == [count[0] == 1]


def test_the_interval_of_a_variance_holds():
    """The variance is exactly the threshold: it lies above the interval in 1 of 40 cases."""
    draws = np.random.default_rng(4).normal(0, 0.1, (400, 500)).astype(np.float32)
    found = active_units(draws)
    # Of 500 units: active in 250 +- 56 (5 sd), surely active or inactive in 12.5 each.
    assert 194 < found.count.value < 306
    assert 1 <= found.count.low < 40
    assert 460 < found.count.high <= 499


def test_too_few_or_damaged_means():
    with pytest.raises(ValueError, match="1 image"):
        active_units(np.zeros((1, 3), np.float32))
    with pytest.raises(ValueError, match="NaN or infinite"):
        active_units(np.full((5, 3), np.nan, np.float32))
