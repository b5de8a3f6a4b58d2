"""The mapping network of style-based generators: latents and labels to what makes styles.

References:
    Karras et al., A Style-Based Generator Architecture for GANs, 2019, section 2. Karras et al.,
    Training Generative Adversarial Networks with Limited Data, 2020, appendix C (labels, and 2
    layers where the data sets are small).
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.networks.layers.equalized import EqualizedDense
from jaxgan.networks.layers.labels import one_hot
from jaxgan.networks.layers.modulated import leaky
from jaxgan.typing import Labels


def unit_square(values: Float[Array, "batch size"]) -> Float[Array, "batch size"]:
    """Vectors over the root of the mean of their squares, ``x / sqrt(mean x^2 + 1e-8)``.

    >>> unit_square(jnp.array([[3.0, -3.0]])).tolist()
    [[1.0, -1.0]]
    """
    return values * jax.lax.rsqrt(jnp.mean(jnp.square(values), axis=-1, keepdims=True) + 1e-8)


class StyleMapping(nn.Module):
    """Dense layers that learn at a hundredth of the rate of others, each with a leaky ReLU.

    Latents and, in another dense layer, labels become vectors of unit mean square, side by side.
    All is computed in float32.
    """

    units: int = 512
    """Units of all layers, the last one included."""
    layers: int = 8
    """How many, without that of the labels."""

    @nn.compact
    def __call__(
        self,
        noise: Float[Array, "batch size"] | None,
        labels: Labels | None = None,
        *,
        classes: int = 0,
    ) -> Float[Array, "batch units"]:
        """Mapped latents; NaN for a label that is no class.

        Args:
            noise: None where labels alone are mapped, as in discriminators.
            labels: None for models without.
            classes: their number.

        Raises:
            ValueError: there is nothing to map, or the number of classes is not known (0).
        """
        parts = [] if noise is None else [unit_square(noise.astype(jnp.float32))]
        if labels is not None:
            embed = EqualizedDense(self.units, dtype=jnp.float32, name="labels")
            parts.append(unit_square(embed(one_hot(labels, classes))))
        if not parts:
            raise ValueError("neither noise nor labels are given: there is nothing to map")
        values = jnp.concatenate(parts, axis=-1)
        for place in range(self.layers):
            dense = EqualizedDense(
                self.units, multiplier=0.01, dtype=jnp.float32, name=f"dense_{place}"
            )
            values = leaky(dense(values), clamp=False)
        return values
