"""The linear VAE on digits at one level of the curve, and the mistakes that it has to show."""

import dataclasses
import math

import jax
import numpy as np
import pytest
from scripts import script, written

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


def test_pairs_have_the_moments_of_all_images_and_of_draws_that_do_not_know_them():
    images, latents = linear.digits().images, 7
    points, draws = linear.pairs(latents)
    assert (points.shape[1:], draws.shape) == ((64,), (1, len(points), latents))
    both = np.concatenate([points, draws[0]], axis=1)
    expected = np.zeros((64 + latents, 64 + latents))
    expected[:64, :64] = np.cov(images.T, bias=True)
    expected[64:, 64:] = np.eye(latents)
    np.testing.assert_allclose(points.mean(0), images.mean(0), atol=1e-12)
    np.testing.assert_allclose(draws[0].mean(0), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.cov(both.T, bias=True), expected, atol=1e-12)


@pytest.mark.parametrize("spread", [1.0, 0.0])
def test_few_pairs_have_the_means_of_all_images_with_all_draws(spread):
    """And those are what linear algebra makes of the whole, far from any optimum."""
    beta, scale, data = 1.7, 0.3, linear.digits()
    random, size = np.random.default_rng(5), len(data.basis)
    encoder, decoder = random.normal(0.0, 0.5, (size, 3)), random.normal(0.0, 0.5, (3, size))
    params = {"encoder": encoder, "decoder": decoder, "raw": np.zeros(0),
              "log_variance": np.array([0.4, -1.0, -2.0])}  # fmt: skip
    variance = np.exp(params["log_variance"])
    with jax.enable_x64(True):
        means = jax.jit(linear.objective(Gaussian(scale), beta, spread))
        few = means(params, *linear.pairs(3))
        whole = means(params, data.images, linear.signs(3)[:, None])
    # Along the eigenvectors images are white, and lengths are those of the basis.
    lengths = np.square(data.basis).sum(1)
    left = (np.eye(size) - encoder @ decoder) * np.sqrt(lengths)
    error = np.square(left).sum()
    error += spread**2 * (variance @ np.square(decoder * np.sqrt(lengths))).sum()
    kl = 0.5 * (np.square(encoder).sum(0) + variance - np.log(variance) - 1.0)
    bound = -0.5 * (error / scale**2 + 64 * math.log(2 * math.pi * scale**2)) - beta * kl.sum()
    for found in (few, whole):
        np.testing.assert_allclose(found.error, error, rtol=1e-9)
        np.testing.assert_allclose(found.kl, kl, rtol=1e-9)
        np.testing.assert_allclose(found.bound, bound, rtol=1e-9)


def test_the_file_is_of_this_script():
    document = written("linear_vae")
    assert document["holds"]
    rows = {row["quantity"]: row for row in document["rows"]}
    for q, (noise, nats) in linear.OPTIMA.items():
        assert rows[f"s^2 learned, q = {q}"]["published"] == noise
        assert rows[f"nats an image, q = {q}"]["published"] == nats
    for level, values in linear.CURVE.items():
        names = ("latents used", "rate", "squared error")
        found = [rows[f"{name}, beta s^2 = {level:g}"]["published"] for name in names]
        assert found == [*values]
    assert len(rows) == 2 * len(linear.OPTIMA) + 3 * len(linear.CURVE)


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
