"""A run's data, and pictures of a trained state."""

import dataclasses
import functools

import numpy as np
import pytest
import tiny

from jaxgan.data import reading, splits
from jaxgan.data.pipeline import Data
from jaxgan.data.source import DataError
from jaxgan.data.sources.gaussians import Ring
from jaxgan.measurement import pictures
from jaxgan.objectives.priors import Normal, Uniform
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.program import compile_program, example_batch
from jaxgan.visualization.grid import image_grid, pairs_grid

POINTS = Data(source=Ring(), image_size=1, channels=2)


@functools.cache
def made(experiment):
    """A program and the state that training would start from."""
    program = compile_program(experiment, "none")
    return program, program.init(0, example_batch(experiment))


@functools.cache
def shown(experiment):
    """All pictures of that state."""
    return pictures.pictures(*made(experiment), experiment)


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


def test_parameters_are_counted_by_player():
    _, state = made(tiny.vae())
    # Dense layers: inputs x units weights and as many biases as units.
    encoder = (64 * 16 + 16) + (16 * 8 + 8)
    decoder = (4 * 16 + 16) + (16 * 64 + 64)
    assert pictures.parameter_counts(state) == {"autoencoder": encoder + decoder}


class TestPictures:
    def test_of_an_autoencoder(self):
        experiment = tiny.vae()
        program, state = made(experiment)
        found = shown(experiment)
        assert set(found) == {"samples", "interpolation", "neighbors", "reconstructions"}
        for picture in found.values():
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
        again = pictures.pictures(program, state, experiment)
        for name, picture in found.items():
            np.testing.assert_array_equal(picture, again[name])

        test = splits.in_memory(experiment.data, "test")["image"][:16]
        decoded = np.asarray(program.reconstruct(state, {"image": test}))
        expected = pairs_grid(test, decoded, columns=8, scale=6)
        np.testing.assert_array_equal(found["reconstructions"], expected)

    def test_neighbors_are_the_nearest_training_images(self):
        experiment = tiny.gan()
        program, state = made(experiment)
        found = shown(experiment)
        assert set(found) == {"samples", "interpolation", "neighbors"}
        latents = program.prior(pictures._picture_key("samples"), 64)
        samples = np.asarray(program.generate(state, latents))[:16]
        train = splits.in_memory(experiment.data, "train")["image"]
        apart = samples.reshape(16, 1, -1).astype(int) - train.reshape(1, 1500, -1)
        nearest = np.square(apart).sum(axis=2).argmin(axis=1)
        expected = pairs_grid(samples, train[nearest], columns=8, scale=6)
        np.testing.assert_array_equal(found["neighbors"], expected)

    def test_of_points_is_a_scatter(self):
        program, state = made(
            tiny.vae(
                model=dataclasses.replace(tiny.vae().model, likelihood=Gaussian()), data=POINTS
            )
        )
        picture = pictures.sample_picture(program, state, tiny.vae(data=POINTS))
        assert picture.ndim == 3
        assert picture.shape[2] == 3


class TestInterpolation:
    def path(self, prior):
        """Latents of the sheet, a row a pair."""
        experiment = tiny.gan()
        model = dataclasses.replace(experiment.model, prior=prior)
        program, _ = made(dataclasses.replace(experiment, model=model))
        sheet = program.algorithm.generation.sheets(pictures._picture_key("sheets"))
        latents = np.asarray(sheet["interpolation"].latents, np.float64)
        return latents.reshape(8, sheet["interpolation"].columns, prior.size)

    def test_of_a_uniform_prior_is_straight_and_stays_where_there_is_any(self):
        path = self.path(Uniform(8))
        steps = np.linspace(0.0, 1.0, 8)[None, :, None]
        straight = path[:, :1] + steps * (path[:, -1:] - path[:, :1])
        np.testing.assert_allclose(path, straight, atol=1e-6)
        assert np.abs(path).max() <= 1.0
        assert np.abs(path[:, 0] - path[:, -1]).max(axis=1).min() > 0.5  # the ends are apart

    def test_of_a_normal_prior_is_a_great_circle(self):
        path = self.path(Normal(8))
        start, end = path[:, 0], path[:, -1]
        # White 2016, section 2.1: the angle between both, and weights by its sine.
        lengths = np.linalg.norm(start, axis=1) * np.linalg.norm(end, axis=1)
        angle = np.arccos((start * end).sum(axis=1) / lengths)[:, None, None]
        t = np.linspace(0.0, 1.0, 8)[None, :, None]
        expected = np.sin((1 - t) * angle) * start[:, None] + np.sin(t * angle) * end[:, None]
        np.testing.assert_allclose(path, expected / np.sin(angle), atol=1e-5)

    def test_is_what_is_shown(self):
        experiment = tiny.gan()
        program, state = made(experiment)
        sheet = program.algorithm.generation.sheets(pictures._picture_key("sheets"))
        images = np.asarray(program.generate(state, sheet["interpolation"].latents))
        np.testing.assert_array_equal(
            shown(experiment)["interpolation"], image_grid(images, columns=8, scale=6)
        )


def test_a_streamed_training_split_is_not_read_at_once(monkeypatch):
    experiment = tiny.gan(data=Data(streaming="always"))
    program, state = made(tiny.gan())
    nearest = shown(tiny.gan())["neighbors"]
    arrays, counts, whole = reading.arrays, [], []

    def counted(split, rows=slice(None)):
        counts.append(len(range(*rows.indices(len(split)))))
        return arrays(split, rows)

    monkeypatch.setattr(reading, "arrays", counted)
    monkeypatch.setattr(splits, "in_memory", lambda data, name: whole.append(name))
    found = pictures.pictures(program, state, experiment)
    assert counts == [500, 500, 500]  # of the 1500 images of training, each once
    assert whole == []
    # And yet the neighbors are the nearest of all.
    np.testing.assert_array_equal(found["neighbors"], nearest)
