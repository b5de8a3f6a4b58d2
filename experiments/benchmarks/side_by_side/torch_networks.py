"""The compared networks as one writes them in PyTorch (NCHW), and the way weights get into them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from side_by_side.reference import Reference
from side_by_side.steps import BLOCKS, SLOPE, Block, Size, levels
from side_by_side.torch_named import Named, is_counted


class Generator(nn.Module):
    """Latents to images: a linear layer, transposed convolutions, ReLU.

    With batch norm and tanh it is DCGAN's generator, without them the decoder of a VAE.
    """

    def __init__(self, size: Size, *, gan: bool) -> None:
        super().__init__()
        self.base, self.channels = levels(size)
        self.gan = gan
        self.Dense_0 = nn.Linear(size.latent, self.base**2 * self.channels[-1], bias=not gan)
        body: OrderedDict[str, nn.Module] = OrderedDict()
        if gan:
            body["BatchNorm_0"] = nn.BatchNorm2d(self.channels[-1])
        body["relu_0"] = nn.ReLU(inplace=True)
        widths = self.channels[::-1]
        for number, (wide, narrow) in enumerate(pairwise(widths)):
            body[f"ConvTranspose_{number}"] = nn.ConvTranspose2d(
                wide, narrow, 4, 2, 1, bias=not gan
            )
            if gan:
                body[f"BatchNorm_{number + 1}"] = nn.BatchNorm2d(narrow)
            body[f"relu_{number + 1}"] = nn.ReLU(inplace=True)
        last = f"ConvTranspose_{len(widths) - 1}"
        body[last] = nn.ConvTranspose2d(widths[-1], size.channels, 4, 2, 1)
        self.body = nn.Sequential(body)

    def forward(self, latent: Tensor) -> Tensor:
        """Images ``(batch, channels, height, width)``."""
        values = self.Dense_0(latent).view(-1, self.channels[-1], self.base, self.base)
        values = self.body(values)
        return torch.tanh(values) if self.gan else values


class Features(nn.Sequential):
    """Images to a vector: strided convolutions."""

    def __init__(self, size: Size, *, activation: Callable[[], nn.Module], norm: bool) -> None:
        body: OrderedDict[str, nn.Module] = OrderedDict()
        before = size.channels
        for level, width in enumerate(levels(size)[1]):
            normalize = norm and level > 0
            body[f"Conv_{level}"] = nn.Conv2d(before, width, 4, 2, 1, bias=not normalize)
            if normalize:
                body[f"BatchNorm_{level - 1}"] = nn.BatchNorm2d(width)
            body[f"activation_{level}"] = activation()
            before = width
        body["flatten"] = nn.Flatten()
        super().__init__(body)


class Hidden(nn.Sequential):
    """Vectors, or images of one channel, to a vector: linear layers."""

    def __init__(self, inputs: int, size: Size, *, activation: Callable[[], nn.Module]) -> None:
        body: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        for number, (before, after) in enumerate(pairwise((inputs, *size.hidden))):
            body[f"Dense_{number}"] = nn.Linear(before, after)
            body[f"activation_{number}"] = activation()
        super().__init__(body)


def features(size: Size, *, activation: Callable[[], nn.Module], norm: bool) -> nn.Module:
    """The body of a discriminator or encoder."""
    if size.hidden:
        return Hidden(size.image**2 * size.channels, size, activation=activation)
    return Features(size, activation=activation, norm=norm)


def width_of_features(size: Size) -> int:
    """Length of what `features` returns."""
    base, channels = levels(size)
    return size.hidden[-1] if size.hidden else base**2 * channels[-1]


class Discriminator(nn.Module):
    """Images to logits ``(batch,)``."""

    def __init__(self, size: Size, *, norm: bool) -> None:
        super().__init__()
        self.body = features(size, activation=lambda: nn.LeakyReLU(SLOPE, inplace=True), norm=norm)
        self.head = nn.Linear(width_of_features(size), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch,)``, float32."""
        return self.head(self.body(images)).squeeze(1).float()


class Encoder(nn.Module):
    """Images to mean and log variance."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.body = features(size, activation=lambda: nn.ReLU(inplace=True), norm=False)
        self.mean = nn.Linear(width_of_features(size), size.latent)
        self.log_variance = nn.Linear(width_of_features(size), size.latent)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, each ``(batch, latent)``, float32."""
        values = self.body(images)
        return self.mean(values).float(), self.log_variance(values).float()


class MlpGenerator(nn.Module):
    """Latents to images; the decoder of a VAE without its tanh."""

    def __init__(self, size: Size, *, gan: bool) -> None:
        super().__init__()
        self.shape = (size.channels, size.image, size.image)
        self.gan = gan
        self.body = Hidden(size.latent, size, activation=lambda: nn.ReLU(inplace=True))
        self.pixels = nn.Linear(size.hidden[-1], int(np.prod(self.shape)))

    def forward(self, latent: Tensor) -> Tensor:
        """Images ``(batch, channels, height, width)``."""
        values = self.pixels(self.body(latent)).view(-1, *self.shape)
        return torch.tanh(values) if self.gan else values


class Residual(nn.Module):
    """One block; see `side_by_side.steps.Block`."""

    def __init__(self, inputs: int, width: int, block: Block) -> None:
        super().__init__()
        self.block = block
        self.Conv_0 = nn.Conv2d(inputs, width, 3, padding=1)
        self.Conv_1 = nn.Conv2d(width, width, 3, padding=1)
        if block.down:
            self.shortcut = nn.Conv2d(inputs, width, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features, of half the size where the block downsamples."""
        first, down = self.block
        values = inputs if first else F.relu(inputs)
        values = self.Conv_1(F.relu(self.Conv_0(values), inplace=True))
        if not down:
            return inputs + values
        if first:
            shortcut = self.shortcut(F.avg_pool2d(inputs, 2))
        else:
            shortcut = F.avg_pool2d(self.shortcut(inputs), 2)
        return shortcut + F.avg_pool2d(values, 2)


class Stack(nn.Module):
    """Residual blocks, ReLU, the sum over pixels, and a linear layer; logits ``(batch,)``."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        inputs = [size.channels, *[size.width] * (len(BLOCKS) - 1)]
        blocks = zip(inputs, BLOCKS, strict=True)
        self.body = nn.Sequential(
            OrderedDict(
                (f"Block_{number}", Residual(before, size.width, block))
                for number, (before, block) in enumerate(blocks)
            )
        )
        self.head = nn.Linear(size.width, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch,)``, float32."""
        values = F.relu(self.body(images)).float().sum(dim=(2, 3))
        return self.head(values).squeeze(1).float()


def layers_of(network: nn.Module, name: str) -> dict[str, nn.Module]:
    """The layers that have weights, by their names in the reference."""
    if isinstance(network, Named):
        own = network.named_modules()
        return {f"{name}/{path.replace('.', '/')}": m for path, m in own if is_counted(m)}
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)
    return {
        f"{name}/{path.removeprefix('body.').replace('.', '/')}": layer
        for path, layer in network.named_modules()
        if isinstance(layer, kinds)
    }


def parameters_of(network: nn.Module, name: str) -> dict[str, nn.Parameter]:
    """The weights, by their names in the reference."""
    if isinstance(network, Named):
        return network.weights(name)
    found: dict[str, Any] = {}
    for layer_name, layer in layers_of(network, name).items():
        weight = "scale" if isinstance(layer, nn.BatchNorm2d) else "kernel"
        found[f"{layer_name}/{weight}"] = layer.weight
        if layer.bias is not None:
            found[f"{layer_name}/bias"] = layer.bias
    return found


def load(network: nn.Module, name: str, reference: Reference, size: Size) -> None:
    """Copies a reference's weights into a network, each turned into PyTorch's layout.

    Args:
        network: one of this module's, or `side_by_side.torch_named.Named`.
        name: of the network in the reference.
        reference: whose weights.
        size: what the network was made for.

    Raises:
        KeyError: the reference lacks one of the network's weights.
        ValueError: a weight has another shape.
    """
    if isinstance(network, Named):
        return network.load(name, reference)
    values = reference.parameters
    for key, parameter in parameters_of(network, name).items():
        layer = layers_of(network, name)[key.rpartition("/")[0]]
        value = torch.from_numpy(_converted(key, layer, values[key], size).copy())
        if value.shape != parameter.shape:
            raise ValueError(f"{key} has the shape {value.shape}, not {parameter.shape}")
        with torch.no_grad():
            parameter.copy_(value)


def _converted(key: str, layer: nn.Module, value: np.ndarray, size: Size) -> np.ndarray:
    if isinstance(layer, nn.Conv2d) and key.endswith("kernel"):
        return value.transpose(3, 2, 0, 1)
    if isinstance(layer, nn.ConvTranspose2d) and key.endswith("kernel"):
        # PyTorch's is the gradient of a convolution, whose kernel is seen from the other side.
        return value[::-1, ::-1].transpose(2, 3, 0, 1)
    if not isinstance(layer, nn.Linear):
        return value
    if size.width:
        base, channels = levels(size)
        image = (base, base, channels[-1])
        count = int(np.prod(image))
        if key.rpartition("/")[0].endswith("Dense_0"):
            # Outputs become an image: from the order of NHWC to that of NCHW.
            value = np.moveaxis(value.reshape(*value.shape[:-1], *image), -1, -3)
            value = value.reshape(-1, count) if key.endswith("kernel") else value.reshape(count)
        elif key.endswith("kernel") and len(value) == count:
            value = np.moveaxis(value.reshape(*image, -1), 2, 0).reshape(count, -1)
    return value.T
