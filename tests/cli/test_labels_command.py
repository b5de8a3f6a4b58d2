"""`jaxgan sample` and `jaxgan evaluate` of a model with labels."""

import json

import labelled
import numpy as np
import pytest

from jaxgan.cli import entry
from jaxgan.config import Evaluation, Run
from jaxgan.training import loop


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run of two steps."""
    folder = tmp_path_factory.mktemp("labels")
    experiment = labelled.gan(evaluation=Evaluation(samples=60, backbone="pixels"))
    run = Run(workdir=str(folder / "run"), parallel="none", quiet=True, tensorboard=False)
    loop.train(experiment, run)
    return folder


@pytest.fixture
def jaxgan(place, monkeypatch, capfd):
    monkeypatch.chdir(place)
    monkeypatch.setattr("sys.unraisablehook", None)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "unused")

    def run(line):
        code = 0
        try:
            entry.main(line.split())
        except SystemExit as stopped:
            code = stopped.code
        seen = capfd.readouterr()
        return code, seen.out, seen.err

    return run


@pytest.mark.slow
def test_the_run_itself_says_of_which_classes_its_samples_were(place):
    result = json.loads((place / "run" / "result.json").read_text())
    assert "fid[pixels8x8,train1500,gen60,q8,ema,labels=uniform]" in result["metrics"]
    shown = {path.stem for path in (place / "run" / "pictures").iterdir()}
    assert shown == {"samples", "interpolation", "classes", "neighbors"}


def test_samples_of_one_class(place, jaxgan):
    code, out, err = jaxgan("sample run --trust -n 20 --label 3 --out three.npz")
    assert (code, out, err) == (0, "20 samples of step 2 are in three.npz\n", "")
    assert labelled.signs(np.load(place / "three.npz")["images"]).tolist() == [3] * 20
    code, _, err = jaxgan("sample run --trust -n 20 --out any.npz")
    assert (code, err) == (0, "")
    found = np.load(place / "any.npz")
    assert len({*labelled.signs(found["images"])}) > 4
    np.testing.assert_array_equal(found["labels"], labelled.signs(found["images"]))
    assert np.load(place / "three.npz")["labels"].tolist() == [3] * 20


@pytest.mark.parametrize("label", [-1, 10])
def test_a_class_that_does_not_exist(place, jaxgan, label):
    code, _, err = jaxgan(f"sample run --trust --label {label} --out none.npz")
    assert (code, err) == (2, f"error: label = {label}: there are classes 0 to 9\n")
    assert not (place / "none.npz").exists()


def test_metrics_of_classes(jaxgan):
    code, out, _ = jaxgan("evaluate run --trust --metrics fid cfid prdc --json")
    assert code == 0
    of_samples = {name for name in json.loads(out)["metrics"] if "gen60" in name}
    brackets = "[pixels8x8,train1500,gen60,q8,ema,labels=uniform]"
    assert of_samples == {
        f"{name}{brackets}"
        for name in ("fid", "cfid", "precision", "recall", "density", "coverage")
    }
    code, out, _ = jaxgan("evaluate run --trust --metrics fid --labels real --json")
    assert code == 0
    assert "fid[pixels8x8,train1500,gen60,q8,ema,labels=real]" in json.loads(out)["metrics"]
