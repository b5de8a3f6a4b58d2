"""Log-likelihood of a decoder's images by annealed importance sampling, and bounds of its error.

Nothing but the decoder is asked: chains go from the prior of codes to the posterior of an image,
over distributions ``p(z) p(x|z)^b`` with b from 0 to 1, by Hamiltonian Monte Carlo. Started at an
exact draw of the posterior and run backwards, they bound the same number from above
(`jaxgan.evaluation.likelihood.bidirectional`).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from jaxgan import rng
from jaxgan.evaluation.likelihood import posteriors
from jaxgan.evaluation.likelihood.hamiltonian import transition
from jaxgan.evaluation.likelihood.targets import Target
from jaxgan.typing import Batch, PRNGKey

ROWS = 1024
"""Chains of all images that move in one call, at most, unless one image has more."""

STEPS_IN_A_CALL = 100
"""Temperatures of one call; a line is told after each ten of them."""

ACCEPTED = 0.65
"""Share of the proposals that step sizes are tuned to (Neal, MCMC Using Hamiltonian Dynamics, 2011,
section 4.4)."""


@dataclasses.dataclass(frozen=True)
class Annealing:
    """How long, and for how many images."""

    chains: int = 16
    """Chains of each image."""
    temperatures: int = 1000
    """Distributions after the prior, the last of which is the posterior; the paper's 10,000."""
    leapfrog: int = 10
    """Leapfrog steps of the one trajectory at each."""
    images: int = 100
    """Held-out images, at most: the first ones."""
    simulated: int = 16
    """Images drawn from the model itself, of which both bounds are known; 0: none."""
    scale: float = 0.1
    """Standard deviation of the normal noise on pixels, where 1 is the step from black to white;
    for models that have no likelihood of their own, such as GANs."""

    def __post_init__(self) -> None:
        for name in ("chains", "temperatures", "leapfrog", "images"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 1")
        if self.simulated < 0:
            raise ValueError(f"simulated = {self.simulated}: must be at least 0")
        if not 0.0 < self.scale < math.inf:
            raise ValueError(f"scale = {self.scale}: a standard deviation is positive and finite")

    @property
    def evaluations(self) -> int:
        """Of the decoder, for each chain."""
        return self.temperatures * (self.leapfrog + 2)


USUAL = Annealing()
"""Unless said otherwise."""


class Annealed(NamedTuple):
    """What was found of each image."""

    log_likelihood: Float64[np.ndarray, "images"]
    """In nats; below the truth on average, or above where chains ran backwards."""
    effective_samples: Float64[np.ndarray, "images"]
    """Of the chains' weights, between 1 and the number of chains."""
    accepted: float
    """Share of the proposals that were taken."""


def schedule(temperatures: int) -> Float64[np.ndarray, "steps"]:
    """From 0 to 1, slowly at both ends: a sigmoid from -4 to 4, scaled.

    >>> schedule(2).tolist()
    [0.0, 0.5, 1.0]

    References:
        Wu et al., On the Quantitative Analysis of Decoder-Based Generative Models, 2017, section 5.
    """
    sigmoid = 1.0 / (1.0 + np.exp(-np.linspace(-4.0, 4.0, temperatures + 1)))
    return (sigmoid - sigmoid[0]) / (sigmoid[-1] - sigmoid[0])


def annealed_log_likelihood(
    target: Target,
    batches: Iterable[Batch],
    settings: Annealing = USUAL,
    *,
    seed: int = 0,
    log: Callable[[str], None] = lambda line: None,
) -> Annealed:
    """A stochastic lower bound of ``log p(x)`` of each image, from the prior to the posterior.

    Of each image, ``log 1/K sum_k w_k`` over K chains, ``log w`` the sum over temperatures of
    ``(b_t - b_(t-1)) log p(x|z_(t-1))``. Step sizes, one an image and temperature, are tuned by
    chains of their own before, so that the weights are unbiased.

    Args:
        target: the decoder.
        batches: images and what else it reads; rows with ``mask`` 0 do not count.
        settings: how long, and for how many images.
        seed: of all that is drawn.
        log: gets a line now and then.

    Raises:
        ValueError: there are no images, or an estimate is not finite.

    References:
        Neal, Annealed Importance Sampling, 2001. Wu, Burda, Salakhutdinov and Grosse, On the
        Quantitative Analysis of Decoder-Based Generative Models, 2017.
    """
    found, first = [], 0
    for batch, kept in posteriors.padded(pieces(batches, settings)):
        key = jax.random.fold_in(rng.role_key(rng.base_key(seed), "annealed"), first)
        said = _telling(log, f"ais: images {first + 1} to {first + int(kept.sum())}", settings)
        run = functools.partial(run_chains, target, batch, settings=settings, said=said)
        sizes = run(rng.role_key(key, "tuning"))[1]
        part = run(rng.role_key(key, "forward"), sizes=sizes)[0]
        found.append((part.log_likelihood[kept], part.effective_samples[kept], part.accepted))
        check_finite(found[-1][0], first)
        first += int(kept.sum())
    if not first:
        raise ValueError("there are no images to take the log-likelihood of")
    values, effective, accepted = zip(*found, strict=True)
    return Annealed(np.concatenate(values), np.concatenate(effective), float(np.mean(accepted)))


def pieces(batches: Iterable[Batch], settings: Annealing) -> Iterable[Batch]:
    """The first images that count, in batches whose chains fit into one call."""
    size, left = max(1, ROWS // settings.chains), settings.images
    for batch in batches:
        arrays = {name: np.asarray(array) for name, array in batch.items()}
        kept = np.flatnonzero(arrays.pop("mask", np.ones(len(arrays["image"]))) != 0)[:left]
        left -= len(kept)
        for start in range(0, len(kept), size):
            yield {name: array[kept[start : start + size]] for name, array in arrays.items()}


def run_chains(
    target: Target,
    batch: dict[str, np.ndarray],
    key: PRNGKey,
    *,
    settings: Annealing,
    sizes: Any = None,
    start: Any = None,
    said: Callable[[int], None] = lambda done: None,
) -> tuple[Annealed, Any]:
    """One pass over all temperatures, and its step sizes, ``(temperatures, images)``.

    Args:
        target: the decoder.
        batch: images.
        key: of all that is drawn.
        settings: how long.
        sizes: step sizes; None: they are tuned on the way.
        start: where chains start that run backwards, a code an image; None: forwards.
        said: is told temperatures done.
    """
    rows, chains = len(batch["image"]), settings.chains
    tiled = {n: jnp.asarray(np.tile(a, (chains,) + (1,) * (a.ndim - 1))) for n, a in batch.items()}
    betas = schedule(settings.temperatures).astype(np.float32)
    before, after, order = betas[:-1], betas[1:], np.arange(settings.temperatures)
    backwards, tunes = start is not None, sizes is None
    if backwards:
        before, after, order = before[::-1], after[::-1], order[::-1]
        codes = jnp.tile(jnp.asarray(start, jnp.float32), (chains, 1))
    else:
        codes = target.draw(rng.role_key(key, "start"), chains * rows)
    size = jnp.full(rows, 0.1) if tunes else None
    carry, used, total, accepted = (codes, size), [], np.zeros(chains * rows), 0.0
    for first in range(0, settings.temperatures, STEPS_IN_A_CALL):
        part = slice(first, first + STEPS_IN_A_CALL)
        given = (before[part], after[part], order[part].astype(np.int32))
        given = (*given, None if sizes is None else sizes[order[part]])
        carry, (gains, shares, taken) = _steps(
            target.log_likelihood, target.log_prior, tiled, carry, given, key,
            leapfrog=settings.leapfrog, backwards=backwards,
        )  # fmt: skip
        # Sums over thousands of temperatures, on the host in float64.
        total += np.asarray(gains, np.float64).sum(0)
        accepted += float(np.asarray(shares).sum())
        used.append(np.asarray(taken))
        said(min(first + STEPS_IN_A_CALL, settings.temperatures))
    weights = total.reshape(chains, rows)
    with np.errstate(invalid="ignore"):
        whole = np.logaddexp.reduce(weights, axis=0)
        effective = np.exp(2 * whole - np.logaddexp.reduce(2 * weights, axis=0))
    share = accepted / settings.temperatures
    return Annealed(whole - math.log(chains), effective, share), np.concatenate(used)


@functools.partial(jax.jit, static_argnames=("leapfrog", "backwards"))
def _steps(
    log_likelihood: Any, log_prior: Any, batch: Any, carry: Any, given: Any, key: Any, *,
    leapfrog: int, backwards: bool,
):  # fmt: skip
    """Some temperatures: gains of the log weights, shares accepted and step sizes of each."""

    def one(carry: Any, given: Any) -> Any:
        codes, tuned = carry
        before, after, place, size = given
        size = tuned if size is None else size
        own = rng.role_key(rng.step_key(key, place), "trajectory")

        def energy(codes: Any) -> Any:
            return log_prior(codes) + after * log_likelihood(batch, codes)

        def moved(codes: Any) -> Any:
            each = jnp.tile(size, codes.shape[0] // size.shape[0])
            return transition(energy, codes, each, own, leapfrog=leapfrog)

        if backwards:
            codes, share = moved(codes)
            gain = (before - after) * log_likelihood(batch, codes)
        else:
            gain = (after - before) * log_likelihood(batch, codes)
            codes, share = moved(codes)
        if tuned is not None:
            of_image = jnp.mean(share.reshape(-1, size.shape[0]), axis=0)
            tuned = size * jnp.exp(0.2 * (of_image - ACCEPTED))
        return (codes, tuned), (gain, jnp.mean(share), size)

    return jax.lax.scan(one, carry, given)


def _telling(log: Callable[[str], None], what: str, settings: Annealing) -> Callable[[int], None]:
    def said(done: int) -> None:
        if done % (10 * STEPS_IN_A_CALL) == 0 or done == settings.temperatures:
            log(f"{what}, temperature {done:,} of {settings.temperatures:,}")

    return said


def check_finite(values: np.ndarray, first: int) -> None:
    """Refuses estimates that are not finite, of images that begin at number ``first``."""
    if not (finite := np.isfinite(values)).all():
        where = int(np.argmin(finite))
        raise ValueError(
            f"the log-likelihood of image {first + where} is {values[where]}: the model's output is"
            " not finite"
        )
