"""The study of Lucic et al.: its spaces to the digit, as many settings for all, all can work."""

import dataclasses
import json
import math
import sys
from pathlib import Path

import pytest
from scripts import FOLDER

from jaxgan import cli
from jaxgan.cli.options import read_entry
from jaxgan.config import ConfigError
from jaxgan.run import experiment_file
from jaxgan.study.comparison import space_of
from jaxgan.study.spaces import Choice, LogUniform, Uniform, draw
from jaxgan.study.trials import drawn

RATE = "--optimizer.learning-rate"
PLACE = FOLDER / "lucic_2018"
GANS = ("mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began")
LOSSES = {
    "mm_gan": "Minimax()",
    "ns_gan": "NonSaturating()",
    "lsgan": "LeastSquares()",
    "wgan": "Wasserstein(), Clip(",
    "wgan_gp": "Wasserstein(), GradientPenalty(",
    "dragan": "NonSaturating(), Dragan(",
    "began": "Began(",
    "vae": "ELBO, Bernoulli(), beta = 1",
}


def study(name):
    return experiment_file.load_file(PLACE / f"{name}.py").study


def spaces(study):
    """By method and flag."""
    return {read_entry(one)[0].name: space_of(study, one) for one in study.entries}


# Exponents of 10 and ends, from the ranges of the paper's code; batch norm (yes or no) apart.
WIDE = {"rate": (-5, -2), "penalty": (-1, 2), "clip": (-3, 0), "k": (-4, -2), "gamma": (0, 1)}
NARROW = {"rate": (-4, -3), "penalty": (-1, 1), "clip": (-2, 0), "gamma": (0.6, 0.9)}


@pytest.mark.parametrize(
    ("name", "ends", "beta1", "updates", "k"),
    [
        ("digits", WIDE, Uniform(0, 1), (1, 5), None),
        ("fashion_mnist", WIDE, Uniform(0, 1), (1, 5), None),
        ("triangles", WIDE, Uniform(0, 1), (1, 5), None),
        ("digits_narrow", NARROW, Choice((0.5,)), (1,), 1e-3),
        ("fashion_mnist_narrow", NARROW, Choice((0.5,)), (1,), 1e-3),
    ],
)
def test_spaces_are_those_of_the_paper(name, ends, beta1, updates, k):
    found = spaces(study(name))
    assert [*found] == [*GANS, "vae"]

    def take(method, flag, kind, what):
        one = found[method].pop(flag)
        assert type(one) is kind
        low, high = (one.low, one.high)
        if kind is LogUniform:
            low, high = math.log10(low), math.log10(high)
        assert (low, high) == pytest.approx(ends[what], abs=1e-12)

    for method in found:
        take(method, "optimizer.learning-rate", LogUniform, "rate")
        assert found[method].pop("optimizer.b1") == beta1
        if method not in ("wgan_gp", "dragan"):
            part = "encoder" if method == "vae" else "discriminator"
            assert found[method].pop(f"model.{part}.batch-norm") == Choice((True, False))
        if method != "vae":
            assert found[method].pop("model.n-critic") == Choice(updates)
    take("wgan_gp", "penalty.weight", LogUniform, "penalty")
    take("dragan", "penalty.weight", LogUniform, "penalty")
    take("wgan", "constraint.bound", LogUniform, "clip")
    take("began", "loss.gamma", Uniform, "gamma")
    if k:
        assert found["began"].pop("loss.rate") == Choice((k,))
    else:
        take("began", "loss.rate", LogUniform, "k")
    # Nothing else is searched.
    assert not any(found.values())


@pytest.mark.parametrize(
    ("name", "trials", "images"),
    [
        ("digits", 12, 192_000), ("digits_narrow", 12, 192_000),
        ("fashion_mnist", 100, 15_625 * 64), ("fashion_mnist_narrow", 50, 15_625 * 64),
        ("triangles", 100, 15_625 * 64),
    ],
)  # fmt: skip
def test_every_method_gets_as_many_settings_and_images(name, trials, images):
    """All that are drawn can be trained: none of them is refused."""
    whole = study(name)
    assert (whole.trials, whole.images, whole.seeds) == (trials, images, (0,))
    # The others are drawn from the same space.
    shown = 2
    found = drawn(dataclasses.replace(whole, trials=shown), read_entry)
    rows = [one.trial.row for one in found]
    assert [rows.count(row) for row in LOSSES] == [shown] * 8
    for trial, experiment in found:
        assert experiment.steps * experiment.images_per_step == images
        assert experiment.batch_size == 64
        assert experiment.evaluation.split == "test"
        assert experiment.evaluation.weights == "raw"
        assert experiment.data.validation == (297 if name.startswith("digits") else 10_000)
        assert (
            experiment.model.objective()
            .replace(", 5 critic updates a step", "")
            .startswith(LOSSES[trial.row])
        )
    # All methods try the same rates.
    rates = [one.trial.arguments[one.trial.arguments.index(RATE) + 1] for one in found]
    assert rates == rates[:shown] * 8
    assert len({*rates}) == shown
    drawn_for_one = draw(space_of(whole, whole.entries[0]), trials, whole.search_seed)
    columns = {flag: {one[flag] for one in drawn_for_one} for flag in drawn_for_one[0]}
    assert columns["model.discriminator.batch-norm"] == {True, False}
    assert columns["model.n-critic"] == ({1} if name.endswith("narrow") else {1, 5})
    assert len(columns[RATE[2:]]) == trials


def test_networks_are_the_papers_on_fashion_mnist():
    for entry in study("fashion_mnist").entries:
        model = read_entry(entry)[0].model
        made, judging = (
            (model.decoder, model.encoder)
            if hasattr(model, "decoder")
            else (model.generator, model.discriminator)
        )
        assert (made.width, made.units, judging.width) == (64, 1024, 64)
        assert getattr(judging, "units", 1024) == 1024
        assert judging.slope == 0.2
        assert getattr(model, "latent_size", None) or model.prior.size == 64


def test_batch_norm_under_a_gradient_penalty_is_refused_before_anything_is_trained():
    whole = study("digits")
    entry = whole.entries[GANS.index("dragan")]
    words = tuple(word for word in entry.arguments if not word.endswith("no-batch-norm"))
    norm = {"model.discriminator.batch-norm": Choice((True,))}
    entry = dataclasses.replace(entry, arguments=words, space={**entry.space, **norm})
    with pytest.raises(ConfigError, match="batch norm mixes them"):
        drawn(dataclasses.replace(whole, entries=(entry,), trials=1), read_entry)


TINY = """
import dataclasses
from jaxgan.run.experiment_file import load_file

whole = load_file({path!r}).study
entries = tuple(
    dataclasses.replace(one, arguments=tuple(
        {{"32": "4", "256": "8"}}.get(word, word) for word in one.arguments
    ) + ("--batch-size", "16", "--evaluation.backbone", "pixels"))
    for one in whole.entries
    if one.arguments[1] in {kinds!r}
)
study = dataclasses.replace(whole, entries=entries, images=160, trials=1)
"""


# Of methods that differ in a loss alone, one is trained.
KINDS = ("ns_gan", "wgan_gp", "began", "vae")


@pytest.mark.slow
def test_a_trial_of_each_kind(tmp_path, monkeypatch, capfd):
    """In small: each is trained, selected by validation images and measured on test images."""
    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "unused")
    monkeypatch.chdir(tmp_path)
    Path("study.py").write_text(TINY.format(path=str(PLACE / "digits.py"), kinds=KINDS))
    cli.main(["plan", "study.py", "--out", "plan.jsonl", "--workdir", "done", "--parallel", "none"])
    cli.main(["run", "--plan", "plan.jsonl", "--all", "--parallel", "none"])
    cli.main(["report", "done"])
    results = [json.loads(path.read_text()) for path in Path("done/runs").glob("*/result.json")]
    assert {one["name"] for one in results} == {*KINDS}
    for one in results:
        (fid,) = (value for key, value in one["metrics"].items() if key.startswith("fid["))
        assert math.isfinite(fid)
        assert math.isfinite(one["validation"]["fid"])
        assert one["validation"]["fid"] != fid
    table = capfd.readouterr().out
    assert all(row in table for row in KINDS)
