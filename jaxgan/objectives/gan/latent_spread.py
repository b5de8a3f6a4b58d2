"""zCR's generator: latents that differ make images that differ."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax.numpy as jnp

from jaxgan.objectives.gan.consistency import check_noise, perturbed
from jaxgan.objectives.gan.generator_penalties import GeneratorView
from jaxgan.objectives.gan.penalties import check_settings
from jaxgan.typing import PerExample


@dataclasses.dataclass(frozen=True)
class LatentSpread:
    """zCR, the generator's half: ``-weight mean_pixels (G(z) - G(z + e))^2``, below 0.

    ``e ~ N(0, noise^2 I)``. It goes with `jaxgan.objectives.gan.consistency.LatentConsistency`,
    which tells the discriminator not to look at such differences.

    >>> LatentSpread()
    LatentSpread(weight=0.5, noise=0.05, every=1)

    Raises:
        ValueError: for a weight or noise that is not positive and finite, or ``every`` below 1.

    References:
        Zhao et al., Improved Consistency Regularization for GANs, 2021. The mean over pixels is
        that of published code; the paper writes a squared length.
    """

    name: ClassVar[str] = "latent_spread"

    weight: float = 0.5
    """Factor of the squared difference (lambda_gen)."""
    noise: float = 0.05
    """Standard deviation of what is added to latents."""
    every: int = 1
    """Generator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)
        check_noise(self.noise)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def generator(self, view: GeneratorView, state: Any) -> tuple[PerExample, Any]:
        """``-weight mean (G(z) - G(z + e))^2`` for each latent; draws ``latent-spread``."""
        near = perturbed(view, "latent-spread", self.noise)
        made, other = (view.generate(view.generator_params, z) for z in (view.latents, near))
        return -self.weight * jnp.mean(jnp.square(made - other), axis=(1, 2, 3)), state
