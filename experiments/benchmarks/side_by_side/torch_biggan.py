"""BigGAN's generator as one writes it in PyTorch (NCHW)."""

from __future__ import annotations

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from side_by_side.steps import CLASSES, EMBEDDING, Size, attention_flops, biggan_blocks
from side_by_side.torch_named import Named, normal


class Layer(nn.Module):
    """A convolution or linear layer with its weights divided by their largest singular value.

    Each forward pass in training does one power iteration, in the order of the author's code.
    """

    def __init__(self, *shape: int, bias: bool) -> None:
        super().__init__()
        self.kernel = normal(*shape)
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        self.kernel_u: Tensor
        self.register_buffer("kernel_u", torch.randn(shape[0]))
        self.kernel_size = shape[2:] or (1, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """The inputs convolved, or multiplied."""
        with torch.autocast("cpu", enabled=False):
            matrix = self.kernel.flatten(1)
            with torch.no_grad():
                v = F.normalize(torch.mv(matrix.t(), self.kernel_u), dim=0, eps=1e-12)
                u = F.normalize(torch.mv(matrix, v), dim=0, eps=1e-12)
                if self.training:
                    self.kernel_u.copy_(u)
            kernel = self.kernel / torch.dot(u, torch.mv(matrix, v))
        if kernel.ndim == 2:
            return F.linear(inputs, kernel, self.bias)
        return F.conv2d(inputs, kernel, self.bias, padding=self.kernel_size[0] // 2)


class ConditionalNorm(nn.Module):
    """Batch norm whose scales and biases are linear in a vector."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, affine=False)
        self.scale = Layer(width, condition, bias=False)
        self.bias = Layer(width, condition, bias=False)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """The images normalized."""
        scale, bias = self.scale(condition), self.bias(condition)
        return torch.addcmul(
            bias[:, :, None, None], 1.0 + scale[:, :, None, None], self.norm(images)
        )


class UpBlock(nn.Module):
    """A residual block that doubles the resolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Layer(width, width, 3, 3, bias=True)
        self.second = Layer(width, width, 3, 3, bias=True)
        self.shortcut = Layer(width, width, 1, 1, bias=True)

    def forward(
        self, images: Tensor, norms: tuple[ConditionalNorm, ConditionalNorm], condition: Tensor
    ) -> Tensor:
        """The block's result."""
        values = self.first(_doubled(F.relu(norms[0](images, condition), inplace=True)))
        values = self.second(F.relu(norms[1](values, condition), inplace=True))
        return values + self.shortcut(_doubled(images))


def _doubled(images: Tensor) -> Tensor:
    return F.interpolate(images, scale_factor=2)


class SelfAttention(nn.Module):
    """Every pixel looks at the largest of each two by two pixels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        narrow, half = max(width // 8, 1), max(width // 2, 1)
        self.query = Layer(narrow, width, 1, 1, bias=False)
        self.key = Layer(narrow, width, 1, 1, bias=False)
        self.value = Layer(half, width, 1, 1, bias=False)
        self.out = Layer(width, half, 1, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        """The images, and what they attend to."""
        query = self.query(images).flatten(2)
        key = F.max_pool2d(self.key(images), 2).flatten(2)
        value = F.max_pool2d(self.value(images), 2).flatten(2)
        shares = F.softmax(torch.bmm(query.transpose(1, 2), key), dim=-1)
        found = torch.bmm(value, shares.transpose(1, 2)).view(len(images), -1, *images.shape[2:])
        return images + self.gamma * self.out(found)

    @staticmethod
    def flops(images: Tensor) -> int:
        """Operations of the products of queries with keys and of shares with values."""
        count, channels, height, width = images.shape
        return attention_flops(count, height, width, channels)


class ClassEmbedding(nn.Module):
    """A vector for each class."""

    def __init__(self) -> None:
        super().__init__()
        self.table = normal(CLASSES, EMBEDDING)

    def forward(self, labels: Tensor) -> Tensor:
        """The vectors of the labels."""
        return F.embedding(labels, self.table)


class Generator(Named):
    """Images ``(batch, channels, height, width)`` of latents; labels are the same in each batch."""

    def __init__(self, size: Size, labels: np.ndarray) -> None:
        super().__init__()
        self.width, self.blocks = size.width, biggan_blocks(size)
        own = size.latent // (self.blocks + 1)
        self.labels = torch.from_numpy(labels.astype(np.int64))
        self.ClassEmbedding_0 = ClassEmbedding()
        self.Dense_0 = Layer(4 * 4 * size.width, own, bias=True)
        for number in range(self.blocks):
            setattr(self, f"UpBlock_{number}", UpBlock(size.width))
        for number in range(2 * self.blocks):
            norm = ConditionalNorm(size.width, EMBEDDING + own)
            setattr(self, f"ModulatedBatchNorm_{number}", norm)
        self.SelfAttention_0 = SelfAttention(size.width)
        self.BatchNorm_0 = nn.BatchNorm2d(size.width)
        self.Conv_0 = Layer(size.channels, size.width, 3, 3, bias=True)

    def forward(self, latents: Tensor) -> Tensor:
        """Pixels in [-1, 1], float32."""
        told = self.ClassEmbedding_0(self.labels)
        first, *rest = latents.chunk(self.blocks + 1, dim=1)
        # The layer's units are in the order of NHWC, as the reference's.
        values = self.Dense_0(first).view(-1, 4, 4, self.width).permute(0, 3, 1, 2)
        for number, own in enumerate(rest):
            norms = tuple(
                getattr(self, f"ModulatedBatchNorm_{2 * number + place}") for place in (0, 1)
            )
            condition = torch.cat([told, own], dim=1)
            values = getattr(self, f"UpBlock_{number}")(values, norms, condition)
            if number == self.blocks - 2:  # half the image's resolution
                values = self.SelfAttention_0(values)
        values = F.relu(self.BatchNorm_0(values), inplace=True)
        return torch.tanh(self.Conv_0(values).float())
