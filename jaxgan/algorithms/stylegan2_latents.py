"""Latents of StyleGAN2: noise, and what the styles and the noise maps of its image are made by."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.algorithms.base import Sheet
from jaxgan.algorithms.sheets import COLUMNS, ROWS
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.typing import PRNGKey


@dataclasses.dataclass(frozen=True)
class Styled:
    """A prior's latents with five numbers an image more, so that it depends on nothing else.

    ``seed`` is that of its noise maps. ``psi`` is the factor of truncation in w, 1: none. From
    layer ``cut`` on, styles go by ``share`` towards those of ``fine``, other noise; 0: not at all.

    >>> latents = Styled(Normal(3)).draw(jax.random.key(0), classes=0)
    >>> sorted(latents)
    ['cut', 'fine', 'noise', 'psi', 'seed', 'share']

    References:
        Karras et al., A Style-Based Generator Architecture for GANs, 2019, sections 3.1 and 3.2,
        and appendix B.
    """

    inner: Prior = Normal(512)
    """What is mapped."""

    @property
    def conditional(self) -> bool:
        """Whether there are labels."""
        return self.inner.conditional

    @property
    def truncates(self) -> bool:
        """Yes: in w, whatever the prior."""
        return True

    def draw(self, key: PRNGKey, classes: int) -> dict[str, Any]:
        """As the prior's, with a seed, neither truncated nor mixed."""
        drawn = self.inner.draw(key, classes)
        given = drawn if self.conditional else {"noise": drawn}
        most = jnp.iinfo(jnp.int32).max
        return {
            **given,
            "fine": given["noise"],
            "cut": jnp.int32(0),
            "share": jnp.float32(0.0),
            "psi": jnp.float32(1.0),
            "seed": jax.random.randint(rng.role_key(key, "maps"), (), 0, most, jnp.int32),
        }

    def truncate(self, latents: dict[str, Any], psi: float | Float[Array, ""]) -> dict[str, Any]:
        """``w_mean + psi (w - w_mean)`` when styles are made."""
        return {**latents, "psi": latents["psi"] * psi}

    def project(self, latents: dict[str, Any]) -> dict[str, Any]:
        """Brought back by the prior, and not truncated."""
        given = self._given(latents, self.inner.project(self._drawn(latents)))
        return {**given, "psi": jnp.ones_like(latents["psi"])}

    def between(
        self, a: dict[str, Any], b: dict[str, Any], t: Float[Array, "batch"]
    ) -> dict[str, Any]:
        """The prior's paths; all else is that of ``a``."""
        return self._given(a, self.inner.between(self._drawn(a), self._drawn(b), t))

    def _drawn(self, latents: dict[str, Any]) -> Any:
        if not self.conditional:
            return latents["noise"]
        return {name: latents[name] for name in ("noise", "label")}

    def _given(self, latents: dict[str, Any], drawn: Any) -> dict[str, Any]:
        return {**latents, **(drawn if self.conditional else {"noise": drawn})}


def style_sheets(draw: Any, styles: int, key: PRNGKey) -> dict[str, Sheet]:
    """What is worth showing of the space of styles; images of a row have the same noise maps.

    Args:
        draw: from a key and a count to latents of a `Styled` prior.
        styles: of an image.
        key: of the latents.

    Returns:
        ``mixing``: images of a row have its coarse styles, those of a column its fine ones, from a
        third of the layers on; the first image of a row is the row's own. ``truncation``: a latent
        a row, with psi from 1 over 0, the mean of w, to -1. ``styles``: a row a pair of latents,
        straight from the one's w to the other's.
    """
    count, column = ROWS * COLUMNS, jnp.arange(ROWS * COLUMNS) % COLUMNS
    coarse, fine = (draw(rng.role_key(key, role), ROWS) for role in ("coarse", "fine"))
    rows = jax.tree.map(lambda leaf: jnp.repeat(leaf, COLUMNS, axis=0), coarse)
    mixed = {
        **rows,
        "fine": jnp.tile(fine["noise"][:COLUMNS], (ROWS, 1)),
        "cut": jnp.full(count, styles // 3, jnp.int32),
        "share": (column > 0).astype(jnp.float32),
    }
    truncated = {**rows, "psi": jnp.tile(jnp.linspace(1.0, -1.0, COLUMNS), ROWS)}
    straight = {
        **rows,
        "fine": jnp.repeat(fine["noise"], COLUMNS, axis=0),
        "share": jnp.tile(jnp.linspace(0.0, 1.0, COLUMNS), ROWS),
    }
    found = {"mixing": mixed, "truncation": truncated, "styles": straight}
    return {name: Sheet(latents, COLUMNS) for name, latents in found.items()}
