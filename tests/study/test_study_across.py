"""Methods over several data sets: against SciPy, with failures, and what is refused."""

import dataclasses
from pathlib import Path

import finished_runs
import numpy as np
import pytest
import tiny
from scipy import stats

from jaxgan.config import ConfigError
from jaxgan.run import experiment_file
from jaxgan.study.across import compare, table
from jaxgan.study.rows import Finished, Outcome
from jaxgan.study.subject import subject_of
from jaxgan.visualization.report.search import Failures

SUBJECT = subject_of(tiny.gan())


def row(name, *values, metric="fid", protocol="x"):
    """Runs of one method on one data set; None for one that failed."""
    outcomes = [
        Outcome(
            seed,
            Path("runs") / f"{name}-{protocol}-{seed}",
            None if value is None else {"metrics": {f"{metric}[{protocol}]": value}},
            "diverged" if value is None else None,
        )
        for seed, value in enumerate(values)
    ]
    return Finished(SUBJECT._replace(name=name), "", "", tuple(outcomes))


def two_data_sets():
    """On digits means of 2 and 6, on fashion of 30 and 20."""
    return {
        "digits": [row("a", 1.0, 2.0, 3.0), row("b", 4.0, 6.0, 8.0)],
        "fashion": [row("a", 20.0, 40.0, protocol="y"), row("b", 10.0, 20.0, 30.0, protocol="y")],
    }


# Digits: (6 - x) / 4, fashion: (30 - x) / 10.
SCORES = {"a": [[1.25, 1.0, 0.75], [1.0, -1.0]], "b": [[0.5, 0.0, -0.5], [2.0, 1.0, 0.0]]}


def test_against_scipy():
    found = compare(two_data_sets(), "fid", draws=50)
    assert found.ends == {"digits": (6.0, 2.0), "fashion": (30.0, 20.0)}
    assert [one.name for one in found.methods] == ["a", "b"]
    for one in found.methods:
        together = np.concatenate(SCORES[one.name])
        assert one.interquartile_mean.value == pytest.approx(stats.trim_mean(together, 0.25))
        gap = 1 - np.minimum(together, 1).mean()
        assert one.optimality_gap.value == pytest.approx(gap)
        assert one.interquartile_mean.low < one.interquartile_mean.value
        assert one.failures == Failures(0, len(together))
    first, second = found.methods
    u = [stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))
         for a, b in zip(SCORES["a"], SCORES["b"], strict=True)]  # fmt: skip
    assert first.beaten is None
    assert second.beaten.value == pytest.approx(np.mean(u))
    assert second.beaten.value == pytest.approx((1 + 1.5 / 6) / 2)


def test_failed_runs_count_as_the_worst_and_are_told():
    rows = two_data_sets()
    rows["fashion"][0] = row("a", 20.0, None, 40.0, float("nan"), protocol="y")
    found = {one.name: one for one in compare(rows, "fid", draws=50).methods}
    # The worst score on fashion is a's own, -1.
    together = [1.25, 1.0, 0.75, 1.0, -1.0, -1.0, -1.0]
    assert found["a"].interquartile_mean.value == pytest.approx(stats.trim_mean(together, 0.25))
    assert found["a"].failures == Failures(2, 7)
    # Now b is ahead. On digits it beats none of a; on fashion all pairs of 12 but one and a half.
    assert found["b"].beaten is None
    assert found["a"].beaten.value == pytest.approx((0 + 10.5 / 12) / 2)


def test_directions_and_given_ends():
    rows = {"d": [row("low", 0.2, 0.4, metric="recall"), row("high", 0.8, 0.9, metric="recall")]}
    found = compare(rows, "recall", {"d": (0.0, 1.0)}, draws=20)
    assert [one.name for one in found.methods] == ["high", "low"]
    assert found.methods[0].interquartile_mean.value == pytest.approx(0.85)
    assert found.methods[1].optimality_gap.value == pytest.approx(0.7)
    assert compare(rows, "recall", draws=20).ends["d"] == pytest.approx((0.3, 0.85))


def test_the_table_has_a_line_a_method():
    text = table(compare(two_data_sets(), "fid", draws=50))
    head, rule, first, second, _, notes = text.splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "method", "IQM ↑", "optimality gap ↓", "failed", "beaten by the first",
    ]  # fmt: skip
    assert rule.count("|") == first.count("|") == second.count("|") == 6
    assert first.startswith("| a ")
    assert "| 0/5 " in first
    assert first.rstrip(" |").endswith("–")
    assert second.startswith("| b ")
    assert "0.62" in second.rpartition("0/6")[2]
    assert "digits: 6.000 and 2.000; fashion: 30.000 and 20.000" in notes


@pytest.mark.parametrize(
    ("rows", "metric", "ends", "message"),
    [
        ({}, "fid", None, "at least one data set"),
        ({"d": [row("a", 1.0), row("b", 2.0)], "e": [row("a", 1.0)]}, "fid", None,
         "b has no runs on e"),
        ({"d": [row("a", 1.0), row("b", 2.0, protocol="y")]}, "fid", None,
         "different protocols"),
        ({"d": [row("a", None), row("b", None)]}, "fid", None, "no run on d has a value of fid"),
        ({"d": [row("a", 1.0)]}, "fid", None, "on d there is no worst and best mean"),
        ({"d": [row("a", 1.0)]}, "fid", {"d": (1.0, 1.0)}, "d needs two different values"),
        ({"d": [row("a", 1.0)]}, "fid", {}, "d needs two different values"),
        ({"d": [row("a", 1.0)]}, "fit", None, "nothing can be selected by 'fit'"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(rows, metric, ends, message):
    with pytest.raises(ConfigError, match=message):
        compare(rows, metric, ends, draws=5)


def test_folders_of_runs_are_compared(tmp_path, capsys):
    script = experiment_file.load_file(
        Path(__file__).parents[2] / "experiments" / "across_data_sets.py"
    )
    for data, factor in (("digits", 1.0), ("fashion", 10.0)):
        protocol = dataclasses.replace(finished_runs.PROTOCOL, real_digest=data)
        for name, level in (("a", 1.0), ("b", 3.0)):
            for seed in (0, 1):
                finished_runs.write(
                    tmp_path / data / f"{name}{seed}", tiny.gan(name=name, seed=seed), protocol,
                    fid=factor * (level + seed),
                )  # fmt: skip
    folders = [str(tmp_path / data) for data in ("digits", "fashion")]
    script.show(folders)
    lines = capsys.readouterr().out.splitlines()
    # Means 1.5 and 3.5 on digits: scores of a are 1.25 and 0.75, those of b 0.25 and -0.25.
    assert lines[2].startswith("| a      | 1.00")
    assert lines[3].startswith("| b      | 0.00")
    assert "| 1.00 \\[1.00, 1.00\\] " in lines[3]
    with pytest.raises(ConfigError, match="two folders are called digits"):
        script.show([folders[0], folders[0]])
