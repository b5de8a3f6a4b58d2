"""`jaxgan fit`, and samples and numbers of a sampler that it has fitted."""

import json

import numpy as np
import pytest
import tiny
from disk import largest_file
from untrained import write_run

from jaxgan.cli.evaluate import evaluate
from jaxgan.cli.fit import fit
from jaxgan.cli.sample import sample
from jaxgan.config import ConfigError, Evaluation
from jaxgan.run.workdir import RunError


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    write_run(folder / "run", tiny.vae(evaluation=Evaluation(samples=100, batch_size=400)))
    return folder


@pytest.fixture(autouse=True)
def here(place, monkeypatch):
    monkeypatch.chdir(place)


def test_a_sampler_is_fitted_and_draws(place, capsys):
    fit(["run", "--sampler", "GaussianMixture", "--components", "3"])
    told = capsys.readouterr()
    assert told.out == "gaussian_mixture of step 1 is in run/samplers/gaussian_mixture.json\n"
    assert "3 Gaussians" in told.err
    sample(["run", "-n", "4", "--sampler", "gaussian_mixture", "--out", "by.npz"])
    sample(["run", "-n", "4", "--out", "own.npz"])
    by, own = (np.load(name)["images"] for name in ("by.npz", "own.npz"))
    assert by.shape == own.shape == (4, 8, 8, 1)
    assert (by != own).any()
    sample(["run", "-n", "4", "--sampler", "gaussian-mixture"])
    assert (place / "tiny-step1-seed0-gaussian_mixture.png").is_file()
    capsys.readouterr()
    evaluate(["run", "--metrics", "kid", "--sampler", "gaussian_mixture", "--json"])
    found = json.loads(capsys.readouterr().out)["metrics"]
    name = "kid[digits-cnn,train1500,gen100,q8,ema,sampler=gaussian_mixture:components=3]"
    assert name in found


def sampled():
    sample(["run", "-n", "2", "--sampler", "gaussian_mixture", "--out", "new.npz", "--overwrite"])
    return np.load("new.npz")["images"]


def test_a_full_disk_leaves_the_sampler_that_was_there(place):
    fit(["run", "--components", "2"])
    before = sampled()
    with largest_file(500), pytest.raises(RunError, match="cannot write to run: File too large"):
        fit(["run", "--components", "4"])
    np.testing.assert_array_equal(sampled(), before)
    assert sorted(path.name for path in (place / "run/samplers").iterdir()) == [
        "gaussian_mixture.json", "gaussian_mixture.npz"
    ]  # fmt: skip


def test_what_was_killed_between_its_files_is_no_sampler(place):
    fit(["run", "--components", "2"])
    document = (place / "run/samplers/gaussian_mixture.json").read_bytes()
    fit(["run", "--components", "4"])
    (place / "run/samplers/gaussian_mixture.json").write_bytes(document)
    with pytest.raises(RunError, match=r"damaged.*`jaxgan fit run --sampler gaussian_mixture`"):
        sampled()
    fit(["run", "--components", "4"])
    assert sampled().shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    ("command", "line", "error", "message"),
    [
        (fit, "run --sampler gausian", ConfigError, "no sampler 'gausian', did you mean gaussian_"),
        (fit, "run --components 0", ConfigError, "components = 0: must be above 0"),
        (fit, "run --wide 3", ConfigError, "no option --wide"),
        (fit, "nothing", RunError, "nothing holds no run"),
        (sample, "run --sampler two_stage", RunError, "no sampler two_stage .* `jaxgan fit run"),
        (sample, "run --sampler two", ConfigError, "there is no sampler 'two'"),
    ],
)
def test_what_is_refused(command, line, error, message):
    with pytest.raises(error, match=message) as raised:
        command(line.split())
    assert "\n" not in str(raised.value)
