"""Sheets: paths between latents, and a class a row."""

import functools

import jax
import numpy as np
import pytest

from jaxgan import rng
from jaxgan.algorithms.sheets import COLUMNS, ROWS, sheets_of
from jaxgan.objectives.priors import Labelled, Normal, Uniform

CLASSES, SIZE = 3, 4
KEY = jax.random.key(0)


@functools.cache
def sheets(prior):
    def draw(key, count):
        return rng.per_example(lambda k: prior.draw(k, CLASSES), key, count)

    return sheets_of(prior, CLASSES, draw, KEY)


def table(leaf):
    """Row by row."""
    return np.asarray(leaf).reshape(-1, COLUMNS, *leaf.shape[1:])


@pytest.mark.parametrize("prior", [Normal(SIZE), Uniform(SIZE)], ids=["normal", "uniform"])
def test_a_row_is_a_path_from_one_draw_to_another(prior):
    """Ends are draws, rows are different, and the middle is where the prior has it."""
    found = sheets(prior)
    assert found.keys() == {"interpolation"}
    assert found["interpolation"].columns == COLUMNS
    paths = table(found["interpolation"].latents)
    assert paths.shape == (ROWS, COLUMNS, SIZE)
    ends = np.concatenate([paths[:, 0], paths[:, -1]])
    assert len(np.unique(ends.round(5), axis=0)) == 2 * ROWS
    for row in paths:
        a, b = row[0].astype(np.float64), row[-1].astype(np.float64)
        t = np.linspace(0.0, 1.0, COLUMNS)[:, None]
        if isinstance(prior, Uniform):
            expected = a + t * (b - a)
        else:  # slerp: Shoemake, Animating Rotation with Quaternion Curves, 1985, section 3.3
            angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
            expected = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-5)


def test_a_class_a_row_and_a_noise_a_column():
    found = sheets(Labelled(Normal(SIZE)))
    assert found.keys() == {"interpolation", "classes"}
    assert found["classes"].columns == COLUMNS
    latents = found["classes"].latents
    np.testing.assert_array_equal(
        table(latents["label"]), [[label] * COLUMNS for label in range(CLASSES)]
    )
    assert latents["label"].dtype == np.int32
    noise = table(latents["noise"])
    assert noise.shape == (CLASSES, COLUMNS, SIZE)
    for row in noise:
        np.testing.assert_array_equal(row, noise[0])
    assert len(np.unique(noise[0], axis=0)) == COLUMNS


def test_a_path_stays_in_its_class():
    labels = table(sheets(Labelled(Normal(SIZE)))["interpolation"].latents["label"])
    assert labels.shape == (ROWS, COLUMNS)
    assert (labels == labels[:, :1]).all()
    assert len(set(labels[:, 0])) > 1
