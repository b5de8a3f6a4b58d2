"""Relativistic losses: how much more real a real example looks than a generated one.

A relativistic discriminator judges differences of scores, so that real examples seem less real as
generated ones seem more so. A constant added to all of its scores changes nothing.

With pairs, of a real example ``x`` and a generated one ``G(z)`` (RpGAN), both players read
``D(x) - D(G(z))``; against averages (RaGAN), each example is set against the mean score of the
other kind, over the whole batch. Either is put through one of three margin functions:

    ======== ======================
    softplus ``log(1 + exp(-m))``
    hinge    ``max(0, 1 - m)``
    squares  ``(m - 1)^2``
    ======== ======================

The discriminator minimizes that of the margin by which it is right, the generator that of the
margin by which it is wrong: real and generated exchange their places.

>>> real, fake = jnp.array([2.0, -1.0]), jnp.array([-3.0, 0.5])
>>> RelativisticHinge().discriminator(real=real, fake=fake).tolist()
[0.0, 2.5]
>>> RelativisticAverageSquares().generator(real=real, fake=fake).tolist()
[38.3125, 2.5625]

References:
    Jolicoeur-Martineau, The relativistic discriminator: a key element missing from standard GAN,
    2019.
"""

from __future__ import annotations

import abc
import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgan.typing import Logits, PerExample


def pair_accuracy(*, real: Logits, fake: Logits) -> dict[str, PerExample]:
    """Whether the real example of each pair has the larger score; equal scores count as wrong.

    On average the share of all pairs that are in the right order, which is the area under the
    receiver operating characteristic.

    >>> pair_accuracy(real=jnp.array([3.0, -1.0]), fake=jnp.array([2.0, 0.5]))
    {'pair_accuracy': Array([1., 0.], dtype=float32)}

    Args:
        real: scores of real examples.
        fake: scores of generated ones.

    Returns:
        ``pair_accuracy``, 0 or 1 a pair.
    """
    return {"pair_accuracy": (real > fake).astype(real.dtype)}


class _Relativistic(abc.ABC):
    """What both families share."""

    @abc.abstractmethod
    def over(self, margin: Array) -> Array:
        """What is minimized of the margin by which a player has it its way."""

    @abc.abstractmethod
    def _minimized(self, *, more: Logits, less: Logits) -> PerExample:
        """The loss of the player who wants ``more`` to be above ``less``."""

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """What the discriminator minimizes, ``(batch,)``."""
        return self._minimized(more=real, less=fake)

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """The discriminator's loss with real and generated examples exchanged, ``(batch,)``."""
        return self._minimized(more=fake, less=real)

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """See `pair_accuracy`: no single score divides real from generated."""
        return pair_accuracy(real=real, fake=fake)


class _Pairs(_Relativistic):
    """``over(D(x) - D(G(z)))`` for each pair."""

    def _minimized(self, *, more: Logits, less: Logits) -> PerExample:
        return self.over(more - less)


class _Averages(_Relativistic):
    """``over(D(x) - mean D(G(z))) + over(mean D(x) - D(G(z)))``, means over the batch."""

    def _minimized(self, *, more: Logits, less: Logits) -> PerExample:
        return self.over(more - jnp.mean(less)) + self.over(jnp.mean(more) - less)


class _Softplus:
    def over(self, margin: Array) -> Array:
        """``log(1 + exp(-margin))``."""
        return jax.nn.softplus(-margin)


class _Hinge:
    def over(self, margin: Array) -> Array:
        """``max(0, 1 - margin)``."""
        return jax.nn.relu(1.0 - margin)


class _Squares:
    def over(self, margin: Array) -> Array:
        """``(margin - 1)^2``; there is no 1/2 as in `jaxgan.objectives.gan.losses.LeastSquares`."""
        return jnp.square(margin - 1.0)


@dataclasses.dataclass(frozen=True)
class RelativisticSoftplus(_Softplus, _Pairs):
    """Pairs over softplus (RpGAN, also called RSGAN): ``softplus(-(D(x) - D(G(z))))``.

    It is the loss of R3GAN, whose two penalties are `jaxgan.objectives.gan.penalties.R1` and `R2`.

    References:
        Jolicoeur-Martineau, The relativistic discriminator, 2019. Huang et al., The GAN is dead;
        long live the GAN! A Modern GAN Baseline, 2024.
    """


@dataclasses.dataclass(frozen=True)
class RelativisticHinge(_Hinge, _Pairs):
    """Pairs over the hinge: ``max(0, 1 - (D(x) - D(G(z))))``.

    Unlike the generator of `jaxgan.objectives.gan.losses.Hinge`, this one has a margin too.

    References:
        Jolicoeur-Martineau, The relativistic discriminator, 2019.
    """


@dataclasses.dataclass(frozen=True)
class RelativisticSquares(_Squares, _Pairs):
    """Pairs over squares: ``(D(x) - D(G(z)) - 1)^2``.

    References:
        Jolicoeur-Martineau, The relativistic discriminator, 2019.
    """


@dataclasses.dataclass(frozen=True)
class RelativisticAverageSoftplus(_Softplus, _Averages):
    """Averages over softplus (RaSGAN).

    The sum of the real and the generated term, as the paper writes it; its code has half of it.

    References:
        Jolicoeur-Martineau, The relativistic discriminator, 2019, section 4.
    """


@dataclasses.dataclass(frozen=True)
class RelativisticAverageHinge(_Hinge, _Averages):
    """Averages over the hinge (RaHingeGAN).

    References:
        Jolicoeur-Martineau, The relativistic discriminator, 2019.
    """


@dataclasses.dataclass(frozen=True)
class RelativisticAverageSquares(_Squares, _Averages):
    """Averages over squares (RaLSGAN).

    References:
        Jolicoeur-Martineau, The relativistic discriminator, 2019.
    """
