"""``experiments/feature_classifier.py``, which trains the shipped backbones."""

import importlib.util
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.evaluation.features.load import Classifier, read_weights, weights_digest

PATH = Path(__file__).parents[3] / "experiments" / "feature_classifier.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("feature_classifier_script", PATH)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while it is being run.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def images(count, seed=0):
    return np.random.default_rng(seed).integers(1, 256, (count, 8, 8, 1), np.uint8)


def test_augmentation_moves_and_mirrors_whole_images(script):
    recipe = script.Recipe("digits-cnn", epochs=1, shift=1, flip=True)
    originals = images(200)
    found = script.augmented(originals, recipe, np.random.default_rng(0))
    seen = set()
    for original, moved in zip(originals, found, strict=True):
        padded = np.pad(original, ((1, 1), (1, 1), (0, 0)))
        candidates = {
            (flip, y, x): padded[y : y + 8, x : x + 8][:, :: -1 if flip else 1]
            for flip in (False, True)
            for y in range(3)
            for x in range(3)
        }
        matches = [how for how, image in candidates.items() if np.array_equal(image, moved)]
        assert len(matches) == 1
        seen.update(matches)
    assert len(seen) == 18


def test_an_epoch_visits_each_image_at_most_once(script):
    recipe = script.Recipe("digits-cnn", epochs=1, batch=8)
    batches = list(script.epoch_batches(30, recipe, np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [8, 8, 8]
    assert len(np.unique(np.concatenate(batches))) == 24


def test_balancing_scales_the_features_and_keeps_the_scores(script):
    network = Classifier((4,), (2,), dimension=6, classes=3)
    data = images(50)
    params = network.init(jax.random.key(0), jnp.asarray(data))["params"]
    before = network.apply({"params": params}, jnp.asarray(data))
    balanced = script.balanced(network, params, data)
    after = network.apply({"params": balanced}, jnp.asarray(data))
    np.testing.assert_allclose(np.mean(np.square(after[0])), 1.0, rtol=1e-5)
    assert abs(np.mean(np.square(before[0])) - 1.0) > 0.1
    np.testing.assert_allclose(after[1], before[1], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_trains_writes_and_records_the_same_every_time(script, monkeypatch, tmp_path):
    monkeypatch.setitem(script.RECIPES, "digits", script.Recipe("digits-cnn", epochs=3))
    outputs = tmp_path / "a" / "weights.npz", tmp_path / "b" / "weights.npz"
    for output in outputs:
        script.main(["--dataset", "digits", "--output", str(output)])
    first, second = (json.loads(path.with_suffix(".json").read_text()) for path in outputs)
    assert first["digest"] == second["digest"] == weights_digest(read_weights(outputs[0]))
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    assert first["steps"] == 3 * (1500 // 64)
    # Ten classes: far above chance after three passes, so it did learn.
    assert first["test_accuracy"] == second["test_accuracy"] > 0.8


def test_refuses_other_files_before_training(script, capsys):
    with pytest.raises(SystemExit):
        script.main(["--dataset", "digits", "--output", "weights.txt"])
    assert "--output must end in .npz, got weights.txt" in capsys.readouterr().err
