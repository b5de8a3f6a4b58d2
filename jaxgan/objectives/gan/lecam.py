"""LeCam regularization: scores are held near what the discriminator said of the other kind."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxgan.objectives.gan.penalties import View, check_settings
from jaxgan.typing import PerExample


@dataclasses.dataclass(frozen=True)
class LeCam:
    """Distance of scores from moving averages of the scores of the other kind of images.

    ``weight (max(0, D(x) - a_fake)^2 + max(0, a_real - D(G(z)))^2)``, where ``a_real`` and
    ``a_fake`` are moving averages of the mean scores of real and of generated images, over all
    devices, this update's included. No gradient flows through them.

    Until ``start`` updates have been made, the averages are those of the last batch and the penalty
    is 0, as in the authors' code; nothing is ever averaged with a first value that somebody chose.
    Its updates are counted in generator steps; here they are the discriminator's that this penalty
    is due in.

    >>> LeCam(weight=0.3).init()["updates"].item()
    0

    Raises:
        ValueError: for a weight that is not positive and finite, a decay outside [0, 1), a negative
            ``start``, or ``every`` below 1.

    References:
        Tseng et al., Regularizing Generative Adversarial Networks under Limited Data, 2021,
        section 3.
    """

    name: ClassVar[str] = "lecam"
    per_example: ClassVar[bool] = False

    weight: float = 0.3
    """Factor of the penalty (lambda); 0.3 for the authors' BigGAN on CIFAR-10."""
    decay: float = 0.9
    """Of the moving averages; 0.9 in the authors' code for BigGAN, 0.99 for StyleGAN2."""
    start: int = 1000
    """Updates before the first penalty."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)
        if not 0.0 <= self.decay < 1.0:
            raise ValueError(f"decay = {self.decay}: must be at least 0 and below 1")
        if self.start < 0:
            raise ValueError(f"start = {self.start}: must be at least 0")

    def init(self) -> dict[str, jax.Array]:
        """Both averages, which the first update replaces, and the number of updates so far."""
        zero = jnp.zeros((), jnp.float32)
        return {"real": zero, "fake": zero, "updates": jnp.zeros((), jnp.int32)}

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """The penalty of each pair of a real and a generated image; the averages after it."""
        real, fake = view.on_real.logits, view.on_fake.logits
        done = state["updates"]
        kept = jnp.where(done < max(self.start, 1), 0.0, self.decay)

        def averaged(before: jax.Array, scores: jax.Array) -> jax.Array:
            now = view.mean(jnp.mean(jax.lax.stop_gradient(scores)))
            return (kept * before + (1.0 - kept) * now).astype(before.dtype)

        of_real, of_fake = averaged(state["real"], real), averaged(state["fake"], fake)
        values = jnp.square(jax.nn.relu(real - of_fake)) + jnp.square(jax.nn.relu(of_real - fake))
        due = jnp.where(done < self.start, 0.0, self.weight)
        return due * values, {"real": of_real, "fake": of_fake, "updates": done + 1}
