"""The evidence lower bound and its weights, one value an example, in nats.

What is maximized is a `Bound` of the `Terms` of one or several codes an image; what the KL counts
in it is a `KlWeight`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.objectives.protocols import subclasses_have
from jaxgan.typing import Latents, PerExample, Scalar


def elbo(
    *, log_likelihood: PerExample, kl: PerExample, beta: float | Float[Array, ""] = 1.0
) -> PerExample:
    """``log p(x|z) - beta KL``: with ``beta = 1``, a lower bound of ``log p(x)`` on average over z.

    Args:
        log_likelihood: log-likelihood of each example under one code drawn from the encoder.
        kl: KL of the encoder's distribution from the prior.
        beta: weight of the KL (Higgins et al., beta-VAE, 2017, eq. 4).
    """
    return log_likelihood - beta * kl


def reparameterize(*, mean: Latents, log_variance: Latents, noise: Latents) -> Latents:
    """A draw of ``N(mean, exp(log_variance))`` through which gradients pass.

    Args:
        mean: means of the codes.
        log_variance: logs of their variances.
        noise: standard normal draws, such as `jaxgan.rng.per_example` gives.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, section 2.4.
    """
    return mean + jnp.exp(0.5 * log_variance) * noise


class Terms(NamedTuple):
    """What is known of a batch of images and of several codes of each.

    Attributes:
        log_likelihood: ``log p(x|z)`` of each code, ``(samples, batch)``.
        log_prior: ``log p(z)``, likewise; None for posteriors without a density.
        log_posterior: ``log q(z|x)``, likewise; None for posteriors without a density. Of bounds
            whose ``path`` is true, its parameters are held fixed, so that its gradient passes
            through the codes alone.
        kl: ``KL(q(z|x) || p(z))`` in closed form, by groups of dimensions, ``(batch, groups)``;
            None where there is no closed form.
    """

    log_likelihood: Float[Array, "samples batch"]
    log_prior: Float[Array, "samples batch"] | None
    log_posterior: Float[Array, "samples batch"] | None
    kl: Float[Array, "batch groups"] | None


Weigh: TypeAlias = Callable[[Float[Array, "rows groups"]], Float[Array, "rows"]]
"""From KLs by group to what a bound subtracts for each row: a `KlWeight` at one step."""


@runtime_checkable
class Bound(Protocol):
    """What a VAE maximizes, and how its gradient is estimated."""

    __subclasshook__ = subclasses_have("samples", "closed", "dense", "path", "encoder")

    closed: ClassVar[bool]
    """Whether it needs the KL in closed form."""
    dense: ClassVar[bool]
    """Whether it needs the densities of codes."""
    linear: ClassVar[bool]
    """Whether it weighs single codes, so that the weight must be a number for each (`KlWeight`)."""
    path: ClassVar[bool]
    """Whether the posterior's density is differentiated through the codes alone."""

    @property
    def samples(self) -> int:
        """Codes drawn for each image."""
        ...

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """The bound of each image."""
        ...

    def encoder(self, terms: Terms, weigh: Weigh) -> PerExample | None:
        """What the encoder maximizes instead, by its gradient alone; None: the bound itself."""
        ...


def check_samples(samples: int) -> None:
    """Refuses bounds of no codes.

    Raises:
        ValueError: there is not even one.
    """
    if samples < 1:
        raise ValueError(f"samples = {samples}: a bound needs at least 1 code an image")


@dataclasses.dataclass(frozen=True)
class Elbo:
    """The evidence lower bound, its KL in closed form: ``E[log p(x|z)] - weigh(KL)``.

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2013, eq. 3 and 10.
    """

    closed: ClassVar[bool] = True
    dense: ClassVar[bool] = False
    linear: ClassVar[bool] = False
    path: ClassVar[bool] = False

    samples: int = 1
    """Codes that the likelihood is averaged over."""

    def __post_init__(self) -> None:
        check_samples(self.samples)

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """See the class."""
        assert terms.kl is not None
        return jnp.mean(terms.log_likelihood, axis=0) - weigh(terms.kl)

    def encoder(self, terms: Terms, weigh: Weigh) -> None:
        """The same."""
        del terms, weigh


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """The log-likelihood alone: no bound of anything, and what deterministic autoencoders maximize.

    A weight of the KL has no effect.
    """

    closed: ClassVar[bool] = False
    dense: ClassVar[bool] = False
    linear: ClassVar[bool] = False
    path: ClassVar[bool] = False

    samples: int = 1
    """Codes that it is averaged over."""

    def __post_init__(self) -> None:
        check_samples(self.samples)

    def __call__(self, terms: Terms, weigh: Weigh) -> PerExample:
        """See the class."""
        del weigh
        return jnp.mean(terms.log_likelihood, axis=0)

    def encoder(self, terms: Terms, weigh: Weigh) -> None:
        """The same."""
        del terms, weigh


@runtime_checkable
class KlWeight(Protocol):
    """What the KL counts in a bound."""

    __subclasshook__ = subclasses_have("linear", "mark", "__call__")

    linear: ClassVar[bool]
    """Whether it is a number, the same for all images and groups, at each step."""

    def mark(self) -> str:
        """On one line, such as ``beta = 4``."""
        ...

    def __call__(
        self,
        kl: Float[Array, "rows groups"],
        *,
        step: Int[Array, ""],
        mean: Callable[[Any], Any],
    ) -> Float[Array, "rows"]:
        """What is subtracted for each row.

        Args:
            kl: of each row, by groups of dimensions, in nats.
            step: train steps done.
            mean: of a value over the devices that share the batch.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Beta:
    """Weight of the KL, raised linearly from 0 at the start of training.

    >>> float(Beta(value=4.0, warmup_steps=100).at(25))
    1.0

    References:
        Higgins et al., beta-VAE, 2017. Bowman et al., Generating Sentences from a Continuous Space,
        2016, section 3.1 (warm-up).
    """

    linear: ClassVar[bool] = True

    value: float = 1.0
    """Weight after the warm-up; 1 is the evidence lower bound."""
    warmup_steps: int = 0
    """Steps over which the weight rises from 0; 0: none."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.value < math.inf:
            raise ValueError(f"value = {self.value}: a weight of the KL is at least 0 and finite")
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps = {self.warmup_steps}: must be at least 0")

    def at(self, step: int | Int[Array, ""]) -> Scalar:
        """The weight of the step that comes after ``step`` others."""
        # No warm-up at all is one that was over before the first step.
        progress = jnp.asarray(step) / self.warmup_steps if self.warmup_steps else jnp.ones(())
        return self.value * jnp.minimum(progress, 1.0)

    def mark(self) -> str:
        """``beta = 4``."""
        return f"beta = {self.value:g}"

    def __call__(
        self,
        kl: Float[Array, "rows groups"],
        *,
        step: int | Int[Array, ""],
        mean: Callable[[Any], Any],
    ) -> Float[Array, "rows"]:
        """The weight of this step times the KL."""
        del mean
        return self.at(step) * jnp.sum(kl, axis=-1)
