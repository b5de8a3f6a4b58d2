"""The report of a plan that searches, while it is under way: what is shown of which trial."""

import dataclasses

import finished_runs
import pytest
import tiny_study

from jaxgan.cli.options import read_entry
from jaxgan.run import failure, workdir
from jaxgan.study import collected
from jaxgan.study.comparison import Entry
from jaxgan.study.spaces import LogUniform
from jaxgan.study.trials import drawn, lines_of
from jaxgan.visualization.report.search import Failures


@pytest.fixture
def half_done(tmp_path):
    """Five settings of a VAE, of which two are finished, one has failed, and two are waiting."""
    files = tiny_study.write(tmp_path)
    entry = Entry(str(files / "vae.py"), ("--data.validation", "50"))
    space = {"model.optimizer.learning-rate": LogUniform(1e-5, 1e-2)}
    study = dataclasses.replace(
        tiny_study.planned(files), entries=(entry,), seeds=(0,), space=space, trials=5
    )
    found = drawn(study, read_entry)
    lines = lines_of(study, found, tmp_path / "work")
    for index, validation, test in ((0, 3.0, 1.0), (3, 2.0, 4.0)):
        folder = lines[index].folder(lines[index].members[0])
        finished_runs.write(folder, found[index].experiment, fid=test)
        result = workdir.read_result(folder)
        workdir.write_json(folder / workdir.RESULT, {**result, "validation": {"fid": validation}})
    gone = lines[1].folder(lines[1].members[0])
    gone.mkdir(parents=True)
    failure.write(gone, "loss is nan")
    return lines, found


def test_trials_that_wait_have_not_failed(half_done, tmp_path):
    lines, drawn_ones = half_done
    found = collected.collect(lines, tmp_path / "plan.jsonl", "fid")
    assert (found.missing, found.failed) == ([2, 4], [(1, "loss is nan")])
    made = collected.report(
        lines, found, command="c", folder=tmp_path / "work", title="", rank_by="fid"
    )
    (row,) = made.rows
    # Setting 3 is the better one by validation, whatever the test split says.
    assert row.metrics["fid"].per_seed == (4.0,)
    assert row.failed is None
    assert row.failures == Failures(1, 3, "trials")
    rate = repr(drawn_ones[3].experiment.model.optimizer.learning_rate)
    assert f"--model.optimizer.learning-rate {rate} " in row.command
    (plot,) = made.budgets
    # Of the three that have ended, the failed one counts as 4, the worst: by validation 4, 1, 4.
    assert plot.bands[0].x == (1.0, 2.0, 3.0)
    assert plot.bands[0].mean == pytest.approx((9 / 3, (4 + 4 + 1) / 3, 4.0))
    assert made.protocol["Search"].startswith("vae: best of 3 settings by fid")
