"""Discrepancies against double loops and KID's own estimate; kernels by their formulas."""

import doctest
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.evaluation.distances.kid import kernel_distance
from jaxgan.objectives.gan import kernels, mmd
from jaxgan.objectives.gan.kernels import (
    Gaussians,
    Kernel,
    Linear,
    Polynomial,
    RationalQuadratic,
)
from jaxgan.objectives.gan.losses import GanLoss, Reader, read
from jaxgan.objectives.gan.mmd import Mmd, RepulsiveMmd
from jaxgan.objectives.gan.verdict import Verdict

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3))
Y = 0.5 + 1.5 * RNG.normal(size=(6, 3))
PAIR = {"real": jnp.asarray(X, jnp.float32), "fake": jnp.asarray(Y, jnp.float32)}


def gaussians(x, y, scales=(1.0, 2.0, 4.0, 8.0, 16.0)):
    return sum(math.exp(-np.sum((x - y) ** 2) / (2 * s * s)) for s in scales)


def rational(x, y, alphas=(0.2, 0.5, 1.0, 2.0, 5.0)):
    return sum((1 + np.sum((x - y) ** 2) / (2 * a)) ** -a for a in alphas)


FORMULAS = {
    Gaussians(): gaussians,
    Gaussians((0.7,)): lambda x, y: gaussians(x, y, (0.7,)),
    RationalQuadratic(): rational,
    RationalQuadratic((0.3, 4.0)): lambda x, y: rational(x, y, (0.3, 4.0)),
    Linear(): lambda x, y: x @ y,
    Polynomial(): lambda x, y: (x @ y / 3 + 1) ** 3,
    Polynomial(2): lambda x, y: (x @ y / 3 + 1) ** 2,
}
EVERY = pytest.mark.parametrize("kernel", FORMULAS, ids=str)


class TestKernels:
    @EVERY
    def test_values(self, kernel):
        expected = [[FORMULAS[kernel](x, y) for y in Y] for x in X[:4]]
        found = kernel(jnp.asarray(X[:4], jnp.float32), PAIR["fake"])
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert isinstance(kernel, Kernel)

    @EVERY
    def test_extremes(self, kernel):
        """Far away and at distance 0: values, slopes and slopes of slopes are numbers."""
        far = jnp.asarray([[1e4, -1e4], [1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]])

        def total(x):
            return jnp.sum(kernel(x, far))

        slope = jax.grad(total)

        @jax.jit
        def all_of():
            return kernel(far, far), slope(far), jax.jvp(slope, (far,), (far / 1e4,))[1]

        assert all(np.isfinite(array).all() for array in all_of())

    @pytest.mark.parametrize("kernel", [Gaussians, RationalQuadratic])
    def test_bad_settings(self, kernel):
        for values in ((), (1.0, 0.0), (-1.0,), (math.nan,), (math.inf,)):
            with pytest.raises(ValueError, match="at least one number, all above 0 and finite"):
                kernel(values)

    def test_bad_degree(self):
        with pytest.raises(ValueError, match=r"^degree = 0: must be at least 1"):
            Polynomial(0)


def looped(kernel, x, y):
    """The U-statistic: of the squared discrepancy, each image with itself left out."""
    n, m = len(x), len(y)
    within_x = sum(kernel(a, b) for a, b in itertools.permutations(x, 2)) / (n * (n - 1))
    within_y = sum(kernel(a, b) for a, b in itertools.permutations(y, 2)) / (m * (m - 1))
    across = sum(kernel(a, b) for a, b in itertools.product(x, y)) / (n * m)
    return within_x + within_y - 2 * across


class TestMmd:
    @EVERY
    def test_is_the_u_statistic(self, kernel):
        expected = looped(FORMULAS[kernel], X, Y)
        values = Mmd((kernel,)).generator(**PAIR)
        assert values.shape == (6,)
        assert float(values.mean()) == pytest.approx(expected, rel=1e-4)
        np.testing.assert_array_equal(Mmd((kernel,)).discriminator(**PAIR), -values)

    def test_kernels_are_added(self):
        expected = looped(rational, X, Y) + looped(FORMULAS[Linear()], X, Y)
        both = Mmd((RationalQuadratic(), Linear())).generator(**PAIR)
        assert float(both.mean()) == pytest.approx(expected, rel=1e-4)

    def test_is_the_kernel_distance_of_the_metrics(self):
        """KID, as it is measured after the training."""
        found = Mmd((Polynomial(3),)).generator(**PAIR).mean()
        assert float(found) == pytest.approx(kernel_distance(X, Y).value, rel=1e-4)

    def test_linear_kernel_compares_means(self):
        """Up to what the sample means themselves vary: the trace of the covariances over n."""
        found = float(Mmd((Linear(),)).generator(**PAIR).mean())
        of_means = np.sum((X.mean(axis=0) - Y.mean(axis=0)) ** 2)
        noise = (X.var(axis=0, ddof=1).sum() + Y.var(axis=0, ddof=1).sum()) / 6
        assert found == pytest.approx(of_means - noise, rel=1e-4)

    def test_is_unbiased_where_the_laws_are_equal(self):
        """With the diagonal the mean would be (5 - 0.66 * 5) / 2 of its scale: far from 0."""
        draws = jnp.asarray(np.random.default_rng(1).normal(size=(2, 4000, 4, 3)), jnp.float32)
        values = jax.jit(jax.vmap(lambda x, y: Mmd().generator(real=x, fake=y).mean()))(*draws)
        error = float(values.std()) / len(values) ** 0.5
        assert abs(float(values.mean())) < 4 * error
        assert error < 0.02
        assert bool((values < 0).any())

    def test_players(self):
        """The generator's descent brings embeddings together, the discriminator's apart."""

        @jax.jit
        def estimate(fake):
            return Mmd().generator(real=PAIR["real"], fake=fake).mean()

        def of(player):
            return jax.jit(
                jax.grad(lambda fake: getattr(Mmd(), player)(real=PAIR["real"], fake=fake).mean())
            )(PAIR["fake"])

        for player, sign in (("generator", 1.0), ("discriminator", -1.0)):
            moved = PAIR["fake"] - 0.1 * of(player)
            change = float(estimate(moved) - estimate(PAIR["fake"]))
            assert change * sign < -1e-4

    def test_gradient_goes_through_all_pairs(self):
        """By differences of the double loop, with respect to one embedding of each kind."""
        for name, index in (("real", 0), ("fake", 1)):
            slope = jax.grad(lambda own, name=name: Mmd().generator(**{**PAIR, name: own}).mean())(
                PAIR[name]
            )
            step = np.zeros_like(X)
            step[2, 1] = 1e-5
            ends = []
            for sign in (1, -1):
                moved = [X, Y]
                moved[index] = moved[index] + sign * step
                ends.append(looped(rational, *moved))
            assert float(slope[2, 1]) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3)


def bounded(x, y, least=0.0, most=math.inf, scale=1.0):
    return math.exp(-min(max(np.sum((x - y) ** 2), least), most) / (2 * scale**2))


# Some pairs beyond either bound of the repulsive loss, some within.
CLOSE = RNG.normal(size=(6, 3)) * 0.4
NEAR = {"real": PAIR["real"], "fake": jnp.asarray(CLOSE, jnp.float32)}


class TestRepulsive:
    @pytest.mark.parametrize("scale", [1.0, 2.0])
    def test_values(self, scale):
        loss = RepulsiveMmd(scale)
        pairs = list(itertools.permutations(range(6), 2))
        far = [np.sum((X[i] - X[j]) ** 2) > 4.0 for i, j in pairs]
        near = [np.sum((CLOSE[i] - CLOSE[j]) ** 2) < 0.25 for i, j in pairs]
        assert {*far} == {*near} == {True, False}
        real = np.mean([bounded(X[i], X[j], most=4.0, scale=scale) for i, j in pairs])
        fake = np.mean([bounded(CLOSE[i], CLOSE[j], least=0.25, scale=scale) for i, j in pairs])
        found = loss.discriminator(**NEAR)
        assert found.shape == (6,)
        assert float(found.mean()) == pytest.approx(real - fake, rel=1e-4)
        expected = looped(lambda x, y: bounded(x, y, scale=scale), X, CLOSE)
        assert float(loss.generator(**NEAR).mean()) == pytest.approx(expected, rel=1e-4)

    def test_bounds(self):
        loss = RepulsiveMmd(lower=0.1, upper=1.0)
        apart = {"real": jnp.array([[0.0], [2.0]]), "fake": jnp.array([[0.0], [2.0]])}
        # exp(-1/2) for real images that are bounded, exp(-4/2) for generated ones that are not.
        assert float(loss.discriminator(**apart).mean()) == pytest.approx(
            math.exp(-0.5) - math.exp(-2.0), rel=1e-5
        )
        together = {"real": jnp.array([[0.0], [0.1]]), "fake": jnp.array([[0.0], [0.1]])}
        assert float(loss.discriminator(**together).mean()) == pytest.approx(
            math.exp(-0.005) - math.exp(-0.05), rel=1e-5
        )

    def test_discriminator_separates_real_images_and_contracts_generated_ones(self):
        """The other way round than that of `Mmd`; pairs beyond their bound are left alone."""
        real, fake = jnp.array([[0.0], [1.0]]), jnp.array([[5.0], [6.0]])

        def slopes(loss, real, fake):
            return jax.jit(
                jax.grad(
                    lambda real, fake: loss.discriminator(real=real, fake=fake).mean(),
                    argnums=(0, 1),
                )
            )(real, fake)

        of_real, of_fake = slopes(RepulsiveMmd(), real, fake)
        assert float(of_real[1, 0]) < 0 < float(of_real[0, 0])
        assert float(of_fake[0, 0]) < 0 < float(of_fake[1, 0])
        of_real, _ = slopes(Mmd((Gaussians((1.0,)),)), real, real + 100.0)
        assert float(of_real[0, 0]) < 0 < float(of_real[1, 0])
        of_real, of_fake = slopes(RepulsiveMmd(), 3.0 * real, 5.0 + 0.1 * fake)
        assert not of_real.any()
        assert not of_fake.any()

    def test_real_and_generated_images_meet_in_the_generators_loss_only(self):
        one, other = (
            RepulsiveMmd().discriminator(real=PAIR["real"], fake=NEAR["fake"] + shift)
            for shift in (0.0, 7.0)
        )
        np.testing.assert_allclose(one, other, rtol=1e-4)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"scale": 0.0}, r"^scale = 0.0: must be above 0"),
            ({"lower": -0.1}, "0 <= lower < upper"),
            ({"lower": 4.0}, "0 <= lower < upper"),
            ({"upper": math.nan}, "0 <= lower < upper"),
        ],
    )
    def test_bad_settings(self, settings, message):
        with pytest.raises(ValueError, match=message):
            RepulsiveMmd(**settings)


LOSSES = pytest.mark.parametrize("loss", [Mmd(), RepulsiveMmd()], ids=["mmd", "repulsive"])


@LOSSES
def test_reads_the_embedding(loss):
    embedding = jnp.asarray(X)
    judged = Verdict(jnp.full(6, 9.0), {"embedding": embedding, "code": -embedding})
    assert isinstance(loss, GanLoss)
    assert isinstance(loss, Reader)
    assert read(loss, judged) is embedding
    assert loss.correct(**PAIR) == {}
    with pytest.raises(ValueError, match="needs a discriminator with a head 'embedding'"):
        loss.reads(Verdict(jnp.zeros(6), {"code": embedding}))


@LOSSES
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_parts_go_where_their_pairs_go(loss, player):
    order = jnp.asarray([3, 0, 5, 1, 2, 4])
    moved = {name: vectors[order] for name, vectors in PAIR.items()}
    whole = getattr(loss, player)(**PAIR)
    assert len(set(np.asarray(whole).tolist())) == 6
    np.testing.assert_allclose(whole[order], getattr(loss, player)(**moved), atol=1e-5)


@LOSSES
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_sets_without_pairs(loss, player):
    value = getattr(loss, player)
    with pytest.raises(ValueError, match="a batch of 1: a discrepancy compares"):
        value(real=PAIR["real"][:1], fake=PAIR["fake"][:1])
    with pytest.raises(ValueError, match="6 real and 4 generated examples"):
        value(real=PAIR["real"], fake=PAIR["fake"][:4])


def test_no_kernels():
    with pytest.raises(ValueError, match="a discrepancy needs at least one"):
        Mmd(())


def test_examples():
    for module, examples in ((mmd, 6), (kernels, 1)):
        result = doctest.testmod(module)
        assert result.attempted >= examples
        assert result.failed == 0
