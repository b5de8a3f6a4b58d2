"""Class information from pairs: an image's embedding against its class, and against other images.

The discriminator gives two heads, unit vectors both (`jaxgan.networks.layers.class_heads`):
``embedding`` of the image, and ``proxy`` of the class that it was given with. Both terms read them
for the whole batch, over all devices: of real images in the discriminator's loss, of generated ones
in the generator's.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Latents, PerExample


class _Pairs(NamedTuple):
    """Cosines of a batch, as the heads are unit vectors, and which images share a class.

    Attributes:
        own: of each embedding with the proxy of its class.
        between: of each embedding with each.
        same: whether two images, or an image and itself, are of one class.
    """

    own: Float[Array, "batch"]
    between: Float[Array, "batch batch"]
    same: Bool[Array, "batch batch"]


def _pairs(name: str, verdict: Verdict, given: Latents) -> _Pairs:
    if not {"embedding", "proxy"} <= verdict.heads.keys():
        raise ValueError(
            f"{name} needs a discriminator with heads 'embedding' and 'proxy', such as"
            " EmbeddingDcganDiscriminator"
        )
    if not isinstance(given, Mapping) or given.get("label") is None:
        raise ValueError(f"{name} needs a prior with labels, such as Labelled")
    embedding, proxy = verdict.heads["embedding"], verdict.heads["proxy"]
    labels: Any = given["label"]
    with jax.named_scope("Pairs"):
        # All digits, which accelerators would round in a product.
        between = jnp.matmul(embedding, embedding.T, precision=jax.lax.Precision.HIGHEST)
    return _Pairs(jnp.sum(embedding * proxy, axis=-1), between, labels[:, None] == labels[None, :])


def _log_sum(own: PerExample, between: Any, counted: Any) -> PerExample:
    """``log(exp(own) + sum_k exp(between_k))`` over those k that are counted."""
    rest = jnp.where(counted, between, -jnp.inf)
    # The first column is always there, so that no row is empty.
    return jax.nn.logsumexp(jnp.concatenate([own[:, None], rest], axis=1), axis=1)


def _check(term: Any) -> None:
    for name in ("weight", "temperature"):
        if not 0.0 < getattr(term, name) < math.inf:
            raise ValueError(f"{name} = {getattr(term, name)}: must be above 0 and finite")


@dataclasses.dataclass(frozen=True)
class ConditionalContrastive:
    """An image is nearer to its class, and to images of its class, than to other images.

    With the embedding ``l``, the proxy ``e`` of the image's class, and the temperature ``t``,

        -log (exp(l_i e_i / t) + sum_{k of i's class} exp(l_i l_k / t))
           / (exp(l_i e_i / t) + sum_k exp(l_i l_k / t)),     k not i.

    An image whose class nobody shares still has its proxy; a batch of one class costs nothing.

    >>> import jax.numpy as jnp
    >>> embedding = jnp.array([[1.0, 0.0], [0.0, 1.0]])
    >>> verdict = Verdict(jnp.zeros(2), {"embedding": embedding, "proxy": embedding})
    >>> values = ConditionalContrastive().real(verdict, {"label": jnp.array([0, 1])})
    >>> [round(float(value), 4) for value in values]
    [0.3133, 0.3133]
    >>> ConditionalContrastive().real(verdict, {"label": jnp.array([1, 1])}).tolist()
    [0.0, 0.0]

    Raises:
        ValueError: for a weight or temperature that is not positive and finite; when called, for a
            verdict without the heads ``embedding`` and ``proxy``, or latents without a label.

    References:
        Kang and Park, ContraGAN: Contrastive Learning for Conditional Image Generation, 2020,
        section 3.2 (the 2C loss).
    """

    name: ClassVar[str] = "contrastive"

    weight: float = 1.0
    """Factor of the loss; 1 in the paper."""
    temperature: float = 1.0
    """What cosines are divided by."""

    def __post_init__(self) -> None:
        _check(self)

    def real(self, verdict: Verdict, given: Latents) -> PerExample:
        """Of real images, for the discriminator."""
        return self._values(verdict, given)

    def fake(self, verdict: Verdict, given: Latents) -> None:
        """Nothing: the discriminator learns classes from real images alone."""
        del verdict, given

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """Of generated images, for the generator."""
        return self._values(verdict, given)

    def _values(self, verdict: Verdict, given: Latents) -> PerExample:
        own, between, same = _pairs("ConditionalContrastive", verdict, given)
        own, between = own / self.temperature, between / self.temperature
        others = ~jnp.eye(len(own), dtype=bool)
        alike = _log_sum(own, between, same & others)
        return self.weight * (_log_sum(own, between, others) - alike)


@dataclasses.dataclass(frozen=True)
class DataToDataCrossEntropy:
    """An image is near to its class, and far from images of other classes, within margins.

    With the embedding ``f``, the proxy ``v`` of the image's class, the temperature ``t``, and
    ``m_n = 1 - m_p``,

        -log exp(min(f_i v_i - m_p, 0) / t)
           / (exp(min(f_i v_i - m_p, 0) / t)
              + sum_{j of other classes} exp(max(f_i f_j - m_n, 0) / t)).

    Pairs that are as near or as far as the margins ask for pull no more. The sum runs over images,
    not over classes; images of the same class are left out of it.

    The authors' code takes the largest exponent of the negatives away from them, for stability,
    and not from the positive they are added to, which makes it another loss. Here it is taken away
    from both, as in the paper's formula.

    >>> import jax.numpy as jnp
    >>> embedding = jnp.array([[1.0, 0.0], [0.0, 1.0]])
    >>> verdict = Verdict(jnp.zeros(2), {"embedding": embedding, "proxy": embedding})
    >>> values = DataToDataCrossEntropy(weight=1.0).real(verdict, {"label": jnp.array([0, 1])})
    >>> jnp.exp(-values).round(4).tolist()  # e^0 / (e^0 + e^0): both margins are kept
    [0.5, 0.5]

    Raises:
        ValueError: as `ConditionalContrastive`; or for a margin outside [0, 1].

    References:
        Kang et al., Rebooting ACGAN: Auxiliary Classifier GANs with Stable Training, 2021, section
        3 (the D2D-CE loss).
    """

    name: ClassVar[str] = "data_to_data"

    weight: float = 0.5
    """Factor of the loss."""
    temperature: float = 0.5
    """What cosines are divided by."""
    margin: float = 0.98
    """Cosine of an image with its class from which on it pulls no more (m_p); two images of
    different classes no longer push below one minus this."""

    def __post_init__(self) -> None:
        _check(self)
        if not 0.0 <= self.margin <= 1.0:
            raise ValueError(f"margin = {self.margin}: a cosine from 0 to 1, such as 0.98")

    def real(self, verdict: Verdict, given: Latents) -> PerExample:
        """Of real images, for the discriminator."""
        return self._values(verdict, given)

    def fake(self, verdict: Verdict, given: Latents) -> None:
        """Nothing: the discriminator learns classes from real images alone."""
        del verdict, given

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """Of generated images, for the generator."""
        return self._values(verdict, given)

    def _values(self, verdict: Verdict, given: Latents) -> PerExample:
        own, between, same = _pairs("DataToDataCrossEntropy", verdict, given)
        near = jnp.minimum(own - self.margin, 0.0) / self.temperature
        far = jnp.maximum(between - (1.0 - self.margin), 0.0) / self.temperature
        return self.weight * (_log_sum(near, far, ~same) - near)
