"""GAN steps against the same steps worked out by hand in NumPy, in double precision."""

import dataclasses
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from linear_gan import (
    DECAY,
    IMAGES,
    LATENT_SIZE,
    POINTS,
    RATE_D,
    RATE_G,
    ROWS,
    as_numbers,
    close,
    experiment_of,
    points,
    program_of,
    recorded_step,
    sample,
)
from scipy.special import expit, log_expit

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.losses import LeastSquares, NonSaturating, Wasserstein
from jaxgan.objectives.priors import Normal, Uniform
from jaxgan.optim import Sgd

BOUND = 0.45
# Undecided at 0.3; slow enough not to diverge on a dozen pixels.
SLOW = {
    "loss": LeastSquares(real_label=0.8, fake_label=-0.2),
    "discriminator_optimizer": Sgd(0.02),
    "generator_optimizer": Sgd(0.02),
}


@dataclasses.dataclass(frozen=True)
class Pairing:
    """Relativistic pairing (Jolicoeur-Martineau 2019): both players see both logits of a pair."""

    def discriminator(self, *, real, fake):
        return jax.nn.softplus(fake - real)

    def generator(self, *, real, fake):
        return jax.nn.softplus(real - fake)

    def correct(self, *, real, fake):
        return {}


class ByHand(NamedTuple):
    """A loss in NumPy: values, and slopes by real and by fake logits."""

    d_value: Any
    d_slopes: Any
    g_value: Any
    g_slope: Any


# -log D(x) - log(1 - D(G(z))) and -log D(G(z)), with D = expit; then the paired version.
LOSSES = {
    "non-saturating": (NonSaturating(), ByHand(
        lambda r, f: -log_expit(r) - log_expit(-f), lambda r, f: (-expit(-r), expit(f)),
        lambda r, f: -log_expit(f), lambda r, f: -expit(-f),
    )),
    "pairing": (Pairing(), ByHand(
        lambda r, f: -log_expit(r - f), lambda r, f: (-expit(f - r), expit(f - r)),
        lambda r, f: -log_expit(f - r), lambda r, f: -expit(r - f),
    )),
}  # fmt: skip


def by_hand(state, real_batches, latents, loss: ByHand, *, bound=None):
    """One step: critic updates one after another, then the generator's against the last critic."""
    g, d = (
        as_numbers(state.players["generator"].params),
        as_numbers(state.players["discriminator"].params),
    )
    seen = as_numbers(state.players["discriminator"].model_state)["batch_stats"]["seen"]
    for real, latent in zip(real_batches, latents, strict=True):
        fake = latent @ g["w"] + g["b"]
        r, f = real @ d["v"] + d["c"], fake @ d["v"] + d["c"]
        slope_r, slope_f = loss.d_slopes(r, f)
        metrics = {
            "loss/discriminator": np.mean(loss.d_value(r, f)),
            "logits/real": np.mean(r),
            "logits/fake": np.mean(f),
        }
        n = len(real)
        by_v, by_c = (slope_r @ real + slope_f @ fake) / n, np.sum(slope_r + slope_f) / n
        # Of the last update, before anything is clipped.
        metrics["discriminator_grad_norm"] = np.sqrt(np.sum(by_v**2) + by_c**2)
        d = {"v": d["v"] - RATE_D * by_v, "c": d["c"] - RATE_D * by_c}
        if bound is not None:
            d = {name: np.clip(value, -bound, bound) for name, value in d.items()}
        for shown in (real, fake):
            seen = 0.5 * seen + 0.5 * shown.mean(0)
    r, f = real @ d["v"] + d["c"], fake @ d["v"] + d["c"]
    metrics["loss/generator"] = np.mean(loss.g_value(r, f))
    to_images = np.outer(loss.g_slope(r, f), d["v"]) / n
    metrics["generator_grad_norm"] = np.sqrt(
        np.sum((latent.T @ to_images) ** 2) + np.sum(to_images.sum(0) ** 2)
    )
    old = as_numbers(state.players["generator"].variables)
    g = {"w": g["w"] - RATE_G * latent.T @ to_images, "b": g["b"] - RATE_G * to_images.sum(0)}
    g_seen = 0.5 * old["batch_stats"]["seen"] + 0.5 * fake.mean(0)
    variables = {"params": g, "batch_stats": {"seen": g_seen}}
    average = jax.tree.map(
        lambda a, b: DECAY * a + (1 - DECAY) * b, as_numbers(state.ema["generator"]), variables
    )
    return variables, {"params": d, "batch_stats": {"seen": seen}}, average, metrics


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n_critic", "bound"), [(1, None), (3, BOUND)])
def test_two_steps_by_hand(loss, n_critic, bound):
    """Players, signs, batches, order of the updates, clipping, running means, EMA and metrics."""
    value, numpy_loss = LOSSES[loss]
    clip = () if bound is None else (Clip(bound),)
    program = program_of(loss=value, n_critic=n_critic, constraints=clip)
    images = points(ROWS * n_critic)
    state = program.init(1, {"image": images})
    for step in range(2):
        before = jax.device_get(state)
        state, metrics, latents, _ = recorded_step(program, state, images, seed=7)
        assert len(latents) == n_critic
        real = images.reshape(-1, 2).astype(np.float64)
        # The rows of one critic update are n_critic apart.
        batches = [real[update::n_critic] for update in range(n_critic)]
        generator, judge, average, numbers = by_hand(
            before, batches, latents, numpy_loss, bound=bound
        )
        assert metrics.keys() == numbers.keys()
        close(metrics, numbers)
        close(state.players["discriminator"].variables, judge)
        close(state.players["generator"].variables, generator)
        close(state.ema["generator"], average)
        assert int(state.step) == step + 1
    if bound is not None:
        sizes = np.abs(np.hstack([np.ravel(p) for p in jax.tree.leaves(judge["params"])]))
        assert (sizes == bound).any(), "the bound is in force"
        assert (sizes < bound).any(), "and not everywhere"


CRITIC = {"loss": NonSaturating(), "n_critic": 3, "constraints": (Clip(BOUND),)}


def test_each_discriminator_update_sees_its_own_real_batch():
    """Real, fake, three times; the last pair once more for the generator. No row twice."""
    program, images = program_of(**CRITIC), points(3 * ROWS)
    *_, shown = recorded_step(program, program.init(1, {"image": images}), images, seed=7)
    rows = images.reshape(-1, 2)
    is_real = [np.isclose(array[0], rows).all(axis=1).any() for array in shown]
    # A generator that ignores the real logits need not have them computed.
    assert is_real in ([True, False] * 4, [True, False] * 3 + [False])
    real = np.concatenate([shown[0], shown[2], shown[4]])
    np.testing.assert_allclose(np.unique(real, axis=0), np.unique(rows, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(shown[-1], shown[5])


def test_latents_follow_from_seed_and_step():
    """Same seed and step, same draws; another update, step or seed, other draws."""
    program, images = program_of(**CRITIC), points(3 * ROWS)

    def run(seed):
        state, drawn = program.init(0, {"image": images}), []
        for _ in range(2):
            state, _, latents, _ = recorded_step(program, state, images, seed)
            drawn.extend(latents)
        return np.stack(drawn)

    first, again, other = run(5), run(5), run(6)
    np.testing.assert_array_equal(first, again)
    draws = np.concatenate([first, other])
    assert draws.shape == (12, ROWS, LATENT_SIZE)
    assert len(np.unique(draws)) == draws.size


def test_an_initial_state_holds_no_buffer_twice():
    """Made without compilation, it can still be handed over to a step that reuses its memory."""
    program, batch = program_of(loss=NonSaturating()), {"image": points(ROWS)}
    state = program.algorithm.init(jax.random.key(0), batch)
    program.phases[0].streaming_step(state, batch, np.uint32(0))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))


def trained_state(data=POINTS, steps=3, **changes):
    program, draws = program_of(data, **changes), np.random.default_rng(3)
    images = draws.integers(0, 256, (ROWS, *data.image_shape), np.uint8)
    batch = {"image": images if data.dtype == "uint8" else points(ROWS)}
    state = program.init(0, batch)
    for _ in range(steps):
        state, _ = program.phases[0].streaming_step(state, batch, np.uint32(0))
    return program, state, batch


def test_samples_are_drawn_from_the_average():
    """float32 for points; the averaged weights, not those in training."""
    program, state, _ = trained_state(loss=NonSaturating())
    key = jax.random.key(7)
    made, again = (np.asarray(sample(program, state, key, 5)) for _ in range(2))
    np.testing.assert_array_equal(made, again)
    assert (made.shape, made.dtype) == ((5, 1, 1, 2), np.float32)
    latent = program.algorithm.generation.prior(key, 5)
    assert latent.shape == (5, LATENT_SIZE)
    average, latest = (
        as_numbers(state.ema["generator"]["params"]),
        as_numbers(state.players["generator"].params),
    )
    close(made.reshape(5, 2), as_numbers(latent) @ average["w"] + average["b"])
    assert not np.allclose(average["w"], latest["w"], atol=1e-3)
    assert not np.allclose(made, sample(program, state, jax.random.key(8), 5))


def test_images_leave_as_the_nearest_bytes():
    """-1 becomes 0 and 1 becomes 255; what a generator makes beyond them is clipped."""
    program, state, _ = trained_state(IMAGES, **SLOW)
    key = jax.random.key(7)
    made = sample(program, state, key, 50)
    assert (made.shape, made.dtype) == ((50, 2, 2, 3), np.uint8)
    average = as_numbers(state.ema["generator"]["params"])
    pixels = as_numbers(program.algorithm.generation.prior(key, 50)) @ average["w"] + average["b"]
    exact = np.clip((pixels + 1) / 2, 0, 1).reshape(made.shape) * 255
    assert np.abs(np.asarray(made, np.float64) - exact).max() <= 0.5 + 1e-3
    assert {0, 255} < set(np.unique(made))


@pytest.mark.parametrize(
    ("prior", "variance"), [(Normal(7), 1.0), (Uniform(7), 1 / 3)], ids=["normal", "uniform"]
)
def test_priors(prior, variance):
    generation = build(experiment_of(prior=prior)).generation
    latent = np.asarray(generation.prior(jax.random.key(0), 4000))
    assert latent.shape == (4000, 7)
    # Within five standard errors; no two alike, and no two entries related.
    assert abs(latent.mean()) < 5 * (variance / latent.size) ** 0.5
    np.testing.assert_allclose(np.cov(latent.T), variance * np.eye(7), atol=0.1 * variance)
    assert len(np.unique(latent, axis=0)) == 4000
    assert (np.abs(latent).max() <= 1.0) == isinstance(prior, Uniform)


@pytest.mark.parametrize("data", [POINTS, IMAGES], ids=["points", "images"])
def test_evaluate_counts_what_the_mask_lets_through(data):
    """Fakes of the averaged generator, as `generate` gives them; the latest discriminator."""
    program, state, batch = trained_state(data, **SLOW)
    mask = np.array([1.0, 0.0, 1.0, 1.0], np.float32)
    key = jax.random.key(4)
    fake = np.asarray(sample(program, state, key, ROWS))

    def logits(images):
        d = as_numbers(state.players["discriminator"].params)
        pixels = np.asarray(images, np.float64)
        if data.dtype == "uint8":
            pixels = pixels / 127.5 - 1
        return pixels.reshape(ROWS, -1) @ d["v"] + d["c"]

    # Undecided halfway between the labels.
    real_right, fake_right = logits(batch["image"]) > 0.3, logits(fake) < 0.3
    expected = {
        "discriminator_accuracy_real": real_right,
        "discriminator_accuracy_fake": fake_right,
        "discriminator_accuracy": 0.5 * real_right + 0.5 * fake_right,
    }
    # How many decisions each share is of, from which its interval is computed.
    expected |= {
        f"{name}_trials": np.full(ROWS, 2.0 if name.endswith("accuracy") else 1.0)
        for name in [*expected]
    }
    for weights in (mask, np.ones(ROWS, np.float32)):
        sums = program.evaluate(state, {**batch, "mask": weights}, key)
        assert sums.keys() == expected.keys()
        for name, right in expected.items():
            assert [float(part) for part in sums[name]] == [right @ weights, weights.sum()]


def test_evaluate_is_empty_where_the_loss_measures_nothing():
    algorithm = build(experiment_of(loss=Wasserstein()))
    state = jax.eval_shape(algorithm.init, jax.random.key(0), {"image": points(1)})
    sums = jax.eval_shape(algorithm.evaluate, state, {"image": points(ROWS)}, jax.random.key(0))
    assert sums == {}


def test_settings_that_cannot_work():
    with pytest.raises(ConfigError, match="n_critic = 0: must be at least 1"):
        experiment_of(n_critic=0)


def test_real_batches_of_a_step():
    assert experiment_of(n_critic=5).images_per_step == 5 * ROWS
    assert experiment_of().images_per_step == ROWS
