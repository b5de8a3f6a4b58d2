"""The row of real images: kept in a study's folder, and read from there again."""

import json

import pytest
import tiny

from jaxgan.config import ConfigError, Evaluation
from jaxgan.study import folder
from jaxgan.study.floor import measured_floor, read_floor
from jaxgan.study.folder import REAL, REAL_PICTURE

EVALUATION = Evaluation(samples=400, backbone="pixels", metrics=("fid",))


def test_what_is_measured_is_kept_and_read_again(tmp_path):
    more = Evaluation(samples=400, backbone="pixels", metrics=("swd",))
    experiments = [tiny.gan(evaluation=EVALUATION), tiny.vae(evaluation=more)]
    floor = measured_floor(experiments, tmp_path / "study")
    assert floor.metrics.keys() == {"fid", "swd"}
    assert floor.name == "real test images"
    assert floor.explanation == (
        "297 of the test split, compared with train1500; fewer than the 400 samples of a model,"
        " which raises distances that depend on the number of images"
    )
    assert read_floor(tmp_path / "study") == floor
    # It is a file like others: somebody may have changed it.
    document = json.loads((tmp_path / "study" / REAL).read_text())
    (tmp_path / "study" / REAL).write_text(json.dumps({**document, "split": "else"}))
    assert read_floor(tmp_path / "study") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_what_cannot_be_read_is_no_floor(tmp_path, text):
    assert read_floor(tmp_path) is None
    (tmp_path / REAL).write_text(text)
    (tmp_path / REAL_PICTURE).write_bytes(b"")
    assert read_floor(tmp_path) is None


def test_without_metrics_of_samples_nothing_is_written(tmp_path):
    evaluation = Evaluation(backbone="pixels", metrics=("likelihood",))
    assert measured_floor([tiny.vae(evaluation=evaluation)], tmp_path / "study") is None
    assert not (tmp_path / "study").exists()


def test_a_study_that_was_stopped_in_its_first_run_is_gone_on_with(tmp_path):
    experiment = tiny.gan(evaluation=EVALUATION)
    folder.make(tmp_path / "study")
    measured_floor([experiment], tmp_path / "study")
    folder.check(tmp_path / "study", [experiment])
    (tmp_path / "study" / "mine.txt").write_text("")
    with pytest.raises(ConfigError, match="neither empty nor the folder of a comparison"):
        folder.check(tmp_path / "study", [experiment])
