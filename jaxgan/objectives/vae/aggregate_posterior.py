"""Densities of codes under the aggregate posterior, estimated from the images of one batch.

The aggregate posterior ``q(z) = 1/N sum_n q(z|x_n)`` is a mixture over all training images. A batch
has a few of them, and weights say what each of those stands for.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.vae.posteriors import Encoded
from jaxgan.typing import Codes, PerExample, PRNGKey


class LogDensities(NamedTuple):
    """Of one code of each image, in nats.

    Attributes:
        joint: ``log q(z)``.
        marginals: ``sum_d log q(z_d)``.
    """

    joint: PerExample
    marginals: PerExample


def log_weights(count: int, examples: int, *, stratified: bool) -> Float[Array, "count count"]:
    """Logs of what ``q(z_i|x_j)`` counts in an estimate of ``q(z_i)``; row i is for code i.

    Minibatch-weighted sampling counts each with ``1 / (M N)``, for M images in the batch and N in
    all. That is too little: by a factor M where no two posteriors overlap, and N where all are one.
    A total correlation of d dimensions is too large by up to ``d log N - log M``, of which its
    slopes know nothing: they do not depend on N.

    Stratified sampling is unbiased. The code was drawn for image i, which is one of the N for sure
    and counts ``1/N``. The other ``M - 1`` are drawn from the other ``N - 1`` images without
    replacement, so their mean estimates the mean over those, which counts ``(N - 1) / N`` in all:
    each counts ``(N - 1) / (N (M - 1))``, and a row sums to 1. The paper's estimate gives
    one of the others another weight than the rest; this is its mean over their orders.

    >>> [round(float(w), 2) for w in jnp.exp(log_weights(3, 5, stratified=True)[1])]
    [0.4, 0.2, 0.4]

    Args:
        count: images of the batch, M.
        examples: training images, N.
        stratified: which of the two.

    References:
        Chen, Li, Grosse and Duvenaud, Isolating Sources of Disentanglement in Variational
        Autoencoders, 2018, appendix C.
    """
    if not stratified:
        return jnp.full((count, count), -math.log(count * examples))
    others = math.log((examples - 1) / (examples * (count - 1)))
    return jnp.where(jnp.eye(count, dtype=bool), -math.log(examples), others)


def log_densities(
    codes: Float[Array, "rows latent"], encoded: Encoded, weights: Float[Array, "rows batch"]
) -> LogDensities:
    """Densities under the mixture of a batch's posteriors.

    The sum over dimensions is taken before that over images for ``joint``, and after it for
    ``marginals``.

    Args:
        codes: ``(rows, latent)``.
        encoded: of the whole batch.
        weights: logs of what each image of the batch counts for each code.
    """
    means, log_variances = encoded.mean[None], encoded.log_variance[None]
    squares = jnp.square(codes[:, None] - means) * jnp.exp(-log_variances)
    by_dimension = -0.5 * (squares + log_variances + math.log(2.0 * math.pi))
    joint = jax.nn.logsumexp(jnp.sum(by_dimension, axis=-1) + weights, axis=1)
    marginals = jax.nn.logsumexp(by_dimension + weights[..., None], axis=1)
    return LogDensities(joint, jnp.sum(marginals, axis=-1))


def product_of_marginals(key: PRNGKey, codes: Codes) -> Codes:
    """Codes whose dimensions come from different images: draws of ``prod_d q(z_d)``.

    >>> from jaxgan import rng
    >>> codes = jnp.arange(8.0).reshape(4, 2)
    >>> jnp.sort(product_of_marginals(rng.base_key(0), codes), axis=0).tolist()
    [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]

    Args:
        key: of the orders, which every dimension has one of.
        codes: one of each image of a batch.

    References:
        Kim and Mnih, Disentangling by Factorising, 2018, algorithm 1.
    """
    keys = jax.vmap(lambda place: jax.random.fold_in(key, place))(jnp.arange(codes.shape[1]))
    return jax.vmap(jax.random.permutation, in_axes=(0, 1), out_axes=1)(keys, codes)
