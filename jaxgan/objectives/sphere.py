"""Uniform directions, for latents whose length shall mean nothing."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.interpolation import slerp
from jaxgan.typing import Codes, PRNGKey


@dataclasses.dataclass(frozen=True)
class Sphere:
    """Vectors of length 1, all directions alike.

    >>> latents = Sphere(size=3).draw(jax.random.key(0), classes=0)
    >>> round(float(jnp.linalg.norm(latents)), 5)
    1.0

    Raises:
        ValueError: for a size below 2, and by `truncate`.

    References:
        Davidson et al., Hyperspherical Variational Auto-Encoders, 2018, section 3.2.
    """

    conditional: ClassVar[bool] = False

    @property
    def truncates(self) -> bool:
        """No: no direction is nearer to the mean than another."""
        return False

    size: int = 100
    """Length of a latent."""

    def __post_init__(self) -> None:
        if self.size < 2:
            raise ValueError(f"size = {self.size}: a direction has at least 2 numbers")

    def draw(self, key: PRNGKey, classes: int) -> Float[Array, "{self.size}"]:
        """``(size,)``: standard normal noise, brought to length 1."""
        del classes
        return self.project(jax.random.normal(key, (self.size,)))

    def truncate(self, latents: Codes, psi: float | Float[Array, ""]) -> Codes:
        """Refused: the sphere has no tails to cut."""
        raise ValueError("a uniform prior has no tails to truncate: only a normal one has")

    def project(self, latents: Float[Array, "*batch size"]) -> Float[Array, "*batch size"]:
        """Brought back to length 1."""
        length = jnp.linalg.norm(latents, axis=-1, keepdims=True)
        return latents / jnp.maximum(length, 1e-12)

    def between(self, a: Codes, b: Codes, t: Float[Array, "batch"]) -> Codes:
        """Great circles; opposite directions have none: the path jumps from one to the other."""
        return self.project(slerp(a, b, t))
