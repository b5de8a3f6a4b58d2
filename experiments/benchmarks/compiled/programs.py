"""The programs of an experiment, lowered for chips that are not here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from compiled import needed
from compiled.topology import Chips
from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment, config_errors
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.machine.target import made_for
from jaxgan.measurement.available import backbone_name
from jaxgan.measurement.rehearsal import batch_of
from jaxgan.program import Program, example_batch, program_on

KINDS = ("step", "sampler", "features")
"""What there is to compile; an experiment in phases has a step of each."""

SEED = jax.ShapeDtypeStruct((), np.uint32)


def on(chips: Chips, experiment: Experiment) -> Experiment:
    """The experiment with its batch on every chip, so that the global batch grows with them."""
    return dataclasses.replace(experiment, batch_size=experiment.batch_size * chips.size)


def lowered(
    experiment: Experiment, chips: Chips, kinds: tuple[str, ...] = KINDS
) -> Mapping[str, Callable[[], Any]]:
    """What lowers each program, by its name.

    The step is that of streamed batches. Samples and features are made as an evaluation makes them:
    its batch of images a call, in equal parts on the chips, and filled up where they do not share
    it evenly.

    Args:
        experiment: its batch is what one chip gets.
        chips: to compile for.
        kinds: those of `KINDS` that are wanted.

    Raises:
        ConfigError: parts of the experiment do not go together, or there is no such backbone.
    """
    setting = on(chips, experiment)
    platform = chips.plan.platform
    with made_for(platform):
        program = program_on(setting, chips.plan)
        state = jax.eval_shape(program.init, 0, example_batch(setting))
    found: dict[str, Callable[[], Any]] = {}
    if "step" in kinds:
        batch = chips.shared(batch_of(setting, setting.images_per_step))
        arguments = (chips.whole(state), batch, chips.whole(SEED))
        names = _named("step", len(program.phases))
        for name, phase in zip(names, program.phases, strict=True):
            found[name] = _lowering(phase.streaming_step, arguments, platform)
    if "sampler" in kinds and program.prior is not None:
        size = _filled(setting.evaluation.batch_size, chips)
        latents = chips.shared(latents_of(program, size))
        found["sampler"] = _lowering(program.generate, (chips.whole(state), latents), platform)
    if "features" in kinds and program.prior is not None:
        found["features"] = _lowering(*_features(setting, chips), platform)
    return found


def _lowering(function: Any, arguments: tuple[Any, ...], platform: str) -> Callable[[], Any]:
    def lower() -> Any:
        with made_for(platform):
            return function.lower(*arguments)

    return lower


def _features(experiment: Experiment, chips: Chips) -> tuple[Any, tuple[Any, ...]]:
    data = experiment.data
    with config_errors():
        name = backbone_name(data, experiment.evaluation)
        backbone = load_backbone(name, data.image_shape)
    size = _filled(backbone.batch, chips)
    images = jax.ShapeDtypeStruct((size, *data.image_shape), data.dtype)
    return jax.jit(backbone.features), (chips.shared(images),)


def latents_of(program: Program, count: int) -> Any:
    """Shapes and types of so many latents."""
    generation = program.algorithm.generation
    if generation is None:
        raise ConfigError("the model draws no samples")
    return jax.eval_shape(lambda key: generation.prior(key, count), jax.random.key(0))


def _filled(size: int, chips: Chips) -> int:
    return -(-size // chips.size) * chips.size


def _named(kind: str, count: int) -> list[str]:
    return [kind] if count == 1 else [f"{kind} {index + 1}" for index in range(count)]


def floors(experiment: Experiment) -> dict[str, tuple[int, int]]:
    """What a train step must move on one TPU, by its name: bytes of what it is given and gives, and
    those together with what products move (`compiled.needed`).

    Args:
        experiment: its batch is what one chip gets.
    """
    with made_for("tpu"):
        algorithm = build(experiment)
        state = jax.eval_shape(algorithm.init, jax.random.key(0), example_batch(experiment))
        arguments = (state, batch_of(experiment, experiment.images_per_step), SEED)
        found = []
        for phase in algorithm.phases:

            def step(state: State, batch: Any, seed: Any, phase: Any = phase) -> Any:
                return phase.train_step(state, batch, rng.step_key(rng.base_key(seed), state.step))

            least = needed.given_and_results(step, *arguments)
            found.append((least, least + needed.of_products(step, *arguments)))
    return dict(zip(_named("step", len(found)), found, strict=True))
