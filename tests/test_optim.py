"""Optimizers against their papers' recursions in NumPy, schedules against closed forms."""

import dataclasses
import doctest
import math

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import optax
import pytest
import tiny

from jaxgan import optim
from jaxgan.optim import Adam, AdamW, Ema, Optimizer, RmsProp, Schedule, Sgd

PEAK, TOTAL = 0.3, 40


def closed_form(t, kind, final, warmup):
    if t < warmup:
        return PEAK * t / warmup
    progress = min(1.0, (t - warmup) / (TOTAL - 1 - warmup))
    if kind == "linear":
        return PEAK * (1 - progress * (1 - final))
    if kind == "cosine":
        return PEAK * (final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2)
    return PEAK


@pytest.mark.parametrize("warmup", [0, 1, 10])
@pytest.mark.parametrize("final", [0.0, 0.25])
@pytest.mark.parametrize("kind", ["constant", "linear", "cosine"])
def test_schedule(kind, final, warmup):
    schedule = Schedule(kind, final_fraction=final, warmup_steps=warmup)
    rate = jax.jit(jax.vmap(schedule.build(PEAK, TOTAL)))(jnp.arange(TOTAL + 10))
    expected = [closed_form(t, kind, final, warmup) for t in range(TOTAL + 10)]
    np.testing.assert_allclose(rate, expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("warmup", [0, 3])
@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_the_last_update_has_the_final_fraction(kind, warmup):
    """Of so many points from one end to the other, both ends included, as `numpy.linspace` has."""
    total = warmup + 6
    schedule = Schedule(kind, final_fraction=0.2, warmup_steps=warmup)
    rates = [float(schedule.build(2.0, total)(t)) for t in range(total)]
    line = np.linspace(1.0, 0.0, 6)
    share = line if kind == "linear" else (1 + np.cos(np.pi * (1 - line))) / 2
    np.testing.assert_allclose(rates[warmup:], 2.0 * (0.2 + 0.8 * share), rtol=1e-6)
    assert rates[-1] == pytest.approx(0.4, rel=1e-6)
    assert rates[-2] > 0.42
    # One update alone is the first of them.
    assert float(schedule.build(2.0, warmup + 1)(warmup)) == pytest.approx(2.0, rel=1e-6)


@dataclasses.dataclass(frozen=True)
class Falling:
    """Takes its learning rate off every weight, whatever the gradient."""

    def build(self, total_updates):
        rate = Schedule("linear", final_fraction=0.5).build(1e-3, total_updates)
        ones = optax.stateless(lambda updates, params: jax.tree.map(jnp.ones_like, updates))
        return optax.chain(ones, optax.scale_by_learning_rate(rate))


def test_each_player_reaches_its_last_rate_with_its_last_update():
    """Two critic updates a step: six of the critic, three of the generator."""
    experiment = tiny.gan(steps=3)
    model = dataclasses.replace(
        experiment.model, generator_optimizer=Falling(), discriminator_optimizer=Falling()
    )
    experiment = dataclasses.replace(experiment, model=model)
    before, _ = tiny.train(experiment, "none", 0)
    after, _ = tiny.train(experiment, "none", 3)
    for player, updates in (("discriminator", 6), ("generator", 3)):
        sides = [jax.tree.leaves(s.players[player].params) for s in (before, after)]
        moved = np.concatenate([(a - b).ravel() for a, b in zip(*sides, strict=True)])
        expected = np.linspace(1e-3, 0.5e-3, updates).sum()
        np.testing.assert_allclose(moved, expected, rtol=1e-3)


def test_schedule_needs_updates_after_the_warm_up():
    with pytest.raises(ValueError, match="warmup_steps = 10 with 10 updates"):
        Schedule(warmup_steps=10).build(1.0, 10)
    with pytest.raises(ValueError, match="0 updates"):
        Adam().build(0)


# Gradients of five updates of three weights: two leaves, so that the global norm spans both.
GRADIENTS = np.random.default_rng(1).normal(0.0, 2.0, (5, 3))
START = np.array([0.5, -1.0, 2.0])


def run(optimizer):
    """Weights after each update."""

    def tree(v):
        return {"a": jnp.asarray(v[:1], jnp.float32), "b": jnp.asarray(v[1:], jnp.float32)}

    transformation = optimizer.build(total_updates=len(GRADIENTS))
    params = tree(START)
    state = transformation.init(params)
    weights = []
    for gradient in GRADIENTS:
        updates, state = jax.jit(transformation.update)(tree(gradient), state, params)
        params = optax.apply_updates(params, updates)
        weights.append(np.concatenate([params["a"], params["b"]]))
    return np.stack(weights)


def reference(direction, clip_norm, linear, decay=0.0):
    """Weights after each update of ``-rate * (direction(t, gradient) + decay * weights)``."""
    weights, history = START.copy(), []
    for t, gradient in enumerate(GRADIENTS):
        if clip_norm is not None:
            gradient = gradient * min(1.0, clip_norm / np.linalg.norm(gradient))
        rate = 0.1 * (1 - t / (len(GRADIENTS) - 1)) if linear else 0.1
        weights = weights - rate * (direction(t, gradient) + decay * weights)
        history.append(weights)
    return np.stack(history)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("clip_norm", [None, 2.5])
class TestOptimizers:
    def settings(self, clip_norm, linear):
        schedule = Schedule("linear") if linear else Schedule()
        return {"learning_rate": 0.1, "schedule": schedule, "clip_norm": clip_norm}

    @pytest.mark.parametrize("decay", [None, 0.0, 0.5])
    def test_adam(self, clip_norm, linear, decay):
        """Kingma and Ba 2015, algorithm 1, with an eps large enough to matter.

        With decay Loshchilov and Hutter 2019, algorithm 2, whose decay is not clipped, nor divided
        by the size of gradients.
        """
        m = v = np.zeros(3)

        def direction(t, g):
            nonlocal m, v
            m, v = 0.6 * m + 0.4 * g, 0.9 * v + 0.1 * g**2
            return m / (1 - 0.6 ** (t + 1)) / (np.sqrt(v / (1 - 0.9 ** (t + 1))) + 0.05)

        settings = {"b1": 0.6, "b2": 0.9, "eps": 0.05, **self.settings(clip_norm, linear)}
        made = Adam(**settings) if decay is None else AdamW(weight_decay=decay, **settings)
        expected = reference(direction, clip_norm, linear, decay or 0.0)
        np.testing.assert_allclose(run(made), expected, rtol=1e-5)

    def test_rms_prop(self, clip_norm, linear):
        """Tieleman and Hinton 2012, eps outside the root as in PyTorch."""
        v = np.zeros(3)

        def direction(t, g):
            nonlocal v
            v = 0.8 * v + 0.2 * g**2
            return g / (np.sqrt(v) + 0.05)

        got = run(RmsProp(decay=0.8, eps=0.05, **self.settings(clip_norm, linear)))
        np.testing.assert_allclose(got, reference(direction, clip_norm, linear), rtol=1e-5)

    @pytest.mark.parametrize("momentum", [0.0, 0.7])
    def test_sgd(self, clip_norm, linear, momentum):
        velocity = np.zeros(3)

        def direction(t, g):
            nonlocal velocity
            velocity = momentum * velocity + g
            return velocity

        got = run(Sgd(momentum=momentum, **self.settings(clip_norm, linear)))
        np.testing.assert_allclose(got, reference(direction, clip_norm, linear), rtol=1e-5)


def test_gan_defaults():
    """Radford et al. 2016, section 3; Arjovsky et al. 2017, algorithm 1."""
    assert (Adam().learning_rate, Adam().b1, Adam().b2) == (2e-4, 0.5, 0.999)
    assert RmsProp().learning_rate == 5e-5


@pytest.mark.parametrize(
    "optimizer", [Adam(), AdamW(), RmsProp(), Sgd(momentum=0.9, clip_norm=1.0)]
)
def test_is_a_value(optimizer):
    assert isinstance(optimizer, Optimizer)
    assert hash(dataclasses.replace(optimizer)) == hash(optimizer)
    with pytest.raises(dataclasses.FrozenInstanceError):
        optimizer.learning_rate = 1.0


@pytest.mark.parametrize(
    ("make", "bad"),
    [
        (Adam, {"learning_rate": -1e-4}),
        (Adam, {"learning_rate": math.nan}),
        (Adam, {"learning_rate": math.inf}),
        (Adam, {"b1": 1.0}),
        (Adam, {"b1": -0.1}),
        (Adam, {"b2": 1.5}),
        (Adam, {"eps": 0.0}),
        (Adam, {"clip_norm": 0.0}),
        (AdamW, {"b1": 1.0}),
        (AdamW, {"weight_decay": -0.1}),
        (AdamW, {"weight_decay": math.inf}),
        (RmsProp, {"learning_rate": -1.0}),
        (RmsProp, {"decay": 1.0}),
        (RmsProp, {"eps": -1e-8}),
        (RmsProp, {"clip_norm": -1.0}),
        (Sgd, {"learning_rate": -1.0}),
        (Sgd, {"momentum": 1.0}),
        (Sgd, {"clip_norm": math.nan}),
        (Schedule, {"kind": "exponential"}),
        (Schedule, {"final_fraction": -0.1}),
        (Schedule, {"final_fraction": 1.1}),
        (Schedule, {"warmup_steps": -1}),
        (Ema, {"decay": 1.0}),
        (Ema, {"decay": -0.5}),
        (Ema, {"decay": math.nan}),
        (Ema, {"start": -1}),
    ],
)
def test_bad_values(make, bad, monkeypatch):
    # What a user sees, who runs without the checks of annotations that tests have.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=f"^{next(iter(bad))} = "):
        make(**bad)


@pytest.mark.parametrize("warmup", [False, True])
def test_ema(warmup):
    """Against the recursion a <- d a + (1 - d) w; the warm-up rules until step 80 at decay 0.9."""
    values = np.random.default_rng(2).normal(size=(100, 3))
    ema = Ema(decay=0.9, warmup=warmup)
    update = jax.jit(ema.update)
    average, expected = {"w": jnp.zeros(3)}, np.zeros(3)
    for t, value in enumerate(values):
        decay = min(0.9, (1 + t) / (10 + t)) if warmup else 0.9
        expected = decay * expected + (1 - decay) * value
        average = update(average, {"w": jnp.asarray(value, jnp.float32)}, jnp.int32(t))
        np.testing.assert_allclose(average["w"], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("warmup", [False, True])
def test_ema_from_a_step_on(warmup):
    """BigGAN's: a copy of the weights in each of the first 20 steps, and the recursion from there.

    Statistics of normalizations are in it as weights are: it is of all of a network's variables."""
    values = np.random.default_rng(2).normal(size=(40, 3))
    update = jax.jit(Ema(decay=0.9, warmup=warmup, start=20).update)
    average, expected = {"params": jnp.zeros(3), "batch_stats": jnp.zeros(3)}, np.zeros(3)
    for t, value in enumerate(values):
        decay = (min(0.9, (1 + t) / (10 + t)) if warmup else 0.9) * (t >= 20)
        expected = decay * expected + (1 - decay) * value
        fresh = jax.tree.map(lambda _, v=value: jnp.asarray(v, jnp.float32), average)
        average = update(average, fresh, jnp.int32(t))
        for leaf in average.values():
            np.testing.assert_allclose(leaf, expected, rtol=1e-4, atol=1e-6)
    assert not np.allclose(expected, values[-1], atol=0.1)


def test_ema_of_equal_weights_is_exact():
    weights = {"w": jnp.asarray(np.random.default_rng(3).normal(size=1000), jnp.float32)}
    average = Ema(0.9999, warmup=False).update(weights, weights, 0)
    np.testing.assert_array_equal(average["w"], weights["w"])


def test_ema_moves_by_the_small_share():
    """1 - 0.9999 in float32 would be 1.0002e-4 if it were computed from a float32 0.9999."""
    zero, one = {"w": jnp.zeros(())}, {"w": jnp.ones(())}
    for warmup, step in ((False, 0), (True, 10**6)):
        moved = jax.jit(Ema(0.9999, warmup=warmup).update)(zero, one, jnp.int32(step))
        assert float(moved["w"]) == pytest.approx(1e-4, rel=1e-6)


def test_ema_copies_what_is_no_float():
    average = {"count": jnp.int32(3), "w": jnp.bfloat16(1.0)}
    new = {"count": jnp.int32(7), "w": jnp.bfloat16(3.0)}
    updated = Ema(0.5, warmup=False).update(average, new, 0)
    assert int(updated["count"]) == 7
    assert updated["count"].dtype == jnp.int32
    assert float(updated["w"]) == 2.0
    assert updated["w"].dtype == jnp.bfloat16


def test_ema_without_decay_is_the_weight_itself():
    updated = Ema(0.0).update({"w": jnp.float32(1.0)}, {"w": jnp.float32(3.0)}, 5)
    assert float(updated["w"]) == 3.0


def test_half_life():
    """Weights seen one half-life ago count half: d^(images / batch) = 1/2."""
    ema = Ema.from_half_life(10_000, batch_size=32, warmup=False)
    assert ema.decay ** (10_000 / 32) == pytest.approx(0.5, rel=1e-12)
    assert ema.decay == pytest.approx(0.997784, abs=1e-6)
    assert not ema.warmup
    for images, batch_size in ((0.0, 32), (-1.0, 32), (1.0, 0)):
        with pytest.raises(ValueError, match="positive"):
            Ema.from_half_life(images, batch_size)


def test_examples():
    result = doctest.testmod(optim)
    assert result.attempted >= 8
    assert result.failed == 0
