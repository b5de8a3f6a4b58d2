"""A strength that follows how many real images a discriminator believes.

While the discriminator tells the real images it has seen from all others, the share of them that it
believes rises. What makes its task harder is made stronger then, and weaker when the share falls.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Scalar


def check_steering(part: Any) -> None:
    """Refuses settings of a part's ``kimg``, ``interval`` and ``most``.

    Raises:
        ValueError: one of them is not positive.
    """
    for name in ("kimg", "interval", "most"):
        if getattr(part, name) <= 0:
            raise ValueError(f"{name} = {getattr(part, name)}: must be positive")


def unsteered() -> Any:
    """``p``; ``signs``, the sum of the mean signs of the updates since p was changed; ``updates``
    done; ``sign``, the mean that p was changed by last."""
    return {
        "p": jnp.float32(0.0),
        "signs": jnp.float32(0.0),
        "updates": jnp.int32(0),
        "sign": jnp.float32(0.0),
    }


def steered(
    state: Any,
    verdict: Verdict,
    count: int,
    *,
    target: float | Scalar,
    kimg: float | Scalar,
    interval: int,
    most: float | Scalar,
) -> Any:
    """The state after one discriminator update; p moves after every ``interval`` of them.

    With r = E sign D(real) over the images of these updates, of B each,

        p <- clip(p + sign(r - target) interval B / (1000 kimg), 0, most).

    Args:
        state: before it.
        verdict: of the images that were shown as real.
        count: of these images, B.
        target: mean sign that is steered for.
        kimg: thousands of images in which p can rise from 0 to 1.
        interval: discriminator updates between two changes of p.
        most: upper bound of p.

    References:
        Karras et al., Training Generative Adversarial Networks with Limited Data, 2020, section 3.
    """
    signs = state["signs"] + jnp.mean(jnp.sign(verdict.logits.astype(jnp.float32)))
    updates = state["updates"] + 1
    due = updates % interval == 0
    sign = jnp.where(due, signs / interval, state["sign"])
    pace = interval * count / (1000 * kimg)
    moved = jnp.clip(state["p"] + jnp.sign(sign - target) * pace, 0.0, most)
    return {
        "p": jnp.where(due, moved, state["p"]),
        "signs": jnp.where(due, 0.0, signs),
        "updates": updates,
        "sign": sign,
    }
