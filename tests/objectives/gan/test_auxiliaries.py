"""The auxiliary classifier against SciPy's log-softmax in double precision."""

import dataclasses
import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from jaxgan.objectives.gan import auxiliaries
from jaxgan.objectives.gan.auxiliaries import Auxiliary, AuxiliaryClassifier
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
HEAD = DRAWS.normal(size=(6, 5)) * 3
LABELS = np.array([0, 4, 2, 2, 1, 3])


def judged(head, logits=0.0):
    return Verdict(jnp.full(len(head), logits), {"class": jnp.asarray(head, jnp.float32)})


def values(weight=1.0, head=HEAD, labels=LABELS):
    return AuxiliaryClassifier(weight).fake(judged(head), {"label": jnp.asarray(labels)})


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_values(weight):
    expected = -weight * log_softmax(HEAD, axis=1)[np.arange(6), LABELS]
    assert len(set(expected.tolist())) == 6
    np.testing.assert_allclose(values(weight), expected, rtol=1e-5)


def test_both_players_want_it_right_of_all_images():
    """One value for real images, for generated ones, and for the generator."""
    given = {"label": jnp.asarray(LABELS)}
    for part in (AuxiliaryClassifier(0.3).real, AuxiliaryClassifier(0.3).generator):
        np.testing.assert_array_equal(part(judged(HEAD), given), values(0.3))


def test_the_discriminator_may_learn_classes_from_real_images_alone():
    term, given = AuxiliaryClassifier(0.3, real_alone=True), {"label": jnp.asarray(LABELS)}
    assert term.fake(judged(HEAD), given) is None
    for part in (term.real, term.generator):
        np.testing.assert_array_equal(part(judged(HEAD), given), values(0.3))


def test_large_logits():
    """In float32, where exp(1e4) overflows."""
    head = np.array([[1e4, 0.0, -1e4]] * 3)
    np.testing.assert_allclose(values(head=head, labels=[0, 1, 2]), [0.0, 1e4, 2e4], rtol=1e-6)


def test_gradient():
    """``weight (softmax - one-hot)``, for each example by itself."""

    def total(head):
        verdict = Verdict(jnp.zeros(6), {"class": head})
        return jnp.sum(AuxiliaryClassifier(0.3).fake(verdict, {"label": jnp.asarray(LABELS)}))

    found = jax.grad(total)(jnp.asarray(HEAD, jnp.float32))
    expected = 0.3 * (softmax(HEAD, axis=1) - np.eye(5)[LABELS])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_reads_the_head_alone():
    """Not the logits, and of what is given not the noise."""
    given = {"label": jnp.asarray(LABELS), "noise": jnp.ones((6, 2))}
    found = AuxiliaryClassifier().fake(judged(HEAD, logits=9.0), given)
    np.testing.assert_array_equal(found, values())


def test_a_missing_head_or_label():
    given = {"label": jnp.asarray(LABELS)}
    with pytest.raises(ValueError, match="needs a discriminator with a head 'class'"):
        AuxiliaryClassifier().fake(Verdict(jnp.zeros(6), {"code": jnp.zeros((6, 5))}), given)
    for latents in (jnp.zeros((6, 3)), {"noise": jnp.zeros((6, 3))}):
        with pytest.raises(ValueError, match="needs a prior with labels"):
            AuxiliaryClassifier().fake(judged(HEAD), latents)


def test_is_a_value():
    assert isinstance(AuxiliaryClassifier(), Auxiliary)
    assert AuxiliaryClassifier.name == "classification"
    assert AuxiliaryClassifier() == AuxiliaryClassifier(weight=1.0)
    assert hash(AuxiliaryClassifier()) == hash(dataclasses.replace(AuxiliaryClassifier()))


@pytest.mark.parametrize("weight", [0.0, -0.1, math.nan, math.inf])
def test_bad_weight(weight):
    with pytest.raises(ValueError, match=rf"^weight = {weight}: must be above 0 and finite"):
        AuxiliaryClassifier(weight)


def test_examples():
    result = doctest.testmod(auxiliaries)
    assert result.attempted >= 5
    assert result.failed == 0
