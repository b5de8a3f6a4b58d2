"""A pull of a critic's scores of real images towards 0."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp

from jaxgan.objectives.gan.penalties import View, check_settings
from jaxgan.typing import PerExample


@dataclasses.dataclass(frozen=True)
class Drift:
    """``weight D(x)^2`` at real images, so that scores do not drift away from 0.

    A Wasserstein critic's scores may all be moved by one number without a change of its loss. This
    small term decides which.

    >>> from jaxgan.objectives.gan.verdict import Verdict
    >>> images = jnp.array([2.0, -1.0]).reshape(2, 1, 1, 1)
    >>> def critic(images):
    ...     return Verdict(images.ravel())
    >>> view = View(critic, images, images, critic, None, critic, on_real=critic(images))
    >>> Drift(weight=0.5)(view, ())[0].tolist()
    [2.0, 0.5]

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1.

    References:
        Karras et al., Progressive Growing of GANs for Improved Quality, Stability, and Variation,
        2018, appendix A.1.
    """

    name: ClassVar[str] = "drift"
    per_example: ClassVar[bool] = False

    weight: float = 0.001
    """Factor of the square (epsilon_drift); 0.001 in the paper."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """``weight D(x)^2`` for each real image."""
        return self.weight * jnp.square(view.on_real.logits), state
