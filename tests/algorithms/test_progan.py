"""Growth: its schedule, what each stage trains on, and what comes between two of them."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.algorithms.base import build
from jaxgan.algorithms.progan import ProGan, Stage
from jaxgan.algorithms.progan_published import CIFAR_10
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator
from jaxgan.objectives.priors import Normal
from jaxgan.program import compile_program, example_batch

ROWS, STEADY, FADE, SEED = 4, 0.012, 0.016, 3
MODEL = ProGan(
    ProganGenerator(width_base=8, width=4), ProganDiscriminator(width_base=8, width=4),
    prior=Normal(3), steady_kimg=STEADY, fade_kimg=FADE,
)  # fmt: skip


def experiment_of(model=MODEL, **changes):
    settings = {"data": Data(), "steps": 10, "batch_size": ROWS, **changes}
    return Experiment(name="growing", model=model, **settings)


@pytest.mark.parametrize(
    ("kimg", "levels"),
    [
        *((0, 0), (600, 0), (900, 0.5), (1199.4, 0.999), (1200, 1), (1800, 1), (2100, 1.5)),
        *((2400, 2), (3000, 2), (3150, 2.25), (3600, 3), (4500, 3), (12000, 3)),
    ],
)
def test_levels_at_images_seen(kimg, levels):
    """At 32 pixels: 600 kimg of 4 pixels, 600 in which 8 fade in, 600 of 8, and so on."""
    model = ProGan(ProganGenerator(), ProganDiscriminator())
    found = jax.jit(lambda images: model.levels_at(images, 4))(jnp.float32(1000 * kimg))
    assert float(found) == pytest.approx(levels, abs=1e-5)


def test_stages_by_hand():
    """12 images of level 0, 16 of the fade: batches of 4 before 16 images and before 28."""
    assert MODEL.stages(experiment_of()) == [Stage(0, 4, 0), Stage(4, 7, 1), Stage(7, 10, 1)]
    # A fade that has only begun, or not at all, when training ends.
    assert MODEL.stages(experiment_of(steps=5)) == [Stage(0, 4, 0), Stage(4, 5, 1)]
    assert MODEL.stages(experiment_of(steps=4)) == [Stage(0, 4, 0)]
    # CIFAR-10: 400 kimg in batches of 16 are 25,000 steps; behind image 400,000 something fades in.
    experiment = experiment_of(CIFAR_10, data=Data(image_size=32, channels=3), batch_size=16,
                               steps=1_250_000)  # fmt: skip
    assert CIFAR_10.stages(experiment) == [
        Stage(0, 25_001, 0), Stage(25_001, 50_000, 1), Stage(50_000, 75_001, 1),
        Stage(75_001, 100_000, 2), Stage(100_000, 125_001, 2), Stage(125_001, 150_000, 3),
        Stage(150_000, 1_250_000, 3),
    ]  # fmt: skip


def moved(before, after):
    """Names of the layers whose weights have changed."""
    return {
        name
        for name in before
        if any(
            np.any(a != b)
            for a, b in zip(
                jax.tree.leaves(before[name]), jax.tree.leaves(after[name]), strict=True
            )
        )
    }


@pytest.fixture(scope="module")
def states():
    """States before each step and after the last, and the metrics of each step."""
    experiment = experiment_of()
    program = compile_program(experiment, "none")
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 8, 8, 1), np.uint8)
    state, found, told = program.init(1, example_batch(experiment)), [], []
    for step in range(9):
        phase = program.phase(step)
        if phase.enter is not None and step == phase.start:
            state = phase.enter(state)
        found.append(jax.device_get(state))
        state, metrics = phase.streaming_step(state, {"image": images}, np.uint32(SEED))
        told.append(jax.device_get(metrics))
    return [*found, jax.device_get(state)], told


def test_growth_goes_on_and_ends(states):
    """A fade that is stuck anywhere does not pass: 0, then quarters behind 12 images, then 1."""
    found, told = states
    wanted = [0, 0, 0, 0, 0.25, 0.5, 0.75, 1, 1]
    np.testing.assert_allclose([one["growth/levels"] for one in told], wanted, atol=1e-6)
    for state, levels in zip(found[1:], wanted, strict=True):
        held = [p.model_state["growth"]["levels"] for p in state.players.values()]
        held.append(state.ema["generator"]["growth"]["levels"])
        np.testing.assert_allclose(held, levels, atol=1e-6)
    assert float(found[0].players["generator"].model_state["growth"]["levels"]) == 0.0


def test_only_layers_that_take_part_are_trained(states):
    found, _ = states
    for player, rgb in (("generator", "to_rgb"), ("discriminator", "from_rgb")):
        params = [state.players[player].params for state in found]
        fine = {"first_1", "second_1", f"{rgb}_1"}
        coarse = {*params[0]} - fine
        assert moved(params[0], params[4]) == coarse
        assert moved(params[4], params[7]) == coarse | fine
        # When the fade has ended, the old layer of colors takes no more part.
        assert moved(params[7], params[9]) == (coarse | fine) - {f"{rgb}_0"}
    # Until a layer takes part, its average is what it started as.
    started, before = found[0].ema["generator"]["params"], found[4].ema["generator"]["params"]
    assert moved(started, before) == {"dense", "conv_0", "to_rgb_0"}


def test_moments_are_renewed_at_both_ends_of_a_fade(states):
    """Adam's count of updates is 0 before the first step of each stage, and so are its moments."""
    found, _ = states
    for player in ("generator", "discriminator"):
        leaves = [jax.tree.leaves(state.players[player].opt_state) for state in found]
        counts = [
            {int(leaf) for leaf in one if leaf.shape == () and leaf.dtype == np.int32}
            for one in leaves
        ]
        assert counts == [{n} for n in (0, 1, 2, 3, 0, 1, 2, 0, 1, 2)]
        for step in (4, 7):
            assert not any(np.any(leaf) for leaf in leaves[step])


def test_images_that_are_evaluated_are_of_the_levels_that_take_part(states):
    """Squares of 2 x 2 pixels of one color until the fade begins, and no longer afterwards."""
    found, _ = states
    algorithm = build(experiment_of())
    latents = jax.random.normal(jax.random.key(5), (3, 3))
    images = jax.jit(algorithm.generation.pixels)
    for step, coarse in ((4, True), (6, False), (9, False)):
        made = np.asarray(images(found[step].raw, latents), np.float64)
        blocks = made.reshape(3, 4, 2, 4, 2, 1)
        assert (np.ptp(blocks, axis=(2, 4)).max() < 1e-6) == coarse


def test_lengths_of_gradients_are_those_of_images_in_full_size(states):
    """A discriminator that sees means over 2 x 2 pixels has half the slope, for each of the four
    has a quarter of it."""
    found, _ = states
    network = MODEL.discriminator
    variables = jax.tree.map(jnp.asarray, found[0].players["discriminator"].variables)

    def score(images):
        return network.apply(variables, images, train=False).sum()

    points = jax.random.normal(jax.random.key(0), (ROWS, 8, 8, 1))
    small = points.reshape(ROWS, 4, 2, 4, 2, 1).mean(axis=(2, 4))
    slopes = jax.jit(jax.grad(score))(points)
    coarse = jax.jit(jax.grad(lambda x: score(jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2))))
    np.testing.assert_allclose(
        np.square(slopes).sum(), np.square(coarse(small)).sum() / 4, rtol=1e-4
    )


def test_the_recipe_for_cifar_10():
    penalty, drift = CIFAR_10.penalties
    assert penalty.target == 750.0
    assert penalty.weight * penalty.target**2 == pytest.approx(10.0)
    assert drift.weight == 0.001
    optimizer = CIFAR_10.generator_optimizer
    assert optimizer == CIFAR_10.discriminator_optimizer
    assert (optimizer.learning_rate, optimizer.b1, optimizer.b2, optimizer.eps) == (
        1e-3, 0.0, 0.99, 1e-8,
    )  # fmt: skip
    assert (CIFAR_10.generator.width, CIFAR_10.prior, CIFAR_10.ema.decay) == (
        128, Normal(128), 0.999,
    )  # fmt: skip
    assert (CIFAR_10.n_critic, CIFAR_10.discriminator.group, CIFAR_10.ema.warmup) == (1, 16, False)


def test_what_cannot_grow_is_refused():
    for changes, message in (
        ({"generator": MlpGenerator()}, "the generator, MlpGenerator, does not grow"),
        ({"discriminator": MlpDiscriminator()}, "the discriminator, MlpDiscriminator"),
        ({"fade_kimg": 0.0}, "fade_kimg = 0.0"),
        ({"steady_kimg": math.inf}, "steady_kimg = inf"),
        ({"pack": 2}, "pack = 2"),
    ):
        with pytest.raises(ConfigError, match=message):
            dataclasses.replace(MODEL, **changes)
    with pytest.raises(ConfigError, match="level 1 would be trained for no step: 64 images"):
        build(experiment_of(batch_size=64))


def test_points_are_refused():
    model = ProGan(generator=ProganGenerator(), discriminator=ProganDiscriminator())
    data = Data(source=Ring(), image_size=1, channels=2)
    with pytest.raises(ConfigError, match="for images, and these are points"):
        build(Experiment(name="points", model=model, data=data))
