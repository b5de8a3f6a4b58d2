"""The curves that R3GAN's losses are tried on, how runs are judged, and what the table says."""

import json
import math

import numpy as np
import pytest
from scipy import stats
from scripts import misses, script

from jaxgan.data.source import DataError
from jaxgan.objectives.gan.penalties import R1, R2

toys = script("r3gan_losses")
LINE, CIRCLE = toys.SOURCES["line"], toys.SOURCES["circle"]


def test_curves_by_hand():
    shares = np.array([0.0, 0.25, 0.5, 1.0])
    np.testing.assert_allclose(CIRCLE.at(shares), [(1, 0), (0, 1), (-1, 0), (1, 0)], atol=1e-12)
    np.testing.assert_allclose(LINE.at(shares), [(-1, 0), (-0.5, 0), (0, 0), (1, 0)], atol=1e-12)


def test_points_are_even_along_the_curves():
    circle, line = (source.load("train").images[:, 0, 0] for source in (CIRCLE, LINE))
    np.testing.assert_allclose(np.hypot(*circle.T), 1.0, rtol=1e-6)
    angles = np.arctan2(circle[:, 1], circle[:, 0]) / (2 * np.pi) + 0.5
    assert stats.kstest(angles, "uniform").pvalue > 1e-3
    assert not line[:, 1].any()
    assert stats.kstest((line[:, 0] + 1) / 2, "uniform").pvalue > 1e-3
    assert not np.array_equal(CIRCLE.load("test").images, CIRCLE.load("train").images[:10_000])
    with pytest.raises(DataError, match="circle: there is no split 'valid'"):
        CIRCLE.load("valid")


@pytest.mark.parametrize("source", [LINE, CIRCLE])
def test_data_itself_is_all_good_and_covers_all_and_parts_of_it_do_not(source):
    points = source.load("test").images
    whole = toys.look(source, points)
    assert (whole.modes, whole.good) == (1.0, 1.0)
    assert whole.kl < 0.01
    half = toys.look(source, points[points[:, 0, 0, 0] > 0])
    assert half.modes == pytest.approx(0.5, abs=0.05)
    assert half.kl == pytest.approx(math.log(2), abs=0.05)
    # 0.1 from the curve is the limit; the middles of pieces are near by.
    away = points + np.float32([0.0, 0.2]) if source == LINE else 1.2 * points
    assert toys.look(source, away).good == 0.0
    gone = np.full_like(points, np.nan)
    assert toys.look(source, gone)[:2] == (0.0, 0.0)


def test_penalties_are_those_that_the_names_say():
    assert toys.METHODS[toys.EVERY] == (R1(), R2())
    assert toys.METHODS[toys.EIGHTH] == (R1(every=8), R2(every=8))
    assert [type(one) for one in toys.METHODS["R1 alone, in every step"]] == [R1]


def run(modes, good=0.5):
    return [toys.Look(share, good, 0.1) for share in modes]


def test_which_runs_fail():
    """Less than half of the data on average over the last half of training."""
    assert not toys.failed(run([0.4, 0.7]))
    assert toys.failed(run([0.4, 0.55]))
    assert toys.failed([toys.Look(0.0, 0.0, math.nan)])
    assert toys.good([toys.Look(1.0, 0.2, 0.0), toys.Look(1.0, 0.8, 0.0)]) == pytest.approx(0.5)


@pytest.mark.parametrize("is_as_published", [True, False])
def test_the_table_counts_runs_and_compares_them(monkeypatch, is_as_published):
    def looks(experiment, seeds):
        lazy = experiment.model.penalties[0].every == 8
        well = lazy != is_as_published
        noise = [0.01 * place for place in range(2 * len(seeds))]
        return [run([0.9 if well else 0.1], (0.8 if well else 0.1) + n) for n in noise]

    monkeypatch.setattr(toys, "looks", looks)
    found = toys.reproduce(steps=4, seeds=3)
    assert found.settings["failed"][toys.EIGHTH if is_as_published else toys.EVERY] == 18
    assert [row.ours for row in found.rows] == ([18, 18] if is_as_published else [0, 0])
    assert len(misses(found)) == (0 if is_as_published else 5)
    json.dumps(found.settings, allow_nan=False)


@pytest.mark.slow
def test_a_reduced_run(monkeypatch, tmp_path):
    """Few steps reproduce nothing; members of one program with other weights are other runs."""
    monkeypatch.setattr(toys, "SOURCES", {"circle": CIRCLE})
    methods = {how: toys.METHODS[how] for how in (toys.EVERY, toys.EIGHTH)}
    monkeypatch.setattr(toys, "METHODS", methods)
    with pytest.raises(SystemExit) as stop:
        toys.main(["--steps", "20", "--seeds", "2", "--results", str(tmp_path)])
    assert stop.value.code == 1
    document = json.loads((tmp_path / "r3gan_losses.json").read_text())
    measured = document["settings"]["measured"]
    assert [*measured["circle"]] == [toys.EVERY, toys.EIGHTH]
    for runs in measured["circle"].values():
        assert len(runs) == 2 * len(toys.GAMMAS)
        assert all(len(one["good"]) == toys.LOOKS for one in runs)
        # Seeds first, weights of the penalties slower.
        assert runs[0] != runs[1]
        assert runs[0] != runs[2]
