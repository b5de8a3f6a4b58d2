"""EBGAN's losses by hand, and the pull-away term against a double loop."""

import doctest
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan import ebgan
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.ebgan import Ebgan, PullAway
from jaxgan.objectives.gan.losses import GanLoss
from jaxgan.objectives.gan.verdict import Verdict

RNG = np.random.default_rng(0)
REAL = np.array([0.6, 0.2, 1.5, 3.0], np.float32)
FAKE = np.array([0.1, 2.5, 0.7, 0.3], np.float32)
LOGITS = {"real": jnp.asarray(-REAL), "fake": jnp.asarray(-FAKE)}
CODES = RNG.normal(size=(5, 3)) * np.array([[1.0], [30.0], [0.01], [2.0], [1.0]])


class TestEbgan:
    @pytest.mark.parametrize("margin", [0.5, 1.0, 20.0])
    def test_losses(self, margin):
        loss = Ebgan(margin)
        expected = [real + max(0.0, margin - fake) for real, fake in zip(REAL, FAKE, strict=True)]
        np.testing.assert_allclose(loss.discriminator(**LOGITS), expected, rtol=1e-6)
        np.testing.assert_allclose(loss.generator(**LOGITS), FAKE, rtol=1e-6)
        assert loss.correct(**LOGITS) == {}
        assert isinstance(loss, GanLoss)

    def test_gradients(self):
        """Beyond the margin a generated image has none in the discriminator's loss."""

        def slopes(player):
            def total(real, fake):
                return jnp.sum(getattr(Ebgan(1.0), player)(real=-real, fake=-fake))

            return jax.grad(total, argnums=(0, 1))(jnp.asarray(REAL), jnp.asarray(FAKE))

        within = -(FAKE < 1.0).astype(np.float32)
        assert set(within.tolist()) == {0.0, -1.0}
        np.testing.assert_allclose(slopes("discriminator"), [[1.0] * 4, within])
        np.testing.assert_allclose(slopes("generator"), [[0.0] * 4, [1.0] * 4])

    @pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
    def test_bad_margin(self, margin):
        with pytest.raises(ValueError, match=f"^margin = {margin}: an energy, above 0"):
            Ebgan(margin)


@functools.partial(jax.jit, static_argnames="weight")
def _pulled(codes, weight):
    return PullAway(weight).generator(Verdict(jnp.zeros(len(codes)), {"code": codes}), None)


def pulled(codes, weight=0.1):
    return _pulled(jnp.asarray(codes, jnp.float32), weight)


def looped(codes):
    """``1 / (N (N - 1)) sum_{i != j} (s_i . s_j / (|s_i| |s_j|))^2``, as the paper has it."""
    total, count = 0.0, len(codes)
    for i in range(count):
        for j in range(count):
            if i != j:
                lengths = np.linalg.norm(codes[i]) * np.linalg.norm(codes[j])
                total += (codes[i] @ codes[j] / lengths) ** 2
    return total / (count * (count - 1))


class TestPullAway:
    @pytest.mark.parametrize("weight", [0.1, 2.0])
    def test_is_the_mean_squared_cosine_of_pairs(self, weight):
        found = pulled(CODES, weight)
        assert found.shape == (5,)
        assert float(found.mean()) == pytest.approx(weight * looped(CODES), rel=1e-5)

    def test_parts_are_those_of_their_codes(self):
        """A code that is orthogonal to all others costs nothing itself."""
        codes = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
        np.testing.assert_allclose(pulled(codes, 1.0), [0.0, 0.5, 0.5], atol=1e-6)

    def test_ends(self):
        """Equal codes and opposite ones 1, orthogonal ones 0: itself is not its neighbor."""
        np.testing.assert_allclose(pulled(np.ones((4, 3)), 1.0), 1.0, rtol=1e-5)
        np.testing.assert_allclose(pulled([[1.0, 2.0], [-1.0, -2.0]], 1.0), 1.0, rtol=1e-5)
        np.testing.assert_allclose(pulled(np.eye(3), 1.0), 0.0, atol=1e-7)

    def test_lengths_do_not_matter(self):
        lengths = np.array([[1e4], [1e-4], [1.0], [7.0], [1e4]])
        np.testing.assert_allclose(pulled(CODES * lengths), pulled(CODES), rtol=1e-4)

    def test_descent_pulls_away(self):
        """A step down its slope makes codes more orthogonal; the slope is along no code."""

        def total(codes):
            return pulled(codes, 1.0).mean()

        codes = jnp.asarray(CODES, jnp.float32)
        slope = jax.jit(jax.grad(total))(codes)
        assert bool(jnp.isfinite(slope).all())
        assert float(total(codes - 1e-3 * slope)) < float(total(codes))
        along = np.sum(np.asarray(slope) * CODES, axis=1)
        np.testing.assert_allclose(along, 0.0, atol=1e-5)

    @pytest.mark.parametrize("codes", [np.zeros((3, 2)), np.full((3, 2), 1e4)])
    def test_extremes(self, codes):
        """A code of 0 has no direction, and no slope that is not a number."""
        slope = jax.jit(jax.grad(lambda s: pulled(s, 1.0).mean()))(jnp.asarray(codes, jnp.float32))
        assert bool(jnp.isfinite(slope).all())
        assert bool(jnp.isfinite(pulled(codes)).all())

    def test_is_the_generators_alone(self):
        verdict = Verdict(jnp.zeros(5), {"code": jnp.asarray(CODES)})
        assert isinstance(PullAway(), Auxiliary)
        assert PullAway().real(verdict, {"label": None}) is None
        assert PullAway().fake(verdict, None) is None

    def test_refused(self):
        with pytest.raises(ValueError, match="needs a discriminator with a head 'code'"):
            PullAway().generator(Verdict(jnp.zeros(5)), None)
        with pytest.raises(ValueError, match="compares the images of a batch"):
            pulled(CODES[:1])
        for weight in (0.0, -0.1, math.nan, math.inf):
            with pytest.raises(ValueError, match=f"^weight = {weight}: must be above 0"):
                PullAway(weight)


def test_examples():
    result = doctest.testmod(ebgan)
    assert result.attempted >= 5
    assert result.failed == 0
