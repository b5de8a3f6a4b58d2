"""Sizes and counts of operations of the compared steps."""

import dataclasses
import json

import pytest
from side_by_side.steps import (
    SIZES,
    STEPS,
    Size,
    implementations_of,
    levels,
    step_flops,
    torch_flops,
)

from jaxgan.networks.trunk import pyramid


@pytest.mark.parametrize("image", [8, 16, 28, 32, 64])
@pytest.mark.parametrize("width", [4, 64])
def test_the_levels_are_those_of_the_networks_that_are_compared(image, width):
    size = Size(batch=1, image=image, channels=1, width=width)
    assert levels(size) == tuple(pyramid((image, image, 1), width, max_multiple=8))


def test_a_size_survives_json():
    for size in SIZES.values():
        data = json.loads(json.dumps(dataclasses.asdict(size)))
        assert Size.from_json(data) == size


def test_the_sizes_are_those_that_were_asked_for():
    assert SIZES["dcgan"] == SIZES["wgan_gp"] == Size(64, 32, 1, latent=100, width=64)
    assert SIZES["mlp_vae"] == Size(128, 28, 1, latent=40, hidden=(400, 400))
    assert SIZES["resnet"].width == 128
    assert SIZES["conv_vae"].image == 32
    assert set(STEPS) == {"dcgan", "wgan_gp", "resnet", "mlp_gan", "mlp_vae", "conv_vae"}


def test_perceptrons_have_no_memory_format():
    assert "torch_channels_last" not in implementations_of("mlp_vae")
    assert "torch_channels_last" in implementations_of("dcgan")


def test_operations_of_a_vae_by_hand():
    # Forward 10 and 20 for the encoder, 7 for the decoder; backward twice that, less the 10 of the
    # layer that sees the images.
    layers = {"encoder/Dense_0": 10, "encoder/mean": 20, "decoder/Dense_0": 7}
    assert step_flops("mlp_vae", layers) == 3 * 37 - 10
    assert torch_flops("mlp_vae", layers) == 3 * 37 - 10


GAN = {"generator/Dense_0": 3, "generator/pixels": 50}
CRITIC = {"discriminator/Conv_0": 100, "discriminator/Conv_1": 1000}


def test_operations_of_a_gan_by_hand():
    # The generator: forward 53, kernels 53, inputs 50. The discriminator's update, twice: forward
    # 1100, kernels 1100, inputs 1000. The generator's update: forward 1100, inputs 1100.
    assert step_flops("dcgan", GAN | CRITIC) == 156 + 2 * 3200 + 2200


def test_operations_of_a_gradient_penalty_by_hand():
    # Forward, gradient of the input, and the two products of that gradient's gradient.
    layers = GAN | CRITIC
    assert step_flops("wgan_gp", layers) - step_flops("dcgan", layers) == 4 * 1100
    assert torch_flops("wgan_gp", layers) - step_flops("wgan_gp", layers) == 2 * 1100


def test_operations_of_a_residual_stack_by_hand():
    layers = {
        "discriminator/Block_0/Conv_0": 5,
        "discriminator/Block_0/Conv_1": 1000,
        "discriminator/Block_0/shortcut": 7,
        "discriminator/Block_1/shortcut": 90,
    }
    # Real and fake; neither the first convolution nor the first shortcut has an input gradient.
    assert step_flops("resnet", layers) == 2 * (3 * 1102 - 12)
