"""The prior of InfoGAN: noise, and codes that are to mean something."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.objectives.interpolation import lerp
from jaxgan.objectives.priors import Normal, Uniform
from jaxgan.typing import Latents, PRNGKey


@dataclasses.dataclass(frozen=True)
class Codes:
    """Noise, categorical codes and continuous codes, all independent of each other.

    Latents are dictionaries: ``noise``; ``category``, a one-hot vector for each categorical code,
    uniform over its categories; ``continuous``, numbers from [-1, 1). A kind of which there are
    none is left out. The data's classes play no part: what the codes come to mean is found out.

    >>> latents = Codes(Normal(3), categories=(4,)).draw(jax.random.key(0), classes=0)
    >>> {name: jax.tree.map(lambda leaf: leaf.shape, part) for name, part in latents.items()}
    {'noise': (3,), 'category': ((4,),), 'continuous': (2,)}
    >>> int(latents["category"][0].sum())
    1

    Raises:
        ValueError: for a code of fewer than two categories, a negative number of continuous codes,
            or no code at all; by `truncate`, as the noise's own.

    References:
        Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing
        Generative Adversarial Nets, 2016, section 7 (on MNIST: a code of ten categories, and two
        continuous ones).
    """

    conditional: ClassVar[bool] = False

    noise: Normal | Uniform = Normal(62)
    """What the codes leave open."""
    categories: tuple[int, ...] = (10,)
    """Categories of each categorical code."""
    continuous: int = 2
    """How many continuous codes there are."""

    def __post_init__(self) -> None:
        if any(size < 2 for size in self.categories):
            raise ValueError(f"categories = {self.categories}: a code has at least 2")
        if self.continuous < 0 or not (self.categories or self.continuous):
            raise ValueError(
                f"categories = {self.categories}, continuous = {self.continuous}: there must be at"
                " least one code"
            )

    @property
    def truncates(self) -> bool:
        """Whether the noise does."""
        return self.noise.truncates

    @property
    def entropy(self) -> dict[str, float]:
        """That of the codes in nats, by kind: what can be known of them at most.

        >>> {kind: round(nats, 4) for kind, nats in Codes().entropy.items()}
        {'category': 2.3026, 'continuous': 1.3863}
        """
        found = {"category": sum(map(math.log, self.categories))} if self.categories else {}
        return {
            **found,
            **({"continuous": self.continuous * math.log(2.0)} if self.continuous else {}),
        }

    def draw(self, key: PRNGKey, classes: int) -> dict[str, Any]:
        """``noise``, ``category`` and ``continuous`` of one example."""

        def one_hot(place: int, size: int) -> Float[Array, "size"]:
            own = rng.role_key(key, f"category-{place}")
            return jax.nn.one_hot(jax.random.randint(own, (), 0, size), size)

        latents: dict[str, Any] = {"noise": self.noise.draw(rng.role_key(key, "noise"), classes)}
        if self.categories:
            latents["category"] = tuple(one_hot(i, n) for i, n in enumerate(self.categories))
        if self.continuous:
            own = rng.role_key(key, "continuous")
            latents["continuous"] = jax.random.uniform(own, (self.continuous,), minval=-1.0)
        return latents

    def truncate(self, latents: Latents, psi: float | Float[Array, ""]) -> Latents:
        """Truncated noise; codes stay."""
        return {**latents, "noise": self.noise.truncate(latents["noise"], psi)}

    def project(self, latents: Latents) -> Latents:
        """Projected noise; the largest category, whole; continuous codes clipped to [-1, 1]."""
        found = {**latents, "noise": self.noise.project(latents["noise"])}
        if self.categories:
            found["category"] = tuple(
                jax.nn.one_hot(jnp.argmax(code, axis=-1), code.shape[-1], dtype=code.dtype)
                for code in latents["category"]
            )
        if self.continuous:
            found["continuous"] = jnp.clip(latents["continuous"], -1.0, 1.0)
        return found

    def between(self, a: Latents, b: Latents, t: Float[Array, "batch"]) -> Latents:
        """The noise's paths, straight lines between continuous codes, the categories of ``a``."""
        found = {**a, "noise": self.noise.between(a["noise"], b["noise"], t)}
        if self.continuous:
            found["continuous"] = lerp(a["continuous"], b["continuous"], t)
        return found
