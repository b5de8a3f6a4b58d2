"""Are samples copies of training images? Their distances to these, beside those of unseen images.

A generator that has learned a distribution draws images that are as far from the training images as
other real images are, which it has not seen. Three looks at that, since each misses something:

- ``close``: the share of samples that are closer to a training image than nearly all held-out
  images are. It finds copies among samples that are otherwise poor.
- ``closer``: the chance that a sample is closer to its nearest training image than a held-out image
  is to its own (Meehan, Chaudhuri and Dasgupta 2020, "A Non-Parametric Test to Detect Data-Copying
  in Generative Models", section 3: the Mann-Whitney test over all of space). 1/2 for new images, 1
  for copies. Smooth samples, in the middle of the data, exceed 1/2 without having copied.
- ``nearer_to_training``: the share of samples whose nearest image among training *and* held-out
  ones is a training image. Smooth samples do not raise it, for the two kinds of images are alike.
  Where several images are equally near, each has an equal part of the sample.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float64, Num

from jaxgan.evaluation.distances.pairwise import (
    Points,
    near_pairs,
    nearest,
    prepare,
    squared_distances,
)
from jaxgan.evaluation.statistics.intervals import Estimate, bootstrap
from jaxgan.evaluation.statistics.proportions import share


class Memorization(NamedTuple):
    """What was found, and what independent draws would give."""

    close: Estimate
    """Share of samples within the distance that only a few held-out images are within."""
    close_expected: float
    """The same share of the held-out images."""
    closer: Estimate
    """Chance that a sample is nearer to the training set than a held-out image is."""
    closer_p_value: float
    """Of the one-sided Mann-Whitney test: chance of so high a ``closer`` for independent draws."""
    nearer_to_training: float
    """Share of samples that are nearer to a training image than to any held-out one."""
    nearer_expected: float
    """The same for images that know neither: the training images' share of all."""
    nearer_p_value: float
    """Of the one-sided test by exchanging training and held-out images."""


def memorization(
    train: Num[np.ndarray | Array, "_train *_shape"],
    held_out: Num[np.ndarray | Array, "_held_out *_shape"],
    generated: Num[np.ndarray | Array, "_generated *_shape"],
    *,
    quantile: float = 0.05,
    replicates: int = 200,
    seed: int = 0,
) -> Memorization:
    """Compares samples with what a generator was trained on and with what it never saw.

    Distances are Euclidean, of pixels or of features, to the single nearest image.

    Args:
        train: images (or features) that the generator was trained on, all of them.
        held_out: images of the same distribution that it was not trained on.
        generated: samples.
        quantile: which share of the held-out images counts as close.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        Statistics whose intervals cover the drawing of the samples and of the held-out images,
        with the training set given. That of ``close`` is the wider of the bootstrap over both and
        of Wilson's over the samples; that of ``closer`` is the normal one with the variance of
        DeLong, DeLong and Clarke-Pearson 1988, or Wilson's where all of one set come first.

    Raises:
        ValueError: a set is empty or has values that are not finite; shapes differ; there are
            fewer than two held-out images or samples; or ``quantile`` is not between 0 and 1.
    """
    if not 0 < quantile < 1:
        raise ValueError(f"memorization: quantile must lie between 0 and 1, got {quantile}")
    names = ("training", "held-out", "generated")
    arrays = [np.asarray(images) for images in (train, held_out, generated)]
    for images, name in zip(arrays, names, strict=True):
        if images.shape[1:] != arrays[0].shape[1:] or images.dtype != arrays[0].dtype:
            raise ValueError(
                f"memorization: {names[0]} images are {arrays[0].dtype}{arrays[0].shape[1:]}, "
                f"{name} ones {images.dtype}{images.shape[1:]}; they must be alike"
            )
        if len(images) < 2:
            raise ValueError(f"memorization: the {name} set has {len(images)}, needs at least 2")
    flat = {
        name: images.reshape(len(images), -1) for images, name in zip(arrays, names, strict=True)
    }
    seen, unseen, samples = prepare("memorization", **flat)
    of_unseen = nearest(unseen, seen, 1).squared[:, 0]
    of_samples, choices = _choices(samples, seen, unseen)

    from scipy import stats

    test = stats.mannwhitneyu(of_samples, of_unseen, alternative="less", method="asymptotic")
    nearer, nearer_p_value = _exchange(len(seen), choices)
    limit = _quantile(of_unseen, quantile)
    return Memorization(
        close=_close(of_samples, of_unseen, quantile, replicates, seed),
        close_expected=float((of_unseen <= limit).mean()),
        closer=_closer(of_samples, of_unseen),
        closer_p_value=float(test.pvalue),
        nearer_to_training=nearer,
        nearer_expected=len(seen) / (len(seen) + len(unseen)),
        nearer_p_value=nearer_p_value,
    )


def _quantile(distances: Float64[np.ndarray, "n"], quantile: float) -> float:
    """The smallest of the distances that at least this share of them do not exceed."""
    return float(np.quantile(distances, quantile, method="inverted_cdf"))


def _close(
    samples: Float64[np.ndarray, "n"],
    unseen: Float64[np.ndarray, "m"],
    quantile: float,
    replicates: int,
    seed: int,
) -> Estimate:
    def statistic(samples: Float64[np.ndarray, "n"], unseen: Float64[np.ndarray, "m"]) -> float:
        # At the limit counts too: where held-out images repeat training images, it is zero.
        return float((samples <= _quantile(unseen, quantile)).mean())

    both = bootstrap(statistic, samples, unseen, replicates=replicates, seed=seed)
    one = share(samples <= _quantile(unseen, quantile))
    return Estimate(one.value, max(min(both.low, one.low), 0.0), min(max(both.high, one.high), 1.0))


def _closer(samples: Float64[np.ndarray, "n"], unseen: Float64[np.ndarray, "m"]) -> Estimate:
    """Area under the curve: the chance that a sample's distance is the smaller, ties by half."""

    def below(a: Float64[np.ndarray, "a"], b: Float64[np.ndarray, "b"]) -> Float64[np.ndarray, "a"]:
        """For each of ``a``, the share of ``b`` below it, with half of those equal to it."""
        ordered = np.sort(b)
        left = np.searchsorted(ordered, a, side="left")
        right = np.searchsorted(ordered, a, side="right")
        return (left + right) / (2 * len(b))

    by_sample, by_unseen = 1 - below(samples, unseen), below(unseen, samples)
    value = float(by_sample.mean())
    if value in (0.0, 1.0):
        return share(np.full(min(len(samples), len(unseen)), value == 1.0))
    variance = by_sample.var(ddof=1) / len(samples) + by_unseen.var(ddof=1) / len(unseen)
    half = 1.959963984540054 * math.sqrt(float(variance))
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0))


def _choices(
    samples: Points, seen: Points, unseen: Points
) -> tuple[Float64[np.ndarray, "samples"], Float64[np.ndarray, "images"]]:
    """Squared distances to the training images, and how many samples each image is nearest to.

    Training images come first, then those held out.
    A sample with several nearest images is shared between them, so that no kind of image has an
    advantage: images of 8 bits do tie, and a training image may be held out as well.
    """
    parts = [
        (i, j + first, squared_distances(samples, base, i, j))
        for first, base in ((0, seen), (len(seen), unseen))
        for _, i, j in near_pairs(samples, base, 1)
    ]
    i, j, squared = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    to_seen, to_unseen = np.full((2, len(samples)), np.inf)
    is_seen = j < len(seen)
    np.minimum.at(to_seen, i[is_seen], squared[is_seen])
    np.minimum.at(to_unseen, i[~is_seen], squared[~is_seen])
    chosen = squared == np.minimum(to_seen, to_unseen)[i]
    i, j = i[chosen], j[chosen]
    return to_seen, np.bincount(j, 1 / np.bincount(i)[i], minlength=len(seen) + len(unseen))


def _exchange(seen: int, choices: Float64[np.ndarray, "images"]) -> tuple[float, float]:
    """Share of samples that chose one of the first ``seen`` images, and how likely that much is.

    If samples know neither set, which images are the training ones is a matter of chance. The sum
    of the choices over a random ``seen`` out of all is then a sample without replacement: its mean
    and variance are known exactly, however many samples crowd about one image.
    """
    total, samples = len(choices), choices.sum()
    unseen = total - seen
    value = float(choices[:seen].sum() / samples)
    variance = seen * unseen / (total * (total - 1)) * np.square(choices - choices.mean()).sum()
    if variance == 0:
        return value, 0.5
    from scipy import special

    excess = (value - seen / total) * float(samples)
    return value, float(special.ndtr(-excess / math.sqrt(variance)))
