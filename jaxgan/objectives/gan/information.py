"""InfoGAN's term: codes that can be read off the images that were made from them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Latents, PerExample


@dataclasses.dataclass(frozen=True)
class Information:
    """The negative of a lower bound on the information that an image holds of its codes.

    ``I(c; G(z, c)) >= E log Q(c | G(z, c)) + H(c)`` for any Q; both players lower ``-log Q``: the
    discriminator by reading codes better (Q shares its features), the generator by making them
    easier to read. Of an image, ``-log Q`` is the sum of

    - the cross-entropy of each categorical code, from the head ``category``, logits of all of them
      side by side as in `jaxgan.objectives.codes.Codes`;
    - the negative log density of each continuous code under a Gaussian of standard deviation 1
      around the head ``continuous``.

    >>> import jax.numpy as jnp
    >>> heads = {"category": jnp.log(jnp.array([[0.25, 0.75]])), "continuous": jnp.array([[0.5]])}
    >>> given = {"category": (jnp.array([[0.0, 1.0]]),), "continuous": jnp.array([[0.5]])}
    >>> values = Information().fake(Verdict(jnp.zeros(1), heads), given)
    >>> round(float(values[0]), 4)  # 0.2877 + 0.9189
    1.2066

    Raises:
        ValueError: for a weight that is not positive and finite; when called, for a verdict without
            a head for a code that is there, or of another size.

    References:
        Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing
        Generative Adversarial Nets, 2016, section 5 and eq. 5; the standard deviation as in the
        authors' experiments.
    """

    name: ClassVar[str] = "information"

    categorical: float = 1.0
    """Factor of the categorical codes' terms; 1 in the paper."""
    continuous: float = 1.0
    """Factor of the continuous codes' terms; 1 in the authors' code, often less elsewhere, such as
    0.1, to bring it to the scale of the adversarial loss."""

    def __post_init__(self) -> None:
        for name in ("categorical", "continuous"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} = {getattr(self, name)}: must be above 0 and finite")

    def real(self, verdict: Verdict, given: Latents) -> None:
        """Nothing: nobody knows the codes of real images."""
        del verdict, given

    def fake(self, verdict: Verdict, given: Latents) -> PerExample:
        """``-log Q`` of the codes that images were made from, weighted."""
        weights = {"category": self.categorical, "continuous": self.continuous}
        terms = negative_log_likelihoods(verdict, given)
        first, *rest = [weights[kind] * value for kind, value in terms.items()]
        return sum(rest, start=first)

    def generator(self, verdict: Verdict, given: Latents) -> PerExample:
        """The same: both players want codes to be readable."""
        return self.fake(verdict, given)


def negative_log_likelihoods(verdict: Verdict, given: Latents) -> dict[str, PerExample]:
    """``-log Q`` of codes in nats, by kind: ``category``, ``continuous``, or those that are there.

    The cross-entropies of several categorical codes are added up, and so are the continuous codes'.

    Args:
        verdict: of the images.
        given: the latents that they were made from, of `jaxgan.objectives.codes.Codes`.

    Raises:
        ValueError: the latents hold no codes, or a head is missing or has another size.
    """
    kinds = [k for k in ("category", "continuous") if isinstance(given, Mapping) and k in given]
    if not kinds:
        raise ValueError("Information needs a prior with codes, such as Codes")
    found = {}
    for kind in kinds:
        codes = given[kind] if kind == "category" else (given[kind],)
        widths = [code.shape[-1] for code in codes]
        head: Any = verdict.heads.get(kind)
        if head is None or head.shape[-1] != sum(widths):
            size = "none" if head is None else f"one of {head.shape[-1]}"
            raise ValueError(
                f"Information needs a discriminator with a head {kind!r} of {sum(widths)} numbers,"
                f" as the prior has codes; this one has {size}"
            )
        total: Any = 0.0
        parts = jnp.split(head, [sum(widths[:i]) for i in range(1, len(widths))], axis=-1)
        for code, part in zip(codes, parts, strict=True):
            if kind == "category":
                total = total - jnp.sum(code * jax.nn.log_softmax(part), axis=-1)
            else:
                squares = jnp.square(code - part) + math.log(2.0 * math.pi)
                total = total + 0.5 * jnp.sum(squares, axis=-1)
        found[kind] = total
    return found
