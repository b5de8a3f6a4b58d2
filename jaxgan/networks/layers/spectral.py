"""Spectral normalization: weights divided by their largest singular value (Miyato et al. 2018).

A layer's weights are seen as a matrix W of ``(outputs, inputs)``, a convolution's as ``(channels
out, taps times channels in)``. Two vectors are carried along for each, which power iterations keep
near W's first singular vectors:

    v <- W' u / |W' u|,  u <- W v / |W v|,  sigma = u' W v,  the layer computes with W / sigma

and u and v are constants where sigma is differentiated, which leaves
``(dL/dW~ - <dL/dW~, W~> u v') / sigma`` of a gradient with respect to ``W~ = W / sigma``.

The vectors are a collection of their own, ``spectral``. No forward pass moves them: a train step
calls `moved` once for each update of the network's player, so that real images, generated ones and
penalties all meet one ``W / sigma``. (Layers that iterate in every forward pass in training mode,
as in PyTorch, judge real and generated images by two functions, and a network's vectors move while
another one learns.) The vectors follow from weights that all devices share: there is nothing to
average.

References:
    Miyato, Kataoka, Koyama and Yoshida, Spectral Normalization for Generative Adversarial Networks,
    2018, sections 2.1 and 2.2, appendix A (algorithm 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.typing import Params, Scalar, Variables

COLLECTION = "spectral"
"""The variables that hold ``{"u": (outputs,), "v": (inputs,)}`` under the name of the weights."""

EPSILON = 1e-12
"""Added to the norms that vectors are divided by, as in the authors' Chainer code."""

Vectors = dict[str, Array]
"""``u`` and ``v`` of one matrix."""


def as_matrix(weight: Float[Array, "*inputs outputs"]) -> Float[Array, "outputs inputs"]:
    """Weights whose last axis counts outputs, as a matrix.

    >>> as_matrix(jnp.zeros((3, 3, 8, 16))).shape  # a convolution's kernel
    (16, 72)
    """
    return weight.reshape(-1, weight.shape[-1]).T


def iterated(
    matrix: Float[Array, "outputs inputs"], u: Float[Array, "outputs"], iterations: int = 1
) -> Vectors:
    """``u`` and ``v`` after some power iterations, from ``u``."""
    v = u
    for _ in range(iterations):
        v = _unit(_product(u, matrix))
        u = _unit(_product(matrix, v))
    return {"u": u, "v": v}


def sigma(matrix: Float[Array, "outputs inputs"], vectors: Mapping[str, Array]) -> Scalar:
    """``u' W v``; differentiable in W alone.

    Vectors are brought to length 1 first: averages of several, as a moving average of a network
    has them, are shorter.
    """
    u, v = (_unit(jax.lax.stop_gradient(vectors[name])) for name in ("u", "v"))
    with jax.named_scope("spectral_product"):
        return jnp.vdot(u, _product(matrix, v))


def spectrally_normalized(
    layer: nn.Module, name: str, weight: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """``W / sigma``; called inside a layer's ``__call__``.

    Args:
        layer: that has the weights, and gets the vectors.
        name: of the weights among its parameters.
        weight: float32; the last axis counts outputs.
    """
    matrix = as_matrix(weight)

    def init() -> Vectors:
        # Drawn after the weights, which are thus those of the same layer without normalization.
        return iterated(matrix, jax.random.normal(layer.make_rng("params"), matrix.shape[:1]))

    vectors = layer.variable(COLLECTION, name, init).value
    return weight / sigma(matrix, vectors)


def moved(variables: Variables, iterations: int = 1) -> Variables:
    """A network's variables after power iterations of all its normalized layers.

    Args:
        variables: ``params`` and other collections; without `COLLECTION` they are left as they are.
        iterations: the paper finds one for each update of the network enough.
    """
    if COLLECTION not in variables:
        return variables
    vectors = _moved(variables[COLLECTION], variables["params"], iterations)
    return {**variables, COLLECTION: vectors}


def singular_values(variables: Variables) -> dict[str, float]:
    """Largest singular value of the weights that each layer computes with, by its path.

    Exact up to rounding, from the eigenvalues of ``W W'`` in float64; for evaluations. Of layers
    with spectral normalization, W is divided by the sigma that they divide by, so that anything far
    above 1 says that power iterations have not followed.

    >>> singular_values({"params": {"Dense_0": {"kernel": 3.0 * jnp.eye(2)}}})
    {'Dense_0/kernel': 3.0}

    Args:
        variables: of a network. Parameters that multiply no vectors are left out: single numbers a
            unit, and scales and biases by class.
    """
    found: dict[str, float] = {}
    normalized = variables.get(COLLECTION, {})
    for path, leaf in jax.tree_util.tree_leaves_with_path(variables["params"]):
        weight, names = np.asarray(leaf, np.float64), [entry.key for entry in path]
        if weight.ndim < 2 or not weight.size or names[-1] in ("scale", "bias"):
            continue
        matrix = weight.reshape(-1, weight.shape[-1])
        gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
        largest = float(np.sqrt(max(np.linalg.eigvalsh(gram)[-1], 0.0)))
        vectors = _below(normalized, names)
        if vectors is not None:
            u, v = (np.asarray(vectors[name], np.float64) for name in ("u", "v"))
            largest /= float(v @ matrix @ u / (np.linalg.norm(u) * np.linalg.norm(v)))
        found["/".join(names)] = largest
    return found


def _moved(vectors: Any, params: Params, iterations: int) -> Any:
    """The tree of vectors, moved; it has the places of the weights that they belong to."""
    if "u" in vectors:
        return iterated(as_matrix(params), vectors["u"], iterations)
    return {name: _moved(inner, params[name], iterations) for name, inner in vectors.items()}


def _below(tree: Any, names: list[str]) -> Any:
    """What is at a path; None where there is nothing."""
    for name in names:
        if name not in tree:
            return None
        tree = tree[name]
    return tree


def _unit(vector: Array) -> Array:
    return vector / (jnp.linalg.norm(vector) + EPSILON)


def _product(a: Array, b: Array) -> Array:
    """With all digits: what accelerators round in products would be an error of sigma."""
    with jax.named_scope("spectral_product"):
        return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)
