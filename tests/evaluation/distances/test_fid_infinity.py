import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.distances.fid import frechet_between, frechet_distance
from jaxgan.evaluation.distances.fid_infinity import fid_infinity, frechet_estimate
from jaxgan.evaluation.distances.moments import Moments, from_features
from jaxgan.evaluation.metrics import SAMPLE_METRICS

DIMENSION = 16
REAL_COVARIANCE = np.diag(1 / np.arange(1.0, DIMENSION + 1))


def exact_moments(mean, cov):
    """Of infinitely many samples, as far as an unbiased covariance can tell."""
    return Moments(10**9, mean, cov * (10**9 - 1))


def other_gaussian(shift, scale):
    """Mean and covariance of the samples; these do not commute with the real ones."""
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(DIMENSION, DIMENSION)))[0]
    mean = np.zeros(DIMENSION)
    mean[0] = shift
    cov = turn @ REAL_COVARIANCE @ turn.T * scale**2 if scale != 1 else REAL_COVARIANCE
    return mean, cov


def draws(mean, cov, count, repeats, seed=0):
    normal = np.random.default_rng(seed).normal(size=(repeats, count, DIMENSION))
    return mean + normal @ np.linalg.cholesky(cov).T


def share_covered(estimates, truth):
    return np.mean([low <= truth <= high for _, low, high in estimates])


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.3, 1.0), (0.5, 1.2)])
def test_removes_the_bias_of_samples_against_exact_moments(shift, scale):
    mean, cov = other_gaussian(shift, scale)
    truth = frechet_distance(np.zeros(DIMENSION), REAL_COVARIANCE, mean, cov)
    real = exact_moments(np.zeros(DIMENSION), REAL_COVARIANCE)
    samples = draws(mean, cov, 300, 60)
    plain = np.array([frechet_between(real, y) for y in samples])
    results = [fid_infinity(real, y) for y in samples]
    values = np.array([result.value for result in results])
    error = values.std(ddof=1) / np.sqrt(60)
    bias = plain.mean() - truth
    assert bias > 0.04
    # A twentieth of the bias is the curve of the line that was left out, at this many samples.
    assert abs(values.mean() - truth) < 4 * error + 0.05 * bias
    assert abs(values.mean() - truth) < 0.5 * bias
    # Four standard errors of a share of 0.95 out of 60 are 0.11.
    assert share_covered(results, truth) > 0.84
    # Nor may it cover by being wide.
    widths = [(high - low) / 2 / 1.96 for _, low, high in results]
    assert 0.7 * values.std() < np.mean(widths) < 1.6 * values.std()


def test_removes_the_bias_of_both_sets():
    # The same distribution twice: far from zero for finite sets, near it for infinite ones.
    mean, cov = other_gaussian(0.0, 1.0)
    pairs = list(zip(draws(mean, cov, 300, 40), draws(mean, cov, 400, 40, seed=1), strict=True))
    plain = np.mean([frechet_between(x, y) for x, y in pairs])
    results = [fid_infinity(x, y) for x, y in pairs]
    assert plain > 0.06
    assert abs(np.mean([result.value for result in results])) < 0.2 * plain
    assert share_covered(results, 0.0) > 0.84
    # With the real side fixed at its moments, as published, the bias of that side stays.
    fixed = np.mean([fid_infinity(from_features(x), y).value for x, y in pairs])
    assert 0.2 * plain < fixed < 0.8 * plain


def test_orders_generators_that_the_plain_distance_takes_for_one_another():
    # The published reason: the bias differs between generators. A wide one loses by more than its
    # finite-sample distance tells, against one whose samples are few.
    mean, cov = other_gaussian(0.0, 1.0)
    real = exact_moments(np.zeros(DIMENSION), REAL_COVARIANCE)
    better, worse = draws(mean, cov, 150, 1)[0], draws(mean + 0.05, cov, 4000, 1)[0]
    assert frechet_between(real, better) > frechet_between(real, worse)
    assert fid_infinity(real, better).value < fid_infinity(real, worse).value


def test_the_line_in_numpy_for_given_subsets():
    # All the published steps, once more: random subsets, a line in 1/N, its value at zero.
    mean, cov = other_gaussian(0.3, 1.2)
    y = draws(mean, cov, 90, 1)[0]
    real = exact_moments(np.zeros(DIMENSION), REAL_COVARIANCE)
    generator = np.random.default_rng(7)
    sizes = [30, 50, 70, 90]
    values = [
        frechet_between(real, from_features(y[generator.permutation(90)[:size]]))
        for size in sizes[:-1]
    ]
    values.append(frechet_between(real, from_features(y)))
    line = stats.linregress(1 / np.array(sizes), values)
    result = fid_infinity(real, y, points=4, smallest=30, seed=7)
    np.testing.assert_allclose(result.value, line.intercept, rtol=1e-9)
    # The interval joins the line's own error with that of the drawing.
    drawing = frechet_estimate(real, y)
    error = drawing.value * np.log(drawing.high / drawing.value)
    half = np.hypot(1.959964 * line.intercept_stderr, error)
    np.testing.assert_allclose(result.high - result.value, half, rtol=1e-6)


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("count", [40, 400])
def test_the_interval_is_that_of_the_jackknife(count, fixed):
    # What each sample adds, by leaving it out: sum over a set of squared deviations. Far fewer
    # samples than dimensions are smooth enough only at some distance.
    # Skewed, both sets: of symmetric samples the part along the shift and the quadratic one are
    # uncorrelated, and the sign between them shows nowhere.
    dimension = 8
    generator = np.random.default_rng(3)
    x = generator.exponential(size=(count, dimension)) - 1
    y = 1.5 * generator.exponential(size=(count + 7, dimension)) - 0.5
    y = y * np.linspace(0.5, 2, dimension)

    def jackknife(rows, statistic):
        left = np.array([statistic(np.delete(rows, i, axis=0)) for i in range(len(rows))])
        return (len(rows) - 1) / len(rows) * np.square(left - left.mean()).sum()

    variance = jackknife(y, lambda rows: frechet_between(x, rows))
    if not fixed:
        variance += jackknife(x, lambda rows: frechet_between(rows, y))
    estimate = frechet_estimate(from_features(x) if fixed else x, y)
    np.testing.assert_allclose(estimate.value, frechet_between(x, y), rtol=1e-10)
    # On the scale of logarithms, by the delta method.
    error = estimate.value * np.log(estimate.high / estimate.low) / 2 / 1.959964
    np.testing.assert_allclose(error, np.sqrt(variance), rtol=4 / count + 0.01)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.3, 1.0), (0.5, 1.2)])
def test_the_interval_covers_the_expectation_at_this_size(shift, scale):
    mean, cov = other_gaussian(shift, scale)
    pairs = zip(
        draws(np.zeros(DIMENSION), REAL_COVARIANCE, 300, 100, seed=1),
        draws(mean, cov, 200, 100),
        strict=True,
    )
    results = [frechet_estimate(x, y) for x, y in pairs]
    expected = np.mean([result.value for result in results])
    # Equal distributions are at a minimum of the distance, where the interval is a bit wide.
    assert share_covered(results, expected) > 0.87
    spread = np.std([result.value for result in results])
    errors = np.mean([value * np.log(high / low) / 2 / 1.96 for value, low, high in results])
    assert 0.8 * spread < errors < (1.8 if shift == 0 else 1.25) * spread


def test_fewer_samples_than_dimensions_have_an_interval_too():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(30, 64)), generator.normal(size=(20, 64)) + 1
    for real in (x, from_features(x)):
        value, low, high = frechet_estimate(real, y)
        np.testing.assert_allclose(value, frechet_between(x, y), rtol=1e-8)
        assert 0 < low < value < high


def test_reproducible_from_the_seed():
    x, y = np.random.default_rng(0).normal(size=(2, 60, 3))
    assert fid_infinity(x, y, seed=1) == fid_infinity(x, y, seed=1)
    assert fid_infinity(x, y, seed=1) != fid_infinity(x, y, seed=2)


def test_errors_name_the_metric_and_the_set():
    x, y = np.random.default_rng(0).normal(size=(2, 20, 3))
    with pytest.raises(ValueError, match="fid_inf: no 15 sizes from 6 to the 19 generated samples"):
        fid_infinity(x, y[:19])
    with pytest.raises(ValueError, match="points >= 3"):
        fid_infinity(x, y, points=2)
    with pytest.raises(ValueError, match="smallest >= 2"):
        fid_infinity(x, y, smallest=1)
    with pytest.raises(ValueError, match="fid_inf: the generated set has 1 samples"):
        fid_infinity(x, y[:1])
    with pytest.raises(ValueError, match=r"real set has 3-dim.* generated set 2-dim"):
        frechet_estimate(x, y[:, :2])
    y[3, 1] = np.inf
    with pytest.raises(ValueError, match=r"fid\[p\]: the generated set has features that are NaN"):
        frechet_estimate(x, y, metric="fid[p]")


def coverage(dimension, per_feature, repeats, flat=False):
    """Share of intervals that hold the distance of two Gaussians known in closed form."""
    real = np.ones(dimension) if flat else 1 / np.arange(1.0, dimension + 1)
    var = np.full(dimension, 1.2) if flat else 1.3 * real + 1e-4
    shift = np.full(dimension, 0.1) if flat else 0.3 * real
    # Of Gaussians whose covariances commute (Dowson and Landau 1982, equation 16).
    truth = np.square(shift).sum() + np.square(np.sqrt(var) - np.sqrt(real)).sum()
    exact = exact_moments(np.zeros(dimension), np.diag(real))
    generator = np.random.default_rng(0)
    draws = (
        shift + generator.normal(size=(per_feature * dimension, dimension)) * np.sqrt(var)
        for _ in range(repeats)
    )
    return share_covered([fid_infinity(exact, y, seed=i) for i, y in enumerate(draws)], truth)


def test_covers_from_five_samples_a_feature_on():
    """What the metric is refused below: see `jaxgan.evaluation.metrics`."""
    # Four standard errors of a share of 0.95 out of 60 are 0.11.
    assert coverage(32, 5, 60) > 0.84
    # Two samples a feature, and the curve of the line is many standard errors.
    assert coverage(32, 2, 60) < 0.75
    assert coverage(32, 2, 60, flat=True) < 0.2
    assert SAMPLE_METRICS["fid_inf"].per_feature == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dimension", "per_feature", "flat", "low", "high"),
    [
        (128, 5, False, 0.84, 1.0),
        (128, 3, False, 0.55, 0.9),
        (128, 5, True, 0.0, 0.3),
        (128, 20, True, 0.84, 1.0),
    ],
)
def test_coverage_at_other_ratios(dimension, per_feature, flat, low, high):
    assert low <= coverage(dimension, per_feature, 40, flat) <= high
