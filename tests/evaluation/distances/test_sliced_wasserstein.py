import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from jaxgan.evaluation.distances import sliced_wasserstein as module
from jaxgan.evaluation.distances.sliced_wasserstein import sliced_wasserstein


def normal(count, dimension, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


@pytest.mark.parametrize(("m", "n"), [(50, 50), (30, 47), (64, 16), (1, 5)])
def test_on_a_line_against_scipy(m, n):
    x, y = normal(m, 1, 1), 0.5 + 2 * normal(n, 1, 2)
    expected = wasserstein_distance(x[:, 0], y[:, 0])
    assert sliced_wasserstein(x, y, directions=3).value == pytest.approx(expected, rel=1e-5)


def test_each_direction_against_scipy(monkeypatch):
    # In several chunks, the last of which is filled up.
    monkeypatch.setattr(module, "_VALUES", 500)
    x, y = normal(40, 6, 1), normal(70, 6, 2) * np.float32(1.5)
    units = np.asarray(module._directions(module.rng.base_key(7), 10, 6))
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), 1.0, rtol=1e-6)
    expected = np.mean([wasserstein_distance(x @ u, y @ u) for u in units])
    found = sliced_wasserstein(x, y, directions=10, seed=7)
    assert found.value == pytest.approx(expected, rel=1e-5)
    whole = sliced_wasserstein(y, x, directions=10, seed=7)
    assert whole.value == pytest.approx(expected, rel=1e-5)
    assert (whole.high - whole.low) == pytest.approx(found.high - found.low, rel=1e-3)


def test_repeated_values():
    x = np.array([[0.0], [0], [1], [1]], np.float32)
    y = np.array([[0.0], [1], [1]], np.float32)
    # Real mass at 1 is 1/2, generated 2/3.
    assert sliced_wasserstein(x, y, directions=4).value == pytest.approx(1 / 6, rel=1e-6)
    assert sliced_wasserstein(x, x, directions=4).value == 0.0


def test_a_shift_far_from_the_origin():
    # Along a unit vector, a shift s moves everything by |u.s|: s E|u_1| = s Gamma(d/2) /
    # (sqrt(pi) Gamma((d+1)/2)), which is s/2 for d = 3.
    x = 1000 + normal(60, 3)
    y = x + np.array([0.5, 0, 0], np.float32)
    assert sliced_wasserstein(x, y, directions=4000).value == pytest.approx(0.25, rel=0.03)


def test_bytes_count_as_shares_of_white():
    x = np.random.default_rng(0).integers(0, 256, (20, 4, 3, 1), np.uint8)
    y = np.random.default_rng(1).integers(0, 256, (30, 4, 3, 1), np.uint8)
    expected = sliced_wasserstein(
        x.astype(np.float32) / np.float32(255), y.astype(np.float32) / np.float32(255)
    )
    assert sliced_wasserstein(x, y).value == pytest.approx(expected.value, rel=1e-5)


def test_the_interval_is_as_wide_as_the_samples_drawing():
    results = [
        sliced_wasserstein(normal(100, 3, 2 * i), 1 + normal(150, 3, 2 * i + 1), directions=64)
        for i in range(100)
    ]
    values = np.array([found.value for found in results])
    halves = np.array([(found.high - found.low) / 2 for found in results])
    # The deviation of 100 draws is known to about 7 %.
    assert halves.mean() / 1.96 == pytest.approx(values.std(ddof=1), rel=0.25)
    covered = sum(found.low <= values.mean() <= found.high for found in results)
    assert covered >= 87


@pytest.mark.slow
def test_grows_with_noise_and_dropped_modes():
    generator = np.random.default_rng(0)
    centers = 3 * generator.normal(size=(6, 4))

    def draw(modes, noise):
        chosen = centers[generator.integers(0, modes, 600)]
        return (chosen + (0.3 + noise) * generator.normal(size=(600, 4))).astype(np.float32)

    real = draw(6, 0)
    noisy = [sliced_wasserstein(real, draw(6, noise)).value for noise in (0, 0.7, 1.4, 2.8)]
    assert (np.diff(noisy) > 0).all()
    fewer = [sliced_wasserstein(real, draw(modes, 0)).value for modes in (6, 4, 2, 1)]
    assert (np.diff(fewer) > 0).all()


def test_the_seed_gives_the_directions():
    x, y = normal(30, 5, 1), normal(30, 5, 2) + np.float32(1)
    assert sliced_wasserstein(x, y, seed=3) == sliced_wasserstein(x, y, seed=3)
    assert sliced_wasserstein(x, y, seed=3) != sliced_wasserstein(x, y, seed=4)


def test_one_sample_has_no_interval():
    found = sliced_wasserstein(normal(1, 2), normal(5, 2))
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_what_cannot_be_compared_is_refused():
    x = normal(10, 3)
    with pytest.raises(ValueError, match="the real set is empty"):
        sliced_wasserstein(x[:0], x)
    with pytest.raises(ValueError, match="not finite"):
        sliced_wasserstein(x, np.full_like(x, np.nan))
    with pytest.raises(ValueError, match="must be alike"):
        sliced_wasserstein(x, x[:, :2])
    with pytest.raises(ValueError, match="must be alike"):
        sliced_wasserstein(x, x.astype(np.uint8))
    with pytest.raises(ValueError, match="at least 1 direction"):
        sliced_wasserstein(x, x, directions=0)
