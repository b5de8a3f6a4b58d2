"""How a reference's weights get into networks in PyTorch that call theirs by the same names."""

from __future__ import annotations

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]

from side_by_side.reference import Reference


class Named(nn.Module):
    """A network whose weights and buffers have the reference's names."""

    def weights(self, name: str) -> dict[str, nn.Parameter]:
        """The weights by their names in the reference, where the network is called ``name``."""
        return {_name(name, path): value for path, value in self.named_parameters()}

    def load(self, name: str, reference: Reference) -> None:
        """Copies a reference's weights, and what it carries along.

        Raises:
            KeyError: one of the two lacks something that the other one has.
            ValueError: something has another shape.
        """
        weights = self.weights(name)
        buffers = {_name(name, path): value for path, value in self.named_buffers()}
        for key in weights:
            _copy(key, reference.parameters[key], weights[key])
        for key, value in reference.carried.items():
            _copy(key, value, buffers[key])


def _name(network: str, path: str) -> str:
    """A name in the reference, from the path of a parameter or buffer."""
    # There, the vector of a layer's spectral normalization is a part of its kernel's.
    path = path.replace(".", "/").replace("kernel_u", "kernel/u")
    return f"{network}/{path.replace('BatchNorm_0/weight', 'BatchNorm_0/scale')}"


def _copy(key: str, value: np.ndarray, own: Tensor) -> None:
    converted = torch.from_numpy(_converted(key, value).copy())
    if converted.shape != own.shape:
        raise ValueError(f"{key} has the shape {converted.shape}, not {own.shape}")
    with torch.no_grad():
        own.copy_(converted)


def _converted(key: str, value: np.ndarray) -> np.ndarray:
    """A reference's array in PyTorch's layout."""
    if value.ndim == 4:
        return value.transpose(3, 2, 0, 1)
    if value.ndim == 3:
        return value.transpose(2, 0, 1)
    return value.T if key.endswith("/kernel") else value


def normal(*shape: int) -> nn.Parameter:
    """Weights that `Named.load` replaces."""
    return nn.Parameter(torch.randn(shape))


def is_counted(module: nn.Module) -> bool:
    """Whether operations are counted of a part of a network: it says its kernel's size, or how many
    they are."""
    return hasattr(module, "kernel_size") or hasattr(module, "flops")
