import pytest

from jaxgan.evaluation.metrics import SAMPLE_METRICS
from jaxgan.visualization.report.columns import COLUMNS, NAMES

BY_NAME = {column.name: column for column in COLUMNS}


def test_every_sample_metric_has_a_column():
    given = {name for metric in SAMPLE_METRICS.values() for name in metric.gives}
    assert given - set(NAMES) == {"kid_se"}  # which is told by the interval of kid


def test_names_and_labels_are_unique_and_explained():
    assert len(set(NAMES)) == len({column.title for column in COLUMNS}) == len(COLUMNS)
    assert all(column.explanation.endswith(".") for column in COLUMNS)
    assert all(0 <= column.digits <= 4 for column in COLUMNS)


@pytest.mark.parametrize(
    ("direction", "names"),
    [
        (True, "fid fid_inf kid cfid swd bits_per_dim marginal_kl reverse_kl mode_kl"),
        (False, "is precision recall density coverage cas likelihood elbo reconstruction modes"),
        (None, "memorization ms_ssim kl mutual_information total_correlation active_units"),
    ],
)
def test_directions(direction, names):
    assert {BY_NAME[name].lower_is_better for name in names.split()} == {direction}


def test_units():
    for name in ("likelihood", "elbo", "kl", "mutual_information", "total_correlation"):
        assert BY_NAME[name].unit == "nats/image"
    assert BY_NAME["bits_per_dim"].unit == "bits/dim"
    assert BY_NAME["precision"].unit == BY_NAME["fid"].unit == ""
