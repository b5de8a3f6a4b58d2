"""Studies that cannot be compared, which is found out before anything is trained."""

import errno
import os
import tempfile

import pytest
import tiny
import tiny_study
from tiny_study import BAD, planned, run

from jaxgan.config import ConfigError, Run
from jaxgan.run import workdir
from jaxgan.study.comparison import Entry
from jaxgan.training import loop


@pytest.mark.parametrize(
    ("more", "changes", "message"),
    [
        (
            ("--name", "other", "--data.validation", "100"),
            {},
            "gan and other have different data or evaluation settings, so their numbers could not"
            " be compared: data.validation: 0 -> 100",
        ),
        (
            ("--name", "other", "--evaluation.samples", "50"),
            {},
            "gan and other have different data or evaluation settings, so their numbers could not"
            " be compared: evaluation.samples: 100 -> 50",
        ),
        (
            ("--name", "other", "--evaluation.split", "test"),
            {},
            "gan and other have different data or evaluation settings, so their numbers could not"
            " be compared: evaluation.split: train -> test; compared_with: train -> test",
        ),
        (
            ("--name", "other", "--evaluation.metrics", "fid", "--evaluation.truncation", "0.5"),
            {},
            "gan and other have different data or evaluation settings, so their numbers could not"
            " be compared: evaluation.truncation: 1.0 -> 0.5",
        ),
        (
            BAD,
            {"metrics": ("kid", "prdc")},
            "the ranking is by fid, which none of the metrics gives: add fid to them, or rank by"
            " another (--rank-by)",
        ),
        (
            BAD,
            {"metrics": ("likelihood",), "rank_by": "likelihood"},
            "gan has none of likelihood (likelihood needs an encoder and a likelihood, and this"
            " model has none): ask for a metric of all models as well, such as fid",
        ),
        (
            BAD,
            {"metrics": ("fid", "manifold")},
            "none of the experiments can be measured by manifold: leave it out",
        ),
        (
            BAD,
            {"rank_by": "mig"},
            "the ranking is by mig, which none of the metrics gives: add disentanglement to them,"
            " or rank by another (--rank-by)",
        ),
        (
            BAD,
            {"rank_by": "kl"},
            "nothing can be ranked by 'kl'; there are fid, fid_inf, kid, is, precision, recall,"
            " density, coverage, cfid, cas, swd, likelihood, ais, bits_per_dim, elbo,"
            " reconstruction,"
            " marginal_kl, manifold_precision, manifold_recall, manifold_f1, beta_vae_metric,"
            " factor_vae_metric, mig, dci_disentanglement, dci_completeness, dci_informativeness,"
            " sap, sap_svm, modularity, explicitness, reconstruction_mse, information_category,"
            " information_continuous, modes, high_quality, reverse_kl and mode_kl",
        ),
        (
            ("--steps", "7"),
            {},
            "two experiments are called vae (FILES/vae.py, FILES/vae.py), and"
            " rows are told apart by their names: give one another name in its file, or by --name"
            " in the arguments of a study's entry",
        ),
        ((), {}, "FILES/vae.py is there twice: name it once, every seed is a run of its own"),
        (
            (
                "--name",
                "other",
                "--parallel",
                "none",
                "--batch-size",
                "24",
                "--data.image-size",
                "9",
            ),
            {},
            "gan and other have different data or evaluation settings, so their numbers could not"
            " be compared: data.image_size: 8 -> 9",
        ),
        (
            ("--name", "../../other"),
            {},
            "name = '../../other': it names a folder in runs/, so it"
            " must be without slashes and characters that cannot be printed, and must not start"
            " with a dot (--workdir puts the run elsewhere)",
        ),
        (BAD, {"seeds": (1, 1)}, "seeds (1, 1): one of them is there twice"),
        (BAD, {"seeds": ()}, "a comparison needs at least one experiment and one seed"),
        (BAD, {"images": 15}, "a budget of 15 images is less than one step of gan (16 images)"),
        (
            ("--name", "other", "--steps", "0"),
            {},
            "steps = 0: must be at least 1",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_before_training(
    tmp_path, monkeypatch, more, changes, message
):
    monkeypatch.delattr(loop, "train")  # would be an AttributeError
    files = tiny_study.write(tmp_path)
    with pytest.raises(ConfigError) as raised:
        run(planned(files, Entry(str(files / "vae.py"), more), **changes), tmp_path / "study")
    assert str(raised.value) == message.replace("FILES", str(files))
    assert not (tmp_path / "study").exists()


WIDE = """
import dataclasses
import flax.linen as nn
import tiny
from jaxgan.config import Evaluation

class Wide(nn.Module):
    @nn.compact
    def __call__(self, codes, *, image_shape, train, axis_name=None):
        return nn.Dense(65)(codes)

experiment = tiny.vae(
    name="wide", batch_size=8, evaluation=Evaluation(samples=100, backbone="pixels")
)
experiment = dataclasses.replace(
    experiment, model=dataclasses.replace(experiment.model, decoder=Wide())
)
"""


def test_a_last_row_that_does_not_fit_is_refused_before_the_first_is_trained(tmp_path, monkeypatch):
    monkeypatch.delattr(loop, "train")
    files = tiny_study.write(tmp_path)
    (files / "wide.py").write_text(WIDE)
    with pytest.raises(
        ConfigError, match=r"^the decoder, Wide, returns an array of shape \(\d+, 65"
    ):
        run(planned(files, Entry(str(files / "wide.py"))), tmp_path / "study")
    assert not (tmp_path / "study").exists()


def snapshot(folder):
    return {
        path.relative_to(folder): path.is_file() and path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (("notes.txt",), "STUDY exists and is neither empty nor the folder of a comparison: choose"
         " another --workdir"),
        (("index.html",), "STUDY exists and is neither empty nor the folder of a comparison: choose"
         " another --workdir"),
        (("runs/a", "main.py"), "STUDY exists and is neither empty nor the folder of a comparison:"
         " choose another --workdir"),
        (("runs/vae-seed4",), "STUDY/runs/vae-seed4 exists and is not the folder of a run: move it"
         " away"),
        (("runs/vae-seed4/notes.txt",), "STUDY/runs/vae-seed4 exists and is not the folder of a"
         " run: move it away"),
        (("runs/vae-seed4/config.json",), "STUDY/runs/vae-seed4/config.json is damaged: it is not"
         " the configuration of a run"),
    ],
)  # fmt: skip
def test_a_folder_of_something_else_is_left_as_it_is(tmp_path, monkeypatch, put, message):
    monkeypatch.delattr(loop, "train")
    files = tiny_study.write(tmp_path)
    for name in put:
        (tmp_path / "study" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "study" / name).write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises((ConfigError, workdir.RunError)) as raised:
        run(planned(files), tmp_path / "study")
    assert str(raised.value) == message.replace("STUDY", str(tmp_path / "study"))
    assert snapshot(tmp_path) == before


def test_a_run_with_other_settings_is_refused_before_any_is_trained(tmp_path, monkeypatch):
    monkeypatch.delattr(loop, "train")
    files = tiny_study.write(tmp_path)
    last = tmp_path / "study" / "runs" / "vae-seed4"
    workdir.create(last, tiny.vae(name="vae", seed=4), Run(), file=None, command="")
    before = snapshot(tmp_path)
    with pytest.raises(ConfigError, match="vae-seed4 was started with another configuration"):
        run(planned(files), tmp_path / "study")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("what", ["study", "study/runs"])
def test_a_folder_that_cannot_be_written_to_is_found_out_before(tmp_path, monkeypatch, what):
    monkeypatch.delattr(loop, "train")
    files = tiny_study.write(tmp_path)
    make = tempfile.TemporaryFile

    def full(dir):
        if dir == tmp_path / what:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return make(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(ConfigError) as raised:
        run(planned(files), tmp_path / "study")
    assert str(raised.value) == f"cannot write to {tmp_path}/study: Read-only file system"
