import math

import numpy as np
import pytest
from scipy import linalg

from jaxgan.evaluation.distances.class_conditional import class_conditional_fid
from jaxgan.evaluation.distances.fid import frechet_between
from jaxgan.evaluation.distances.moments import from_features


def labeled(count, seed, classes=3, dimension=4):
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centers = 3 * np.random.default_rng(99).normal(size=(classes, dimension))
    return (centers[labels] + generator.normal(size=(count, dimension))).astype(np.float32), labels


def by_square_root(x, y):
    """The formula with SciPy's square root of a matrix."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    a, b = np.cov(x.T), np.cov(y.T)
    shift = x.mean(axis=0) - y.mean(axis=0)
    return shift @ shift + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)


def test_against_a_square_root_per_class():
    x, a = labeled(150, 1)
    y, b = labeled(120, 2)
    y *= np.float32(1.2)
    found = class_conditional_fid(x, a, y, b, replicates=0)
    expected = {label: by_square_root(x[a == label], y[b == label]) for label in range(3)}
    assert {label: each.value for label, each in found.classes.items()} == pytest.approx(expected)
    assert found.value.value == pytest.approx(np.mean(list(expected.values())))
    assert math.isnan(found.value.low)
    assert found.counts == {0: (50, 40), 1: (50, 40), 2: (50, 40)}


def test_classes_count_alike_whatever_their_sizes():
    x, a = labeled(300, 1, classes=2)
    y, b = x.copy(), a.copy()
    y[b == 1] += np.float32(2)
    kept = (a == 0) | (np.arange(300) < 60)
    found = class_conditional_fid(x[kept], a[kept], y, b, replicates=0)
    assert found.value.value == pytest.approx(
        (found.classes[0].value + found.classes[1].value) / 2, rel=1e-9
    )


def test_sees_wrong_labels_that_the_whole_does_not_show():
    x, a = labeled(300, 1)
    y, b = labeled(300, 2)
    generator = np.random.default_rng(0)
    values = []
    for wrong in (0, 30, 90, 300):
        shuffled = b.copy()
        chosen = generator.permutation(300)[:wrong]
        shuffled[chosen] = generator.integers(0, 3, wrong)
        values.append(class_conditional_fid(x, a, y, shuffled, replicates=0).value.value)
    assert (np.diff(values) > 0).all()
    assert values[-1] > 20 * frechet_between(from_features(x), from_features(y))


@pytest.mark.slow
def test_the_interval_covers_the_expectation():
    results = []
    for i in range(30):
        x, a = labeled(120, 2 * i)
        y, b = labeled(120, 2 * i + 1)
        result = class_conditional_fid(x, a, y + np.float32(0.5), b, replicates=40)
        for each in (result.value, *result.classes.values()):
            assert each.low <= each.value <= each.high
        results.append(result.value)
    mean = np.mean([each.value for each in results])
    assert sum(each.low <= mean <= each.high for each in results) >= 24


def test_what_has_no_distance_is_refused():
    x, a = labeled(30, 1)
    with pytest.raises(ValueError, match=r"only one of the two sets .* \[2\]"):
        class_conditional_fid(x, a, x[a < 2], a[a < 2])
    with pytest.raises(ValueError, match="29 labels for 30"):
        class_conditional_fid(x, a[:29], x, a)
    with pytest.raises(ValueError, match="real class 0"):
        class_conditional_fid(x[:3], a[:3], x, a, replicates=0)
    with pytest.raises(ValueError, match="real set is empty"):
        class_conditional_fid(x[:0], a[:0], x, a)
    with pytest.raises(ValueError, match="0 replicates or at least 2"):
        class_conditional_fid(x, a, x, a, replicates=1)
