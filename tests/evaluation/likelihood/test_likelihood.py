import doctest

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgan.evaluation.likelihood import summaries
from jaxgan.evaluation.likelihood.summaries import (
    bits_per_dim,
    finalize,
    mean_over_images,
    merge,
    merge_all,
)
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.objectives.vae.likelihoods import Bernoulli


def sums_of(values):
    values = jnp.asarray(values)
    count = jnp.float32(len(values))
    return {"elbo": (values.sum(), count), "elbo_squared": (jnp.square(values).sum(), count)}


def test_merging_adds_entry_by_entry():
    a = {"elbo": (jnp.float32(-10.0), jnp.float32(2)), "kl": (jnp.float32(3.0), jnp.float32(4))}
    b = {"elbo": (jnp.float32(-5.5), jnp.float32(1)), "kl": (jnp.float32(1.5), jnp.float32(1))}
    assert merge(a, b) == {"elbo": (-15.5, 3.0), "kl": (4.5, 5.0)}


def test_unequal_batches_give_the_mean_over_images_with_students_interval():
    values = np.random.default_rng(0).normal(-90.0, 7.0, 50).astype(np.float32)
    result = finalize(merge_all(sums_of(part) for part in np.split(values, [3, 40])))
    assert result.keys() == {"elbo"}
    values = values.astype(np.float64)
    expected = stats.t.interval(0.95, 49, values.mean(), stats.sem(values))
    np.testing.assert_allclose(result["elbo"].value, values.mean(), rtol=1e-6)
    np.testing.assert_allclose(result["elbo"][1:], expected, rtol=1e-4)


def test_shares_have_wilsons_interval_of_all_their_decisions():
    # 7 images of two decisions each: 13 of 14 are right.
    sums = {"accuracy": (6.5, 7.0), "accuracy_trials": (14.0, 7.0)}
    found = finalize(sums)
    expected = stats.binomtest(13, 14).proportion_ci(0.95, "wilson")
    assert found.keys() == {"accuracy"}
    np.testing.assert_allclose(found["accuracy"], [13 / 14, *expected], rtol=1e-9)
    # All 8 of 8, which Student's interval would call certain.
    (whole,) = finalize({"right": (8.0, 8.0), "right_trials": (8.0, 8.0)}).values()
    np.testing.assert_allclose(whole, [1.0, 0.675592, 1.0], rtol=1e-6)


def test_what_cannot_be_negative_has_no_interval_below_zero():
    values = np.array([0.0, 0.1, 3.0])
    sums = {name: (values.sum(), 3.0) for name in ("kl", "elbo")}
    sums |= {f"{name}_squared": (np.square(values).sum(), 3.0) for name in ("kl", "elbo")}
    found = finalize(sums)
    assert found["elbo"].low < 0
    # About the logarithm of the mean, by the delta method.
    half = stats.t.ppf(0.975, 2) * stats.sem(values) / values.mean()
    expected = values.mean() * np.exp([-half, half])
    np.testing.assert_allclose(found["kl"], [values.mean(), *expected], rtol=1e-9)


def test_without_squares_there_is_no_interval():
    (kl,) = finalize({"kl": (9.0, 4.0)}).values()
    np.testing.assert_array_equal(kl, [2.25, np.nan, np.nan])


def test_squares_and_trials_alone_are_quantities_like_any_other():
    for name in ("error_squared", "court_trials"):
        assert finalize({name: (9.0, 4.0)})[name].value == 2.25


def test_the_spread_of_one_image_is_unknown_and_of_equal_ones_zero():
    one = finalize({"elbo": (-3.0, 1.0), "elbo_squared": (9.0, 1.0)})["elbo"]
    assert np.isnan(one[1:]).all()
    # 3 * 0.1^2 in floating point lies above the sum of squares of a third of 0.3 by a rounding.
    equal = finalize({"elbo": (0.3, 3.0), "elbo_squared": (0.03, 3.0)})["elbo"]
    assert 0 <= equal.high - equal.low < 1e-7


def test_many_batches_are_summed_in_float64():
    # In float32, 100 added to 2^31 is lost; the sum would stand still.
    part = {"elbo": (jnp.float32(100.0), jnp.float32(1))}
    start = {"elbo": (2.0**31, 1.0)}
    assert merge_all([start, part, part]) == {"elbo": (2.0**31 + 200, 3.0)}


def test_what_cannot_be_merged_or_divided_is_refused():
    with pytest.raises(ValueError, match="only one of the two sums to merge has: kl"):
        merge({"elbo": (1.0, 1.0)}, {"elbo": (1.0, 1.0), "kl": (1.0, 1.0)})
    with pytest.raises(ValueError, match="no batch"):
        merge_all([])
    with pytest.raises(ValueError, match="elbo: summed over 0 images"):
        finalize({"elbo": (0.0, 0.0)})
    with pytest.raises(ValueError, match="right: 4 images, but 3 in right_trials"):
        finalize({"right": (1.0, 4.0), "right_trials": (4.0, 3.0)})
    with pytest.raises(ValueError, match="elbo: 4 images, but 3 in elbo_squared"):
        finalize({"elbo": (1.0, 4.0), "elbo_squared": (1.0, 3.0)})


def test_the_mean_over_images_has_students_interval():
    values = np.random.default_rng(1).normal(-90.0, 7.0, 12)
    found = mean_over_images(values)
    expected = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    np.testing.assert_allclose(found, [values.mean(), *expected], rtol=1e-12)
    assert np.isnan(mean_over_images(values[:1])[1:]).all()


def test_bits_of_a_mass():
    """256 levels alike: 8 bits a pixel. The ends change places."""
    nats = -12 * np.log(256)
    found = bits_per_dim(Estimate(nats, nats - 3, nats + 1), dimensions=12, measure="mass")
    expected = [8, 8 - 1 / (12 * np.log(2)), 8 + 3 / (12 * np.log(2))]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_bits_of_a_dequantized_density():
    """Pixels x with P(x) = 1/4, 3/4 on the levels 7, 9 of 256, as a piecewise constant density.

    The density of (x + u) / 256 is 256 P(x), so that the bits must come out as -log2 P(x).
    """
    mass = np.array([0.25, 0.75, 0.75])
    for width in (1 / 256, 1 / 128):
        nats = float(np.log(mass / width).sum())
        found = bits_per_dim(
            Estimate(nats, nats, nats), dimensions=3, measure="dequantized", level_width=width
        )
        assert found.value == pytest.approx(-np.log2(mass).mean(), rel=1e-12)


def test_what_has_no_bits_is_refused():
    nats = Estimate(-20.0, -21.0, -19.0)
    with pytest.raises(ValueError, match=r"'density'.*dequantize"):
        bits_per_dim(nats, dimensions=64, measure="density")
    with pytest.raises(ValueError, match=r"'cross-entropy'.*gray.*nats an image"):
        bits_per_dim(nats, dimensions=64, measure="cross-entropy")
    with pytest.raises(ValueError, match=r"'coarsened'.*fewer bits.*nats an image"):
        bits_per_dim(nats, dimensions=64, measure="coarsened")
    with pytest.raises(ValueError, match="dimensions = 0"):
        bits_per_dim(nats, dimensions=0, measure="mass")
    with pytest.raises(ValueError, match="level_width = 0"):
        bits_per_dim(nats, dimensions=64, measure="dequantized", level_width=0.0)


def test_bernoulli_is_a_mass_of_bits_only():
    bits = np.array([0, 255, 255], np.uint8)
    assert Bernoulli().measure(bits) == "mass"
    for gray in (1, 128, 254):
        assert Bernoulli().measure(np.append(bits, np.uint8(gray))) == "cross-entropy"


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(summaries)
    assert result.attempted
    assert not result.failed
