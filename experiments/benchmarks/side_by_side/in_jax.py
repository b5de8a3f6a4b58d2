"""What the two implementations in JAX share: names of parameters, counts, and the timed loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util

from side_by_side.steps import attention_flops

_FOLDED = {"UpPyramid_0", "DownPyramid_0", "HiddenLayers_0", "GaussianHead_0"}
"""Scopes of jaxgan's networks that hold all layers of a network but its heads."""


_TAPS = {"Conv": 0, "ConvTranspose": 0, "Dense": 1, "EqualizedDense": 1}
_TAPS |= {"StyledConv": 9, "ToImage": 1, "SelfAttention": 0}
"""Classes of the layers that operations are counted of, and taps of their kernels; 0: see there."""


def layer_name(path: Sequence[str]) -> str:
    """A layer's name in the reference: the path in the tree of variables, without idle levels.

    >>> layer_name(("discriminator", "DownPyramid_0", "Conv_1"))
    'discriminator/Conv_1'
    >>> layer_name(("discriminator", "LogitHead_0", "Dense_0"))
    'discriminator/head'
    """
    name = "/".join(part for part in path if part not in _FOLDED)
    return name.replace("LogitHead_0/Dense_0", "head")


def flat_parameters(tree: Any) -> dict[str, np.ndarray]:
    """Parameters by their names in the reference."""
    flat = traverse_util.flatten_dict(tree)
    return {f"{layer_name(path[:-1])}/{path[-1]}": np.asarray(v) for path, v in flat.items()}


def with_carried(network: str, statistics: Any, known: Mapping[str, np.ndarray]) -> Any:
    """Batch statistics of a network in plain Flax with the reference's values where it has some.

    Args:
        network: its name.
        statistics: the collection; None where there is none.
        known: `side_by_side.reference.Reference.carried`.
    """
    if not known:
        return statistics
    flat: dict[Any, Any] = dict(traverse_util.flatten_dict(statistics))
    for path, value in flat.items():
        # Flax keeps the vectors of a layer in the module around it.
        own = [part for part in path if not part.startswith("SpectralNorm")]
        if (name := "/".join((network, *own))) in known:
            flat[path] = jnp.asarray(known[name]).reshape(value.shape)
    return traverse_util.unflatten_dict(flat)


def adam_moments(states: Mapping[str, optax.OptState]) -> dict[str, float]:
    """Lengths of Adam's running means by parameter; the name "" holds several networks' states."""
    found: dict[str, float] = {}
    for network, state in states.items():
        means: Any = optax.tree_utils.tree_get(state, "mu")
        values = flat_parameters({network: means} if network else means)
        found |= {name: float(np.linalg.norm(value)) for name, value in values.items()}
    return found


def read_losses(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Losses among the metrics of a step, by the name of what they train."""
    named = {k.removeprefix("loss/"): v for k, v in metrics.items() if k.startswith("loss/")}
    return {name: float(value) for name, value in sorted(named.items())}


def cycle(
    step: Callable[[Any, Any], Any], state: Any, batches: Sequence[Any]
) -> Callable[[int], None]:
    """A function that takes so many steps and waits for the last; the state stays with it.

    Args:
        step: from a state, which it may use up, and a batch to the next state.
        state: the first one.
        batches: taken in turn.
    """
    held = [state]
    del state

    def run(steps: int) -> None:
        current = held.pop()
        for number in range(steps):
            current = step(current, batches[number % len(batches)])
        held.append(jax.block_until_ready(current))

    return run


def forward_layers(
    network: nn.Module, inputs: tuple[Any, ...], settings: Mapping[str, Any], name: str
) -> dict[str, int]:
    """Operations of the convolutions and dense layers that one call of a network runs through, and
    of the products within attention.

    Layers are told by the names of their classes, which flax.linen and jaxgan share.

    Args:
        network: a linen module.
        inputs: its arguments by place; only their shapes count.
        settings: its other arguments.
        name: of the network, which the layers' names start with.
    """
    found: dict[str, int] = {}

    def record(call: Any, arguments: Any, keywords: Any, context: nn.module.InterceptorContext):
        outputs = call(*arguments, **keywords)
        layer: Any = context.module
        kind = type(layer).__name__
        if kind not in _TAPS or context.method_name != "__call__":
            return outputs
        seen, made = arguments[0].shape, outputs.shape
        if kind == "SelfAttention":
            found[layer_name((name, *layer.path))] = attention_flops(*seen)
            return outputs
        taps = _TAPS[kind] or int(np.prod(layer.kernel_size))
        # Each number of the smaller image meets every tap and every channel of the other.
        is_up = kind == "ConvTranspose" or getattr(layer, "up", False)
        smaller, channels = (seen, made[-1]) if is_up else (made, seen[-1])
        flops = 2 * int(np.prod(smaller)) * taps * channels
        found[layer_name((name, *layer.path))] = flops
        return outputs

    def call(*given: Any) -> Any:
        return network.init_with_output(jax.random.key(0), *given, **settings)

    with nn.intercept_methods(record):
        jax.eval_shape(call, *jax.tree.map(jnp.asarray, inputs))
    return found


def matrix_rate(precision: str, size: int = 2048) -> float:
    """Operations a second of one square matrix product, the fastest of three."""
    dtype = jnp.dtype(precision)
    left = jax.random.normal(jax.random.key(0), (size, size)).astype(dtype)
    right = jax.random.normal(jax.random.key(1), (size, size)).astype(dtype)
    product = jax.jit(jnp.matmul)
    times = []
    for _ in range(4):
        started = time.perf_counter()
        product(left, right).block_until_ready()
        times.append(time.perf_counter() - started)
    return 2 * size**3 / min(times[1:])
