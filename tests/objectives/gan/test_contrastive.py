"""Terms over pairs of images against double loops in double precision, as the papers write them."""

import dataclasses
import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan import contrastive
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.contrastive import ConditionalContrastive, DataToDataCrossEntropy
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
# A class of three, one of two, and one that nobody shares.
LABELS = np.array([0, 2, 0, 1, 2, 0])
TERMS = pytest.mark.parametrize("term", [ConditionalContrastive(), DataToDataCrossEntropy()])


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# Near to each other, so that some pairs are inside the margins and some outside.
EMBEDDING = unit(DRAWS.normal(size=(6, 4)) + np.eye(3, 4)[LABELS])
PROXY = unit(DRAWS.normal(size=(3, 4)) + 2 * np.eye(3, 4))[LABELS]


def judged(embedding=EMBEDDING, proxy=PROXY):
    heads = {"embedding": jnp.asarray(embedding, jnp.float32), "proxy": jnp.asarray(proxy)}
    return Verdict(jnp.zeros(len(embedding)), heads)


def given(labels=LABELS):
    return {"label": jnp.asarray(labels), "noise": jnp.ones((len(labels), 2))}


def contrastive_loop(temperature=1.0, weight=1.0):
    found = []
    for i in range(6):
        own = math.exp(EMBEDDING[i] @ PROXY[i] / temperature)
        alike, every = own, own
        for k in range(6):
            if k != i:
                pair = math.exp(EMBEDDING[i] @ EMBEDDING[k] / temperature)
                every += pair
                alike += pair if LABELS[k] == LABELS[i] else 0.0
        found.append(-weight * math.log(alike / every))
    return found


def data_to_data_loop(temperature=0.5, margin=0.98, weight=0.5):
    found, kept = [], 0
    for i in range(6):
        near = math.exp(min(EMBEDDING[i] @ PROXY[i] - margin, 0.0) / temperature)
        every = near
        for j in range(6):
            if LABELS[j] != LABELS[i]:
                over = EMBEDDING[i] @ EMBEDDING[j] - (1.0 - margin)
                every += math.exp(max(over, 0.0) / temperature)
                kept += over < 0
        found.append(-weight * math.log(near / every))
    # Some pairs of different classes are on either side of the margin.
    assert kept in range(1, 22) or margin != 0.98
    return found


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.3}, {"weight": 0.4}])
def test_contrastive(settings):
    term, expected = ConditionalContrastive(**settings), contrastive_loop(**settings)
    assert len({round(value, 6) for value in expected}) == 6
    np.testing.assert_allclose(term.real(judged(), given()), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 0.2}, {"margin": 0.5}, {"margin": 0.9}, {"weight": 1.5}]
)
def test_data_to_data(settings):
    term, expected = DataToDataCrossEntropy(**settings), data_to_data_loop(**settings)
    np.testing.assert_allclose(term.real(judged(), given()), expected, rtol=1e-5)


def test_margins_are_kept_from_both_sides():
    """A pair closer than asked for pulls no more; one farther than asked for pushes no more."""
    heads = {
        "embedding": jnp.array([[1.0, 0.0], [-0.9, 0.1]]),
        "proxy": jnp.eye(2)[:1].repeat(2, 0),
    }
    labels = {"label": jnp.array([0, 1])}

    def first(embedding):
        verdict = Verdict(jnp.zeros(2), {**heads, "embedding": embedding})
        return DataToDataCrossEntropy().real(verdict, labels)[0]

    assert not np.asarray(jax.grad(first)(heads["embedding"])).any()


def test_not_what_the_authors_code_computes():
    """Which shifts the negatives' exponents, and not the positive's that is added to them."""
    shifted = []
    for i in range(6):
        near = min(EMBEDDING[i] @ PROXY[i] - 0.98, 0.0) / 0.5
        others = np.array([EMBEDDING[i] @ EMBEDDING[j] - 0.02 for j in range(6) if j != i]) / 0.5
        apart = np.array([LABELS[j] != LABELS[i] for j in range(6) if j != i])
        total = (apart * np.exp(np.maximum(others, 0.0) - others.max())).sum()
        shifted.append(0.5 * (-near + math.log(math.exp(near) + total)))
    found = np.asarray(DataToDataCrossEntropy().real(judged(), given()))
    assert (np.abs(found - shifted) > 0.05).any()


@TERMS
def test_players(term):
    """Real images in the discriminator's loss, generated ones in the generator's, with one sign."""
    real = term.real(judged(), given())
    np.testing.assert_array_equal(term.generator(judged(), given()), real)
    assert term.fake(judged(), given()) is None
    assert isinstance(term, Auxiliary)
    assert (np.asarray(real) > 0).all()


@TERMS
def test_gradients(term):
    """By differences in double precision, with respect to embeddings and proxies; none crosses."""
    loop = {"contrastive": contrastive_loop, "data_to_data": data_to_data_loop}[term.name]

    def total(embedding, proxy):
        verdict = Verdict(jnp.zeros(6), {"embedding": embedding, "proxy": proxy})
        return jnp.sum(term.real(verdict, given()))

    arguments = jnp.asarray(EMBEDDING, jnp.float32), jnp.asarray(PROXY, jnp.float32)
    slopes = jax.grad(total, argnums=(0, 1))(*arguments)
    for array, slope in zip((EMBEDDING, PROXY), slopes, strict=True):
        for place in ((0, 1), (3, 2)):
            ends = []
            for step in (1e-5, -1e-5):
                kept, array[place] = array[place], array[place] + step
                ends.append(sum(loop()))
                array[place] = kept
            expected = (ends[0] - ends[1]) / 2e-5
            assert expected != 0
            np.testing.assert_allclose(slope[place], expected, rtol=1e-3)
    # Down the slope the embedding goes towards the proxy of its class.
    moved = arguments[0] - 0.01 * slopes[0]
    assert float(jnp.sum(moved * arguments[1])) > float(jnp.sum(arguments[0] * arguments[1]))


@TERMS
@pytest.mark.parametrize("labels", [LABELS, [1] * 6, range(6)])
def test_extremes(term, labels):
    """Inner products of 1e8, one class, no two of one class: finite, with first and second
    derivatives."""
    heads = {"embedding": 1e4 * EMBEDDING, "proxy": -1e4 * PROXY}

    def total(embedding):
        verdict = Verdict(
            jnp.zeros(6),
            {"embedding": embedding, "proxy": jnp.asarray(heads["proxy"], jnp.float32)},
        )
        return jnp.sum(term.real(verdict, given(np.array(labels))))

    embedding = jnp.asarray(heads["embedding"], jnp.float32)
    slope, second = jax.jvp(jax.grad(total), (embedding,), (jnp.ones_like(embedding),))
    assert np.isfinite([float(total(embedding)), *np.ravel(slope), *np.ravel(second)]).all()


def test_a_single_image():
    """Nobody to compare with: nothing to be said against another class."""
    one = judged(EMBEDDING[:1], PROXY[:1])
    assert float(ConditionalContrastive().real(one, given(LABELS[:1]))[0]) == 0.0
    assert float(DataToDataCrossEntropy().real(one, given(LABELS[:1]))[0]) == 0.0


@TERMS
def test_what_is_missing(term):
    with pytest.raises(ValueError, match=r"needs a discriminator with heads 'embedding' and"):
        term.real(Verdict(jnp.zeros(6), {"embedding": jnp.asarray(EMBEDDING)}), given())
    for known in ({"label": None}, {"noise": jnp.zeros((6, 2))}, jnp.zeros((6, 2))):
        with pytest.raises(ValueError, match=r"needs a prior with labels"):
            term.generator(judged(), known)


@pytest.mark.parametrize("name", ["weight", "temperature"])
@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf])
@TERMS
def test_bad_settings(term, name, value):
    with pytest.raises(ValueError, match=rf"^{name} = {value}: must be above 0 and finite"):
        dataclasses.replace(term, **{name: value})


@pytest.mark.parametrize("margin", [-0.1, 1.1, math.nan])
def test_bad_margin(margin):
    with pytest.raises(ValueError, match=rf"^margin = {margin}: a cosine"):
        DataToDataCrossEntropy(margin=margin)


def test_examples():
    result = doctest.testmod(contrastive)
    assert result.attempted >= 8
    assert result.failed == 0
