"""StyleGAN2's synthesis network as one writes it in PyTorch (NCHW).

With ``fused`` the weights of every example are made and convolved with in as many groups, as
stylegan2-ada-pytorch does in training; without, channels are scaled before and after.
"""

from __future__ import annotations

import math

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from side_by_side.steps import CLAMP, FIR, SLOPE, Size, style_levels
from side_by_side.torch_named import Named, normal


class EqualizedDense(nn.Module):
    """A linear layer whose weights are scaled when used."""

    kernel_size = (1, 1)

    def __init__(self, inputs: int, features: int) -> None:
        super().__init__()
        self.kernel, self.bias = normal(features, inputs), nn.Parameter(torch.ones(features))
        self.scale = 1.0 / math.sqrt(inputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Float32."""
        with torch.autocast("cpu", enabled=False):
            return F.linear(inputs, self.kernel * self.scale, self.bias)


def _filter(images: Tensor, gain: float) -> Tensor:
    taps = torch.tensor(FIR, dtype=images.dtype)
    return (gain * torch.outer(taps, taps)).expand(images.shape[1], 1, 4, 4)


def _up_conv(images: Tensor, kernel: Tensor, groups: int = 1) -> Tensor:
    """A transposed convolution of stride 2, and the filter; the kernel is (in, out, 3, 3)."""
    spread = F.conv_transpose2d(images, kernel, stride=2, groups=groups)
    return F.conv2d(spread, _filter(spread, 4.0), padding=1, groups=spread.shape[1])


def _upsampled(images: Tensor) -> Tensor:
    return F.conv_transpose2d(
        images, _filter(images, 4.0), stride=2, padding=1, groups=images.shape[1]
    )


class Modulated(nn.Module):
    """A convolution whose weights an example's style scales.

    Parameters are those of `StyledConv` or `ToImage`, which derive from it.
    """

    def __init__(self, units: int, inputs: int, features: int, side: int, up: bool, fused: bool):
        super().__init__()
        self.style = EqualizedDense(units, inputs)
        self.kernel = normal(features, inputs, side, side)
        self.bias = nn.Parameter(torch.zeros(features))
        self.kernel_size, self.up, self.fused = (side, side), up, fused

    def convolved(self, images: Tensor, styles: Tensor, demodulate: bool) -> Tensor:
        """The convolution alone."""
        return (self._grouped if self.fused else self._scaled)(images, styles, demodulate)

    def _scaled(self, images: Tensor, styles: Tensor, demodulate: bool) -> Tensor:
        values = images * styles[:, :, None, None].to(images.dtype)
        if self.up:
            made = _up_conv(values, self.kernel.transpose(0, 1))
        else:
            made = F.conv2d(values, self.kernel, padding=self.kernel_size[0] // 2)
        if not demodulate:
            return made
        with torch.autocast("cpu", enabled=False):
            energies = self.kernel.square().sum(dim=(2, 3))
            factors = (F.linear(styles.square(), energies) + 1e-8).rsqrt()
        return made * factors[:, :, None, None].to(made.dtype)

    def _grouped(self, images: Tensor, styles: Tensor, demodulate: bool) -> Tensor:
        count = len(images)
        weights = self.kernel * styles[:, None, :, None, None]
        if demodulate:
            squares = weights.square().sum(dim=(2, 3, 4), keepdim=True)
            weights = weights * (squares + 1e-8).rsqrt()
        row = images.reshape(1, -1, *images.shape[2:])
        if self.up:
            made = _up_conv(row, weights.transpose(1, 2).flatten(0, 1), count)
        else:
            half = self.kernel_size[0] // 2
            made = F.conv2d(row, weights.flatten(0, 1), padding=half, groups=count)
        return made.view(count, -1, *made.shape[2:])


class StyledConv(Modulated):
    """Style, modulated convolution, noise, bias, leaky ReLU."""

    def __init__(self, units: int, width: int, level: int, up: bool, fused: bool) -> None:
        super().__init__(units, width, width, 3, up, fused)
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("constant", torch.zeros(level, level))

    def forward(self, images: Tensor, w: Tensor) -> Tensor:
        """Feature maps."""
        made = self.convolved(images, self.style(w), True)
        added = self.noise_strength * self.constant + self.bias[:, None, None]
        values = F.leaky_relu(made + added.to(made.dtype), SLOPE, inplace=True)
        return (values * math.sqrt(2.0)).clamp(-CLAMP, CLAMP)


class ToImage(Modulated):
    """Channels of an image from feature maps."""

    def __init__(self, units: int, width: int, channels: int, fused: bool) -> None:
        super().__init__(units, width, channels, 1, False, fused)

    def forward(self, images: Tensor, w: Tensor) -> Tensor:
        """Pixels, float32."""
        made = self.convolved(images, self.style(w) / math.sqrt(images.shape[1]), False)
        return (made.float() + self.bias[:, None, None]).clamp(-CLAMP, CLAMP)


class Synthesis(Named):
    """StyleGAN2's images of mapped latents; every layer has the same."""

    def __init__(self, size: Size, fused: bool) -> None:
        super().__init__()
        self.levels, units, width = style_levels(size), size.latent, size.width
        self.constant = normal(width, 4, 4)
        for level in self.levels:
            if level > 4:
                setattr(self, f"up_{level}", StyledConv(units, width, level, True, fused))
            setattr(self, f"conv_{level}", StyledConv(units, width, level, False, fused))
            setattr(self, f"image_{level}", ToImage(units, width, size.channels, fused))

    def forward(self, w: Tensor) -> Tensor:
        """Unbounded pixels ``(batch, channels, height, width)``, float32."""
        values, image = self.constant.expand(len(w), -1, -1, -1), None
        for level in self.levels:
            if level > 4:
                values = getattr(self, f"up_{level}")(values, w)
            values = getattr(self, f"conv_{level}")(values, w)
            made = getattr(self, f"image_{level}")(values, w)
            image = made if image is None else _upsampled(image) + made
        assert image is not None
        return image
