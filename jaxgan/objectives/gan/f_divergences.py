"""f-GAN: the game for any f-divergence between data and samples (Nowozin et al. 2016).

``D_f(P || Q) = E_Q f(p / q)``, with ``f`` convex and ``f(1) = 0``, is the largest value of

    ``E_P t(x) - E_Q f*(t(x))``,    ``f*(t) = sup_u (u t - f(u))``

over functions ``t`` into the domain of ``f*``. The discriminator has an unbounded output ``v``, and
``t = g(v)`` is that output after an activation ``g`` that increases onto the domain. It maximizes
the value above, with data for P and samples for Q. The generator minimizes it, or (section 3.2 of
the paper, the default) maximizes ``E g(v(G(z)))``, whose gradient does not vanish where the
discriminator is sure.

Where the paper's functions have an ``exp(v)``, float32 overflows at a raw output of 88. Beyond a
raw output of 10, towards the side of the overflow, the activations here grow logarithmically in it
instead of linearly, so that ``exp`` grows linearly. They still increase onto the same domain and
the conjugates are exact, so what is maximized is a lower bound of the very same divergence, with
the same optimum; only where the ratio of densities is beyond ``e^10`` is it reached at another
``v``.

>>> real, fake = jnp.array([2.0, -1.0]), jnp.array([-3.0, 0.5])
>>> PearsonChiSquared().discriminator(real=real, fake=fake).tolist()
[-3.0, 1.5625]
>>> ForwardKl().activation(jnp.array([-50.0, 9.0, 12.0])).round(4).tolist()
[-50.0, 9.0, 11.693099975585938]

References:
    Nowozin, Cseke and Tomioka, f-GAN: Training Generative Neural Samplers using Variational
    Divergence Minimization, 2016, tables 1, 2 and 6, section 3.2.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgan.objectives.gan.losses import accuracy
from jaxgan.typing import Logits, PerExample

_LINEAR_UP_TO = 10.0


def _slowed(raw: Array) -> Array:
    """The same up to 10, then ``10 + log(1 + raw - 10)``; the slope is 1 where the two meet."""
    above = jnp.maximum(raw - _LINEAR_UP_TO, 0.0)
    return jnp.minimum(raw, _LINEAR_UP_TO) + jnp.log1p(above)


def _grown(raw: Array) -> Array:
    """``exp(_slowed(raw))``, without the rounding of a large exponential of a logarithm."""
    above = jnp.maximum(raw - _LINEAR_UP_TO, 0.0)
    return jnp.exp(jnp.minimum(raw, _LINEAR_UP_TO)) * (1.0 + above)


@dataclasses.dataclass(frozen=True)
class _FDivergence(abc.ABC):
    unbounded: ClassVar[bool] = True
    """The discriminator's output must be able to be any number."""
    undecided: ClassVar[float] = 0.0
    """Raw output at equal densities, ``g(undecided) = f'(1)``."""

    non_saturating: bool = True
    """Whether the generator maximizes ``E g(v(G(z)))`` (section 3.2) in place of minimizing
    ``-E f*(g(v(G(z))))``."""

    @abc.abstractmethod
    def activation(self, raw: Array) -> Array:
        """``g(v)``: raw outputs to the domain of the conjugate, increasing."""

    @abc.abstractmethod
    def conjugate(self, t: Array) -> Array:
        """``f*(t)`` for ``t`` in its domain."""

    @abc.abstractmethod
    def conjugated(self, raw: Array) -> Array:
        """``f*(g(v))`` in one expression, which is exact where ``g`` is next to a bound."""

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``f*(g(v(G(z)))) - g(v(x))``; minus its mean is a lower bound of the divergence."""
        return self.conjugated(fake) - self.activation(real)

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``-g(v(G(z)))``, or ``-f*(g(v(G(z))))`` where it is to saturate."""
        del real
        return -self.activation(fake) if self.non_saturating else -self.conjugated(fake)

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """See `jaxgan.objectives.gan.losses.accuracy`; undecided where ``g(v) = f'(1)``."""
        return accuracy(real=real, fake=fake, threshold=self.undecided)


@dataclasses.dataclass(frozen=True)
class ForwardKl(_FDivergence):
    """Kullback-Leibler divergence of the samples' law from the data's, ``E_P log(p / q)``.

    ``f = u log u``, ``g(v) = v``, ``f* = exp(t - 1)``.

    References:
        Nowozin et al., f-GAN, 2016, tables 2 and 6.
    """

    undecided: ClassVar[float] = 1.0

    def activation(self, raw: Array) -> Array:
        """``v``, but logarithmic in it above 11, where ``exp(v - 1)`` is on its way to overflow."""
        return 1.0 + _slowed(raw - 1.0)

    def conjugate(self, t: Array) -> Array:
        """``exp(t - 1)``."""
        return jnp.exp(t - 1.0)

    def conjugated(self, raw: Array) -> Array:
        """``exp(v - 1)``, linear above 11."""
        return _grown(raw - 1.0)


@dataclasses.dataclass(frozen=True)
class ReverseKl(_FDivergence):
    """Kullback-Leibler divergence of the data's law from the samples', ``E_Q log(q / p)``.

    ``f = -log u``, ``g(v) = -exp(-v)``, ``f* = -1 - log(-t)``. An activation ``-exp(v)``, as one
    also finds it, decreases: the discriminator would call real what is generated.

    References:
        Nowozin et al., f-GAN, 2016, tables 2 and 6.
    """

    def activation(self, raw: Array) -> Array:
        """``-exp(-v)``, linear in ``v`` below -10."""
        return -_grown(-raw)

    def conjugate(self, t: Array) -> Array:
        """``-1 - log(-t)`` for ``t < 0``."""
        return -1.0 - jnp.log(-t)

    def conjugated(self, raw: Array) -> Array:
        """``v - 1``, logarithmic in ``v`` below -10."""
        return -1.0 - _slowed(-raw)


@dataclasses.dataclass(frozen=True)
class PearsonChiSquared(_FDivergence):
    """Pearson's chi-squared divergence, ``E_Q (p / q - 1)^2``.

    ``f = (u - 1)^2``, ``g(v) = v``, ``f* = t^2 / 4 + t``, but -1 for ``t < -2``: ratios of
    densities are not negative. The paper's table has the parabola everywhere, which is the
    conjugate over negative ``u`` as well; its slope is negative below -2, where a saturating
    generator would make its samples look less real.

    References:
        Nowozin et al., f-GAN, 2016, tables 2 and 6.
    """

    def activation(self, raw: Array) -> Array:
        """``v``."""
        return raw

    def conjugate(self, t: Array) -> Array:
        """``t^2 / 4 + t``; -1 below -2."""
        return jnp.square(jnp.maximum(1.0 + 0.5 * t, 0.0)) - 1.0

    def conjugated(self, raw: Array) -> Array:
        """The conjugate itself."""
        return self.conjugate(raw)


@dataclasses.dataclass(frozen=True)
class SquaredHellinger(_FDivergence):
    """Squared Hellinger distance, ``E_Q (sqrt(p / q) - 1)^2``, from 0 to 2.

    ``f = (sqrt u - 1)^2``, ``g(v) = 1 - exp(-v)``, ``f* = t / (1 - t)``.

    References:
        Nowozin et al., f-GAN, 2016, tables 2 and 6.
    """

    def _scale(self, raw: Array) -> Array:
        """``v``, logarithmic in it beyond 10 on either side: ``exp`` of both signs occurs."""
        return jnp.where(raw > 0.0, _slowed(raw), -_slowed(-raw))

    def activation(self, raw: Array) -> Array:
        """``1 - exp(-v)``, linear in ``v`` below -10."""
        return -jnp.expm1(-self._scale(raw))

    def conjugate(self, t: Array) -> Array:
        """``t / (1 - t)`` for ``t < 1``."""
        return t / (1.0 - t)

    def conjugated(self, raw: Array) -> Array:
        """``exp(v) - 1``, linear above 10."""
        return jnp.expm1(self._scale(raw))


@dataclasses.dataclass(frozen=True)
class JensenShannon(_FDivergence):
    """Jensen-Shannon divergence without its factor 1/2: ``KL(P || M) + KL(Q || M)``.

    It is at most ``2 log 2``; M is the average of both laws.

    ``f = u log u - (u + 1) log((u + 1) / 2)``, ``g(v) = log 2 - log(1 + exp(-v))``,
    ``f* = -log(2 - exp(t))``. The game is that of `jaxgan.objectives.gan.losses.Minimax`, and with
    ``non_saturating`` that of `jaxgan.objectives.gan.losses.NonSaturating`, but for the constants
    that make the value at equal densities 0; the paper's "GAN" is the same without them.

    References:
        Nowozin et al., f-GAN, 2016, tables 2 and 6.
    """

    def activation(self, raw: Array) -> Array:
        """``log 2 - log(1 + exp(-v))``."""
        return math.log(2.0) - jax.nn.softplus(-raw)

    def conjugate(self, t: Array) -> Array:
        """``-log(2 - exp(t))`` for ``t < log 2``."""
        return -jnp.log(2.0 - jnp.exp(t))

    def conjugated(self, raw: Array) -> Array:
        """``log(1 + exp(v)) - log 2``."""
        return jax.nn.softplus(raw) - math.log(2.0)
