"""From a trained PyTorch network's tensors to the parameters of the same network in Flax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from jaxgan.typing import ImageShape, Params


class Layer(NamedTuple):
    """Where PyTorch keeps what one layer of ours needs; prefixes of the tensors' names."""

    weights: str
    norm: str = ""
    """Batch normalization behind it, to be taken in; empty: none."""


def fold(
    network: nn.Module,
    image_shape: ImageShape,
    tensors: Mapping[str, np.ndarray],
    layer: Callable[[str], Layer],
    *,
    epsilon: float,
) -> Params:
    """Parameters of a network, batch normalization taken into the layer before it.

    With running mean m, variance v, scale g and offset b, normalization behind a convolution with
    kernel k is the convolution with k g / sqrt(v + epsilon) plus b - m g / sqrt(v + epsilon). Done
    in float64, so that nothing but the last rounding is lost.

    Args:
        network: of convolutions and dense layers, each with a bias where normalization follows.
        image_shape: height, width and channels of what it reads.
        tensors: PyTorch's, by name.
        layer: where the layer of a path such as ``Mixed_5b/branch1x1`` lies among them.
        epsilon: of all normalizations.

    Raises:
        ValueError: a tensor is missing, has another shape than the network needs, or is not finite.
    """
    blank = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    variables = jax.eval_shape(network.init, jax.eval_shape(jax.random.key, 0), blank)
    expected: dict[str, Any] = traverse_util.flatten_dict(variables["params"], sep="/")
    flat: dict[str, np.ndarray] = {}
    for name, wanted in expected.items():
        path, _, leaf = name.rpartition("/")
        if leaf != "kernel":
            continue
        found = layer(path)
        # Height, width, input, output: PyTorch has the last two first, and matrices transposed.
        axes = (3, 2, 0, 1) if len(wanted.shape) == 4 else (1, 0)
        shape = tuple(wanted.shape[axis] for axis in axes)
        weights = _tensor(tensors, f"{found.weights}.weight", shape)
        if found.norm:
            part = {
                part: _tensor(tensors, f"{found.norm}.{part}", shape[:1])
                for part in ("weight", "bias", "running_mean", "running_var")
            }
            scale = part["weight"] / np.sqrt(part["running_var"] + epsilon)
            weights = weights * scale.reshape(-1, *[1] * (len(shape) - 1))
            flat[f"{path}/bias"] = part["bias"] - part["running_mean"] * scale
        elif f"{path}/bias" in expected:
            flat[f"{path}/bias"] = _tensor(tensors, f"{found.weights}.bias", shape[:1])
        flat[name] = weights.transpose(np.argsort(axes))
    single = {name: np.ascontiguousarray(values, np.float32) for name, values in flat.items()}
    return traverse_util.unflatten_dict(single, sep="/")


def _tensor(tensors: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in tensors:
        raise ValueError(f"it has no {name}")
    values = np.asarray(tensors[name], np.float64)
    if values.shape != shape:
        raise ValueError(f"{name} is of shape {values.shape}, not {shape}")
    if not np.isfinite(values).all() or (name.endswith("running_var") and values.min() < 0):
        raise ValueError(f"{name} has values that cannot be")
    return values
