"""Members that differ in numbers are the single runs of their settings; what may not, says so."""

import re
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
import tiny

from jaxgan.config import ConfigError
from jaxgan.data import splits
from jaxgan.objectives.gan.ada import Ada
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.lecam import LeCam
from jaxgan.objectives.gan.losses import Hinge, NonSaturating, Wasserstein
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.capacity import Capacity
from jaxgan.objectives.vae.total_correlation import TotalCorrelation
from jaxgan.optim import Adam, RmsProp, Schedule, Sgd
from jaxgan.program import example_batch
from jaxgan.run.experiment_file import load_experiment
from jaxgan.training import varied
from jaxgan.training.population import compile_population, member

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SEEDS = (3, 3, 11)


def with_model(experiment, **changes):
    return replace(experiment, model=replace(experiment.model, **changes))


def gan(**changes):
    return with_model(tiny.gan(), **{"n_critic": 1, **changes})


def members(experiment, values):
    """One experiment a seed of `SEEDS`."""
    each = [{path: numbers[i] for path, numbers in values.items()} for i in range(len(SEEDS))]
    made = [varied.replaced(experiment, one) for one in each]
    return [replace(one, seed=seed) for one, seed in zip(made, SEEDS, strict=True)]


RATE = {"model.optimizer.learning_rate": (1e-3, 4e-3, 2e-3)}
CASES = {
    "gan": (
        gan(penalties=(R1(),), loss=NonSaturating(real_label=0.9)),
        {
            "model.generator_optimizer.learning_rate": (0.01, 0.05, 0.1),
            "model.ema.decay": (0.9, 0.99, 0.5),
            "model.loss.real_label": (0.9, 0.8, 1.0),
            "model.penalties.0.weight": (1.0, 3.0, 0.1),
        },
    ),
    "wgan": (
        gan(
            loss=Wasserstein(),
            constraints=(Clip(0.1),),
            discriminator_optimizer=RmsProp(1e-3, eps=0.1),
        ),
        {
            "model.constraints.0.bound": (0.1, 0.01, 0.05),
            "model.discriminator_optimizer.decay": (0.9, 0.5, 0.0),
        },
    ),
    "vae": (
        with_model(
            tiny.vae(),
            optimizer=Sgd(1e-3, momentum=0.5),
            beta=Beta(1.0, warmup_steps=4),
        ),
        {
            **RATE,
            "model.optimizer.momentum": (0.5, 0.9, 0.1),
            "model.beta.value": (1.0, 4.0, 0.5),
        },
    ),
    "adam": (
        with_model(tiny.vae(), optimizer=Adam(1e-3, eps=0.1, schedule=Schedule("linear"))),
        {
            **RATE,
            "model.optimizer.b1": (0.0, 0.5, 0.9),
            "model.optimizer.b2": (0.9, 0.99, 0.5),
            "model.optimizer.eps": (0.1, 0.2, 0.3),
            "model.optimizer.schedule.final_fraction": (0.1, 0.5, 0.9),
        },
    ),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n != "vae" else ()) for n in CASES],
)
def test_every_member_is_the_single_run_of_its_settings(name):
    experiment, values = CASES[name]
    each = members(experiment, values)
    paths = varied.differing(each)
    assert {*paths} == {*values}
    varied.check(each, paths)
    numbers, seeds = varied.values_of(each, paths), np.asarray(SEEDS, np.uint32)
    population = compile_population(experiment, paths)
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    states = population.init(seeds, example_batch(experiment), numbers)
    for _ in range(6):
        states, _ = population.step(states, arrays, seeds, numbers)
    found = [member(states, index) for index in range(len(SEEDS))]
    for own, one in zip(found, each, strict=True):
        expected, _ = tiny.train(one, "none", 6)
        assert_close(own, expected, 2e-5)
    # Of one seed, so that it is the settings that make them differ.
    with pytest.raises(AssertionError):
        assert_close(found[0], found[1], 1e-3)


def assert_close(found, expected, tolerance):
    pairs = zip(jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(expected), strict=True)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for (path, a), b in pairs:
        scale = max(float(np.abs(np.asarray(b, np.float64)).max(initial=0.0)), 1e-3)
        np.testing.assert_allclose(
            a, b, rtol=0, atol=tolerance * scale, err_msg=jax.tree_util.keystr(path)
        )


@pytest.mark.parametrize(
    ("experiment", "path", "words"),
    [
        (tiny.gan(), "model.discriminator.dropout", "may not differ within a population: "),
        (tiny.dcgan(), "model.generator.init_std", "may not differ within a population: "),
        (tiny.vae(), "model.optimizer.momentum", "may not differ .* decides what there is in the"),
        (tiny.vae(), "model.latent_size", "there is no such number in tiny"),
        (tiny.vae(), "model.optimiser.learning_rate", "there is no such number in tiny"),
    ],
)
def test_what_may_not_differ_is_named(experiment, path, words):
    rate = next(name for name in varied.numbers(experiment) if name.endswith("learning_rate"))
    with pytest.raises(ConfigError, match=rf"^{re.escape(path)}.*{words}"):
        varied.check([experiment], (rate, path))
    varied.check([experiment], (rate,))


@pytest.mark.slow
def test_parts_of_many_kinds_may_differ():
    """What searches look for, by tracing alone; `CASES` trains some of it."""
    for experiment, paths in (
        (gan(augmentations=(Ada(),)), ("model.augmentations.0.target",)),
        (gan(generator_optimizer=Adam(clip_norm=1.0)), ("model.generator_optimizer.clip_norm",)),
        (gan(loss=Hinge(), penalties=(LeCam(),)), ("model.penalties.0.weight",)),
        (
            with_model(tiny.vae(), regularizers=(TotalCorrelation(3.0, 1500),)),
            ("model.regularizers.0.weight",),
        ),
        (with_model(tiny.vae(), beta=Capacity()), ("model.beta.weight", "model.beta.most")),
        (
            load_experiment(EXPERIMENTS / "infogan.py"),
            ("model.auxiliaries.0.categorical", "model.auxiliaries.0.continuous"),
        ),
    ):
        assert varied.may_vary(experiment, paths) == paths


def test_values_are_checked_when_they_are_made():
    with pytest.raises(ConfigError, match=r"learning_rate = -1.0: must be at least 0"):
        varied.replaced(tiny.vae(), {"model.optimizer.learning_rate": -1.0})
    with pytest.raises(ConfigError, match="there is no such number in tiny"):
        varied.replaced(tiny.vae(), {"batch_size": 8.0})
