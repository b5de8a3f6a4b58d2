"""Which setting a search selects: by validation, in the metric's direction, never by the test."""

from pathlib import Path
from typing import NamedTuple

import pytest
import tiny

from jaxgan.config import ConfigError
from jaxgan.data.pipeline import Data
from jaxgan.study.rows import Outcome
from jaxgan.study.selection import (
    best_setting,
    for_search,
    lower_is_better,
    settings_of,
    told,
)


class Trial(NamedTuple):
    setting: int
    seed: int


def outcome(validation=None, test=0.0, metric="fid", failed=None, seed=0):
    """A run; without numbers a failed one."""
    result = None
    if failed is None:
        result = {"metrics": {f"{metric}[x]": test}}
        if validation is not None:
            result["validation"] = {metric: validation}
    return Outcome(seed, Path("runs") / f"s{seed}", result, failed)


def settings(*runs):
    return settings_of(range(len(runs)), runs)


@pytest.mark.parametrize(("metric", "chosen"), [("fid", 1), ("recall", 2)])
def test_the_direction_is_the_metrics(metric, chosen):
    # The test numbers say the opposite of the validation numbers.
    runs = [outcome(v, -v, metric) for v in (0.5, 0.2, 0.9, 0.3)]
    assert best_setting(settings(*runs), metric).number == chosen
    assert lower_is_better(metric) == (metric == "fid")


def test_failed_and_undefined_ones_are_not_selected():
    nan = float("nan")
    runs = [outcome(failed="diverged"), outcome(3.0), outcome(2.0), outcome(2.0), outcome(nan)]
    tried = settings(*runs)
    assert best_setting(tried, "fid").number == 2
    assert [one.failed for one in tried] == [True, False, False, False, False]
    assert told(tried, "fid") == (
        "best of 5 settings by fid on the validation split, 1 of which failed"
    )


def test_seeds_of_a_setting_count_together():
    trials = [Trial(s, seed) for seed in (0, 1) for s in (1, 0, 2)]
    # Means 2.5, 2.0 and, of one seed alone, 0.1: the other seed has failed.
    validation = {(0, 0): 1.0, (0, 1): 4.0, (1, 0): 2.5, (1, 1): 1.5, (2, 0): 0.1}
    runs = [
        outcome(validation[one]) if one in validation else outcome(failed="diverged")
        for one in trials
    ]
    tried = settings_of([one.setting for one in trials], runs)
    assert best_setting(tried, "fid").number == 1
    assert [one.number for one in tried] == [0, 1, 2]
    assert tried[0].mean("fid", validation=True) == 2.5
    assert tried[2].mean("fid", validation=True) is None


@pytest.mark.parametrize(
    ("runs", "metric", "message"),
    [
        ([outcome(1.0), outcome(None)], "fid", r"^runs/s0 has no numbers of a validation split"),
        (
            [outcome(failed="x"), outcome(failed="y")],
            "fid",
            r"^all 2 settings failed",
        ),
        ([outcome(1.0, metric="kid")], "fid", r"no setting has a value of fid .* there are kid$"),
        ([outcome(1.0, metric="memorization")], "memorization", "nothing can be selected by"),
        ([outcome(1.0)], "fit", "nothing can be selected by 'fit'; there are fid,"),
    ],
)
def test_what_cannot_be_selected_is_refused(runs, metric, message):
    with pytest.raises(ConfigError, match=message):
        best_setting(settings(*runs), metric)


def test_trials_are_measured_on_validation_and_on_test_images():
    given = tiny.gan(data=Data(validation=50), steps=7)
    searched = for_search(given, "fid")
    assert (searched.evaluation.split, searched.evaluation.every) == ("test", 7)
    assert searched.data == given.data
    with pytest.raises(ConfigError, match="sets no validation images aside"):
        for_search(tiny.gan(), "fid")
    with pytest.raises(ConfigError, match="likelihood is not measured on the validation split"):
        for_search(given, "likelihood")
