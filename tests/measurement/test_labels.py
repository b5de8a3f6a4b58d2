"""Samples of models with labels: of which classes they are, and what measurements say of them."""

import dataclasses

import jax
import labelled
import numpy as np
import pytest
import tiny

from jaxgan.config import ConfigError, Evaluation
from jaxgan.data.sources.digits import Digits
from jaxgan.evaluation import scores
from jaxgan.evaluation.protocol import from_document, short_name
from jaxgan.measurement import available, drawing, runs, scoring
from jaxgan.measurement.trained import Trained
from jaxgan.program import compile_program, example_batch


def trained(**evaluation):
    program, state = labelled.made()
    settings = Evaluation(**{"samples": 120, "backbone": "pixels", **evaluation})
    return Trained(labelled.gan(evaluation=settings), program, state, 0, ())


@pytest.fixture
def measured(monkeypatch):
    """Images and labels that metrics of samples have been given."""
    found = []
    results = scores.results

    def seen(samples, *arguments, **options):
        found.append((np.concatenate(samples), options["labels"]))
        return results(samples, *arguments, **options)

    monkeypatch.setattr(scores, "results", seen)
    return found


@pytest.mark.parametrize("label", [0, 3, 9])
def test_all_samples_are_of_the_class_that_is_asked_for(label):
    images = drawing.sample(trained(), 17, seed=1, label=label)
    assert images.shape == (17, 8, 8, 1)
    assert labelled.signs(images).tolist() == [label] * 17
    assert len(np.unique(images.reshape(17, -1), axis=0)) == 17  # and yet they differ


def test_labels_do_not_change_the_noise():
    three, four, drawn = (drawing.sample(trained(), 30, 1, label=one) for one in (3, 4, None))
    np.testing.assert_array_equal(three[:, 1:], four[:, 1:])
    np.testing.assert_array_equal(three[:, 1:], drawn[:, 1:])
    assert len({*labelled.signs(drawn)}) > 5


@pytest.mark.parametrize("label", [-1, 10])
def test_a_class_that_does_not_exist_is_refused_with_those_there_are(label):
    with pytest.raises(ConfigError) as raised:
        drawing.sample(trained(), 2, 0, label=label)
    assert str(raised.value) == f"label = {label}: there are classes 0 to 9"


def test_so_is_a_label_for_a_model_without():
    experiment = tiny.gan(name="plain", data=labelled.DATA)
    program = compile_program(experiment, "none")
    plain = Trained(experiment, program, program.init(0, example_batch(experiment)), 0, ())
    with pytest.raises(ConfigError) as raised:
        drawing.sample(plain, 2, 0, label=3)
    assert str(raised.value) == "label = 3: plain takes no labels"
    with pytest.raises(ConfigError, match=r"^cfid needs samples of given classes, and this model"):
        available.check(["cfid"], experiment, program.algorithm)


def test_samples_are_of_all_classes_alike_and_the_names_say_so(measured):
    document = runs.evaluate(trained(), names=("fid", "cfid", "prdc"))
    ((images, labels),) = measured
    np.testing.assert_array_equal(labelled.signs(images), labels)
    assert np.bincount(labels).tolist() == [12] * 10
    of_samples = {name for name in document["metrics"] if "gen120" in name}
    assert {short_name(name) for name in of_samples} == {
        "fid", "cfid", "precision", "recall", "density", "coverage"
    }  # fmt: skip
    for name in of_samples:
        assert name.endswith("[pixels8x8,train1500,gen120,q8,ema,labels=uniform]")
    # Nothing but samples has classes.
    (accuracy,) = (name for name in document["metrics"] if "accuracy[" in name)
    assert accuracy == "discriminator_accuracy[test297,ema]"
    asked = {from_document(one).labels for one in document["protocols"].values()}
    assert asked == {"uniform", ""}


@pytest.mark.slow
@pytest.mark.parametrize("names", [("fid",), ("fid", "cfid")])
def test_real_shares_are_those_of_the_real_images(measured, names):
    document = runs.evaluate(trained(labels="real", samples=150), names=names, split="train")
    ((images, labels),) = measured
    np.testing.assert_array_equal(labelled.signs(images), labels)
    examples = Digits().load("train")
    real = np.bincount([int(examples[i]["label"]) for i in range(1500)], minlength=10)
    assert len({*real}) > 1
    # As closely as whole numbers allow: less than one image away from a tenth of each class.
    assert np.abs(np.bincount(labels, minlength=10) - real / 10).max() < 1
    assert "fid[pixels8x8,train1500,gen150,q8,ema,labels=real]" in document["metrics"]


def test_without_an_average_labels_stay_and_weights_are_raw():
    run = trained(samples=20)
    state = run.state.replace(ema={})
    document = runs.evaluate(run._replace(state=state), names=("fid",))
    assert set(document["metrics"]) == {
        "fid[pixels8x8,train1500,gen20,q8,raw,labels=uniform]",
        *(f"discriminator_accuracy{part}[test297,raw]" for part in ("", "_real", "_fake")),
    }


def test_the_real_side_has_labels_where_they_are_wanted():
    experiment = trained().experiment
    plain = scoring.reference_for(experiment, "train", ("fid",), labels=True)
    assert plain.labels is None
    by_class = scoring.reference_for(experiment, "train", ("cfid",), labels=True)
    examples = Digits().load("train")
    np.testing.assert_array_equal(by_class.labels, [examples[i]["label"] for i in range(1500)])
    assert dataclasses.replace(plain.protocol) == by_class.protocol


def test_truncation_leaves_labels_alone(measured):
    runs.evaluate(trained(truncation=0.5, samples=20), names=("fid",))
    ((images, labels),) = measured
    np.testing.assert_array_equal(labelled.signs(images), labels)
    generation = labelled.made()[0].algorithm.generation
    latents = generation.prior(jax.random.key(0), 6)
    half = generation.truncate(latents, 0.5)
    np.testing.assert_array_equal(half["label"], latents["label"])
    np.testing.assert_allclose(half["noise"], latents["noise"] / 2)
