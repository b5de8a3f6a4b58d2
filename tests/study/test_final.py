"""After a search: the best setting of each row, by validation, with fresh seeds."""

import dataclasses
import json

import finished_runs
import pytest
import tiny_study

from jaxgan.cli.options import read_entry
from jaxgan.config import ConfigError
from jaxgan.run import failure, workdir
from jaxgan.study.comparison import Entry
from jaxgan.study.final import final
from jaxgan.study.spaces import LogUniform
from jaxgan.study.trials import drawn, folder_of, lines_of

SPACE = {"model.optimizer.learning-rate": LogUniform(1e-5, 1e-2)}


@pytest.fixture
def search(tmp_path):
    """A study, its drawn trials, and their lines: three settings with seeds 4 and 5."""
    files = tiny_study.write(tmp_path)
    entry = Entry(str(files / "vae.py"), ("--data.validation", "50"))
    study = dataclasses.replace(
        tiny_study.planned(files), entries=(entry,), seeds=(4, 5), space=SPACE, trials=3,
        tuning="by hand before",
    )  # fmt: skip
    found = drawn(study, read_entry)
    return study, found, lines_of(study, found, tmp_path / "work")


def finish(lines, found, validation, test):
    """Runs with these numbers, a row of seeds for each setting; None: one that failed."""
    for line, one in zip(lines, found, strict=True):
        trial = one.trial
        value = validation[trial.setting][trial.seed - 4]
        folder = line.folder(trial)
        if value is None:
            folder.mkdir(parents=True)
            failure.write(folder, "loss is nan")
            continue
        finished_runs.write(folder, one.experiment, fid=test[trial.setting][trial.seed - 4])
        result = workdir.read_result(folder)
        workdir.write_json(folder / workdir.RESULT, {**result, "validation": {"fid": value}})


def choose(search, tmp_path, **changes):
    study, _, lines = search
    return final(study, lines, tmp_path / "p.jsonl", read_entry, **changes)


def test_the_best_on_validation_is_trained_again_with_seeds_it_was_not_chosen_by(search, tmp_path):
    study, found, lines = search
    # Setting 1 is the best by validation, 0 by test, and 2 would be but for a run that failed.
    finish(lines, found, [[3.0, 4.0], [3.0, 3.5], [1.0, None]], [[1.0, 1.0], [5.0, 5.0], [2.0, 0]])
    reported, trials = choose(search, tmp_path)
    assert [(one.trial.row, one.trial.seed, one.trial.setting) for one in trials] == [
        ("vae", 6, None), ("vae", 7, None),
    ]  # fmt: skip
    chosen = next(one for one in found if one.trial.setting == 1)
    for one in trials:
        assert one.trial.arguments == chosen.trial.arguments
        assert one.experiment == dataclasses.replace(chosen.experiment, seed=one.trial.seed)
        assert read_entry(Entry(str(one.trial.file), one.trial.words))[0] == one.experiment
        assert one.trial.folder == folder_of(one.experiment)
    assert (reported.trials, reported.seeds, reported.title) == (0, (6, 7), study.title)
    assert reported.tuning == (
        "by hand before; vae: best of 3 settings by fid on the validation split, 1 of which failed"
    )
    _, others = choose(search, tmp_path, seeds=(9,))
    assert [one.trial.seed for one in others] == [9]
    with pytest.raises(ConfigError, match=r"seed 5 is one of the search's.* such as --seeds 6 7$"):
        choose(search, tmp_path, seeds=(9, 5))


def test_a_search_that_is_not_done_chooses_nothing(search, tmp_path):
    study, found, lines = search
    with pytest.raises(ConfigError, match=r"6 lines of .*p.jsonl are not finished: `jaxgan run"):
        choose(search, tmp_path)
    finish(lines, found, [[None, None]] * 3, [])
    with pytest.raises(ConfigError, match="all 3 settings failed"):
        choose(search, tmp_path)
    plain = tuple(
        dataclasses.replace(line, members=(line.members[0]._replace(setting=None),))
        for line in lines
    )
    with pytest.raises(ConfigError, match="searches no settings"):
        final(study, plain, tmp_path / "p.jsonl", read_entry)


def test_numbers_of_a_run_without_validation_choose_nothing(search, tmp_path):
    _, found, lines = search
    finish(lines, found, [[1.0, 1.0]] * 3, [[1.0, 1.0]] * 3)
    path = lines[2].folder(lines[2].members[0]) / workdir.RESULT
    document = json.loads(path.read_text())
    del document["validation"]
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="no numbers of a validation split"):
        choose(search, tmp_path)
