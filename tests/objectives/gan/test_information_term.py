"""The information of codes against SciPy's densities."""

import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import log_softmax

from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan import information
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.information import Information, negative_log_likelihoods
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
PRIOR = Codes(categories=(3, 2), continuous=2)
FIRST, SECOND = np.array([2, 0, 1, 1]), np.array([0, 1, 1, 0])
LOGITS = DRAWS.normal(size=(4, 5)) * 2
MEANS, CONTINUOUS = DRAWS.normal(size=(4, 2)), DRAWS.uniform(-1, 1, size=(4, 2))


def judged(**changes):
    heads = {"category": LOGITS, "continuous": MEANS, **changes}
    found = {name: jnp.asarray(head, jnp.float32) for name, head in heads.items()}
    return Verdict(jnp.full(4, 7.0), found)


def given(**changes):
    one_hot = tuple(
        jnp.asarray(np.eye(n, dtype=np.float32)[c]) for n, c in ((3, FIRST), (2, SECOND))
    )
    known = {"category": one_hot, "continuous": jnp.asarray(CONTINUOUS, jnp.float32), **changes}
    return {name: value for name, value in known.items() if value is not None}


def expected():
    rows = np.arange(4)
    category = -log_softmax(LOGITS[:, :3], axis=1)[rows, FIRST]
    category -= log_softmax(LOGITS[:, 3:], axis=1)[rows, SECOND]
    return {"category": category, "continuous": -stats.norm.logpdf(CONTINUOUS, MEANS, 1.0).sum(1)}


def test_values():
    found, wanted = negative_log_likelihoods(judged(), given()), expected()
    assert found.keys() == wanted.keys()
    for kind, values in wanted.items():
        np.testing.assert_allclose(found[kind], values, rtol=1e-5)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.3, 0.1)])
def test_both_players_want_codes_to_be_readable(weights):
    terms, total = Information(*weights), weights[0] * expected()["category"]
    total += weights[1] * expected()["continuous"]
    np.testing.assert_allclose(terms.fake(judged(), given()), total, rtol=1e-5)
    np.testing.assert_array_equal(terms.generator(judged(), given()), terms.fake(judged(), given()))
    assert terms.real(judged(), {"label": None}) is None
    assert isinstance(terms, Auxiliary)


@pytest.mark.parametrize("kind", ["category", "continuous"])
def test_one_kind_alone(kind):
    other = {"category": "continuous", "continuous": "category"}[kind]
    found = Information().fake(judged(), given(**{other: None}))
    np.testing.assert_allclose(found, expected()[kind], rtol=1e-5)


def test_the_bound_is_reached_by_a_perfect_reader():
    """What is left of the cross-entropy is 0, and the bound is the entropy; without a look at the
    image it is 0."""
    latents = jax.vmap(lambda key: PRIOR.draw(key, 0))(jax.random.split(jax.random.key(0), 500))
    sure = 1e3 * jnp.concatenate(latents["category"], axis=-1)
    heads = {"category": sure, "continuous": latents["continuous"]}
    found = negative_log_likelihoods(Verdict(jnp.zeros(500), heads), latents)
    np.testing.assert_allclose(found["category"], 0.0, atol=1e-6)
    np.testing.assert_allclose(found["continuous"], math.log(2 * math.pi), rtol=1e-5)
    blind = {"category": jnp.zeros((500, 5)), "continuous": jnp.zeros((500, 2))}
    found = negative_log_likelihoods(Verdict(jnp.zeros(500), blind), latents)
    np.testing.assert_allclose(found["category"], PRIOR.entropy["category"], rtol=1e-5)


def test_gradients_and_extremes():
    """Reading moves towards the codes: ``mean - code``; finite where logits are huge."""

    def total(means):
        return jnp.sum(Information(continuous=0.5).generator(judged(continuous=means), given()))

    slope = jax.grad(total)(jnp.asarray(MEANS, jnp.float32))
    np.testing.assert_allclose(slope, 0.5 * (MEANS - CONTINUOUS), rtol=1e-4, atol=1e-6)
    huge = judged(category=1e4 * np.sign(LOGITS), continuous=1e4 + MEANS)
    assert np.isfinite(Information().fake(huge, given())).all()


def test_what_is_missing():
    for known in ({"label": None}, {}, jnp.zeros((4, 3))):
        with pytest.raises(ValueError, match="needs a prior with codes"):
            Information().fake(judged(), known)
    with pytest.raises(ValueError, match=r"head 'category' of 5 numbers.*this one has none"):
        Information().fake(Verdict(jnp.zeros(4), {"continuous": jnp.zeros((4, 2))}), given())
    with pytest.raises(ValueError, match=r"head 'continuous' of 2 numbers.*has one of 3"):
        Information().fake(judged(continuous=np.zeros((4, 3))), given())


@pytest.mark.parametrize("name", ["categorical", "continuous"])
@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_bad_weight(name, weight):
    with pytest.raises(ValueError, match=rf"^{name} = {weight}: must be above 0 and finite"):
        Information(**{name: weight})


def test_examples():
    result = doctest.testmod(information)
    assert result.attempted >= 4
    assert result.failed == 0
