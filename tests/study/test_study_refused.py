"""Studies that cannot be compared, which is found out before anything is trained."""

import pytest
import tiny_study
from tiny_study import BAD, planned, run

from jaxgan.config import ConfigError
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
            " density, coverage, cfid, cas, swd, likelihood, bits_per_dim, elbo, reconstruction,"
            " marginal_kl, manifold_precision, manifold_recall, manifold_f1, beta_vae_metric,"
            " factor_vae_metric, mig, dci_disentanglement, dci_completeness, dci_informativeness,"
            " sap, sap_svm, modularity, explicitness, modes, high_quality and reverse_kl",
        ),
        ((), {}, "two experiments are called vae: tell them apart by --name"),
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
    assert str(raised.value) == message
    assert not (tmp_path / "study").exists()
