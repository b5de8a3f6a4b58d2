"""The twin classifier against SciPy's log-softmax, the multi-class hinge against a loop."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from jaxgan.objectives.gan import class_terms
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.class_terms import HingeClassifier, TwinClassifier, margin
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
HEAD = DRAWS.normal(size=(6, 5)) * 3
LABELS = np.array([0, 4, 2, 2, 1, 3])
GIVEN = {"label": jnp.asarray(LABELS)}


def judged(head=HEAD, name="twin"):
    return Verdict(jnp.full(len(head), 9.0), {name: jnp.asarray(head, jnp.float32)})


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_the_twin_learns_and_the_generator_plays_against_it(weight):
    expected = -weight * log_softmax(HEAD, axis=1)[np.arange(6), LABELS]
    term = TwinClassifier(weight)
    np.testing.assert_allclose(term.fake(judged(), GIVEN), expected, rtol=1e-5)
    np.testing.assert_allclose(term.generator(judged(), GIVEN), -expected, rtol=1e-5)
    assert term.real(judged(), GIVEN) is None


def test_gradients_of_the_twin():
    """``softmax - one-hot`` for the discriminator, the opposite for the generator."""
    expected = softmax(HEAD, axis=1) - np.eye(5)[LABELS]
    for sign, of in ((1, TwinClassifier().fake), (-1, TwinClassifier().generator)):
        slope = jax.grad(lambda h, of=of: jnp.sum(of(Verdict(jnp.zeros(6), {"twin": h}), GIVEN)))
        np.testing.assert_allclose(
            slope(jnp.asarray(HEAD, jnp.float32)), sign * expected, atol=1e-6
        )


def test_margins():
    expected = [HEAD[i, y] - np.delete(HEAD[i], y).max() for i, y in enumerate(LABELS)]
    assert min(expected) < 0 < max(expected)
    np.testing.assert_allclose(margin(jnp.asarray(HEAD), GIVEN["label"]), expected, rtol=1e-5)


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_hinge(weight):
    expected = [
        weight * max(0.0, 1.0 - HEAD[i, y] + max(HEAD[i, k] for k in range(5) if k != y))
        for i, y in enumerate(LABELS)
    ]
    assert 0.0 in expected
    term = HingeClassifier(weight)
    for of in (term.real, term.generator):
        np.testing.assert_allclose(of(judged(name="class"), GIVEN), expected, rtol=1e-5)
    assert term.fake(judged(name="class"), GIVEN) is None


def test_gradient_of_the_hinge():
    """-1 at the own class and 1 at the largest other one, where the margin is not kept."""

    def total(head):
        return jnp.sum(HingeClassifier(0.5).real(Verdict(jnp.zeros(6), {"class": head}), GIVEN))

    expected = np.zeros_like(HEAD)
    for i, y in enumerate(LABELS):
        other = max((k for k in range(5) if k != y), key=lambda k, i=i: HEAD[i, k])
        if HEAD[i, y] - HEAD[i, other] < 1.0:
            expected[i, y], expected[i, other] = -0.5, 0.5
    assert (expected.any(axis=1)).sum() in range(1, 6)
    np.testing.assert_array_equal(jax.grad(total)(jnp.asarray(HEAD, jnp.float32)), expected)


@pytest.mark.parametrize(
    ("term", "head"), [(TwinClassifier(), "twin"), (HingeClassifier(), "class")]
)
def test_extremes_and_what_is_missing(term, head):
    scores = np.array([[1e4, 0.0, -1e4]] * 3)
    labels = {"label": jnp.arange(3)}
    expected = {"twin": [0.0, -1e4, -2e4], "class": [0.0, 10001.0, 20001.0]}[head]
    np.testing.assert_allclose(term.generator(judged(scores, head), labels), expected, rtol=1e-6)
    assert isinstance(term, Auxiliary)
    with pytest.raises(ValueError, match=f"needs a discriminator with a head '{head}'"):
        term.generator(judged(name="code"), GIVEN)
    for known in ({"label": None}, {}, jnp.zeros((6, 2))):
        with pytest.raises(ValueError, match="needs a prior with labels"):
            term.generator(judged(name=head), known)


def test_one_class():
    with pytest.raises(ValueError, match="at least 2"):
        margin(jnp.zeros((3, 1)), jnp.zeros(3, jnp.int32))


@pytest.mark.parametrize("term", [TwinClassifier, HingeClassifier])
@pytest.mark.parametrize("weight", [0.0, -0.1, math.nan, math.inf])
def test_bad_weight(term, weight):
    with pytest.raises(ValueError, match=rf"^weight = {weight}: must be above 0 and finite"):
        term(weight)


def test_examples():
    result = doctest.testmod(class_terms)
    assert result.attempted >= 9
    assert result.failed == 0
