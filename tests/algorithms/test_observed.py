"""Images that are drawn anew at each step, and likelihoods that do not fit the data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_vae import IMAGES, POINTS, ROWS, experiment_of

from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.algorithms.observed import observe
from jaxgan.config import ConfigError
from jaxgan.objectives.vae.binarized import DynamicBernoulli
from jaxgan.objectives.vae.bounds import Reconstruction
from jaxgan.objectives.vae.categorical import Categorical
from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian, PixelGaussian
from jaxgan.objectives.vae.laplace import Laplace
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.objectives.vae.logistic import DiscretizedLogistic
from jaxgan.objectives.vae.posteriors import Point

LIKELIHOOD = DynamicBernoulli()
VALUES = np.array([0, 1, 128, 255], np.uint8).reshape(1, 2, 2, 1)
KEY = rng.base_key(5)
COUNT = 4000


def seen(images, key=None, likelihood=LIKELIHOOD):
    return np.asarray(observe(likelihood, {"image": images}, key)["image"])


def test_pixels_are_on_with_the_probability_that_gray_says():
    found = seen(np.broadcast_to(VALUES, (COUNT, 2, 2, 1)), KEY)
    assert found.dtype == np.uint8
    assert set(found.ravel().tolist()) == {0, 255}
    shares, expected = (found == 255).mean(axis=0).ravel(), VALUES.ravel() / 255
    assert (shares[0], shares[3]) == (0.0, 1.0)
    assert (np.abs(shares - expected) <= 5 * np.sqrt(expected * (1 - expected) / COUNT)).all()


def test_draws_differ_by_key_and_those_of_held_out_images_do_not():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 1), np.uint8)
    first = seen(images, KEY)
    assert (first != seen(images, rng.base_key(6))).any()
    # Of what was drawn, the draw is itself: with another key, and with none.
    np.testing.assert_array_equal(seen(first, rng.base_key(6)), first)
    np.testing.assert_array_equal(seen(first), first)
    # An image's own draw is not that of another key, and knows nothing of the rest of the batch.
    own = seen(images)
    assert (own != first).any()
    np.testing.assert_array_equal(seen(images[::-1][:3]), own[::-1][:3])
    # Two images of one row in common are two images.
    twins = np.full((2, 4, 4, 1), 128, np.uint8)
    twins[1, 3, 3, 0] = 129
    left, right = seen(twins)
    assert (left != right).sum() > 1


def test_other_likelihoods_see_the_images():
    batch = {"image": VALUES}
    assert observe(Bernoulli(), batch, KEY) is batch


@pytest.fixture(scope="module")
def algorithm():
    """Without noise of codes, so that what differs is the draw."""
    return build(
        experiment_of(IMAGES, likelihood=LIKELIHOOD, posterior=Point(), bound=Reconstruction())
    )


def test_encoder_and_likelihood_see_one_draw_each_step_another(algorithm):
    batch = {"image": np.random.default_rng(1).integers(60, 200, (ROWS, 2, 2, 1), np.uint8)}
    state = algorithm.init(KEY, batch)
    step = jax.jit(algorithm.phases[0].train_step)
    losses = []
    for seed in (1, 2):
        key = rng.base_key(seed)
        losses.append(float(step(state, batch, key)[1]["loss/autoencoder"]))
        drawn = seen(batch["image"], rng.role_key(key, "observed"))
        assert losses[-1] == pytest.approx(-by_hand(state, drawn).mean(), rel=1e-5)
    assert abs(losses[0] - losses[1]) > 1e-3
    # Of held-out images each has its own draw, for codes, likelihoods and bounds alike.
    drawn = seen(batch["image"])
    codes = algorithm.encoding.codes(state, batch)
    np.testing.assert_allclose(codes, encoded(state, drawn), rtol=1e-5)
    found = algorithm.density.log_likelihood(state, batch, codes)
    np.testing.assert_allclose(found, by_hand(state, drawn), rtol=1e-4)
    sums = [algorithm.evaluate(state, batch, rng.base_key(seed)) for seed in (1, 2)]
    assert sums[0]["reconstruction"][0] == pytest.approx(float(by_hand(state, drawn).sum()))
    assert float(sums[0]["reconstruction"][0]) == float(sums[1]["reconstruction"][0])


def encoded(state, images):
    params = state.players["autoencoder"].params["encoder"]
    return (images.reshape(ROWS, -1) / 127.5 - 1) @ params["a"] + params["bias"]


def by_hand(state, images):
    """The log-likelihood of binary images under their codes."""
    params = state.players["autoencoder"].params["decoder"]
    logits = encoded(state, images) @ params["b"] + params["bias"]
    signs = images.reshape(ROWS, -1) / 127.5 - 1
    return np.asarray(-jnp.sum(jnp.logaddexp(0.0, -signs * logits), axis=1))


@pytest.mark.parametrize(
    "likelihood",
    [
        *(Bernoulli(), DynamicBernoulli(), ContinuousBernoulli(), Categorical(4)),
        DiscretizedLogistic(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_likelihoods_of_pixels_are_refused_where_there_are_points(likelihood):
    with pytest.raises(ConfigError, match="is one of pixels from 0 to 1, and the data are") as one:
        build(experiment_of(POINTS, likelihood=likelihood))
    assert type(likelihood).__name__ in str(one.value)
    assert "\n" not in str(one.value)


@pytest.mark.parametrize("likelihood", [Laplace(), LearnedGaussian(), PixelGaussian()])
def test_densities_take_points(likelihood):
    assert build(experiment_of(POINTS, likelihood=likelihood)).density is not None
