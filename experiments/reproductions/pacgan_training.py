"""One row of PacGAN's table 1: trials of one discriminator on one data set, and their scores.

`pacgan_table_1.py` has the protocol.
"""

from __future__ import annotations

import math
import time
from typing import Any

import jax
import numpy as np
from simultaneous import Passes, Simultaneous

from jaxgan import rng
from jaxgan.algorithms.gan_parts import packed
from jaxgan.algorithms.state import State
from jaxgan.cli.datasets import DATASETS
from jaxgan.config import Experiment
from jaxgan.evaluation.manifolds.mixtures import mixture_scores
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam
from jaxgan.program import example_batch
from jaxgan.training.population import compile_population
from jaxgan.typing import Pixels, PRNGKey

METRICS = ("modes", "high quality, %", "reverse KL")
POINTS, BATCH, SAMPLES = 100_000, 100, 2500
RENEWALS = 50
"""Batches that bring the running moments up to date."""
CALL = 250
"""Steps in one call of the compiled program."""


def experiment_of(data: str, pack: int, epochs: int) -> Experiment:
    """One row of the table, of any seed."""
    adam = Adam(learning_rate=1e-4, b1=0.8)
    generator = MlpGenerator(widths=(400,) * 4, batch_norm=True, bounded=False, init_std=0.02)
    model = Simultaneous(
        generator=Passes(generator, pack),
        discriminator=MlpDiscriminator(widths=(200,) * 3, pieces=5, init_std=0.02),
        loss=NonSaturating(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        prior=Normal(2),
        pack=pack,
    )
    return Experiment(
        name="pacgan_table_1", model=model, data=DATASETS[data],
        steps=epochs * (POINTS // BATCH), batch_size=BATCH,
    )  # fmt: skip


def packs_of(data: str, pack: int) -> np.ndarray:
    """The training set of all trials, ``(POINTS, 1, 1, 2 pack)``, the same in all epochs."""
    source: Any = DATASETS[data].source
    points = source.load("train").images
    # The stream of this generator is frozen for good, as that of the points is.
    rows = np.random.RandomState(pack).randint(len(points), size=POINTS * pack)
    return np.asarray(packed(points[rows], pack))


def trained(experiment: Experiment, images: np.ndarray, trials: int) -> State:
    """The states of all trials, seeds 0 and up, after the last step."""
    population = compile_population(experiment)
    seeds = np.arange(trials, dtype=np.uint32)
    arrays = {"image": jax.device_put(images)}
    (phase,) = population.phases

    @jax.jit
    def several(states: State, count: Any) -> State:
        return jax.lax.fori_loop(
            0, count, lambda _, state: phase.step(state, arrays, seeds)[0], states
        )

    states, done = population.init(seeds, example_batch(experiment)), 0
    while done < experiment.steps:
        count = min(CALL, experiment.steps - done)
        # A signal is heard between two calls, which would else all be sent off at once.
        states, done = jax.block_until_ready(several(states, count)), done + count
    return states


def samples_of(experiment: Experiment, states: State, trials: int) -> np.ndarray:
    """Points of each trial, ``(trials, SAMPLES, 1, 1, 2)``."""
    model: Any = experiment.model

    def draw(key: PRNGKey, count: int) -> Any:
        return rng.per_example(lambda one: model.prior.draw(one, 0), key, count)

    def of_one(variables: Any, seed: Any) -> Pixels:
        def made(moments: Any, codes: Any, **more: Any) -> Any:
            own = {"params": variables["params"], "batch_stats": moments}
            return model.generator.apply(own, codes, image_shape=(1, 1, 2), **more)

        def renewed(moments: Any, key: PRNGKey) -> tuple[Any, None]:
            codes = draw(key, BATCH * model.pack)
            return made(moments, codes, train=True, mutable=["batch_stats"])[1]["batch_stats"], None

        keys = jax.random.split(rng.role_key(rng.base_key(seed), "renewal"), RENEWALS)
        moments, _ = jax.lax.scan(renewed, variables["batch_stats"], keys)
        return made(moments, draw(jax.random.key(1), SAMPLES), train=False)

    seeds = np.arange(trials, dtype=np.uint32)
    return np.asarray(jax.jit(jax.vmap(of_one))(states.players["generator"].variables, seeds))


def scores_of(points: np.ndarray, data: str) -> list[float | None]:
    """`METRICS` of points, ``(n, 1, 1, 2)``; where no sample is good there is no divergence."""
    source: Any = DATASETS[data].source
    modes, good, kl = mixture_scores(points, source.modes, source.std)
    return [modes, round(100 * good, 2), round(kl, 5) if math.isfinite(kl) else None]


def row_of(data: str, pack: int, trials: int, epochs: int) -> dict[str, Any]:
    """One row of the table: every trial trained, and scored as in `METRICS`."""
    begin, experiment = time.monotonic(), experiment_of(data, pack, epochs)
    states = trained(experiment, packs_of(data, pack), trials)
    runs = [scores_of(points, data) for points in samples_of(experiment, states, trials)]
    seconds = round(time.monotonic() - begin, 1)
    return {**key_of(data, pack, trials, epochs), "runs": runs, "seconds": seconds}


def key_of(data: str, pack: int, trials: int, epochs: int) -> dict[str, Any]:
    """What tells a row from others."""
    return {"data": data, "pack": pack, "trials": trials, "epochs": epochs}
