"""Generated images in the places of real ones, in a conditional step that is worked out by hand."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from labelled_gan import (
    CLASSES,
    N_CRITIC,
    ROWS,
    critic_update,
    experiment_of,
    generator_update,
)
from linear_gan import CALLS, as_numbers, close

from jaxgan.objectives.gan.augmentations import Augmentation, Replacing
from jaxgan.program import compile_program

FLAGS = np.array([True, False, True, True, False, False])


@dataclasses.dataclass(frozen=True)
class Some:
    """Always the same places."""

    def init(self) -> Any:
        return jnp.float32(2.0)

    def __call__(self, images, keys, state):
        return images

    def replaced(self, keys, state):
        assert keys.shape == (ROWS,)
        return jnp.asarray(FLAGS) & (state == 2.0)

    def update(self, state, verdict, count):
        return state

    def metrics(self, state):
        return {}

    def check(self, image_shape, dtype):
        pass


def test_a_step_by_hand():
    """Image and label of other draws stand for a real pair, in the loss, the penalty and the
    auxiliary term of the discriminator; the generator's update knows nothing of it."""
    assert isinstance(Some(), Augmentation)
    assert isinstance(Some(), Replacing)
    draws = np.random.default_rng(0)
    count = ROWS * N_CRITIC
    batch = {
        "image": draws.normal(0.5, 1.0, (count, 1, 1, 2)).astype(np.float32),
        "label": draws.integers(0, CLASSES, count, np.int32),
    }
    program = compile_program(experiment_of(augmentations=(Some(),)), "none")
    state = program.init(1, batch)
    before = jax.device_get(state.players)
    CALLS.clear()
    state, metrics = program.phases[0].streaming_step(state, batch, np.uint32(7))
    jax.effects_barrier()
    noise = [array for role, array in CALLS if role == "noise"]
    labels = [array.astype(int) for role, array in CALLS if role == "label"]
    assert len(noise) == len(labels) == 2 * N_CRITIC
    g, d = (as_numbers(before[name].params) for name in ("generator", "discriminator"))
    real, real_label = batch["image"].reshape(-1, 2).astype(np.float64), batch["label"]
    expected: dict[str, Any] = {}
    for update in range(N_CRITIC):
        # Of each update first the images that are judged as generated ones.
        (z, other), (y, other_y) = (array[2 * update : 2 * update + 2] for array in (noise, labels))
        assert (np.abs(z - other) > 1e-3).all(axis=1).all()
        own = slice(update, None, N_CRITIC)
        made = other @ g["w"] + g["l"][other_y]
        assert (other_y != real_label[own])[FLAGS].any()
        shown = np.where(FLAGS[:, None], made, real[own])
        shown_label = np.where(FLAGS, other_y, real_label[own])
        d, expected = critic_update(d, shown, shown_label, z @ g["w"] + g["l"][y], y, update)
        last = z, y
    g, of_generator = generator_update(g, d, *last, 0)
    close(state.players["discriminator"].params, d)
    close(state.players["generator"].params, g)
    found = {name: metrics[name] for name in expected | of_generator}
    close(found, expected | of_generator)
