"""Steps under a gradient penalty against the same steps worked out by hand, in double precision."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import (
    CALLS,
    RATE_D,
    RATE_G,
    ROWS,
    as_numbers,
    close,
    experiment_of,
    note,
    points,
    program_of,
)

from jaxgan import rng
from jaxgan.algorithms import base
from jaxgan.config import ConfigError
from jaxgan.networks.conditional import LabelledDiscriminator
from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.objectives.gan.consistency import BalancedConsistency, Consistency
from jaxgan.objectives.gan.losses import Wasserstein
from jaxgan.objectives.gan.penalties import GradientPenalty

SEED = 7
WEIGHT, TARGET = 0.3, 0.8


class QuadraticJudge(nn.Module):
    """``x^2 v``. Notes what it is shown and draws; keeps half of a running mean of what it saw."""

    @nn.compact
    def __call__(self, images, *, train, axis_name=None):
        values = images.reshape(images.shape[0], -1)
        weight = self.param("v", nn.initializers.normal(0.3), values.shape[-1:])
        seen = self.variable("batch_stats", "seen", lambda: jnp.zeros(values.shape[-1]))
        if train:
            note("judge", jax.lax.stop_gradient(values))
            note("draw", jax.random.uniform(self.make_rng("dropout")))
            seen.value = 0.5 * seen.value + 0.5 * jnp.mean(values, 0)
        return values**2 @ weight


def changes(n_critic, weight: float | None = WEIGHT):
    return {
        "discriminator": QuadraticJudge(),
        "loss": Wasserstein(),
        "n_critic": n_critic,
        "penalties": () if weight is None else (GradientPenalty(weight, TARGET),),
    }


def recorded_step(program, state, images):
    CALLS.clear()
    state, metrics = program.phases[0].streaming_step(state, {"image": images}, np.uint32(SEED))
    jax.effects_barrier()
    return state, metrics, [(role, array) for role, array in CALLS]


def shares(step, update):
    """The places between real and generated images: uniform draws, one an example."""
    key = rng.role_key(rng.step_key(rng.base_key(SEED), step), "share", update)
    return np.array([jax.random.uniform(jax.random.fold_in(key, i)) for i in range(ROWS)])


@pytest.mark.parametrize("n_critic", [1, 2])
def test_two_steps_by_hand(n_critic):
    """The penalty where, with the sign, weight and target that it should be; the rest as ever."""
    program = program_of(**changes(n_critic))
    images = points(ROWS * n_critic)
    state = program.init(1, {"image": images})
    for step in range(2):
        before = jax.device_get(state)
        state, metrics, calls = recorded_step(program, state, images)
        latents = [array for role, array in calls if role == "generator"]
        g = as_numbers(before.players["generator"].params)
        v = as_numbers(before.players["discriminator"].params)["v"]
        seen = as_numbers(before.players["discriminator"].model_state)["batch_stats"]["seen"]
        real_rows = images.reshape(-1, 2).astype(np.float64)
        between = []
        for update in range(n_critic):
            real = real_rows[update::n_critic]
            fake = latents[update] @ g["w"] + g["b"]
            share = shares(step, update)[:, None]
            between.append(share * real + (1 - share) * fake)
            # The gradient of x^2 v is 2 v x; its length grows with v_i by 4 v_i x_i^2 / length.
            lengths = np.linalg.norm(2 * v * between[-1], axis=1)
            penalty = WEIGHT * (lengths - TARGET) ** 2
            by_v = np.mean(fake**2 - real**2, axis=0) + np.mean(
                (2 * WEIGHT * (lengths - TARGET) / lengths)[:, None] * 4 * v * between[-1] ** 2,
                axis=0,
            )
            expected = {
                "loss/discriminator": np.mean((fake**2 - real**2) @ v + penalty),
                "logits/real": np.mean(real**2 @ v),
                "logits/fake": np.mean(fake**2 @ v),
                "penalty/gradient": np.mean(penalty),
                "discriminator_grad_norm": np.linalg.norm(by_v),
            }
            v = v - RATE_D * by_v
            # What lies between is not folded into running statistics.
            for shown in (real, fake):
                seen = 0.5 * seen + 0.5 * shown.mean(0)
        expected["loss/generator"] = -np.mean(fake**2 @ v)
        to_images = -2 * fake * v / ROWS
        expected["generator_grad_norm"] = np.hypot(
            np.linalg.norm(latents[-1].T @ to_images), np.linalg.norm(to_images.sum(0))
        )
        assert metrics.keys() == expected.keys()
        close(metrics, expected)
        close(
            state.players["discriminator"].variables,
            {"params": {"v": v}, "batch_stats": {"seen": seen}},
        )
        close(
            state.players["generator"].params,
            {
                "w": g["w"] - RATE_G * latents[-1].T @ to_images,
                "b": g["b"] - RATE_G * to_images.sum(0),
            },
        )
        # The critic was shown just these points (and, of course, the images).
        shown = [array for role, array in calls if role == "judge"]
        for expected_points in between:
            assert any(np.allclose(array, expected_points, atol=1e-5) for array in shown)
        draws = np.concatenate([shares(step, update) for update in range(n_critic)])
        assert len(set(draws)) == len(draws)
        assert draws.min() >= 0.0
        assert draws.max() < 1.0


def test_dropout_between_images_has_a_key_of_its_own():
    """Real, generated and interpolated images of an update, and those of the generator's."""
    program = program_of(**changes(2))
    images = points(2 * ROWS)
    _, _, calls = recorded_step(program, program.init(1, {"image": images}), images)
    draws = [float(array) for role, array in calls if role == "draw"]
    # Twice three for the critic, and one or two for the generator, which need not see real ones.
    assert len(set(draws)) in (7, 8)


def test_a_penalty_that_is_left_out_changes_nothing():
    """And reports nothing; any other pulls at the critic."""
    images = points(ROWS)
    none, some = program_of(**changes(1, None)), program_of(**changes(1, 5.0))
    expected, metrics, _ = recorded_step(none, none.init(1, {"image": images}), images)
    assert "penalty/gradient" not in metrics
    state, metrics, _ = recorded_step(some, some.init(1, {"image": images}), images)
    assert float(metrics["penalty/gradient"]) > 0.0
    moved = as_numbers(state.players["discriminator"].params)["v"]
    assert np.abs(moved - as_numbers(expected.players["discriminator"].params)["v"]).max() > 0.01


def test_batch_norm_in_the_critic_is_refused():
    for critic, flag in (
        (DcganDiscriminator(), "no-batch-norm"),
        (LabelledDiscriminator(DcganDiscriminator()), "body.no-batch-norm"),
    ):
        with pytest.raises(ConfigError) as raised:
            experiment_of(discriminator=critic, penalties=(GradientPenalty(),))
        assert str(raised.value) == (
            "a gradient penalty holds for each example by itself, and batch norm mixes them"
            f" (layer and instance norm do not): set --model.discriminator.{flag}"
        )
    for norm in ("layer", "instance"):
        alone = DcganDiscriminator(batch_norm=False, norm=norm, weight_norm="spectral")
        assert experiment_of(discriminator=alone, penalties=(GradientPenalty(),))
    plain = DcganDiscriminator(batch_norm=False)
    assert experiment_of(discriminator=plain, penalties=(GradientPenalty(),))
    assert experiment_of(discriminator=DcganDiscriminator())


@pytest.mark.parametrize("penalty", [Consistency(), BalancedConsistency()])
def test_consistency_of_points_is_refused(penalty):
    """When the model is built, and not when its first step is traced."""
    with pytest.raises(ConfigError) as raised:
        base.build(experiment_of(penalties=(penalty,)))
    assert str(raised.value) == (
        "consistency regularization shifts images by up to an eighth of their size: they must have"
        " 8 pixels a side, and have 1x1"
    )
