"""A codebook whose vectors follow what they stand for: vector quantization for autoencoders.

References:
    Van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, 2017.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.typing import PRNGKey, Scalar


class Uses(NamedTuple):
    """What each code stands for: in a batch, or, as a codebook's state, on average over batches.

    Attributes:
        counts: vectors, ``(codes,)``; N in the paper.
        totals: their sums, ``(codes, size)``; m in the paper.
    """

    counts: Float[Array, "codes"]
    totals: Float[Array, "codes size"]


@dataclasses.dataclass(frozen=True)
class Codebook:
    """Codes that are moving averages of the vectors that are nearest to them.

    ``N = decay N + (1 - decay) n``, ``m = decay m + (1 - decay) sum z``, ``e = m / N`` for each
    code, with ``n`` and the sum over the vectors of the whole batch for which it is the nearest. A
    code that hardly any vector is nearest to starts anew where a vector of the batch is, as though
    it had been used like the others: codes that none is nearest to would stay so for ever.

    References:
        Van den Oord et al., Neural Discrete Representation Learning, 2017, appendix A.1, eq. 6 to
        8. Dhariwal et al., Jukebox: A Generative Model for Music, 2020, section 3.1 (restarts,
        whose bound there is a number of vectors).
    """

    codes: int = 512
    """How many."""
    size: int = 64
    """Length of each; 64 in the authors' code."""
    decay: float = 0.99
    """What a step keeps of the averages; 0.99 in the paper."""
    restart: float = 0.03
    """Codes start anew whose count falls below this share of the mean count; 0: none does."""

    def __post_init__(self) -> None:
        for name in ("codes", "size"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} = {value}: must be at least 1")
        if not 0.0 <= self.decay < 1.0:
            raise ValueError(f"decay = {self.decay}: must be at least 0 and below 1")
        if not 0.0 <= self.restart < 1.0:
            raise ValueError(
                f"restart = {self.restart}: a share of the mean count, at least 0 and below 1"
            )

    def init(self, key: PRNGKey) -> Uses:
        """Random codes of length about 1, as though each had stood for one vector."""
        vectors = jax.random.normal(key, (self.codes, self.size)) / math.sqrt(self.size)
        return Uses(jnp.ones(self.codes), vectors)

    def vectors(self, state: Uses) -> Float[Array, "codes size"]:
        """The codes."""
        # A code that is not restarted and not used decays to 0 / 0.
        least = jnp.finfo(jnp.float32).tiny
        return state.totals / jnp.maximum(state.counts, least)[:, None]

    def update(self, state: Uses, used: Uses, *, fresh: Float[Array, "codes size"]) -> Uses:
        """The codebook after a batch.

        Args:
            state: before it.
            used: what the codes stand for in the whole batch.
            fresh: vectors of the batch that codes start anew at.
        """
        counts, totals = (
            self.decay * old + (1.0 - self.decay) * new
            for old, new in zip(state, used, strict=True)
        )
        usual = jnp.mean(counts)
        dead = counts < self.restart * usual
        return Uses(
            jnp.where(dead, usual, counts),
            jnp.where(dead[:, None], usual * fresh, totals),
        )


def nearest(
    codes: Float[Array, "codes size"], vectors: Float[Array, "*places size"]
) -> Int[Array, "*places"]:
    """The code that is nearest to each vector; the first of several.

    >>> nearest(jnp.array([[0.0, 0.0], [1.0, 1.0]]), jnp.array([[0.9, 0.2], [0.3, 0.1]])).tolist()
    [1, 0]
    """
    # Both are taken relative to the codes' center, so that their distances keep their digits.
    center = jnp.mean(codes, axis=0)
    codes, vectors = codes - center, vectors - center
    products = jnp.einsum("...d,kd->...k", vectors, codes, precision=jax.lax.Precision.HIGHEST)
    return jnp.argmin(0.5 * jnp.sum(jnp.square(codes), axis=-1) - products, axis=-1)


def straight_through(
    vectors: Float[Array, "*shape"], quantized: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """The quantized vectors, whose gradient is handed to the vectors as it is (section 3.1)."""
    return vectors + jax.lax.stop_gradient(quantized - vectors)


def uses(indices: Int[Array, "*places"], vectors: Float[Array, "*places size"], codes: int) -> Uses:
    """How often each code is used, and the sum of what it stands for.

    Args:
        indices: of the codes.
        vectors: what they stand for.
        codes: how many there are.
    """
    chosen = jax.nn.one_hot(indices.reshape(-1), codes)
    flat = vectors.reshape(-1, vectors.shape[-1])
    totals = jnp.einsum("nk,nd->kd", chosen, flat, precision=jax.lax.Precision.HIGHEST)
    return Uses(jnp.sum(chosen, axis=0), totals)


def perplexity(counts: Float[Array, "codes"]) -> Scalar:
    """``exp`` of the entropy of the use of the codes: how many are used, if all alike.

    >>> f"{perplexity(jnp.array([5.0, 5.0, 0.0])):.4f}"
    '2.0000'
    """
    shares = counts / jnp.sum(counts)
    return jnp.exp(jnp.sum(jax.scipy.special.entr(shares)))
