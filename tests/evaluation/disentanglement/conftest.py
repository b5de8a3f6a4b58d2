"""Sources and points whose factors are known, for all metrics of disentanglement."""

import dataclasses
import itertools

import numpy as np
import pytest


@dataclasses.dataclass(frozen=True)
class Bare:
    """Images whose pixels are the factors themselves, so that any code of them can be made."""

    factor_sizes: tuple[int, ...]

    def images(self, factors):
        return factors.astype(np.uint8)[:, None, None, :]


def read(images):
    """The code that is the factors."""
    return np.asarray(images, np.float64)[:, 0, 0, :]


@pytest.fixture
def bare():
    return Bare


@pytest.fixture
def factors_as_codes():
    return read


def grid(*sizes, repeats=1):
    """Every combination of some factors, ``repeats`` times."""
    rows = np.array(list(itertools.product(*map(range, sizes))))
    return np.tile(rows, (repeats, 1))


@pytest.fixture
def all_combinations():
    return grid


def turn(degrees):
    """A rotation of the plane, for rows."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.fixture
def rotation():
    return turn
