"""Priors: their draws bit for bit, their distributions, and what stays where on a path."""

import dataclasses
import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgan import rng
from jaxgan.objectives import priors
from jaxgan.objectives.priors import Labelled, Normal, Prior, Uniform

KEY = jax.random.key(3)
SOME = [Normal(4), Uniform(4), Labelled(Normal(4)), Labelled(Uniform(4))]
EACH = pytest.mark.parametrize("prior", SOME, ids=repr)


def draws(prior, count, classes=10):
    return jax.vmap(lambda key: prior.draw(key, classes))(jax.random.split(KEY, count))


def halves(latents):
    """The first half of a batch and the second."""
    count = noise_of(latents).shape[0] // 2
    return (jax.tree.map(lambda leaf, p=part: leaf[p], latents) for part in np.s_[:count, count:])


def noise_of(latents):
    return latents["noise"] if isinstance(latents, dict) else latents


def test_draws_bit_for_bit():
    """As they were before priors were values: a run goes on with the same latents."""
    np.testing.assert_array_equal(Normal(7).draw(KEY, 0), jax.random.normal(KEY, (7,)))
    expected = jax.random.uniform(KEY, (7,), minval=-1.0, maxval=1.0)
    np.testing.assert_array_equal(Uniform(7).draw(KEY, 0), expected)
    for noise in (Normal(7), Uniform(7)):
        latents = Labelled(noise).draw(KEY, 10)
        assert sorted(latents) == ["label", "noise"]
        own = noise.draw(rng.role_key(KEY, "noise"), 0)
        np.testing.assert_array_equal(latents["noise"], own)
        label = jax.random.randint(rng.role_key(KEY, "label"), (), 0, 10)
        assert int(latents["label"]) == int(label)


@pytest.mark.parametrize("prior", [Normal(4), Uniform(4)], ids=repr)
def test_classes_do_not_matter_without_labels(prior):
    np.testing.assert_array_equal(prior.draw(KEY, 0), prior.draw(KEY, 10))


def test_shapes_and_types():
    assert Normal().draw(KEY, 0).shape == Uniform().draw(KEY, 0).shape == (100,)
    latents = Labelled().draw(KEY, 10)
    assert latents["noise"].shape == (100,)
    assert latents["label"].shape == ()
    assert latents["label"].dtype == jnp.int32


@EACH
def test_distribution_of_the_noise(prior):
    normal = Normal(4) in (prior, getattr(prior, "noise", None))
    values = np.asarray(noise_of(draws(prior, 3000)), np.float64)
    expected = stats.norm() if normal else stats.uniform(-1, 2)
    assert stats.kstest(values.ravel(), expected.cdf).pvalue > 1e-3
    correlations = np.corrcoef(values.T)[~np.eye(4, dtype=bool)]
    assert np.abs(correlations).max() < 0.08


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_labels_are_uniform(classes):
    labels = np.asarray(draws(Labelled(Normal(1)), 5000, classes)["label"])
    counts = np.bincount(labels, minlength=classes)
    assert len(counts) == classes
    assert classes == 1 or stats.chisquare(counts).pvalue > 1e-3


def test_noise_is_independent_of_the_label():
    """No class has noise of its own, in mean or spread; with one key for both, it would."""
    latents = draws(Labelled(Normal(2)), 5000, classes=4)
    noise, labels = np.asarray(latents["noise"]), np.asarray(latents["label"])
    for values in noise.T:
        groups = [values[labels == label] for label in range(4)]
        assert stats.f_oneway(*groups).pvalue > 1e-3
        assert stats.levene(*groups).pvalue > 1e-3


@pytest.mark.parametrize("classes", [0, -1])
def test_labels_need_classes(classes):
    with pytest.raises(ValueError, match=f"classes = {classes}: labels need data"):
        Labelled().draw(KEY, classes)


@EACH
def test_ends_are_exact(prior):
    a, b = halves(draws(prior, 40))
    for end, t in ((a, 0.0), (b, 1.0)):
        found = prior.between(a, b, jnp.full(20, t))
        np.testing.assert_array_equal(noise_of(found), noise_of(end))
        if prior.conditional:
            assert sorted(found) == ["label", "noise"]
            np.testing.assert_array_equal(found["label"], a["label"])
            assert found["label"].dtype == jnp.int32
            assert not np.array_equal(a["label"], b["label"])


@pytest.mark.parametrize("prior", [Normal(8), Labelled(Normal(8))], ids=repr)
def test_great_circle(prior):
    """Between orthonormal vectors: ``cos(t pi/2) a + sin(t pi/2) b``, of length 1 all along."""
    frame, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))
    a, b = (jnp.tile(jnp.asarray(vector, jnp.float32), (5, 1)) for vector in frame[:2])
    t = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    label = jnp.zeros(5, jnp.int32)
    ends = [{"noise": end, "label": label} if prior.conditional else end for end in (a, b)]
    found = noise_of(prior.between(*ends, jnp.asarray(t, jnp.float32)))
    expected = np.cos(t * np.pi / 2)[:, None] * frame[0] + np.sin(t * np.pi / 2)[:, None] * frame[1]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-6)


def test_great_circles_keep_the_length_that_the_prior_has():
    """A standard normal vector has length sqrt(d); the middle of a chord is shorter by sqrt(2)."""
    size, middle = 20_000, jnp.full(2, 0.5)
    a, b = halves(draws(Normal(size), 4))
    found = Normal(size).between(a, b, middle)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), size**0.5, rtol=0.02)
    chord = Uniform(size).between(a, b, middle)
    np.testing.assert_allclose(np.linalg.norm(chord, axis=1), (size / 2) ** 0.5, rtol=0.02)


@pytest.mark.parametrize("prior", [Uniform(3), Labelled(Uniform(3))], ids=repr)
def test_straight_line_within_the_support(prior):
    rows = np.random.default_rng(1)
    a, b = rows.uniform(-1, 1, size=(2, 500, 3)).astype(np.float32)
    a[:3], b[:3] = [[1.0], [-1.0], [1.0]], [[1.0], [-1.0], [-1.0]]  # its corners
    t = rows.uniform(size=500).astype(np.float32)
    ends = [
        {"noise": jnp.asarray(end), "label": jnp.zeros(500, jnp.int32)}
        if prior.conditional
        else jnp.asarray(end)
        for end in (a, b)
    ]
    found = np.asarray(noise_of(prior.between(*ends, jnp.asarray(t))))
    np.testing.assert_allclose(found, a + t[:, None] * (b - a), atol=1e-6)
    assert np.abs(found).max() <= 1.0


@pytest.mark.parametrize("noise", [Normal(2), Uniform(2)], ids=repr)
def test_labels_on_a_path_are_those_of_its_start(noise):
    def latents(label):
        return {"noise": jnp.full((3, 2), 0.1 * label), "label": jnp.full(3, label)}

    found = Labelled(noise).between(latents(4), latents(7), jnp.array([0.0, 0.6, 1.0]))
    assert found["label"].tolist() == [4, 4, 4]


def test_project():
    latents = jnp.array([[-3.0, -1.0, 0.25], [1.5, 1.0, -0.5]])
    clipped = [[-1.0, -1.0, 0.25], [1.0, 1.0, -0.5]]
    labels = jnp.array([5, 2])
    assert Normal(3).project(latents).tolist() == latents.tolist()
    assert Uniform(3).project(latents).tolist() == clipped
    for noise, expected in ((Normal(3), latents.tolist()), (Uniform(3), clipped)):
        found = Labelled(noise).project({"noise": latents, "label": labels})
        assert sorted(found) == ["label", "noise"]
        assert found["noise"].tolist() == expected
        assert found["label"].tolist() == [5, 2]


@EACH
def test_draws_are_in_the_support(prior):
    latents = draws(prior, 50)
    jax.tree.map(np.testing.assert_array_equal, prior.project(latents), latents)


def test_truncate():
    latents = jnp.array([[2.0, -4.0]])
    assert Normal(2).truncates
    assert Normal(2).truncate(latents, 0.25).tolist() == [[0.5, -1.0]]
    assert Normal(2).truncate(latents, jnp.float32(0.0)).tolist() == [[0.0, 0.0]]
    given = {"noise": latents, "label": jnp.array([3])}
    assert Labelled(Normal(2)).truncates
    found = Labelled(Normal(2)).truncate(given, 0.25)
    assert found["noise"].tolist() == [[0.5, -1.0]]
    assert found["label"].tolist() == [3]
    assert given["noise"].tolist() == [[2.0, -4.0]]


def test_uniform_noise_is_not_truncated():
    latents = jnp.zeros((1, 2))
    for prior, given in (
        (Uniform(2), latents),
        (Labelled(Uniform(2)), {"noise": latents, "label": jnp.array([3])}),
    ):
        assert not prior.truncates
        with pytest.raises(ValueError, match="uniform prior has no tails"):
            prior.truncate(given, 0.5)


@EACH
def test_is_a_value(prior):
    assert isinstance(prior, Prior)
    assert prior.conditional == isinstance(prior, Labelled)
    assert dataclasses.replace(prior) == prior
    assert hash(dataclasses.replace(prior)) == hash(prior)
    with pytest.raises(dataclasses.FrozenInstanceError):
        prior.size = 3


@pytest.mark.parametrize("cls", [Normal, Uniform])
@pytest.mark.parametrize("size", [0, -2])
def test_bad_size(cls, size):
    with pytest.raises(ValueError, match=f"size = {size}: a latent has at least 1 number"):
        cls(size)


def test_examples():
    result = doctest.testmod(priors)
    assert result.attempted >= 8
    assert result.failed == 0
