"""Uniform categories, as one-hot vectors side by side."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.typing import Codes, PRNGKey


@dataclasses.dataclass(frozen=True)
class OneHots:
    """Several independent categories, each uniform, in one vector of ``groups * categories``.

    >>> latents = OneHots(groups=2, categories=3).draw(jax.random.key(0), classes=0)
    >>> latents.reshape(2, 3).sum(axis=1).tolist()
    [1.0, 1.0]

    Raises:
        ValueError: for no group, for fewer than two categories, and by `truncate`.

    References:
        Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2017, section 4.2.
    """

    conditional: ClassVar[bool] = False

    @property
    def truncates(self) -> bool:
        """No: no category is nearer to the mean than another."""
        return False

    groups: int = 20
    """How many categories are drawn."""
    categories: int = 10
    """What each is drawn from."""

    def __post_init__(self) -> None:
        if self.groups < 1:
            raise ValueError(f"groups = {self.groups}: must be at least 1")
        if self.categories < 2:
            raise ValueError(f"categories = {self.categories}: there must be at least 2")

    def draw(self, key: PRNGKey, classes: int) -> Float[Array, "{self.groups}*{self.categories}"]:
        """Numbers 0 and 1, of which one in each group is 1."""
        del classes
        places = jax.random.randint(key, (self.groups,), 0, self.categories)
        return jax.nn.one_hot(places, self.categories).reshape(-1)

    def truncate(self, latents: Codes, psi: float | Float[Array, ""]) -> Codes:
        """Refused: categories have no tails to cut."""
        raise ValueError("a uniform prior has no tails to truncate: only a normal one has")

    def project(self, latents: Codes) -> Codes:
        """The largest number of each group, whole."""
        return hardened(latents, self.categories)

    def between(self, a: Codes, b: Codes, t: Float[Array, "batch"]) -> Codes:
        """Groups change over from ``a`` to ``b`` one after the other."""
        turns = (jnp.arange(self.groups) + 0.5) / self.groups
        changed = jnp.repeat(t[:, None] > turns, self.categories, axis=-1)
        return jnp.where(changed, b, a)


def hardened(codes: Codes, categories: int) -> Codes:
    """One-hot vectors at the largest number of each group.

    Args:
        codes: groups side by side.
        categories: numbers of a group.
    """
    grouped = codes.reshape(codes.shape[0], -1, categories)
    places = jnp.argmax(grouped, axis=-1)
    return jax.nn.one_hot(places, categories, dtype=codes.dtype).reshape(codes.shape)
