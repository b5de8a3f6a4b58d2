"""DRAGAN: a gradient penalty around real images."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxgan.objectives.gan.penalties import View, check_settings, lengths, squared_slopes
from jaxgan.typing import PerExample


@dataclasses.dataclass(frozen=True)
class Dragan:
    """Squared distance of the length of a discriminator's gradient near real images from a target.

    ``weight (|grad D(x + delta)| - target)^2`` with ``delta ~ N(0, (noise s)^2 I)``, where ``s`` is
    the standard deviation of all pixels of all real images of the batch, over all devices. The
    noise is drawn for every pixel by itself and has mean 0.

    The paper's penalty has Gaussian noise of a variance to be tuned. Its authors' code, which is
    older, sets the scale to half of ``s`` and draws uniform numbers of [0, 1), so that every pixel
    is only ever made brighter. Here the noise is the paper's and the scale the code's.

    It holds for each example by itself; the discriminator must not mix them.

    >>> slope = jnp.array([3.0, 4.0])  # of length 5
    >>> from jaxgan.objectives.gan.verdict import Verdict
    >>> def critic(images):
    ...     return Verdict(jnp.sum(images * slope, axis=(1, 2, 3)))
    >>> def draw(role, one):
    ...     return jax.vmap(one)(jax.random.split(jax.random.key(0), 2))
    >>> real = jnp.zeros((2, 1, 1, 2))
    >>> view = View(critic, real, real, critic, None, draw, mean=lambda tree: tree)
    >>> Dragan(weight=10.0)(view, ())[0].tolist()
    [160.0, 160.0]

    Raises:
        ValueError: for a weight or noise that is not positive and finite, a negative or infinite
            target, or ``every`` below 1.

    References:
        Kodali et al., On Convergence and Stability of GANs, 2017, eq. 1.
    """

    name: ClassVar[str] = "dragan"
    per_example: ClassVar[bool] = True

    weight: float = 10.0
    """Factor of the penalty (lambda)."""
    target: float = 1.0
    """Length that gradients should have (k)."""
    noise: float = 0.5
    """Standard deviation of the noise, as a multiple of that of the pixels of the real images."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)
        if not 0.0 <= self.target < math.inf:
            raise ValueError(f"target = {self.target}: must be at least 0 and finite")
        if not 0.0 < self.noise < math.inf:
            raise ValueError(f"noise = {self.noise}: must be above 0 and finite")

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """``weight (|grad D(x + delta)| - target)^2`` for each real image; draws ``dragan``."""
        mean = view.mean(jnp.mean(view.real))
        deviation = jnp.sqrt(view.mean(jnp.mean(jnp.square(view.real - mean))))
        shape, dtype = view.real.shape[1:], view.real.dtype
        noise = view.draw("dragan", lambda key: jax.random.normal(key, shape, dtype))
        points = view.real + self.noise * deviation * noise
        found = lengths(squared_slopes(view.critic, points))
        return self.weight * jnp.square(found - self.target), state
