"""Packs of images (PacGAN): what the discriminator is shown, by hand in double precision."""

import dataclasses

import jax.numpy as jnp
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

from jaxgan.algorithms.gan_parts import packed, unpacked
from jaxgan.config import ConfigError
from jaxgan.objectives.gan.augmentations import DiffAugment
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.losses import Wasserstein
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.program import compile_program

WEIGHT = 0.3


def test_a_pack_has_its_images_side_by_side_in_channels():
    """Those that follow each other; not beside each other in space, nor along the batch."""
    images = np.random.default_rng(0).normal(size=(6, 2, 3, 4)).astype(np.float32)
    found = packed(jnp.asarray(images), 3)
    assert found.shape == (2, 2, 3, 12)
    for index, pack in enumerate(found):
        np.testing.assert_array_equal(pack, np.concatenate(images[3 * index : 3 * index + 3], -1))
    np.testing.assert_array_equal(unpacked(found, 3), images)


def test_a_step_by_hand_with_a_penalty_on_packs():
    """Two points of one kind are one of twice the size, to the loss and to R1.

    Packs along the batch would leave the discriminator with half as many weights.
    """
    program = program_of(pack=2, loss=Wasserstein(), penalties=(R1(WEIGHT),))
    images = points(ROWS)
    state = program.init(1, {"image": images})
    state, metrics, (latents,), judged = recorded_step(program, state, images, 3)
    before = as_numbers(program.init(1, {"image": images}).parameters)
    g, v = before["generator"], before["discriminator"]["v"]
    assert v.shape == (4,)
    real = images.astype(np.float64).reshape(ROWS // 2, 4)
    fake = (latents @ g["w"] + g["b"]).reshape(ROWS // 2, 4)
    for pack in (real, fake):
        assert any(np.allclose(array, pack, atol=1e-5) for array in judged)
    assert {array.shape for array in judged} == {(ROWS // 2, 4)}
    penalty = WEIGHT / 2 * v @ v
    expected = {
        "penalty/r1": penalty,
        "logits/real": np.mean(real @ v) + before["discriminator"]["c"],
        "loss/discriminator": np.mean(fake @ v) - np.mean(real @ v) + penalty,
    }
    moved = v - RATE_D * (fake.mean(0) - real.mean(0) + WEIGHT * v)
    close(state.players["discriminator"].params["v"], moved)
    # Each image of a pack hears what is said of its own channels.
    to_images = np.tile(-moved.reshape(2, 2), (ROWS // 2, 1)) / (ROWS // 2)
    close(
        state.players["generator"].params,
        {
            "w": g["w"] - RATE_G * latents.T @ to_images,
            "b": g["b"] - RATE_G * to_images.sum(0),
        },
    )
    close({name: metrics[name] for name in expected}, expected)


def test_images_are_augmented_one_by_one_before_they_are_packed():
    """An augmentation is checked and called with images as the data has them."""

    @dataclasses.dataclass(frozen=True)
    class Doubled(DiffAugment):
        def __call__(self, images, keys, state):
            shapes.append(images.shape)
            return 2.0 * images

        def check(self, image_shape, dtype):
            shapes.append(image_shape)

    shapes = []
    program = program_of(pack=2, augmentations=(Doubled(),))
    images = points(ROWS)
    state = program.init(1, {"image": images})
    _, _, _, judged = recorded_step(program, state, images, 3)
    assert set(shapes) == {(1, 1, 2), (ROWS, 1, 1, 2)}
    doubled = 2.0 * images.reshape(ROWS // 2, 4)
    assert any(np.allclose(array, doubled, atol=1e-5) for array in judged)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pack": 0}, "pack = 0: must be at least 1"),
        (
            {"pack": 2, "prior": Labelled(Normal(3))},
            "pack = 2 with labels, which are of single images: set --model.pack 1",
        ),
        (
            {"pack": 2, "auxiliaries": (AuxiliaryClassifier(),)},
            "pack = 2 with auxiliary terms, which are of single images: set --model.pack 1",
        ),
    ],
)
def test_packs_of_what_is_said_of_single_images_are_refused(changes, complaint):
    with pytest.raises(ConfigError) as raised:
        experiment_of(**changes)
    assert str(raised.value) == complaint


def test_batches_that_are_no_whole_packs_are_refused():
    with pytest.raises(ConfigError) as raised:
        compile_program(experiment_of(pack=3), "none")
    assert str(raised.value) == (
        "pack = 3 does not divide the batch of 4 images: packs are whole; set --batch-size 3"
    )
    with pytest.raises(ConfigError, match="pack = 2 does not divide the 3 images of a device"):
        packed(jnp.zeros((3, 1, 1, 1)), 2)
