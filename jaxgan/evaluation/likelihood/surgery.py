"""What the KL of a variational bound is made of, over a whole data set; and active units.

With ``n`` uniform on the images of the data set, ``q(z|n)`` the posterior of image ``n``, and
``q(z) = 1/N sum_n q(z|n)`` the aggregated posterior,

    E_n KL(q(z|n) || p(z)) = I(n; z) + KL(q(z) || prod_d q(z_d)) + sum_d KL(q(z_d) || p(z_d)):

mutual information, total correlation and dimension-wise KL (Chen et al. 2018, equation 2); the last
two together are the marginal KL (Hoffman and Johnson 2016). All of it in nats.

Here ``q(z)`` is the mixture over *all* images given, its sums taken in blocks. Estimates from
minibatches, such as training objectives use, are biased.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float64

from jaxgan import rng
from jaxgan.evaluation.likelihood import posteriors
from jaxgan.evaluation.likelihood.posteriors import Codes
from jaxgan.evaluation.likelihood.summaries import mean_over_images
from jaxgan.evaluation.statistics.intervals import Estimate

BLOCK = 256
"""Codes, and posteriors, that are compared in one go: ``block^2 * latent`` numbers are held."""

DRAWS = 4096
"""Codes drawn in all, by default: beyond some thousands, the images decide how sure a term is."""

ACTIVE = 0.01
"""Variance of a unit's posterior means above which it is active (Burda et al. 2016)."""

_LOG_2PI = math.log(2 * math.pi)


class Surgery(NamedTuple):
    """Terms of the mean KL, in nats an image; the first three add up to ``kl``.

    The 95% intervals cover the drawing of images and codes to first order: each term is a mean over
    images whose dependence on the others, through ``q(z)``, has no first-order effect (densities
    integrate to one whatever the images). They do not cover the cap of ``mutual_information``.
    """

    mutual_information: Estimate
    """``I(n; z)``, at most ``ceiling`` (up to the codes drawn); near it, this says only that every
    image has codes of its own, and more images would give more."""
    total_correlation: Estimate
    dimension_wise_kl: Estimate
    kl: Estimate
    """``E_n KL(q(z|n) || p(z))``, in closed form."""
    marginal_kl: Estimate
    """``KL(q(z) || p(z))``: total correlation and dimension-wise KL together."""
    ceiling: float
    """``log N``, the most information that N images have."""
    kl_by_dimension: Float64[np.ndarray, "latent"]
    dimension_wise_kl_by_dimension: Float64[np.ndarray, "latent"]
    """What it lacks of ``kl_by_dimension`` is ``I(n; z_d)``."""


def surgery(
    codes: Codes, *, samples: int | None = None, block: int = BLOCK, seed: int = 0
) -> Surgery:
    """Takes the mean KL apart.

    Each term is the mean, over images and codes drawn from their posteriors, of a difference of log
    densities. Of each dimension their sum for one code, ``log q(z_d|n) - log p(z_d)``, has an
    expectation in closed form; by how much it misses that is known, and is taken out of the terms
    in the shares in which they vary with it (a control variate). So the terms of every image add up
    to its KL, and vary less.

    The cost is ``samples * N^2 * latent`` exponentials.

    Args:
        codes: posteriors of all images, from `jaxgan.evaluation.likelihood.posteriors.encode`.
        samples: codes drawn from each; None: so many that about `DRAWS` are drawn in all, at least
            two.
        block: as `BLOCK`; the result does not depend on it.
        seed: of the draws.

    Raises:
        ValueError: there are fewer than two images, a posterior is not finite, or ``samples`` or
            ``block`` is below 1.

    References:
        Hoffman and Johnson, ELBO surgery: yet another way to carve up the variational evidence
        lower bound, 2016. Chen et al., Isolating Sources of Disentanglement in VAEs, 2018, eq. 2.
    """
    images = len(codes.mean)
    if images < 2:
        raise ValueError(f"{images} image: an aggregated posterior needs at least 2")
    samples = max(2, DRAWS // images) if samples is None else samples
    if samples < 1 or block < 1:
        raise ValueError(f"samples = {samples}, block = {block}: both must be at least 1")
    posteriors.check(codes)

    key = rng.role_key(rng.base_key(seed), "surgery")
    latents, noise = posteriors.draw(
        key,
        jnp.asarray(codes.mean),
        jnp.asarray(codes.log_variance),
        jnp.arange(images),
        np.int32(0),
        count=samples,
    )
    flat = np.asarray(latents).reshape(samples * images, -1)
    joint, marginal = aggregated_log_density(flat, codes, block=block)
    # From here on: (draws, images, ...), in float64.
    joint = joint.reshape(samples, images)
    marginal = marginal.reshape(samples, images, -1)
    z, standard = np.asarray(latents, np.float64), np.asarray(noise, np.float64)
    log_variance = np.asarray(codes.log_variance, np.float64)
    conditional = -0.5 * (np.square(standard) + log_variance + _LOG_2PI)
    prior = -0.5 * (np.square(z) + _LOG_2PI)

    # What the codes drawn happen to miss of the KL, of each image and dimension; 0 on average.
    kl_by_dimension = posteriors.kl_by_dimension(codes)
    excess = conditional - prior - kl_by_dimension
    share = _share(conditional - marginal, excess)
    by_dimension = (marginal - prior - (1 - share) * excess).mean(0)
    dimension_wise = by_dimension.sum(-1)
    rest = (share * excess).sum(-1)
    information = conditional.sum(-1) - joint
    share = _share(information, rest)
    correlation = (joint - marginal.sum(-1) - (1 - share) * rest).mean(0)
    information = (information - share * rest).mean(0)
    kl = kl_by_dimension.sum(-1)

    return Surgery(
        mutual_information=mean_over_images(information),
        total_correlation=mean_over_images(correlation),
        dimension_wise_kl=mean_over_images(dimension_wise),
        kl=mean_over_images(kl),
        marginal_kl=mean_over_images(correlation + dimension_wise),
        ceiling=math.log(images),
        kl_by_dimension=kl_by_dimension.mean(0),
        dimension_wise_kl_by_dimension=by_dimension.mean(0),
    )


def _share(
    values: Float64[np.ndarray, "draws images ..."], excess: Float64[np.ndarray, "draws images ..."]
) -> Float64[np.ndarray, "..."]:
    """How much of what is 0 on average is in the values: the slope among the codes of one image.

    Among images, values differ for other reasons. With one code an image nothing is known, and the
    share is 0.
    """
    deviation = excess - excess.mean(0)
    product = (deviation * (values - values.mean(0))).sum((0, 1))
    spread = np.square(deviation).sum((0, 1))
    return np.asarray(product / np.where(spread > 0, spread, np.inf))


def aggregated_log_density(
    latents: Float[np.ndarray, "n latent"], codes: Codes, *, block: int = BLOCK
) -> tuple[Float64[np.ndarray, "n"], Float64[np.ndarray, "n latent"]]:
    """``log q(z)`` and ``log q(z_d)`` under the aggregated posterior of all images.

    Args:
        latents: where to take the densities.
        codes: posteriors whose equal mixture it is.
        block: as `BLOCK`.

    Returns:
        The joint density, and those of each dimension alone.
    """
    images, size = codes.mean.shape
    columns = -(-images // block)
    missing = [(0, columns * block - images), (0, 0)]
    mean, log_variance = (
        jnp.asarray(np.pad(part, missing).reshape(columns, block, size)) for part in codes
    )
    real = jnp.asarray((np.arange(columns * block) < images).reshape(columns, block))
    joints, marginals = [], []
    for start in range(0, len(latents), block):
        rows = np.asarray(latents[start : start + block], np.float32)
        count = len(rows)
        rows = jnp.asarray(np.pad(rows, [(0, block - count), (0, 0)]))
        parts = _block_log_sums(rows, mean, log_variance, real)
        joint, marginal = (np.asarray(part, np.float64)[:, :count] for part in parts)
        joints.append(np.logaddexp.reduce(joint, axis=0))
        marginals.append(np.logaddexp.reduce(marginal, axis=0))
    shift = math.log(images)
    return (
        np.concatenate(joints) - shift - 0.5 * size * _LOG_2PI,
        np.concatenate(marginals) - shift - 0.5 * _LOG_2PI,
    )


@jax.jit
def _block_log_sums(
    latents: Float[Array, "rows latent"],
    mean: Float[Array, "blocks columns latent"],
    log_variance: Float[Array, "blocks columns latent"],
    real: Bool[Array, "blocks columns"],
) -> tuple[Float[Array, "blocks rows"], Float[Array, "blocks rows latent"]]:
    """Log-sum-exps over each block of posteriors, without the constants of the densities."""

    def one(block: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        mean, log_variance, real = block
        # The difference itself is squared: the binomial's three terms would cancel.
        scaled = (latents.T[:, :, None] - mean.T[:, None]) * jnp.exp(-0.5 * log_variance).T[:, None]
        density = -0.5 * (jnp.square(scaled) + log_variance.T[:, None])
        log_sum = functools.partial(jax.nn.logsumexp, axis=-1)
        joint = log_sum(jnp.where(real, density.sum(0), -jnp.inf))
        return joint, log_sum(jnp.where(real, density, -jnp.inf)).T

    return jax.lax.map(one, (mean, log_variance, real))


@dataclasses.dataclass(frozen=True, eq=False)
class ActiveUnits:
    """Code dimensions that tell images apart."""

    count: Estimate
    """Units whose variance is above the threshold; the ends count those whose 95% intervals have an
    upper, or a lower, end above it."""
    variances: Float64[np.ndarray, "latent"]
    """Variance over the images of each unit's posterior mean."""
    active: Bool[np.ndarray, "latent"]


def active_units(
    mean: Float[np.ndarray, "images latent"], *, threshold: float = ACTIVE
) -> ActiveUnits:
    """Counts units whose posterior mean varies over the data set.

    The variances' intervals are normal, with the standard error that follows from the fourth
    moment, and cover the drawing of the images.

    Args:
        mean: posterior means of all images.
        threshold: variance above which a unit is active.

    Raises:
        ValueError: there are fewer than two images, or a mean is not finite.

    References:
        Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016, section 5.
    """
    values = np.asarray(mean, np.float64)
    n = len(values)
    if n < 2:
        raise ValueError(f"{n} image: the variance of posterior means needs at least 2")
    if not np.isfinite(values).all():
        raise ValueError("a posterior mean is NaN or infinite")
    centered = values - values.mean(0)
    variances = values.var(0, ddof=1)
    # Variance of a sample variance (Cramer 1946, section 27.4).
    of_variance = (np.mean(centered**4, 0) - variances**2 * (n - 3) / (n - 1)) / n
    half = 1.959964 * np.sqrt(np.maximum(of_variance, 0.0))
    low, value, high = (
        float(np.sum(ends > threshold)) for ends in (variances - half, variances, variances + half)
    )
    return ActiveUnits(Estimate(value, low, high), variances, variances > threshold)
