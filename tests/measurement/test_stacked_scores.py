"""Stacked images through all that measures: samples of a model, and real images in their place."""

import dataclasses

import pytest
import tiny

from jaxgan.config import ConfigError, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.stacked import Stacked
from jaxgan.measurement import available, scoring
from jaxgan.measurement.real_images import real_images
from jaxgan.program import compile_program, example_batch

EXPERIMENT = tiny.gan(
    data=Data(source=Stacked(count=300), channels=3, classes=1000),
    evaluation=Evaluation(samples=60, batch_size=60, metrics=("fid", "modes")),
)


@pytest.mark.slow
def test_modes_of_a_model_are_measured_by_the_classifier_of_digits():
    program = compile_program(EXPERIMENT, "none")
    state = program.init(0, example_batch(EXPERIMENT))
    found = scoring.measure(
        program, state, EXPERIMENT, distances="train", held_out_split=None, intervals=True
    )
    how = "digits-cnn,train300,gen60,q8,ema,channels=each"
    assert found.metrics.keys() == {
        f"{name}[{how}]" for name in ("fid", "modes", "mode_kl", "mode_kl_floor")
    }
    # A generator that has learned nothing makes few modes of its 60 samples.
    modes, floor = (found.metrics[f"{name}[{how}]"] for name in ("modes", "mode_kl_floor"))
    assert 1 <= modes < 50
    assert found.metrics[f"mode_kl[{how}]"] > floor > 2
    assert found.intervals[f"modes[{how}]"][0] <= modes
    assert found.protocols[how]["channels"] == "each"


@pytest.mark.slow
def test_real_images_are_measured_beside_them():
    found = real_images(EXPERIMENT, ["modes"])
    assert found is not None
    numbers = found[0].metrics
    # Of 60 triples of 1,000 modes, two or three are of a mode that there is already.
    assert 53 <= numbers["modes"] <= 60
    assert numbers["mode_kl"] == pytest.approx(numbers["mode_kl_floor"], abs=0.1)
    assert found[1].shape[2] == 3


def test_modes_need_stacks():
    program = compile_program(tiny.gan(), "none")
    with pytest.raises(ConfigError, match="modes needs a data set of stacked gray images"):
        available.check(["modes"], tiny.gan(), program.algorithm)
    pixels = dataclasses.replace(EXPERIMENT.evaluation, backbone="pixels")
    by_pixels = dataclasses.replace(EXPERIMENT, evaluation=pixels)
    with pytest.raises(ConfigError, match="modes needs class scores, and backbone pixels8x8 gives"):
        available.check(["modes"], by_pixels, program.algorithm)
