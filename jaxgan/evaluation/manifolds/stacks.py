"""Mode coverage on stacked images, whose modes a classifier tells apart.

The measure of "PacGAN: The power of two samples in generative adversarial networks" (Lin et al.
2018, section 4.2; after Metz et al. 2017): with ten classes, 1,000 combinations of three, each a
mode. A classifier always answers, so noise is counted in modes as well: modes without the KL say
little.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Array, Float, Int

from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap_each

DRAWS = 100
"""Sets of perfect samples that the floor is the mean of."""


def mode_kl(counts: Int[np.ndarray, " modes"]) -> float:
    """KL divergence, in nats, of the shares of modes from equal ones.

    ``sum_k q_k log(q_k K)``: 0 where all modes have the same share, ``log K`` where one has all.
    For N samples of K modes that are equally likely it is about ``(K - 1) / (2 N)`` on average.

    >>> mode_kl(np.array([5, 5, 0, 0])).__round__(4)
    0.6931

    Args:
        counts: samples in each mode.

    Raises:
        ValueError: there is no sample.
    """
    if not counts.sum():
        raise ValueError("the KL of modes needs at least one sample")
    shares = counts[counts > 0] / counts.sum()
    return float((shares * np.log(shares * len(counts))).sum())


def kl_floor(
    shares: Float[np.ndarray, " modes"], samples: int, *, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """`mode_kl` of samples that are drawn from the very shares of the modes in the data.

    Args:
        shares: of each mode, 1 in all.
        samples: how many are drawn.
        draws: sets of samples.
        seed: of the drawing.

    Returns:
        Mean over the sets, and where 95% of them lie.
    """
    random = np.random.RandomState(seed)
    found = [mode_kl(counts) for counts in random.multinomial(samples, shares, size=draws)]
    low, high = np.quantile(found, [0.025, 0.975])
    return Estimate(float(np.mean(found)), float(low), float(high))


def stack_metrics(
    generated: Float[np.ndarray | Array, "n modes"],
    real: Float[np.ndarray | Array, "m modes"],
    *,
    replicates: int = 0,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Modes that samples cover, and how evenly.

    Args:
        generated: scores of the modes, of samples.
        real: the same of real images. Their channels are independent of one another and alike, so
            the shares of modes are taken as products of those of classes, which are known far
            better from as many images.
        replicates: sets of samples drawn again for intervals; fewer than 2: there are none.
        seed: of all that is drawn.

    Returns:
        ``modes`` that at least one sample is in, their KL ``mode_kl``, and ``mode_kl_floor``, what
        as many real images score on average: sampling alone raises the KL, and so do classes that
        are not equally common, or that the classifier mistakes for one another.

    Raises:
        ValueError: there is no sample.
    """
    total = generated.shape[1]
    found = np.asarray(generated).argmax(axis=1)

    def numbers(modes: Int[np.ndarray, " n"]) -> dict[str, float]:
        counts = np.bincount(modes, minlength=total)
        return {"modes": float(np.count_nonzero(counts)), "mode_kl": mode_kl(counts)}

    if replicates > 1:
        estimates = bootstrap_each(numbers, found, replicates=replicates, seed=seed)
    else:
        estimates = {k: Estimate(v, math.nan, math.nan) for k, v in numbers(found).items()}
    floor = kl_floor(_independent(np.asarray(real).argmax(axis=1), total), len(found), seed=seed)
    return {**estimates, "mode_kl_floor": floor}


def _independent(
    modes: Int[np.ndarray, " m"], total: int, channels: int = 3
) -> Float[np.ndarray, " modes"]:
    """Shares of the modes, from those of the classes in all channels together."""
    classes = round(total ** (1 / channels))
    digits = np.concatenate(np.unravel_index(modes, (classes,) * channels))
    each = np.bincount(digits, minlength=classes) / len(digits)
    shares = np.ones(1)
    for _ in range(channels):
        shares = np.outer(shares, each).ravel()
    return shares
