"""Mode coverage on mixtures of Gaussians with known means (Ring, Grid).

The protocol of PacGAN (Lin et al. 2018, section 4.1; after VEEGAN, Srivastava et al. 2017), as the
authors' code has it: a sample belongs to the nearest mean and is of high quality when it lies less
than 3 standard deviations from it; low-quality samples count for no mode.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap_each
from jaxgan.evaluation.statistics.proportions import share
from jaxgan.evaluation.statistics.ranges import POSITIVE, Range, within

REPLICATES = 200
"""Sets of samples drawn again for an interval."""

RADIUS = 3.0
"""Standard deviations within which a sample is of high quality."""


class MixtureScores(NamedTuple):
    """How well samples cover a mixture whose components weigh the same."""

    modes: int
    """Components that at least one high-quality sample belongs to."""
    high_quality: float
    """Share of high-quality samples, in [0, 1]."""
    reverse_kl: float
    """KL divergence, in nats, from the shares of the components among high-quality samples to the
    uniform distribution: 0 at best, ``log(components)`` at worst; NaN without such samples."""


def mixture_scores(
    points: Float[np.ndarray | jax.Array, "n *flat"],
    means: Float[np.ndarray | jax.Array, "components d"],
    std: float,
) -> MixtureScores:
    """Scores samples against a mixture of isotropic Gaussians of equal weight.

    Args:
        points: samples, ``(n, d)`` or as they come from a generator, ``(n, 1, 1, d)``. One that is
            not finite counts as a sample of low quality.
        means: the components' means.
        std: the components' standard deviation along each axis.

    Raises:
        ValueError: there are no points, or they do not have the means' dimension.
    """
    return _scores(_nearest(points, means, std), len(means))


def mixture_metrics(
    points: Float[np.ndarray | jax.Array, "n *flat"],
    means: Float[np.ndarray | jax.Array, "components d"],
    std: float,
    *,
    weights: str = "ema",
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """`mixture_scores` under names that say what was measured, with 95% intervals.

    The intervals are over the drawing of samples: Wilson's for the share, and those of
    `jaxgan.evaluation.statistics.intervals.bootstrap` for the other two, cut off where they would
    leave the values that there are.

    Args:
        points: as in `mixture_scores`.
        means: as in `mixture_scores`.
        std: as in `mixture_scores`.
        weights: the generator's weights that were sampled from, ``"ema"`` or ``"raw"``.
        replicates: sets of samples drawn again.
        seed: of that drawing.

    Returns:
        Such as ``modes[of8,gen2500,ema]``, ``high_quality[3std,gen2500,ema]`` and
        ``reverse_kl[of8,gen2500,ema]``.
    """
    nearest, count = _nearest(points, means, std), len(means)
    found = bootstrap_each(
        lambda drawn: _scores(drawn, count)._asdict(), nearest, replicates=replicates, seed=seed
    )
    how = f"gen{len(points)},{weights}"
    return {
        f"modes[of{count},{how}]": within(found["modes"], Range(0, count)),
        f"high_quality[{RADIUS:g}std,{how}]": share(nearest >= 0),
        f"reverse_kl[of{count},{how}]": within(found["reverse_kl"], POSITIVE),
    }


def _nearest(
    points: Float[np.ndarray | jax.Array, "n *flat"],
    means: Float[np.ndarray | jax.Array, "components d"],
    std: float,
) -> Int[np.ndarray, " n"]:
    """The component that each sample belongs to; -1 for samples of low quality."""
    centers = np.asarray(means, np.float64)
    samples = np.asarray(points, np.float64)
    if len(samples) == 0:
        raise ValueError("mixture scores need at least one sample")
    samples = samples.reshape(len(samples), -1)
    if samples.shape[1] != centers.shape[1]:
        raise ValueError(
            f"samples have {samples.shape[1]} coordinates, the mixture's means {centers.shape[1]}"
        )
    offsets = samples[:, None, :] - centers[None, :, :]
    distances = np.sqrt(np.square(offsets).sum(axis=-1))
    # A comparison with NaN is false, hence of low quality.
    good = distances.min(axis=1) < RADIUS * std
    return np.where(good, distances.argmin(axis=1), -1)


def _scores(nearest: Int[np.ndarray, " n"], components: int) -> MixtureScores:
    counts = np.bincount(nearest[nearest >= 0], minlength=components)
    return MixtureScores(
        modes=int(np.count_nonzero(counts)),
        high_quality=float((nearest >= 0).mean()),
        reverse_kl=_divergence_from_uniform(counts),
    )


def _divergence_from_uniform(counts: np.ndarray) -> float:
    if counts.sum() == 0:
        return float("nan")
    shares = counts[counts > 0] / counts.sum()
    # An empty component adds nothing: p log p goes to 0 with p.
    return float((shares * np.log(shares * len(counts))).sum())
