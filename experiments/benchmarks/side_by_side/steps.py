"""What is compared, as plain data: steps, their sizes, and how many operations they need.

Imports no framework, because the process that drives the measurements has none, and because the
one that runs PyTorch may have another Python.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

PRECISIONS = ("float32", "bfloat16")
IMPLEMENTATIONS = (
    *("jaxgan", "linen", "linen_fused"),
    *("torch_eager", "torch_channels_last", "torch_compile", "torch_fused"),
)
REFERENCE = "jaxgan"
"""The implementation whose first weights, images and random draws the others are checked on."""

BATCHES = 8
"""Different batches that a measurement goes through in turn."""
CHECKED_STEPS = 2
"""Steps from the same weights whose losses are compared; the second sees what the first changed."""


class AdamSettings(NamedTuple):
    """Settings of Adam; fields as in optax."""

    learning_rate: float
    b1: float
    b2: float = 0.999
    eps: float = 1e-8


GAN_ADAM = AdamSettings(learning_rate=2e-4, b1=0.5)
VAE_ADAM = AdamSettings(learning_rate=1e-3, b1=0.9)
EMA_DECAY = 0.999
PENALTY_WEIGHT = 10.0
SLOPE = 0.2
"""Of the leaky ReLU."""


@dataclasses.dataclass(frozen=True)
class Size:
    """How large the networks and batches of a step are; fields that a step has no use for stay 0.

    Attributes:
        batch: real images a step.
        image: pixels a side.
        channels: of an image.
        latent: length of a latent or code.
        width: channels of the finest level.
        hidden: units of each hidden layer.
    """

    batch: int
    image: int
    channels: int
    latent: int = 0
    width: int = 0
    hidden: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Size:
        """The inverse of `dataclasses.asdict`, whose tuples JSON has turned into lists."""
        return cls(**{**data, "hidden": tuple(data["hidden"])})


SIZES = {
    "dcgan": Size(batch=64, image=32, channels=1, latent=100, width=64),
    "wgan_gp": Size(batch=64, image=32, channels=1, latent=100, width=64),
    # 32 real and 32 given fakes.
    "resnet": Size(batch=32, image=32, channels=3, width=128),
    "mlp_gan": Size(batch=64, image=28, channels=1, latent=100, hidden=(256, 256)),
    "mlp_vae": Size(batch=128, image=28, channels=1, latent=40, hidden=(400, 400)),
    "conv_vae": Size(batch=64, image=32, channels=1, latent=64, width=64),
    # Latents are the mapped ones.
    "stylegan2": Size(batch=16, image=32, channels=3, latent=128, width=64),
    # Latents go in four equal parts into the dense layer and the three blocks.
    "biggan": Size(batch=16, image=32, channels=3, latent=80, width=64),
}
STEPS = tuple(SIZES)
MLPS = ("mlp_gan", "mlp_vae")
VAES = ("mlp_vae", "conv_vae")
FITTED = ("stylegan2", "biggan")
"""Generators by themselves, which are trained to make given images: the loss is the mean squared
difference of pixels in [-1, 1]."""


def implementations_of(step: str) -> tuple[str, ...]:
    """Those that a step has.

    Perceptrons have no memory format to choose. StyleGAN2's alone have fused ones, which make the
    weights of each example and convolve in groups.
    """
    missing = {"torch_channels_last"} if step in MLPS else set()
    if step != "stylegan2":
        missing |= {"linen_fused", "torch_fused"}
    return tuple(name for name in IMPLEMENTATIONS if name not in missing)


def levels(size: Size) -> tuple[int, tuple[int, ...]]:
    """Pixels a side of the coarsest level, and the channels of every level, finest first.

    Levels halve the image while its size is even and above 4, and double the channels up to eight
    times the width (Radford et al. 2016, at 64 pixels).
    """
    base, channels = size.image, []
    while base % 2 == 0 and base > 4:
        channels.append(size.width * min(2 ** len(channels), 8))
        base //= 2
    return base, tuple(channels)


class Block(NamedTuple):
    """One residual block: two 3x3 convolutions, and a 1x1 one beside them where it downsamples.

    Attributes:
        first: it sees the image itself, so no ReLU comes before, and the shortcut is averaged
            before its convolution rather than after.
        down: it halves the resolution by averages over 2x2 pixels.
    """

    first: bool
    down: bool


BLOCKS = (Block(True, True), Block(False, True), Block(False, False), Block(False, False))
"""The discriminator of SNGAN for 32x32 images (Miyato et al. 2018, table 4), spectral normalization
left out. ReLU, the sum over pixels and a linear layer follow."""

CLASSES, EMBEDDING = 10, 128
"""Of BigGAN: number of classes, and length of the vector that stands for one."""

FIR = (0.125, 0.375, 0.375, 0.125)
"""StyleGAN2's filter, along one axis."""

CLAMP = 256.0
"""Largest value that one of StyleGAN2's layers puts out."""


def style_levels(size: Size) -> tuple[int, ...]:
    """Resolutions of StyleGAN2's feature maps; all have as many channels, as below 64 pixels in
    the paper's."""
    return tuple(2**power for power in range(2, size.image.bit_length()))


def biggan_blocks(size: Size) -> int:
    """Blocks of BigGAN's generator, each of which doubles the resolution, from 4 pixels on."""
    return len(style_levels(size)) - 1


def attention_flops(batch: int, height: int, width: int, channels: int) -> int:
    """Operations of the two products within BigGAN's attention: of all places with the largest of
    each four, in an eighth of the channels and in half of them."""
    features = max(channels // 8, 1) + max(channels // 2, 1)
    return 2 * batch * height * width * (height // 2) * (width // 2) * features


Layers = Mapping[str, int]
"""Name of a layer, such as ``discriminator/Conv_1``, to the operations of its forward pass on one
batch: two for each multiply-add, zeros at the borders counted."""

SEE_THE_INPUT = {
    "generator": ("Dense_0",),
    "discriminator": ("Conv_0", "Dense_0", "Block_0/Conv_0", "Block_0/shortcut"),
    "encoder": ("Conv_0", "Dense_0"),
}
"""Layers that see images or latents, whose gradient nobody wants unless a generator is behind."""


def step_flops(step: str, layers: Layers) -> int:
    """Operations of convolutions and matrix products that one step cannot do without.

    Each layer has three products of equal cost: forward, gradient of its input, gradient of its
    kernel. With G and D those of one pass over a batch, and G1, D1 the layers that see the input:

    - VAE: ``3 (E + D) - E1``.
    - GAN: generator ``3 G - G1``; discriminator update, once with real and once with fake images,
      ``2 (3 D - D1)``; generator's update through the discriminator, ``2 D``: forward, gradient of
      the input down to the image.
    - Gradient penalty: ``4 D`` more. Forward at the points between, gradient of the input; then the
      gradient of that: the second pass up the layers, and the kernels' gradients. ReLUs and linear
      layers leave no other terms.
    - ResNet: ``2 (3 D - D1)``, for the layers' operations are those of one of the two batches.
    - StyleGAN2 and BigGAN: ``3 G - G1``. Filters, and what makes factors of styles, are left out.
    """
    totals: dict[str, int] = dict.fromkeys(("generator", "discriminator", "encoder", "decoder"), 0)
    seen = dict(totals)
    for name, flops in layers.items():
        network, _, layer = name.partition("/")
        totals[network] += flops
        first = layer in SEE_THE_INPUT.get(network, ()) or layer.endswith("/style")
        seen[network] += flops if first else 0
    if step in VAES:
        return 3 * (totals["encoder"] + totals["decoder"]) - seen["encoder"]
    if step in FITTED:
        return 3 * totals["generator"] - seen["generator"]
    update = 2 * (3 * totals["discriminator"] - seen["discriminator"])
    if step == "resnet":
        return update
    gan = 3 * totals["generator"] - seen["generator"] + update + 2 * totals["discriminator"]
    return gan + (4 * totals["discriminator"] if step == "wgan_gp" else 0)


def torch_flops(step: str, layers: Layers) -> int:
    """Operations that PyTorch's autograd does for `step_flops`.

    Its leaky ReLU has zeros for the gradient of its gradient's slope, and those run down through
    all layers: ``2 D`` more under a gradient penalty. Written as a choice between two values it has
    none, but what that saves is less than what the choice costs (measured on a CPU: 5% slower).
    """
    wasted = sum(v for k, v in layers.items() if k.startswith("discriminator/"))
    return step_flops(step, layers) + (2 * wasted if step == "wgan_gp" else 0)
