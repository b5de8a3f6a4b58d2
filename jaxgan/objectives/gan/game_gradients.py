"""Penalties on the gradients of the game itself: on its parameters, not on its images.

Both players' losses are functions ``L_D(psi, theta)`` and ``L_G(psi, theta)`` of the parameters of
the discriminator and of the generator. A gradient here is that of the loss on the whole global
batch: it is averaged over devices before it is squared.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.typing import Params


@runtime_checkable
class _Game(Protocol):
    """What `View` and `GeneratorView` have in common, and all that is needed here."""

    @property
    def critic_params(self) -> Params: ...
    @property
    def generator_params(self) -> Params: ...
    @property
    def losses(self) -> Any: ...
    @property
    def mean(self) -> Any: ...


def _squared_gradient(view: _Game, player: int) -> Float[Array, ""]:
    """``|grad L|^2`` of the discriminator (0) or the generator (1), over its own parameters."""
    own = (view.critic_params, view.generator_params)

    def loss(params: Params) -> Float[Array, ""]:
        given = (params, own[1]) if player == 0 else (own[0], params)
        return view.losses(*given)[player]

    gradients = view.mean(jax.grad(loss)(own[player]))
    return sum((jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(gradients)), jnp.zeros(()))


def _check(weight: float, every: int) -> None:
    if not 0.0 < weight < math.inf:
        raise ValueError(
            f"weight = {weight}: must be above 0 and finite; no penalty is said by leaving it out"
        )
    if every < 1:
        raise ValueError(f"every = {every}: must be at least 1")


@dataclasses.dataclass(frozen=True)
class GradientRegularization:
    """Squared length of the discriminator's gradient, which the generator makes small.

    The generator minimizes ``L_G + weight |grad_psi L_D|^2``: it looks for images that the
    discriminator has no more to learn from. The discriminator's own loss is as it was. In the paper
    ``L_G`` is the value of the zero-sum game; see `jaxgan.objectives.gan.zero_sum.ZeroSum`.

    >>> GradientRegularization(weight=0.5)
    GradientRegularization(weight=0.5, every=1)

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1.

    References:
        Nagarajan and Kolter, Gradient Descent GAN Optimization is Locally Stable, 2017, section 4
        (eta is the weight; 0.5 in the authors' code for eight Gaussians).
    """

    name: ClassVar[str] = "gradient_regularization"

    weight: float = 0.5
    """Factor of the square (eta)."""
    every: int = 1
    """Generator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        _check(self.weight, self.every)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def generator(self, view: _Game, state: Any) -> tuple[Float[Array, ""], Any]:
        """``weight |grad_psi L_D|^2``, one number for the whole batch."""
        return self.weight * _squared_gradient(view, 0), state


@dataclasses.dataclass(frozen=True)
class Consensus:
    """Half the squared length of both players' gradients, which both players make small.

    ``weight / 2 (|grad_psi L_D|^2 + |grad_theta L_G|^2)``, to be given among the penalties of the
    discriminator and of the generator: consensus optimization is both.

    >>> Consensus(weight=10.0)
    Consensus(weight=10.0, every=1)

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1.

    References:
        Mescheder et al., The Numerics of GANs, 2017, algorithm 2 (gamma is the weight; 10 in the
        authors' code for CelebA).
    """

    name: ClassVar[str] = "consensus"
    per_example: ClassVar[bool] = False

    weight: float = 10.0
    """Factor of half the squares (gamma)."""
    every: int = 1
    """Updates from one penalty to the next."""

    def __post_init__(self) -> None:
        _check(self.weight, self.every)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: _Game, state: Any) -> tuple[Float[Array, ""], Any]:
        """``weight / 2 (|grad_psi L_D|^2 + |grad_theta L_G|^2)``, one number for the batch."""
        squares = _squared_gradient(view, 0) + _squared_gradient(view, 1)
        return 0.5 * self.weight * squares, state

    def generator(self, view: _Game, state: Any) -> tuple[Float[Array, ""], Any]:
        """The same, for the generator."""
        return self(view, state)
