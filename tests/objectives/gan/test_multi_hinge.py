"""The multi-hinge against a loop over classes, and against the common hinge loss."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan import multi_hinge
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.gan.multi_hinge import HEAD, MultiHinge
from jaxgan.objectives.gan.verdict import Verdict

CLASSES = 4
DRAWS = np.random.default_rng(3)
SCORES = DRAWS.normal(size=(7, CLASSES + 1)) * 2
LABELS = np.array([0, 3, 2, 1, 1, 0, 3])
GIVEN = {"label": jnp.asarray(LABELS)}
TERM = MultiHinge(weight=3.0, generator_weight=0.25)


def judged(scores=SCORES):
    # Logits that would be seen in any term that read them.
    return Verdict(jnp.full(len(scores), 50.0), {HEAD: jnp.asarray(scores, jnp.float32)})


def hinge(scores, label):
    """Crammer and Singer's, one class after the other."""
    return max(0.0, *(1.0 - scores[label] + s for k, s in enumerate(scores) if k != label))


def test_values():
    right = np.array([hinge(row, y) for row, y in zip(SCORES, LABELS, strict=True)])
    last = np.array([hinge(row, CLASSES) for row in SCORES])
    assert 0.0 in right
    assert 0.0 in last
    assert (right > 0).any()
    assert (last > 0).any()
    np.testing.assert_allclose(TERM.real(judged(), GIVEN), 3.0 * right, rtol=1e-5)
    np.testing.assert_allclose(TERM.fake(judged(), GIVEN), 3.0 * last, rtol=1e-5)
    np.testing.assert_allclose(TERM.generator(judged(), GIVEN), 0.25 * right, rtol=1e-5)


def test_of_one_class_it_is_the_hinge_loss_of_a_logit():
    logits = jnp.asarray(DRAWS.normal(size=9) * 2, jnp.float32)
    verdict = judged(jnp.stack([logits / 2, -logits / 2], axis=1))
    given = {"label": jnp.zeros(9, jnp.int32)}
    found = MultiHinge().real(verdict, given) + MultiHinge().fake(verdict, given)
    expected = Hinge().discriminator(real=logits, fake=logits)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("part", "weight"), [("real", 3.0), ("fake", 3.0), ("generator", 0.25)])
def test_gradients(part, weight):
    """Towards the class it is to be of, away from the one that is nearest, by the weight."""

    def total(scores):
        return jnp.sum(getattr(TERM, part)(judged(scores), GIVEN))

    expected = np.zeros_like(SCORES)
    for i, row in enumerate(SCORES):
        own = CLASSES if part == "fake" else LABELS[i]
        other = max((k for k in range(CLASSES + 1) if k != own), key=lambda k, row=row: row[k])
        if row[own] - row[other] < 1.0:
            expected[i, own], expected[i, other] = -weight, weight
    found = jax.grad(total)(jnp.asarray(SCORES, jnp.float32))
    np.testing.assert_array_equal(found, expected)


def test_extremes():
    verdict = judged(np.array([[1e4, -1e4, 0.0], [-1e4, 0.0, 1e4]]))
    given = {"label": jnp.array([0, 1])}
    np.testing.assert_allclose(MultiHinge().real(verdict, given), [0.0, 10001.0], rtol=1e-6)
    np.testing.assert_allclose(MultiHinge().fake(verdict, given), [10001.0, 0.0], rtol=1e-6)


def test_what_is_missing():
    assert isinstance(TERM, Auxiliary)
    for part in (TERM.real, TERM.fake, TERM.generator):
        with pytest.raises(ValueError, match="a head 'class_or_fake', such as ClassOrFakeDcgan"):
            part(Verdict(jnp.zeros(7), {"class": jnp.asarray(SCORES)}), GIVEN)
    for known in ({"label": None}, {}, jnp.zeros((7, 2))):
        for part in (TERM.real, TERM.generator):
            with pytest.raises(ValueError, match="needs a prior with labels"):
                part(judged(), known)


@pytest.mark.parametrize("name", ["weight", "generator_weight"])
@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf])
def test_bad_weight(name, value):
    with pytest.raises(ValueError, match=rf"^{name} = {value}: must be above 0 and finite"):
        MultiHinge(**{name: value})


def test_examples():
    result = doctest.testmod(multi_hinge)
    assert result.attempted >= 4
    assert result.failed == 0
