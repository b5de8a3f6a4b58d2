import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.statistics.proportions import share


@pytest.mark.parametrize(("successes", "count"), [(0, 7), (3, 10), (50, 50), (297, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_against_scipy(successes, count, confidence):
    found = share(np.arange(count) < successes, confidence)
    expected = stats.binomtest(successes, count).proportion_ci(confidence, "wilson")
    assert found == pytest.approx((successes / count, expected.low, expected.high), abs=1e-12)


def test_what_has_no_share_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        share(np.zeros(0, bool))
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        share(np.ones(3, bool), 95.0)
