"""The likelihood of a model's own images from below and from above, and what lies between."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable

import jax
import numpy as np
from jaxtyping import Array, Float, Float64

from jaxgan import rng
from jaxgan.evaluation.likelihood import posteriors
from jaxgan.evaluation.likelihood.annealed import (
    USUAL,
    Annealed,
    Annealing,
    check_finite,
    pieces,
    run_chains,
)
from jaxgan.evaluation.likelihood.targets import Target
from jaxgan.typing import Batch


def bidirectional(
    target: Target,
    batch: Batch,
    codes: Float[Array | np.ndarray, "images latent"],
    settings: Annealing = USUAL,
    *,
    seed: int = 0,
) -> tuple[Annealed, Annealed]:
    """Bounds of ``log p(x)`` from below and from above, of images that the model has made itself.

    An image drawn from ``p(x|z)`` of a code drawn from the prior makes that code an exact draw of
    its posterior, where chains may start that run backwards (bidirectional Monte Carlo). The gap
    between both bounds says how far estimates of other images may be off.

    Args:
        target: the decoder.
        batch: the images.
        codes: that they were drawn from.
        settings: how long.
        seed: of all that is drawn.

    References:
        Grosse, Ghahramani and Adams, Sandwiching the Marginal Likelihood Using Bidirectional Monte
        Carlo, 2015.
    """
    key = rng.role_key(rng.base_key(seed), "annealed")
    arrays = {name: np.asarray(array) for name, array in batch.items()}
    run = functools.partial(run_chains, target, arrays, settings=settings)
    sizes = run(rng.role_key(key, "tuning"))[1]
    lower = run(rng.role_key(key, "forward"), sizes=sizes)[0]
    back = run(rng.role_key(key, "reverse"), sizes=sizes, start=codes)[0]
    return lower, back._replace(log_likelihood=-back.log_likelihood)


def gap(
    target: Target,
    batches: Iterable[Batch],
    settings: Annealing = USUAL,
    *,
    seed: int = 0,
    log: Callable[[str], None] = lambda line: None,
) -> Float64[np.ndarray, "simulated"]:
    """What lies between both bounds of each of some images that the model makes: nats.

    Args:
        target: the decoder; it must have ``simulate``.
        batches: of each, what it holds beside images goes with one that is made.
        settings: how long, and for how many images.
        seed: of all that is drawn.
        log: gets a line now and then.

    Raises:
        ValueError: a bound is not finite.
    """
    assert target.simulate is not None
    key = rng.role_key(rng.base_key(seed), "simulated")
    found, first = [], 0
    few = dataclasses.replace(settings, images=settings.simulated)
    for batch, kept in posteriors.padded(pieces(batches, few)):
        log(f"ais: {int(kept.sum())} images of the model, both ways")
        own = jax.random.fold_in(key, first)
        codes = target.draw(rng.role_key(own, "codes"), len(batch["image"]))
        images = target.simulate(batch, codes, rng.role_key(own, "images"))
        made = {**batch, "image": np.asarray(images)}
        lower, upper = bidirectional(target, made, codes, settings, seed=seed + first)
        between = (upper.log_likelihood - lower.log_likelihood)[kept]
        check_finite(between, first)
        found.append(between)
        first += int(kept.sum())
    return np.concatenate(found)
