"""What the generator minimizes besides its loss: looked-ahead games, penalties; by hand."""

import jax
import numpy as np
import pytest
from linear_gan import (
    RATE_D,
    RATE_G,
    ROWS,
    as_numbers,
    close,
    experiment_of,
    points,
    program_of,
    recorded_step,
)

from jaxgan.config import ConfigError
from jaxgan.objectives.gan.game_gradients import Consensus, GradientRegularization
from jaxgan.objectives.gan.losses import Wasserstein
from jaxgan.objectives.gan.zero_sum import ZeroSum

WEIGHT = 0.3


def stepped(**changes):
    """Parameters before and after a step, its metrics, and what it was made from."""
    program = program_of(**{"loss": Wasserstein(), **changes})
    images = points(ROWS)
    before = jax.device_get(program.init(1, {"image": images}))
    after, metrics, latents, _ = recorded_step(program, before, images, 3)
    g, d = (as_numbers(before.parameters)[name] for name in ("generator", "discriminator"))
    fake = latents[0] @ g["w"] + g["b"]
    real = images.reshape(-1, 2).astype(np.float64)
    return g, d["v"], latents[0], real.mean(0), fake.mean(0), after.parameters, metrics


def moved(g, latents, to_images):
    """The generator after a descent along one gradient for all images."""
    each = np.tile(to_images / ROWS, (ROWS, 1))
    return {"w": g["w"] - RATE_G * latents.T @ each, "b": g["b"] - RATE_G * each.sum(0)}


@pytest.mark.parametrize("steps", [1, 3])
def test_the_generator_looks_ahead(steps):
    """A linear critic goes on along ``fake - real``; the generator hears how its images turn it.

    A stop-gradient on the looked-ahead weights leaves ``-ahead`` alone.
    """
    g, v, latents, real, fake, after, _ = stepped(unrolled_steps=steps)
    v = v - RATE_D * (fake - real)
    # The discriminator itself makes one update, whatever is looked ahead at.
    close(after["discriminator"]["v"], v)
    ahead = v - steps * RATE_D * (fake - real)
    close(after["generator"], moved(g, latents, -ahead + steps * RATE_D * fake))


def test_of_a_zero_sum_game_the_real_term_is_heard_too():
    """What the looked-ahead critic unlearns of real images is the generator's gain."""
    g, v, latents, real, fake, after, _ = stepped(unrolled_steps=2, loss=ZeroSum(Wasserstein()))
    ahead = v - 3 * RATE_D * (fake - real)
    to_images = -ahead + 2 * RATE_D * (fake - real)
    close(after["generator"], moved(g, latents, to_images))


def test_gradient_regularization_pulls_the_generator_alone():
    """The critic's gradient is ``fake - real``, whose square the generator makes small."""
    penalty = GradientRegularization(WEIGHT)
    g, v, latents, real, fake, after, metrics = stepped(generator_penalties=(penalty,))
    v = v - RATE_D * (fake - real)
    close(after["discriminator"]["v"], v)
    value = WEIGHT * np.sum((fake - real) ** 2)
    close(metrics["penalty/generator/gradient_regularization"], value)
    close(after["generator"], moved(g, latents, -v + 2 * WEIGHT * (fake - real)))
    bare = stepped()[-1]
    close(metrics["loss/generator"] - bare["loss/generator"], value)


def test_consensus_pulls_both_players():
    """The generator's gradient is that of its biases, ``-v``, and of its weights, ``-z v``."""
    penalty = (Consensus(WEIGHT),)
    g, v, latents, real, fake, after, metrics = stepped(
        penalties=penalty, generator_penalties=penalty
    )
    reach = 1 + np.sum(latents.mean(0) ** 2)
    gap = np.sum((fake - real) ** 2)
    close(metrics["penalty/consensus"], WEIGHT / 2 * (gap + reach * v @ v))
    v = v - RATE_D * (fake - real + WEIGHT * reach * v)
    close(after["discriminator"]["v"], v)
    close(metrics["penalty/generator/consensus"], WEIGHT / 2 * (gap + reach * v @ v))
    close(after["generator"], moved(g, latents, -v + WEIGHT * (fake - real)))


def test_looking_ahead_by_less_than_nothing_is_refused():
    with pytest.raises(ConfigError, match="unrolled_steps = -1: must be at least 0"):
        experiment_of(unrolled_steps=-1)
