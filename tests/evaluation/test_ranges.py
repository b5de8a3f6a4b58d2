"""Each metric that has a name has a range, or none on purpose."""

import math

from jaxgan.evaluation.metrics import SAMPLE_METRICS
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.evaluation.ranges import RANGES, range_of
from jaxgan.visualization.report.columns import NAMES

# Log-likelihoods, bounds from below, and estimates whose bias was taken away.
ALL_NUMBERS = {
    *("kid", "fid_inf", "likelihood", "ais", "ais_gap", "elbo", "reconstruction"),
    *("information_category", "information_continuous"),
}


def test_every_metric_has_its_range():
    given = {
        name for metric in [*SAMPLE_METRICS.values(), *MODEL_METRICS.values()]
        for name in metric.gives
    }  # fmt: skip
    assert (given | {*NAMES}) - RANGES.keys() == ALL_NUMBERS


def test_full_names_and_strange_ones():
    assert range_of("precision[digits-cnn,train9,gen9,q8]") == (0.0, 1.0)
    assert range_of("fid[x]") == range_of("kl") == (0.0, math.inf)
    assert range_of("is") == (1.0, math.inf)
    assert range_of("brightness") == (-math.inf, math.inf)
