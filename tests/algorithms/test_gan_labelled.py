"""Steps of a conditional GAN with lazy penalty, constraints and classifier, worked out by hand."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from labelled_gan import (
    BOUND,
    CLASSES,
    DATA,
    DECAY,
    N_CRITIC,
    ROWS,
    SHRINK,
    critic_update,
    experiment_of,
    generator_update,
    judged,
)
from linear_gan import CALLS, as_numbers, close

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError
from jaxgan.program import compile_program

SEED = 7


@functools.cache
def program():
    return compile_program(experiment_of(), "none")


@functools.cache
def batch():
    draws = np.random.default_rng(0)
    count = ROWS * N_CRITIC
    return {
        "image": draws.normal(0.5, 1.0, (count, 1, 1, 2)).astype(np.float32),
        "label": draws.integers(0, CLASSES, count, np.int32),
    }


@functools.cache
def trained():
    """What goes into each of three steps, and what comes out: states, latents and metrics."""
    state, found = program().init(1, batch()), []
    for _ in range(3):
        before = jax.device_get(state)
        CALLS.clear()
        state, metrics = program().phases[0].streaming_step(state, batch(), np.uint32(SEED))
        jax.effects_barrier()
        noise = [array for role, array in CALLS if role == "noise"]
        labels = [array.astype(int) for role, array in CALLS if role == "label"]
        found.append((before, noise, labels, jax.device_get(state), metrics))
    return found


@pytest.mark.parametrize("step", [0, 1, 2])
def test_steps_by_hand(step):
    """Labels, lazy penalty, classifier, constraints, rates of both schedules, average, metrics."""
    before, noise, labels, after, metrics = trained()[step]
    assert len(noise) == len(labels) == N_CRITIC
    g = as_numbers(before.players["generator"].params)
    d = as_numbers(before.players["discriminator"].params)
    real, real_label = batch()["image"].reshape(-1, 2).astype(np.float64), batch()["label"]
    for update in range(N_CRITIC):
        fake = noise[update] @ g["w"] + g["l"][labels[update]]
        own = slice(update, None, N_CRITIC)
        d, expected = critic_update(
            d, real[own], real_label[own], fake, labels[update], step * N_CRITIC + update
        )
        # Another label somewhere, so that exchanged ones do not go unseen.
        assert (real_label[own] != labels[update]).any()
    g, of_generator = generator_update(g, d, noise[-1], labels[-1], step)
    close(after.players["discriminator"].params, d)
    close(after.players["generator"].params, g)
    expected |= of_generator
    assert metrics.keys() == expected.keys()
    close(metrics, expected)
    # Of six updates, the first and the fourth are due; what is reported is a step's last one.
    assert (float(metrics["penalty/r1"]) > 0.0) == (step == 1)
    # The warm-up of the average: (1 + t) / (10 + t), with t steps done before.
    kept = min(DECAY, (1 + step) / (10 + step))
    average = jax.tree.map(
        lambda a, b: kept * a + (1 - kept) * b, as_numbers(before.ema["generator"]["params"]), g
    )
    close(after.ema["generator"]["params"], average)


def test_the_bound_is_in_force_and_not_everywhere():
    """So that constraints that are left out, or put on in another order, do not go unseen."""
    ends = [after.players["discriminator"].params for *_, after, _ in trained()]
    sizes = np.abs(np.hstack([np.ravel(value) for value in jax.tree.leaves(ends)]))
    assert np.isclose(sizes, BOUND * SHRINK).any()
    assert (sizes < 0.9 * BOUND * SHRINK).any()


def test_images_are_of_the_labels_in_the_latents():
    """Under the averaged weights; other labels in the same noise, other images."""
    *_, state, _ = trained()[-1]
    generation = program().algorithm.generation
    latents = program().prior(jax.random.key(3), 7)
    assert set(np.asarray(generation.labels(latents))) <= set(range(CLASSES))
    wanted = np.array([2, 2, 0, 1, 0, 1, 2], np.int32)
    changed = generation.with_labels(latents, wanted)
    np.testing.assert_array_equal(generation.labels(changed), wanted)
    np.testing.assert_array_equal(changed["noise"], latents["noise"])
    g = as_numbers(state.ema["generator"]["params"])
    for given, labels in ((latents, np.asarray(latents["label"])), (changed, wanted)):
        expected = np.asarray(given["noise"], np.float64) @ g["w"] + g["l"][labels]
        close(program().generate(state, given).reshape(7, 2), expected)


def test_evaluate_judges_images_with_their_own_labels():
    *_, state, _ = trained()[-1]
    draws, count = np.random.default_rng(4), 64
    images = draws.normal(0.0, 1.0, (count, 1, 1, 2)).astype(np.float32)
    labels = draws.integers(0, CLASSES, count, np.int32)
    mask = (draws.random(count) < 0.8).astype(np.float32)
    key = jax.random.key(5)
    latents = program().prior(key, count)
    fakes = np.asarray(program().generate(state, latents), np.float64).reshape(count, 2)
    d = as_numbers(state.players["discriminator"].params)

    def counts(of_real, of_fake):
        right = judged(d, images.reshape(count, 2), of_real)[0] > 0
        return [right @ mask, (judged(d, fakes, of_fake)[0] < 0) @ mask]

    given = np.asarray(latents["label"])
    exchanged = counts(given, labels)
    expected = counts(labels, given)
    assert exchanged[0] != expected[0]
    assert exchanged[1] != expected[1]
    sums = program().evaluate(state, {"image": images, "label": labels, "mask": mask}, key)
    found = [float(sums[f"discriminator_accuracy_{of}"][0]) for of in ("real", "fake")]
    assert found == expected


def test_truncation_leaves_labels_alone():
    generation = build(experiment_of()).generation
    latents = {"noise": jnp.ones((2, 3)), "label": jnp.array([2, 1])}
    found = generation.truncate(latents, 0.5)
    np.testing.assert_array_equal(found["noise"], np.full((2, 3), 0.5))
    np.testing.assert_array_equal(found["label"], [2, 1])


def test_the_number_of_classes_must_be_said():
    silent = dataclasses.replace(experiment_of(), data=dataclasses.replace(DATA, classes=0))
    with pytest.raises(ConfigError) as raised:
        build(silent)
    assert str(raised.value) == (
        "the model takes labels: say how many classes there are, --data.classes N"
    )
