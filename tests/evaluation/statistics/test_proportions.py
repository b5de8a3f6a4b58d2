import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.statistics.proportions import share, wilson


@pytest.mark.parametrize(("successes", "count"), [(0, 7), (3, 10), (50, 50), (297, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_against_scipy(successes, count, confidence):
    found = share(np.arange(count) < successes, confidence)
    expected = stats.binomtest(successes, count).proportion_ci(confidence, "wilson")
    assert found == pytest.approx((successes / count, expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("right", "trials"), [(0, 5), (5, 5), (7, 20), (4999, 5000)])
def test_shares_that_are_known_already(right, trials):
    expected = stats.binomtest(right, trials).proportion_ci(0.95, method="wilson")
    found = wilson(right / trials, trials)
    np.testing.assert_allclose(found, (right / trials, *expected), rtol=1e-12, atol=1e-15)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_what_has_no_share_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        share(np.zeros(0, bool))
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        share(np.ones(3, bool), 95.0)
