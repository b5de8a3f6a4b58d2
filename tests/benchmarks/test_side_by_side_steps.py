"""Sizes and counts of operations of the compared steps."""

import dataclasses
import json

import pytest
from side_by_side.steps import (
    SIZES,
    STEPS,
    Size,
    attention_flops,
    biggan_blocks,
    implementations_of,
    levels,
    step_flops,
    style_levels,
    torch_flops,
)

from jaxgan.networks.residual_levels import generator_levels
from jaxgan.networks.style_levels import resolutions
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
    assert set(STEPS) == {
        *("dcgan", "wgan_gp", "resnet", "mlp_gan", "mlp_vae", "conv_vae"),
        *("stylegan2", "biggan"),
    }


def test_perceptrons_have_no_memory_format():
    assert "torch_channels_last" not in implementations_of("mlp_vae")
    assert "torch_channels_last" in implementations_of("dcgan")


def test_only_modulated_convolutions_have_fused_forms():
    fused = {"linen_fused", "torch_fused"}
    assert [step for step in STEPS if fused & set(implementations_of(step))] == ["stylegan2"]
    assert fused < set(implementations_of("stylegan2"))


def test_the_levels_of_generators_are_those_of_jaxgan():
    for step in ("stylegan2", "biggan"):
        size = SIZES[step]
        shape = (size.image, size.image, size.channels)
        assert style_levels(size) == resolutions(shape)
        known = generator_levels(shape, size.width, max_multiple=1)
        assert known == (4, (size.width,) * (biggan_blocks(size) + 1))


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


def test_operations_of_a_generator_by_itself_by_hand():
    # Nobody wants gradients of given latents; those of what the trained embedding goes into, yes.
    style = {"generator/up_8": 1000, "generator/up_8/style": 7, "generator/image_8/style": 90}
    assert step_flops("stylegan2", style) == 3 * 1097 - 97
    big = {"generator/Dense_0": 5, "generator/ModulatedBatchNorm_0/scale": 70}
    assert step_flops("biggan", big) == torch_flops("biggan", big) == 3 * 75 - 5


def test_operations_of_attention_by_hand():
    # 8 places that look at 2, in 2 channels of queries and keys, and 8 of values.
    assert attention_flops(3, 2, 4, 16) == 2 * 3 * 8 * 2 * (2 + 8)
    # Narrow networks have one channel of each.
    assert attention_flops(1, 2, 2, 1) == 2 * 4 * 1 * (1 + 1)
