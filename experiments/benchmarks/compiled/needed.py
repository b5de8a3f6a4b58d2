"""What a program must move, counted from what it computes, before any compiler saw it.

A floor, as for a roofline (Williams, Waterman and Patterson 2009, "Roofline: An Insightful Visual
Performance Model"): matrix products and convolutions each read their two operands and write their
result, once; all that lies between (norms, activations, sums, casts) is taken to happen on the way,
for nothing. So an activation is written by the layer that makes it and read by the one that takes
it, once in each direction. Beside these, what the program is given is read once and what it gives
is written once: parameters, moments, averages, batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

PRODUCTS = {"dot_general", "conv_general_dilated"}
"""What is worth a pass through memory of its own."""


def given_and_results(function: Callable[..., Any], *arguments: Any) -> int:
    """Bytes of what a function is given and of what it gives.

    Args:
        function: pure.
        arguments: shapes and types are enough.
    """
    leaves = jax.tree.leaves((arguments, jax.eval_shape(function, *arguments)))
    return sum(_size(leaf) for leaf in leaves)


def of_products(function: Callable[..., Any], *arguments: Any) -> int:
    """Bytes of the operands and results of all products whose results are used.

    Of a condition the branch with the most counts, a scan counts as often as it runs, and a loop
    of unknown length once.

    >>> f = lambda x, w: jax.numpy.tanh(x @ w).sum()
    >>> of_products(f, np.ones((2, 3), np.float32), np.ones((3, 5), np.float32))
    124

    Args:
        function: pure.
        arguments: shapes and types are enough.
    """
    closed = jax.make_jaxpr(function)(*arguments)
    return _count(closed.jaxpr, [True] * len(closed.jaxpr.outvars))[0]


def _count(jaxpr: Jaxpr, wanted: Sequence[bool]) -> tuple[int, list[bool]]:
    """Bytes that products move for those results that are wanted, and which inputs these need."""
    used = {
        one
        for one, is_wanted in zip(jaxpr.outvars, wanted, strict=True)
        if is_wanted and not isinstance(one, Literal)
    }
    total = 0
    for equation in reversed(jaxpr.eqns):
        needed = [one in used for one in equation.outvars]
        if not any(needed) and not equation.effects:
            continue
        moved, inputs = _of_equation(equation, needed)
        total += moved
        used.update(
            one
            for one, is_needed in zip(equation.invars, inputs, strict=True)
            if is_needed and not isinstance(one, Literal)
        )
    return total, [one in used for one in jaxpr.invars]


def _of_equation(equation: Any, needed: list[bool]) -> tuple[int, list[bool]]:
    every = [True] * len(equation.invars)
    name, inner = equation.primitive.name, _inner(equation.params)
    if name in PRODUCTS:
        return sum(_size(one.aval) for one in (*equation.invars, *equation.outvars)), every
    if name == "cond":
        return max(_whole(branch) for branch in inner), every
    if name == "scan":
        return equation.params["length"] * sum(_whole(one) for one in inner), every
    if len(inner) == 1 and name != "while":
        (only,) = inner
        if (len(only.invars), len(only.outvars)) == (len(every), len(needed)):
            return _count(only, needed)
    return sum(_whole(one) for one in inner), every


def _whole(jaxpr: Jaxpr) -> int:
    return _count(jaxpr, [True] * len(jaxpr.outvars))[0]


def _inner(params: dict[str, Any]) -> list[Jaxpr]:
    """Programs within an operation."""
    found = []
    for value in params.values():
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, ClosedJaxpr | Jaxpr):
                found.append(one.jaxpr if isinstance(one, ClosedJaxpr) else one)
    return found


def _size(value: Any) -> int:
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return math.prod(value.shape) * 8
    return math.prod(value.shape) * np.dtype(value.dtype).itemsize
