"""The continuous Bernoulli's table, and the mistakes that it has to show."""

import functools

import jax
import jax.numpy as jnp
from scripts import check_written, misses, script

from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.objectives.vae.likelihoods import Bernoulli

reproduction = script("continuous_bernoulli")


@functools.cache
def reproduced():
    return reproduction.reproduce()


def test_all_lines():
    assert not misses(reproduced())
    check_written(reproduced())


def test_the_probability_in_place_of_the_mean_is_seen():
    class Contrasted(ContinuousBernoulli):
        def mean(self, outputs):
            return jax.nn.sigmoid(outputs)

    missed = misses(reproduction.reproduce(Contrasted()))
    assert missed == [f"mean at p = {p:g}" for p in reproduction.FAR] + ["variance at p = 0.5"]


def test_a_bernoulli_in_its_place_is_seen():
    """Everything but what both have in common: the mean at 1/2."""
    missed = misses(reproduction.reproduce(Bernoulli()))
    assert "what gray 28x28 images lack at least, nats" in missed
    assert "sum of the density, p = 0.5" in missed
    assert "mean at p = 0.5" not in missed


def test_nan_at_one_half_is_seen():
    """The formula as it stands: 0 / 0 at the middle."""

    class AsItStands(ContinuousBernoulli):
        def log_prob(self, *, outputs, targets):
            p = jax.nn.sigmoid(outputs)
            constant = jnp.log(2 * jnp.arctanh(1 - 2 * p) / (1 - 2 * p))
            return Bernoulli().log_prob(outputs=outputs, targets=targets) + constant.sum((1, 2, 3))

    missed = misses(reproduction.reproduce(AsItStands()))
    assert "log C(0.5), series" in missed
    assert "gradient of log p(0.3) at p = 0.5" in missed
    assert "log C(0.2)" not in missed
