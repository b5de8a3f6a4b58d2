from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.evaluation.distances.fid import frechet_between
from jaxgan.evaluation.distances.moments import (
    covariance,
    from_batches,
    from_batches_on_device,
    from_features,
    merge,
)


def features(count, dimension=5, offset=0.0, seed=0):
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dimension, dimension))
    return generator.normal(size=(count, dimension)) @ mixing + offset + np.arange(dimension)


def test_one_batch_against_numpy():
    x = features(40)
    moments = from_features(x)
    assert moments.count == 40
    np.testing.assert_allclose(moments.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance(moments), np.cov(x, rowvar=False), rtol=1e-10)


@pytest.mark.parametrize("sizes", [(40,), (1,) * 40, (3, 30, 7), (0, 25, 0, 15, 0)])
def test_any_batches_give_the_moments_of_the_whole(sizes):
    x = features(40)
    edges = np.cumsum((0, *sizes))
    moments = from_batches(x[a:b] for a, b in pairwise(edges))
    assert moments.count == 40
    np.testing.assert_allclose(moments.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance(moments), np.cov(x, rowvar=False), rtol=1e-10)


def test_merging_weighs_by_count_and_keeps_both_spreads():
    # By hand: {0, 2} and {10, 12, 14, 16} have means 1 and 13, squared deviations 2 and 20; their
    # union has mean 54/6 = 9 and squared deviations 81 + 49 + 1 + 9 + 25 + 49 = 214.
    a = from_features(np.array([[0.0], [2.0]]))
    b = from_features(np.array([[10.0], [12.0], [14.0], [16.0]]))
    for merged in (merge(a, b), merge(b, a)):
        assert merged.count == 6
        np.testing.assert_allclose(merged.mean, [9.0], rtol=1e-14)
        np.testing.assert_allclose(merged.second, [[214.0]], rtol=1e-14)


def test_a_large_mean_does_not_swallow_the_spread():
    # In float64, E[xx'] - E[x]E[x]' at 1e9 would keep no digit of a spread of one.
    x = features(60, offset=0.0)
    shifted = x + 1e9
    moments = from_batches([shifted[:13], shifted[13:]])
    np.testing.assert_allclose(covariance(moments), np.cov(x, rowvar=False), rtol=1e-5, atol=1e-6)


def test_float32_features_are_summed_in_float64():
    x = np.full((3000, 1), 0.1, np.float32)
    moments = from_batches(np.split(x, 30))
    assert moments.mean.dtype == np.float64
    assert abs(moments.mean[0] - float(np.float32(0.1))) < 1e-15


def test_too_few_samples_and_mismatches_are_refused():
    with pytest.raises(ValueError, match="at least 2 samples, got 1"):
        covariance(from_features(features(1)))
    with pytest.raises(ValueError, match=r"5-dimensional .* 3-dimensional"):
        merge(from_features(features(4)), from_features(features(4, dimension=3)))
    with pytest.raises(ValueError, match="no batch"):
        from_batches([])


@pytest.mark.parametrize("sizes", [(40,), (1,) * 40, (3, 30, 7), (0, 25, 0, 15, 0)])
@pytest.mark.parametrize("block", [1, 7, 1024])
def test_on_the_device_any_batches_and_blocks_give_the_moments_of_the_whole(sizes, block):
    x = features(40).astype(np.float32)
    edges = np.cumsum((0, *sizes))
    moments = from_batches_on_device((jnp.asarray(x[a:b]) for a, b in pairwise(edges)), block=block)
    exact = from_features(x)
    assert moments.count == 40
    np.testing.assert_allclose(moments.mean, exact.mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(moments.second, exact.second, rtol=1e-5, atol=1e-4)
    assert moments.second.dtype == np.float64


def test_on_the_device_the_frechet_distance_is_that_of_float64():
    # Like a network's features: not negative, correlated, the mean above the spread, and two sets
    # that are near: the distance is a thousandth of the trace, and cancels three digits.
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(128, 128)) / np.arange(1, 129) ** 0.5
    sets = [
        np.maximum(scale * generator.normal(size=(6000, 128)) @ mixing + 4, 0).astype(np.float32)
        for scale in (1.0, 1.05)
    ]
    exact = frechet_between(*(from_features(x) for x in sets))
    value = frechet_between(*(from_batches_on_device(np.split(x, 12)) for x in sets))
    assert exact < 0.01 * np.trace(covariance(from_features(sets[0])))
    np.testing.assert_allclose(value, exact, rtol=1e-6)


def test_on_the_device_a_large_mean_does_not_swallow_the_spread():
    # The first batch does not tell of the others: the center is off by more than the spread.
    x = features(3000).astype(np.float32)
    x[500:] += 1000.0
    moments = from_batches_on_device(np.split(x, 6))
    exact = from_features(x)
    np.testing.assert_allclose(moments.mean, exact.mean, rtol=1e-6)
    np.testing.assert_allclose(moments.second, exact.second, rtol=2e-6)


def test_on_the_device_empty_sets_and_mismatches():
    empty = from_batches_on_device([np.zeros((0, 3), np.float32)])
    assert (empty.count, empty.mean.shape, empty.second.shape) == (0, (3,), (3, 3))
    with pytest.raises(ValueError, match="no batch"):
        from_batches_on_device([])
    with pytest.raises(ValueError, match="positive, got 0"):
        from_batches_on_device([features(4)], block=0)
    with pytest.raises(ValueError, match=r"5-dimensional .* 3-dimensional"):
        from_batches_on_device([features(4), features(4, dimension=3)])


def test_on_the_device_what_is_not_finite_stays_so():
    x = features(10).astype(np.float32)
    x[7, 2] = np.nan
    assert np.isnan(from_batches_on_device([x[:5], x[5:]]).mean[2])
