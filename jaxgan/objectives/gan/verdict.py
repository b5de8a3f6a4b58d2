"""What a discriminator says of a batch of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from jaxtyping import Array

from jaxgan.typing import Logits


class Verdict(NamedTuple):
    """A discriminator's answer; losses read the logits, other terms what else there is.

    Attributes:
        logits: ``(batch,)``; larger is more real.
        heads: further outputs by name, ``(batch, ...)`` each, such as ``class``: the logits of an
            auxiliary classifier, ``(batch, classes)``.
        features: hidden activations, ``(batch, ...)`` each, the first layer's first.
    """

    logits: Logits
    # One dictionary for all verdicts without heads; nothing writes to it.
    heads: Mapping[str, Array] = {}
    features: tuple[Array, ...] = ()


def verdict(found: Any) -> Verdict:
    """What a discriminator returned as a `Verdict`; plain logits are wrapped.

    >>> import jax.numpy as jnp
    >>> logits = jnp.array([2.0, -1.0])
    >>> verdict(logits).logits.tolist(), verdict(logits).heads, verdict(logits).features
    ([2.0, -1.0], {}, ())
    >>> judged = Verdict(logits, heads={"class": jnp.zeros((2, 10))})
    >>> verdict(judged) is judged
    True

    Args:
        found: logits ``(batch,)``; a tuple of a verdict's parts, as networks that know no
            objectives return it; or a verdict, which is returned as it is.

    Raises:
        ValueError: what comes after the logits is no mapping.
    """
    if isinstance(found, Verdict):
        return found
    judged = Verdict(*found) if isinstance(found, tuple) else Verdict(found)
    if not isinstance(judged.heads, Mapping):
        raise ValueError(
            "a discriminator that returns several things returns logits, and then heads by name:"
            f" its second is a {type(judged.heads).__name__}"
        )
    return judged
