"""A run's data, and pictures of a trained state."""

import dataclasses
import functools

import numpy as np
import pytest
import tiny

from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.data.source import DataError
from jaxgan.data.sources.gaussians import Ring
from jaxgan.measurement import pictures
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.program import compile_program, example_batch
from jaxgan.visualization.grid import pairs_grid

POINTS = Data(source=Ring(), image_size=1, channels=2)


@functools.cache
def made(experiment):
    """A program and the state that training would start from."""
    program = compile_program(experiment, "none")
    return program, program.init(0, example_batch(experiment))


def test_a_split_that_nobody_set_aside():
    with pytest.raises(DataError) as raised:
        splits.split_of(Data(), "validation")
    assert str(raised.value) == (
        "there is no validation split: set images aside by --data.validation N"
    )


def test_streamed_images_are_those_in_memory():
    resident = np.concatenate(list(splits.images_of(Data(), "test")))
    streamed = list(splits.images_of(Data(streaming="always"), "test", size=100))
    assert [len(batch) for batch in streamed] == [100, 100, 97]
    np.testing.assert_array_equal(np.concatenate(streamed), resident)
    assert resident.dtype == np.uint8


def test_parameters_are_counted_by_network():
    program, state = made(tiny.vae())
    # Dense layers: inputs x units weights and as many biases as units.
    encoder = (64 * 16 + 16) + (16 * 8 + 8)
    decoder = (4 * 16 + 16) + (16 * 64 + 64)
    assert pictures.parameter_counts(program, state) == {"encoder": encoder, "decoder": decoder}


class TestPictures:
    def test_of_an_autoencoder(self):
        experiment = tiny.vae()
        program, state = made(experiment)
        shown = pictures.pictures(program, state, experiment)
        assert set(shown) == {"samples", "interpolation", "neighbors", "reconstructions"}
        for picture in shown.values():
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
        again = pictures.pictures(program, state, experiment)
        for name, picture in shown.items():
            np.testing.assert_array_equal(picture, again[name])

        test = splits.in_memory(experiment.data, "test")["image"][:16]
        decoded = np.asarray(program.reconstruct(state, {"image": test}))
        expected = pairs_grid(test, decoded, columns=8, scale=6)
        np.testing.assert_array_equal(shown["reconstructions"], expected)

    def test_neighbors_are_the_nearest_training_images(self):
        experiment = tiny.gan()
        program, state = made(experiment)
        shown = pictures.pictures(program, state, experiment)
        assert set(shown) == {"samples", "interpolation", "neighbors"}
        latents = program.algorithm.prior(pictures._picture_key("samples"), 64)
        samples = np.asarray(program.generate(state, latents))[:16]
        train = splits.in_memory(experiment.data, "train")["image"]
        apart = samples.reshape(16, 1, -1).astype(int) - train.reshape(1, 1500, -1)
        nearest = np.square(apart).sum(axis=2).argmin(axis=1)
        expected = pairs_grid(samples, train[nearest], columns=8, scale=6)
        np.testing.assert_array_equal(shown["neighbors"], expected)

    def test_of_points_is_a_scatter(self):
        program, state = made(
            tiny.vae(
                model=dataclasses.replace(tiny.vae().model, likelihood=Gaussian()), data=POINTS
            )
        )
        picture = pictures.sample_picture(program, state, tiny.vae(data=POINTS))
        assert picture.ndim == 3
        assert picture.shape[2] == 3
