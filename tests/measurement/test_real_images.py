"""Real images scored like samples, against numbers worked out from the images themselves."""

import numpy as np
import pytest
import tiny
from scipy import linalg

from jaxgan.config import Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.data.splits import images_of
from jaxgan.measurement.real_images import real_images

SAMPLES = 200


def experiment(**changes):
    return tiny.gan(evaluation=Evaluation(samples=SAMPLES, backbone="pixels", **changes))


def pixels(split, count=None):
    images = np.concatenate(list(images_of(Data(), split, count=count)))
    return images.reshape(len(images), -1).astype(np.float64) / 255


def frechet(x, y):
    """By the matrix square root of the published formula, on all axes that vary."""
    a, b = np.cov(x.T), np.cov(y.T)
    root = linalg.sqrtm(linalg.sqrtm(a + 1e-12 * np.eye(64)) @ b @ linalg.sqrtm(a)).real
    return np.square(x.mean(0) - y.mean(0)).sum() + np.trace(a + b) - 2 * np.trace(root)


def test_test_images_against_the_reference_of_the_samples():
    found, picture = real_images(experiment(), ["fid", "memorization", "likelihood"])
    assert found.metrics.keys() == {"fid"}
    expected = frechet(pixels("train"), pixels("test", SAMPLES))
    assert found.metrics["fid"] == pytest.approx(expected, rel=1e-3)
    assert found[:4] == ("test", SAMPLES, SAMPLES, "train1500")
    assert picture.dtype == np.uint8


def test_where_samples_are_compared_with_the_test_split_they_are_training_images():
    found, _ = real_images(experiment(split="test"), ["fid"])
    assert found[:4] == ("train", SAMPLES, SAMPLES, "test297")
    expected = frechet(pixels("test"), pixels("train", SAMPLES))
    assert found.metrics["fid"] == pytest.approx(expected, rel=1e-3)


def test_a_split_with_fewer_images_gives_all_it_has():
    evaluation = Evaluation(backbone="pixels")
    found, _ = real_images(tiny.gan(evaluation=evaluation), ["swd"])
    assert (found.images, found.samples) == (297, 1500)


def test_what_cannot_be_taken_of_so_few_is_left_out_alone():
    evaluation = Evaluation(samples=3, backbone="pixels")
    found, _ = real_images(tiny.gan(evaluation=evaluation), ["prdc", "fid"])
    assert found.metrics.keys() == {"fid"}


def test_nothing_is_measured_where_no_metric_is_of_samples():
    assert real_images(experiment(), ["likelihood"]) is None


@pytest.mark.slow
def test_points_of_a_mixture_have_its_scores():
    data = Data(source=Ring(), image_size=1, channels=2)
    evaluation = Evaluation(samples=SAMPLES, backbone="auto")
    found, _ = real_images(tiny.gan(data=data, evaluation=evaluation), [])
    assert found.metrics["modes"] == 8
    # Within 3 standard deviations of a mode lies 1 - exp(-9/2) of a Gaussian in the plane.
    assert found.metrics["high_quality"] > 0.95
