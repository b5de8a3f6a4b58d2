"""Feature matching: a generator that matches means of the discriminator's hidden features.

References:
    Salimans et al., Improved Techniques for Training GANs, 2016, section 3.1.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Logits, PerExample


class Perceived(NamedTuple):
    """What feature matching reads of a verdict.

    Attributes:
        logits: which the discriminator is trained by.
        features: the last ones, which the generator is trained by.
    """

    logits: Logits
    features: Float[Array, "batch features"]


@dataclasses.dataclass(frozen=True)
class _Matching(abc.ABC):
    """What both distances share."""

    adversarial: bool = True
    """Whether the discriminator minimizes the loss of the first GAN; off where an auxiliary term
    trains it, such as `jaxgan.objectives.gan.multi_hinge.MultiHinge`."""

    @abc.abstractmethod
    def distance(self, difference: Float[Array, "features"]) -> Float[Array, ""]:
        """How long a difference of two means is."""

    def reads(self, verdict: Verdict) -> Perceived:
        """Logits and the last features, as vectors.

        Raises:
            ValueError: the discriminator returns no features.
        """
        if not verdict.features:
            raise ValueError(
                "feature matching reads hidden features, and the discriminator returns none: use"
                " FeatureMlpDiscriminator, FeatureDcganDiscriminator or another that does"
            )
        last = verdict.features[-1]
        return Perceived(verdict.logits, last.reshape(last.shape[0], -1))

    def discriminator(self, *, real: Perceived, fake: Perceived) -> PerExample:
        """``-log D(x) - log(1 - D(G(z)))``, or 0."""
        if not self.adversarial:
            return jnp.zeros_like(real.logits)
        return NonSaturating().discriminator(real=real.logits, fake=fake.logits)

    def generator(self, *, real: Perceived, fake: Perceived) -> PerExample:
        """The distance of the batch's two mean features: the same number for every example."""
        difference = jnp.mean(real.features, axis=0) - jnp.mean(fake.features, axis=0)
        return jnp.broadcast_to(self.distance(difference), fake.logits.shape)

    def correct(self, *, real: Perceived, fake: Perceived) -> dict[str, PerExample]:
        """See `jaxgan.objectives.gan.losses.accuracy`; undecided at logit 0."""
        return NonSaturating().correct(real=real.logits, fake=fake.logits)


@dataclasses.dataclass(frozen=True)
class FeatureMatching(_Matching):
    """The discriminator of the first GAN; the generator minimizes ``|E f(x) - E f(G(z))|^2``.

    ``f`` are the features before the discriminator's last layer, and expectations are means over
    the batch. The square is that of the Euclidean length: a sum over features.

    >>> real = Perceived(jnp.zeros(2), jnp.array([[3.0, 1.0], [5.0, 1.0]]))
    >>> fake = Perceived(jnp.zeros(2), jnp.array([[1.0, 0.0], [1.0, -2.0]]))
    >>> FeatureMatching().generator(real=real, fake=fake).tolist()
    [13.0, 13.0]

    References:
        Salimans et al., Improved Techniques for Training GANs, 2016, section 3.1.
    """

    def distance(self, difference: Float[Array, "features"]) -> Float[Array, ""]:
        """``|d|^2``."""
        return jnp.sum(jnp.square(difference))


@dataclasses.dataclass(frozen=True)
class AbsoluteFeatureMatching(_Matching):
    """`FeatureMatching` by the mean absolute difference of features, as code in the field has it.

    >>> real = Perceived(jnp.zeros(2), jnp.array([[3.0, 1.0], [5.0, 1.0]]))
    >>> fake = Perceived(jnp.zeros(2), jnp.array([[1.0, 0.0], [1.0, -2.0]]))
    >>> AbsoluteFeatureMatching().generator(real=real, fake=fake).tolist()
    [2.5, 2.5]

    References:
        Salimans et al., Improved Techniques for Training GANs, 2016, section 3.1 (with the square
        of the Euclidean length).
    """

    def distance(self, difference: Float[Array, "features"]) -> Float[Array, ""]:
        """``mean |d|``."""
        return jnp.mean(jnp.abs(difference))
