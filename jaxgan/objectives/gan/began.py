"""BEGAN: an autoencoder as the discriminator, and its two errors kept in proportion."""

from __future__ import annotations

import dataclasses
import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.gan.losses import GanLoss
from jaxgan.typing import Logits, Metrics, PerExample, Scalar


@dataclasses.dataclass(frozen=True)
class Began:
    """The discriminator reconstructs real images well and generated ones badly, in balance.

    With energies ``L``, the errors of the reconstruction, of which the logits are the negatives:
    the discriminator minimizes ``L(x) - k L(G(z))``, the generator ``L(G(z))``, and after each step
    ``k`` becomes ``k + rate (gamma L(x) - L(G(z)))``, clipped to [0, 1], from 0. Taken by itself, a
    `Began` is the loss of the first step.

    Energies are means over pixels of [-1, 1] (`jaxgan.networks.autoencoder.energy`), as in the
    published ports. ``gamma`` is a proportion and would be the same under sums; ``rate`` would not,
    since k's steps grow with the energies: under a sum over n pixels it would be ``rate / n``.

    >>> real, fake = -jnp.array([0.5, 0.25]), -jnp.array([0.125, 0.125])
    >>> loss = Began(rate=0.5)
    >>> k, metrics = loss.update(loss.init(), real=real, fake=fake)
    >>> float(k), float(metrics["began/convergence"])
    (0.03125, 0.4375)
    >>> loss.at(k).discriminator(real=real, fake=fake).tolist()
    [0.49609375, 0.24609375]

    Raises:
        ValueError: gamma is not above 0, or a rate is not above 0 and finite.

    References:
        Berthelot, Schumm and Metz, BEGAN: Boundary Equilibrium Generative Adversarial Networks,
        2017, section 3.3 (the objective) and 3.3.1 (the convergence measure).
    """

    gamma: float = 0.5
    """Energy of generated images that is aimed at, as a share of the real ones' (diversity ratio);
    smaller: sharper and less diverse."""
    rate: float = 1e-3
    """Learning rate of k (lambda_k)."""

    def __post_init__(self) -> None:
        if not 0.0 < self.gamma < math.inf:
            raise ValueError(f"gamma = {self.gamma}: must be above 0, and is usually up to 1")
        if not 0.0 < self.rate < math.inf:
            raise ValueError(f"rate = {self.rate}: must be above 0 and finite, such as 0.001")

    def init(self) -> Scalar:
        """``k`` of the first step: 0."""
        return jnp.zeros((), jnp.float32)

    def at(self, state: Scalar) -> GanLoss:
        """The losses for a ``k``."""
        return _Balanced(state)

    def update(self, state: Scalar, *, real: Logits, fake: Logits) -> tuple[Scalar, Metrics]:
        """The next ``k``; the ``k`` of this step and how near to convergence it was.

        The measure of convergence is ``L(x) + |gamma L(x) - L(G(z))|``, of means over the batch.
        """
        real_energy, fake_energy = -jnp.mean(real), -jnp.mean(fake)
        balance = self.gamma * real_energy - fake_energy
        convergence = real_energy + jnp.abs(balance)
        k = jnp.clip(state + self.rate * balance, 0.0, 1.0)
        return k, {"began/k": state, "began/convergence": convergence}

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``L(x)``: that of the first step, with k = 0."""
        return self.at(self.init()).discriminator(real=real, fake=fake)

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``L(G(z))``."""
        return self.at(self.init()).generator(real=real, fake=fake)

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """Nothing: both kinds of images are to be reconstructed, one better than the other."""
        return self.at(self.init()).correct(real=real, fake=fake)


@dataclasses.dataclass(frozen=True)
class _Balanced:
    """The losses of `Began` in a step."""

    k: Float[Array, ""] | float = 0.0
    """Weight of generated images in the discriminator's loss."""

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``L(x) - k L(G(z))``."""
        return jnp.asarray(self.k, fake.dtype) * fake - real

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``L(G(z))``."""
        del real
        return -fake

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """Nothing, as of `Began`."""
        del real, fake
        return {}
