"""Top-k training: who is among the best, what they learn, and how their number shrinks."""

import dataclasses
import doctest
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan import top_k
from jaxgan.objectives.gan.feature_matching import FeatureMatching
from jaxgan.objectives.gan.losses import Hinge, NonSaturating
from jaxgan.objectives.gan.relativistic import RelativisticAverageSquares
from jaxgan.objectives.gan.top_k import TopK
from jaxgan.objectives.gan.verdict import Verdict

REAL = np.array([2.0, -1.5, 0.3, 5.25, 0.0, -3.0, 1.0, 0.2])
FAKE = np.array([-0.7, 3.1, 1.2, -4.0, 0.5, -2.0, 2.2, -0.1])
BEST = np.array([1, 6, 2, 4, 7, 0, 5, 3])
"""Places of the largest logits, the largest first."""


def read(loss, logits, features=()):
    return loss.reads(Verdict(jnp.asarray(logits, jnp.float32), {}, features))


def after(loss, steps):
    """The loss of a step."""
    state = loss.init()
    return loss.at({**state, "steps": state["steps"] + steps})


@pytest.mark.parametrize(
    ("steps", "k"), [(0, 8), (9, 8), (10, 6), (19, 6), (20, 5), (30, 3), (50, 2), (9999, 2)]
)
def test_the_generator_learns_from_the_k_best(steps, k):
    """8 times 0.75 to the power of the reductions so far, rounded, and never below a quarter."""
    loss = after(TopK(decay=0.75, least=0.25, every=10), steps)

    def mean(fake):
        return jnp.mean(loss.generator(real=read(loss, REAL), fake=read(loss, fake)))

    value, slope = jax.value_and_grad(mean)(jnp.asarray(FAKE, jnp.float32))
    best = BEST[:k]
    assert float(value) == pytest.approx(np.logaddexp(0, -FAKE[best]).mean(), rel=1e-5)
    expected = np.zeros(8)
    expected[best] = -1 / (1 + np.exp(FAKE[best])) / k
    np.testing.assert_allclose(slope, expected, rtol=1e-5)


def test_the_discriminator_learns_from_all():
    loss = after(TopK(Hinge(), decay=0.5, least=0.125, every=1), 99)
    real, fake = read(loss, REAL), read(loss, FAKE)
    np.testing.assert_allclose(
        loss.discriminator(real=real, fake=fake),
        np.maximum(0, 1 - REAL) + np.maximum(0, 1 + FAKE),
        rtol=1e-6,
    )
    correct = loss.correct(real=real, fake=fake)
    assert correct["accuracy_fake"].tolist() == (FAKE < 0).tolist()


def test_at_least_one_is_left():
    loss = after(TopK(least=1e-6, decay=1e-6, every=1), 5)
    values = np.asarray(loss.generator(real=read(loss, REAL), fake=read(loss, FAKE)))
    assert np.flatnonzero(values).tolist() == [1]
    assert values[1] == pytest.approx(8 * math.log1p(math.exp(-3.1)), rel=1e-5)


def test_the_others_do_not_learn_from_what_compares_examples():
    """A mean over the batch sees them; the gradient flows to the best alone."""
    loss = after(TopK(RelativisticAverageSquares(), decay=0.5, least=0.125, every=1), 1)

    def mean(fake):
        return jnp.mean(loss.generator(real=read(loss, REAL), fake=read(loss, fake)))

    slope = np.asarray(jax.grad(mean)(jnp.asarray(FAKE, jnp.float32)))
    assert set(np.flatnonzero(slope)) == set(BEST[:4])
    # Half of what two terms a pair say: the example's own, and its share of the mean.
    half = FAKE[BEST[:4]] - REAL.mean() - 1 + np.mean(FAKE.mean() - REAL[BEST[:4]] - 1) / 2
    np.testing.assert_allclose(slope[BEST[:4]], half / 2, rtol=1e-4)
    terms = (FAKE - REAL.mean() - 1) ** 2 + (FAKE.mean() - REAL - 1) ** 2
    assert float(mean(jnp.asarray(FAKE, jnp.float32))) == pytest.approx(
        terms[BEST[:4]].mean(), rel=1e-5
    )


def test_losses_that_read_features():
    """The best by their logits; only their features are pulled at, each as before."""
    draws = np.random.default_rng(0)
    features = jnp.asarray(draws.normal(size=(8, 3)), jnp.float32)
    loss = after(TopK(FeatureMatching(), decay=0.5, least=0.125, every=1), 1)
    plain = FeatureMatching()
    real = Verdict(jnp.asarray(REAL, jnp.float32), {}, (features + 1.0,))

    def mean(loss, features):
        fake = Verdict(jnp.asarray(FAKE, jnp.float32), {}, (features,))
        return jnp.mean(loss.generator(real=loss.reads(real), fake=loss.reads(fake)))

    (value, slope), (whole, every) = (
        jax.value_and_grad(lambda f, one=one: mean(one, f))(features) for one in (loss, plain)
    )
    assert float(value) == pytest.approx(float(whole), rel=1e-6)
    np.testing.assert_allclose(slope[BEST[:4]], every[BEST[:4]], rtol=1e-5)
    assert not slope[BEST[4:]].any()


@dataclasses.dataclass(frozen=True)
class Weighted(NonSaturating):
    """A loss with a state of its own: a weight that doubles with each step."""

    def init(self):
        return jnp.ones(())

    def at(self, state):
        class Now(NonSaturating):
            def generator(self, *, real, fake):
                return state * super().generator(real=real, fake=fake)

        return Now()

    def update(self, state, *, real, fake):
        return 2.0 * state, {"sum": jnp.sum(real) - jnp.sum(fake)}


def test_losses_with_a_state():
    loss = TopK(Weighted(), decay=0.5, least=0.5, every=2)
    state, values = loss.init(), []
    for _ in range(3):
        now = loss.at(state)
        real, fake = read(now, REAL), read(now, FAKE)
        values.append(float(now.generator(real=real, fake=fake).mean()))
        state, metrics = loss.update(state, real=real, fake=fake)
    each = np.logaddexp(0, -FAKE)
    expected = [each.mean(), 2 * each.mean(), 4 * each[BEST[:4]].mean()]
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    # What is told is of the step that was made.
    assert float(metrics["top_k/share"]) == 0.5
    assert float(metrics["sum"]) == pytest.approx(REAL.sum() - FAKE.sum(), rel=1e-5)
    assert int(state["steps"]) == 3


def test_states_keep_their_structure_and_type():
    loss = TopK()
    before = loss.init()
    now = loss.at(before)
    state, _ = loss.update(before, real=read(now, REAL), fake=read(now, FAKE))

    def kinds(tree):
        return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), tree)

    assert kinds(state) == kinds(before)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"decay": 0.0}, r"decay = 0\.0: must be above 0 and at most 1"),
        ({"least": 1.5}, r"least = 1\.5: must be above 0 and at most 1"),
        ({"least": math.nan}, "least = nan"),
        ({"every": 0}, "every = 0: must be at least 1"),
        ({"loss": TopK()}, "one TopK instead of two"),
    ],
)
def test_bad_settings(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        TopK(**changes)


def test_examples():
    result = doctest.testmod(top_k)
    assert result.attempted >= 1
    assert result.failed == 0
