import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_swiss_roll

from jaxgan.data.sources.swiss_roll import SwissRoll


def test_points_without_noise_are_on_the_spiral():
    """By hand: ``t`` runs from 3/2 pi, where it points down, through 3 pi (left) to 9/2 pi (up)."""
    found = SwissRoll(noise=0.0, scale=2.0).spiral(np.array([0.0, 0.5, 1.0]))
    expected = np.pi / 2 * np.array([(0, -1.5), (-3, 0), (0, 4.5)])
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_points_follow_the_published_roll():
    """The paper's data: coordinates 0 and 2 of scikit-learn's roll with noise 0.25, over 7.5."""
    theirs = make_swiss_roll(20_000, noise=0.25, random_state=0)[0][:, [0, 2]] / 7.5
    split = SwissRoll().load("train")
    assert split.images.shape == (100_000, 1, 1, 2)
    assert split.images.dtype == np.float32
    assert not split.labels.any()
    ours = split.images[:, 0, 0].astype(np.float64)
    for project in (lambda p: p[:, 0], lambda p: p[:, 1], lambda p: np.hypot(*p.T)):
        assert stats.ks_2samp(project(ours), project(theirs)).pvalue > 1e-3


def test_noise_is_across_both_axes_and_scaled():
    exact, noisy = SwissRoll(noise=0.0).load("test"), SwissRoll().load("test")
    standard = (noisy.images - exact.images)[:, 0, 0] / (0.25 / 7.5)
    for axis in (0, 1):
        assert stats.kstest(standard[:, axis], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(standard.T)[0, 1]) < 4 / np.sqrt(10_000)


def test_splits_differ_and_are_always_the_same():
    train, test = SwissRoll().load("train"), SwissRoll().load("test")
    assert len(test) == 10_000
    assert not np.isin(test.images[:, 0, 0, 0], train.images[:, 0, 0, 0]).all()
    # NumPy promises that RandomState's stream never changes, so these values hold everywhere.
    expected = [[0.7683131, -1.2988073], [-0.787616, -1.198722]]
    np.testing.assert_allclose(test.images[:2, 0, 0], expected, rtol=1e-5)


def test_describes_itself():
    counts = {"train": 100_000, "test": 10_000}
    assert SwissRoll().info()[:6] == ("swiss-roll", (1, 1, 2), 2, "float32", 1, counts)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"noise": -0.1}, "noise = -0.1: must be at least 0"),
        ({"noise": np.inf}, "noise = inf"),
        ({"scale": 0.0}, "scale = 0.0: must be above 0"),
        ({"scale": np.nan}, "scale = nan"),
    ],
)
def test_what_is_no_roll_is_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        SwissRoll(**settings)
