"""The linear VAE on digits at one level of the curve, and the mistakes that it has to show."""

import dataclasses
import math

import jax
import numpy as np
import pytest
from scripts import script

from jaxgan.objectives.vae.likelihoods import Gaussian

linear = script("linear_vae")
LEVEL = 0.1


@dataclasses.dataclass(frozen=True)
class OfMeanSquares(Gaussian):
    """The error averaged over the 64 pixels, where it should be summed."""

    def log_prob(self, *, outputs, targets):
        return super().log_prob(outputs=outputs, targets=targets) / 64


def test_signs_have_the_moments_of_standard_normal_draws():
    for count in (1, 2, 3, 4, 15, 16, 61):
        points = linear.signs(count)
        assert points.shape[1] == count
        np.testing.assert_array_equal(points.mean(0), np.zeros(count))
        np.testing.assert_array_equal(points.T @ points / len(points), np.eye(count))


def test_the_published_numbers_are_those_of_the_laws():
    """Against NumPy's eigenvalues: maximum likelihood of probabilistic PCA, water-filling."""
    data = linear.digits()
    values = np.linalg.eigvalsh(np.cov(data.images.T, bias=True))[::-1]
    for q, (noise, nats) in linear.OPTIMA.items():
        found = values[q:].mean()
        assert found == pytest.approx(noise, abs=5e-6)
        whole = np.log(values[:q]).sum() + (64 - q) * math.log(found) + 64 * math.log(2 * math.pi)
        assert -0.5 * (whole + 64) == pytest.approx(nats, abs=5e-4)
    for level, (used, rate, error) in linear.CURVE.items():
        above = values[values > level]
        assert len(above) == used
        assert 0.5 * np.log(above / level).sum() == pytest.approx(rate, abs=5e-4)
        assert np.minimum(values, level).sum() == pytest.approx(error, abs=5e-4)


def lines(monkeypatch, of):
    monkeypatch.setattr(linear, "ITERATIONS", 250)
    with jax.enable_x64(True):
        rows = linear.fixed_noise(LEVEL, of)
    return {row.quantity.split(",")[0]: row for row in rows}


@pytest.mark.slow
def test_one_level(monkeypatch):
    assert all(row.within for row in lines(monkeypatch, linear.objective).values())


@pytest.mark.slow
def test_an_error_averaged_over_pixels_is_seen(monkeypatch):
    """The KL then counts 64 times as much, and nothing is used."""
    rows = lines(monkeypatch, lambda like, beta: linear.objective(OfMeanSquares(like.scale), beta))
    assert rows["latents used"].ours == 0
    assert not any(row.within for row in rows.values())


@pytest.mark.slow
def test_a_kl_off_by_a_factor_of_two_moves_the_threshold(monkeypatch):
    rows = lines(monkeypatch, lambda like, beta: linear.objective(like, 2 * beta))
    assert rows["latents used"].ours == 7
    assert not any(row.within for row in rows.values())


@pytest.mark.slow
def test_means_in_place_of_draws_are_seen(monkeypatch):
    rows = lines(monkeypatch, lambda like, beta: linear.objective(like, beta, spread=0.0))
    assert not rows["squared error"].within
