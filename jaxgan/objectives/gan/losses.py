"""Adversarial losses.

A loss is a value with three methods. All take the discriminator's logits by keyword, one real and
one fake per example, and reduce nothing: whoever asked takes the mean. The logits are those of the
whole batch, however many devices share it, so that a loss may compare examples; most do not.

``discriminator`` is the sum of the real and the fake term of a pair, as papers write it, not their
average: a constant logit of 0 costs ``2 log 2`` under the cross-entropy losses.

>>> import jax.numpy as jnp
>>> real, fake = jnp.array([2.0, -1.0]), jnp.array([-3.0, 0.5])
>>> Hinge().discriminator(real=real, fake=fake).tolist()
[0.0, 3.5]
>>> Wasserstein().generator(real=real, fake=fake).tolist()
[3.0, -0.5]
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Logits, Metrics, PerExample, Scalar


@runtime_checkable
class GanLoss(Protocol):
    """What an algorithm asks of an adversarial loss.

    ``real`` and ``fake`` are logits ``(batch,)``, unless the loss is a `Reader`.
    """

    def discriminator(self, *, real: Any, fake: Any) -> PerExample:
        """What the discriminator minimizes: real term plus fake term, ``(batch,)``."""
        ...

    def generator(self, *, real: Any, fake: Any) -> PerExample:
        """What the generator minimizes, ``(batch,)``."""
        ...

    def correct(self, *, real: Any, fake: Any) -> dict[str, PerExample]:
        """Per-example measures of how well the discriminator decides; empty for mere critics."""
        ...


@runtime_checkable
class Reader(Protocol):
    """What a loss that reads more of a verdict than its logits has besides."""

    def reads(self, verdict: Verdict) -> Any:
        """What the loss is given as ``real`` and ``fake``: a pytree with the example as axis 0."""
        ...


@runtime_checkable
class StatefulLoss(Protocol):
    """What a loss that changes in the course of a run has besides."""

    def init(self) -> Any:
        """What it carries from one step to the next, a pytree of arrays."""
        ...

    def at(self, state: Any) -> GanLoss:
        """The loss that holds in a step; one that reads as this one does."""
        ...

    def update(self, state: Any, *, real: Any, fake: Any) -> tuple[Any, Metrics]:
        """The state after a step, and what is worth logging.

        Args:
            state: that the step was made with.
            real: what the loss read in the step's last discriminator update, of the whole batch.
            fake: likewise.
        """
        ...


def read(loss: GanLoss, verdict: Verdict) -> Any:
    """What a loss reads of a verdict: its logits, unless it is a `Reader`.

    >>> import jax.numpy as jnp
    >>> read(Hinge(), Verdict(jnp.array([2.0, -1.0]))).tolist()
    [2.0, -1.0]
    """
    return loss.reads(verdict) if isinstance(loss, Reader) else verdict.logits


def accuracy(
    *, real: Logits, fake: Logits, threshold: float | Scalar = 0.0
) -> dict[str, PerExample]:
    """Whether the discriminator tells real from fake.

    >>> import jax.numpy as jnp
    >>> accuracy(real=jnp.array([2.0, -1.0]), fake=jnp.array([-3.0, 0.5]))["accuracy_real"].tolist()
    [1.0, 0.0]

    Args:
        real: logits of real examples.
        fake: logits of generated ones.
        threshold: the logit at which it is undecided; such a logit counts as wrong.

    Returns:
        ``accuracy_real`` and ``accuracy_fake``, 0 or 1 an example, and ``accuracy``, their average
        for the pair.
    """
    real_right = (real > threshold).astype(real.dtype)
    fake_right = (fake < threshold).astype(fake.dtype)
    return {
        "accuracy": 0.5 * (real_right + fake_right),
        "accuracy_real": real_right,
        "accuracy_fake": fake_right,
    }


def _cross_entropy(*, real: Logits, fake: Logits, real_label: float | Scalar) -> PerExample:
    """Binary cross-entropy of the discriminator, ``-log D(x) = softplus(-logit)``."""
    real_term = real_label * jax.nn.softplus(-real) + (1.0 - real_label) * jax.nn.softplus(real)
    return real_term + jax.nn.softplus(fake)


def _check_real_label(label: float) -> None:
    if not 0.0 < label <= 1.0:
        raise ValueError(f"real_label = {label}: a probability above 0 and up to 1, such as 0.9")


@dataclasses.dataclass(frozen=True)
class Minimax:
    """The zero-sum game: both play for ``E log D(x) + E log(1 - D(G(z)))``.

    The generator's gradient vanishes where the discriminator is sure; see `NonSaturating`. With
    smoothed labels the discriminator's loss changes and the generator's does not.

    References:
        Goodfellow et al., Generative Adversarial Nets, 2014, eq. 1. Salimans et al., Improved
        Techniques for Training GANs, 2016, section 3.4 (one-sided label smoothing).
    """

    unbounded: ClassVar[bool] = True
    """The discriminator's output is a logit: any number."""

    real_label: float = 1.0
    """Target probability of real examples; 0.9 is one-sided label smoothing."""

    def __post_init__(self) -> None:
        _check_real_label(self.real_label)

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``-log D(x) - log(1 - D(G(z)))``."""
        return _cross_entropy(real=real, fake=fake, real_label=self.real_label)

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``log(1 - D(G(z)))``; the real term does not depend on the generator and is left out."""
        del real
        return -jax.nn.softplus(fake)

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """See `accuracy`; the discriminator is undecided at logit 0."""
        return accuracy(real=real, fake=fake)


@dataclasses.dataclass(frozen=True)
class NonSaturating:
    """The discriminator of `Minimax`, with a generator that maximizes ``E log D(G(z))``.

    References:
        Goodfellow et al., Generative Adversarial Nets, 2014, section 3. Salimans et al., Improved
        Techniques for Training GANs, 2016, section 3.4 (one-sided label smoothing).
    """

    unbounded: ClassVar[bool] = True
    """The discriminator's output is a logit: any number."""

    real_label: float = 1.0
    """Target probability of real examples; 0.9 is one-sided label smoothing."""

    def __post_init__(self) -> None:
        _check_real_label(self.real_label)

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``-log D(x) - log(1 - D(G(z)))``."""
        return _cross_entropy(real=real, fake=fake, real_label=self.real_label)

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``-log D(G(z))``."""
        del real
        return jax.nn.softplus(-fake)

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """See `accuracy`; the discriminator is undecided at logit 0."""
        return accuracy(real=real, fake=fake)


@dataclasses.dataclass(frozen=True)
class LeastSquares:
    """Squared distance of the raw output to labels a (fake), b (real) and c (the generator's aim).

    With ``b - c = 1`` and ``b - a = 2`` the generator minimizes a Pearson chi-squared divergence;
    the defaults are the paper's 0-1 coding.

    References:
        Mao et al., Least Squares Generative Adversarial Networks, 2017, eq. 2, 8 and 9.
    """

    real_label: float = 1.0
    """What the discriminator should say of real examples (b)."""
    fake_label: float = 0.0
    """What the discriminator should say of generated examples (a)."""
    generator_label: float = 1.0
    """What the generator wants the discriminator to say of its examples (c)."""

    def __post_init__(self) -> None:
        if not self.real_label > self.fake_label:
            raise ValueError(
                f"real_label = {self.real_label} must be above fake_label = {self.fake_label}:"
                " larger outputs mean more real"
            )

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``(D(x) - b)^2 / 2 + (D(G(z)) - a)^2 / 2``."""
        real_term = jnp.square(real - self.real_label)
        return 0.5 * (real_term + jnp.square(fake - self.fake_label))

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``(D(G(z)) - c)^2 / 2``."""
        del real
        return 0.5 * jnp.square(fake - self.generator_label)

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """See `accuracy`; the discriminator is undecided halfway between the two labels."""
        threshold = 0.5 * (self.real_label + self.fake_label)
        return accuracy(real=real, fake=fake, threshold=threshold)


@dataclasses.dataclass(frozen=True)
class Wasserstein:
    """Difference of scores; on average the earth mover's distance, for the best 1-Lipschitz critic.

    Keeping the critic Lipschitz is the business of weight clipping, a penalty or its layers.

    References:
        Arjovsky et al., Wasserstein GAN, 2017, eq. 2 and algorithm 1.
    """

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``f(G(z)) - f(x)``."""
        return fake - real

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``-f(G(z))``."""
        del real
        return -fake

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """Nothing: a constant added to a critic changes no loss, so no score divides the two."""
        del real, fake
        return {}


@dataclasses.dataclass(frozen=True)
class Hinge:
    """Margins for the discriminator, the raw score for the generator.

    References:
        Lim and Ye, Geometric GAN, 2017. Miyato et al., Spectral Normalization for Generative
        Adversarial Networks, 2018, eq. 16 and 17.
    """

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``max(0, 1 - D(x)) + max(0, 1 + D(G(z)))``."""
        return jax.nn.relu(1.0 - real) + jax.nn.relu(1.0 + fake)

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """``-D(G(z))``."""
        del real
        return -fake

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """See `accuracy`; the discriminator is undecided at score 0."""
        return accuracy(real=real, fake=fake)
