"""Updates of a discriminator that are looked ahead at, and differentiated through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import optax
from jaxtyping import Array, Float

from jaxgan.algorithms.state import Player
from jaxgan.objectives.gan.constraints import Constraint
from jaxgan.typing import Params


def unrolled(
    player: Player,
    optimizer: optax.GradientTransformation,
    constraints: Sequence[Constraint],
    loss: Callable[[Params], Float[Array, ""]],
    mean: Callable[[Any], Any],
    steps: int,
) -> Params:
    """A discriminator's parameters after more updates on one batch, as a function of that batch.

    The updates are those that the player would make: its optimizer goes on from the state that it
    is in, and constraints hold after each. What they lead to is differentiable with respect to all
    that ``loss`` closes over, the generator's parameters above all, through every one of them. The
    player itself is not changed.

    The loop is one of Python's: inside a loop of XLA's, convolutions are many times slower on CPU.

    Args:
        player: the discriminator.
        optimizer: the transformation that made its optimizer's state.
        constraints: put on its parameters after each update.
        loss: from its parameters to the loss on this device's rows, always of the same images.
        mean: over the devices.
        steps: updates to look ahead.

    References:
        Metz et al., Unrolled Generative Adversarial Networks, 2017, eqs. 5 and 6.
    """
    params, opt_state = player.params, player.opt_state
    for _ in range(steps):
        gradients = mean(jax.grad(loss)(params))
        updates, opt_state = optimizer.update(gradients, opt_state, params)
        params = optax.apply_updates(params, updates)
        for constraint in constraints:
            params = constraint(params)
    return params
