"""Counts of operations, and the matrix-product rate, of the implementation in PyTorch."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.utils._python_dispatch import TorchDispatchMode  # pyright: ignore[reportMissingImports]
from torch.utils.flop_counter import flop_registry  # pyright: ignore[reportMissingImports]

from side_by_side.steps import Size
from side_by_side.torch_networks import layers_of


class Counter(TorchDispatchMode):
    """Adds up the operations of convolutions and matrix products, by PyTorch's own formulas.

    Convolutions in groups are filters, and left out, as `side_by_side.steps.step_flops` does.

    `torch.utils.flop_counter.FlopCounterMode` does the same, but does not bear second derivatives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        outputs = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula and not _is_filter(func, args):
            self.total += int(formula(*args, **(kwargs or {}), out_val=outputs))
        return outputs


_GROUPS = {"aten::convolution": 8, "aten::convolution_backward": 9}
"""Places of the number of groups among the arguments."""


def _is_filter(func: Any, args: Any) -> bool:
    """Whether this is a convolution of each channel by itself, or its gradient."""
    place = _GROUPS.get(func._schema.name)
    return place is not None and args[place] > 1


def forward_layers(made: dict[str, nn.Module], size: Size) -> dict[str, int]:
    """Operations of the layers' forward passes, from the shapes that run through them."""
    found: dict[str, int] = {}

    def record(name: str, layer: Any, inputs: Any, outputs: Any) -> None:
        if hasattr(layer, "flops"):
            found[name] = layer.flops(inputs[0])
            return
        transposed = isinstance(layer, nn.ConvTranspose2d) or getattr(layer, "up", False)
        taps = 1 if isinstance(layer, nn.Linear) else int(np.prod(layer.kernel_size))
        seen = inputs[0]
        smaller, other = (seen, outputs) if transposed else (outputs, seen)
        found[name] = 2 * smaller.numel() * taps * other.shape[1]

    for name, network in made.items():
        hooks = [
            layer.register_forward_hook(
                lambda layer, inputs, outputs, key=key: record(key, layer, inputs, outputs)
            )
            for key, layer in layers_of(network, name).items()
            if not isinstance(layer, nn.BatchNorm2d)
        ]
        is_up = name in ("generator", "decoder")
        shape = (size.latent,) if is_up else (size.channels, size.image, size.image)
        # Not in training, because batch norm would take the blank batch into its averages.
        with torch.no_grad():
            network.eval()(torch.zeros(size.batch, *shape))
        network.train()
        for hook in hooks:
            hook.remove()
    return found


def matrix_rate(precision: str, size: int = 2048) -> float:
    """Operations a second of one square matrix product, the fastest of three."""
    left, right = torch.randn(2, size, size).to(getattr(torch, precision))
    times = []
    for _ in range(4):
        started = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - started)
    return 2 * size**3 / min(times[1:])
