"""The trials of a study: command lines that give what was planned, in folders by configuration."""

import dataclasses
import hashlib
import json

import pytest
import tiny
import tiny_study

from jaxgan.cli.options import read_entry
from jaxgan.config import ConfigError
from jaxgan.run.config_json import to_json
from jaxgan.study import runner
from jaxgan.study.comparison import Entry
from jaxgan.study.spaces import Choice, LogUniform
from jaxgan.study.trials import digest, drawn, folder_of, lines_of, trials_of

RATE = "model.optimizer.learning-rate"
SPLIT = ("--data.validation", "50")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A GAN and a VAE, in files."""
    return tiny_study.write(tmp_path_factory.mktemp("experiments"))


def searched(files, trials=3, **changes):
    """A study of the VAE that searches its rate."""
    study = tiny_study.planned(files)
    entry = Entry(str(files / "vae.py"), SPLIT)
    space = {RATE: LogUniform(1e-5, 1e-2)}
    settings = {"entries": (entry,), "seeds": (0,), "space": space, "trials": trials}
    return dataclasses.replace(study, **{**settings, **changes})


def test_row_by_row_and_seed_by_seed(files):
    found = trials_of(tiny_study.planned(files), read_entry)
    assert [(one.row, one.seed, one.setting) for one in found] == [
        (row, seed, None) for row in ("gan", "vae") for seed in (0, 1, 4)
    ]
    # 160 images are 10 steps of two batches of 8, or 20 steps of one.
    assert found[0].arguments == ("--evaluation.every", "5", "--steps", "10")
    assert found[5].words == ("--evaluation.every", "10", "--steps", "20", "--seed", "4")
    assert found[0].description == "A tiny gan."
    assert found[0].subject["objective"] == "NonSaturating(), 2 critic updates a step"
    assert found[3].sha256 == hashlib.sha256((files / "vae.py").read_bytes()).hexdigest()
    assert len({one.folder for one in found}) == 6


def test_the_command_line_gives_the_experiment_whose_digest_names_the_folder(files):
    study = tiny_study.planned(files, metrics=("fid", "likelihood"), curve_points=0)
    found = drawn(study, read_entry)
    for trial, experiment in found:
        again, _ = read_entry(Entry(str(trial.file), trial.words))
        assert again == experiment
        assert trial.folder == folder_of(experiment) == f"runs/{trial.row}-{digest(experiment)}"
    # What a GAN cannot be measured by is left out of its line.
    assert "--evaluation.metrics fid --steps" in " ".join(found[0].trial.words)
    assert "--evaluation.metrics fid likelihood --steps" in " ".join(found[5].trial.words)


def test_the_digest_is_of_the_whole_configuration():
    experiment = tiny.vae()
    document = json.dumps(to_json(experiment), sort_keys=True).encode()
    assert digest(experiment) == hashlib.sha256(document).hexdigest()[:10]
    others = [
        dataclasses.replace(experiment, seed=1),
        dataclasses.replace(experiment, steps=7),
        dataclasses.replace(experiment, model=dataclasses.replace(experiment.model, latent_size=5)),
    ]
    assert len({digest(one) for one in (experiment, *others)}) == 4


def test_settings_are_drawn_for_each_row_and_tried_with_each_seed(files):
    found = drawn(searched(files, seeds=(0, 1)), read_entry)
    assert [(one.trial.setting, one.trial.seed) for one in found] == [
        (setting, seed) for setting in (0, 1, 2) for seed in (0, 1)
    ]
    rates = [one.experiment.model.optimizer.learning_rate for one in found]
    assert rates[0] == rates[1]
    assert len(set(rates)) == 3
    assert all(1e-5 <= rate <= 1e-2 for rate in rates)
    assert found[2].trial.arguments[:2] == SPLIT
    assert float(found[2].trial.arguments[3]) == rates[2]
    # More settings leave the first ones as they are, and so does another number of rows.
    more = drawn(searched(files, trials=5), read_entry)
    assert [one.experiment.model.optimizer.learning_rate for one in more][:3] == rates[::2]


def test_a_search_measures_at_its_end_though_no_curve_is_asked_for(files):
    (one,) = drawn(searched(files, trials=1, curve_points=0), read_entry)
    assert (one.experiment.steps, one.experiment.evaluation.every) == (20, 20)
    assert one.experiment.evaluation.split == "test"
    assert "--evaluation.split test" in " ".join(one.trial.words)


def test_a_setting_that_comes_twice_is_one_run(files):
    space = {RATE: Choice((0.1, 0.2))}
    found = trials_of(searched(files, trials=8, space=space), read_entry)
    assert len(found) == 2
    assert len({one.folder for one in found}) == 2


def test_lines_know_what_all_rows_are_measured_by_and_computed_in(files, tmp_path):
    bfloat = Entry(str(files / "vae.py"), ("--name", "b", "--precision", "bfloat16"))
    study = tiny_study.planned(files, bfloat, metrics=("fid", "likelihood"))
    lines = lines_of(study, drawn(study, read_entry), tmp_path)
    assert [line.index for line in lines] == [*range(9)]
    assert {line.study for line in lines} == {lines[0].study}
    assert lines[0].study.metrics == ("fid", "likelihood")
    assert lines[0].study.precisions == ("float32", "bfloat16")
    assert (lines[0].study.title, lines[0].study.images) == ("Tiny ones", 160)


def test_trials_that_differ_in_numbers_are_one_line_where_that_is_wanted(files, tmp_path):
    study = searched(files, seeds=(0, 1))
    found = drawn(study, read_entry)
    sizes = {
        force: [len(line.members) for line in lines_of(study, found, tmp_path, force)]
        for force in ("never", "always")
    }
    assert sizes == {"never": [1] * 6, "always": [6]}
    (line,) = lines_of(study, found, tmp_path, "auto")  # perceptrons
    assert line.members == tuple(one.trial for one in found)
    assert line.told == "vae, setting 0, seed 0 and 5 more"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": 7}, "a budget of 7 images is less than one step of vae"),
        ({"entries": ()}, "at least one experiment and one seed"),
        ({"seeds": (1, 1)}, "one of them is there twice"),
        ({"rank_by": "nothing"}, "nothing can be ranked by 'nothing'"),
    ],
)
def test_studies_that_cannot_work_are_refused(files, change, message):
    with pytest.raises(ConfigError, match=message):
        trials_of(searched(files, **change), read_entry)


def test_a_search_without_a_validation_split_is_refused(files):
    study = searched(files, entries=(Entry(str(files / "vae.py")),))
    with pytest.raises(ConfigError, match=r"vae sets no validation images aside, .*--data\.valid"):
        trials_of(study, read_entry)


def test_settings_that_change_how_is_measured_are_refused(files):
    study = searched(files, space={"evaluation.samples": Choice((50, 60, 70))})
    with pytest.raises(ConfigError, match=r"vae and vae have different data or evaluation"):
        trials_of(study, read_entry)


def test_an_entry_that_does_not_mean_the_same_twice_is_refused(files):
    def read(entry):
        experiment, about = read_entry(entry)
        return dataclasses.replace(experiment, batch_size=8 + len(entry.arguments)), about

    with pytest.raises(ConfigError, match="does not give the same experiment twice by"):
        trials_of(searched(files, trials=0, space={}), read)


def test_a_study_in_one_process_searches_nothing(files, tmp_path):
    with pytest.raises(ConfigError, match=r"tiny searches settings: draw them by `jaxgan plan"):
        tiny_study.run(searched(files), tmp_path / "study")
    assert not (tmp_path / "study").exists()
    assert runner.changed(searched(files), runner.StudyOptions(seeds=(7,))).seeds == (7,)
