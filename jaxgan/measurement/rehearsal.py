"""All that a run will do, done with shapes alone before its first step.

Nothing may fail for the first time after training: every step, measurement and picture is traced
with the very shapes that it will get, and whatever does not fit says so in one line.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.source import DataError
from jaxgan.data.splits import SplitName, open_data, split_of
from jaxgan.evaluation import metrics
from jaxgan.evaluation.likelihood import summaries
from jaxgan.measurement import available, sampling, sizes
from jaxgan.measurement.scoring import final_split, samples_of
from jaxgan.program import Program, example_batch


def check(experiment: Experiment, program: Program) -> None:
    """Finds out before any training whether a run can be trained, measured and shown.

    Raises:
        DataError: a split is too small for distances.
        ConfigError: a network does not fit, samples cannot be drawn as asked, a metric needs what
            the model or the data do not have, or the run would be selected by one that is not
            measured.
        ValueError: there is no such feature extractor or metric, or the extractor does not read the
            data's images.
    """
    data, evaluation = experiment.data, experiment.evaluation
    names: list[SplitName] = [final_split(experiment)]
    if evaluation.every:
        names.append("validation" if data.validation else "train")
    for name in names:
        if (count := len(split_of(data, name))) < 2:
            raise DataError(f"the {name} split has {count} image: distances need at least 2")
    available.check(evaluation.metrics, experiment, program.algorithm)
    for name in names:
        available.check_samples(evaluation.metrics, experiment, samples_of(experiment, name))
    state = jax.eval_shape(program.init, 0, example_batch(experiment))
    sizes.check_state(state)
    sampling.check(program.algorithm, state, evaluation)
    trained(experiment, program, state)
    shown(experiment, program, state)
    if metric := experiment.early_stopping.metric:
        known = _monitored(experiment, program, state)
        if metric not in known:
            raise ConfigError(
                f"early_stopping.metric = {metric!r} is not measured; there are"
                f" {', '.join(sorted(known))}"
            )


def batch_of(experiment: Experiment, count: int) -> dict[str, Any]:
    """Shapes and types of a batch with every field of the data."""
    return {
        name: jax.ShapeDtypeStruct((count, *shape), dtype)
        for name, (shape, dtype) in experiment.data.specs.items()
    }


def trained(experiment: Experiment, program: Program, state: State) -> None:
    """Traces the steps of all phases.

    Raises:
        ConfigError: a step changes the structure of the state, or a network does not fit.
    """
    key = jax.eval_shape(lambda: rng.base_key(0))
    batch = batch_of(experiment, experiment.images_per_step)
    for index, phase in enumerate(program.algorithm.phases):
        if phase.enter is not None:
            _same(f"entering phase {index + 1}", state, jax.eval_shape(phase.enter, state))
        after, _ = jax.eval_shape(phase.train_step, state, batch, key)
        _same("a train step" if index == 0 else f"a step of phase {index + 1}", state, after)


def _same(what: str, before: State, after: State) -> None:
    if jax.tree.structure(before) != jax.tree.structure(after):
        raise ConfigError(f"{what} changes the structure of the state, which must stay as it is")

    def same(path: Any, old: Any, new: Any) -> None:
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            raise ConfigError(
                f"{what} changes {jax.tree_util.keystr(path, simple=True, separator='/')} from"
                f" {old.shape} {old.dtype} to {new.shape} {new.dtype}"
            )

    jax.tree_util.tree_map_with_path(same, before, after)


def shown(experiment: Experiment, program: Program, state: State) -> None:
    """Traces all that a trained state is asked for.

    Raises:
        ConfigError: what comes out are not images of the data's shape.
    """
    algorithm, shape = program.algorithm, experiment.data.image_shape
    key = jax.eval_shape(lambda: rng.base_key(0))
    count = 2
    mask = jax.ShapeDtypeStruct((count,), np.float32)
    batch: Any = {**batch_of(experiment, count), "mask": mask}
    jax.eval_shape(program.evaluate, state, batch, key)
    made: dict[str, Any] = {}
    if generation := algorithm.generation:
        latents = jax.eval_shape(lambda k: generation.prior(k, count), key)
        made["generation.pixels"] = jax.eval_shape(generation.pixels, state, latents)
        if generation.normalized is not None:
            normalized, _ = jax.eval_shape(generation.normalized, state, latents, key)
            made["generation.normalized"] = normalized
        for name, sheet in jax.eval_shape(generation.sheets, key).items():
            rows = jax.tree.leaves(sheet.latents)[0].shape[0]
            found = jax.eval_shape(generation.pixels, state, sheet.latents)
            _images(f"the sheet {name}", found, (rows, *shape))
    if encoding := algorithm.encoding:
        if encoding.codes is not None and encoding.decode is not None:
            codes = jax.eval_shape(encoding.codes, state, batch)
            made["encoding.decode"] = jax.eval_shape(encoding.decode, state, codes)
        if encoding.draw is not None:
            jax.eval_shape(encoding.draw, state, batch, key)
        made["encoding.reconstruct"] = jax.eval_shape(encoding.reconstruct, state, batch)
        if encoding.posterior is not None:
            codes = jax.eval_shape(encoding.posterior, state, batch)[0]
            density = algorithm.density
            if density is not None and density.log_likelihood is not None:
                values = jax.eval_shape(density.log_likelihood, state, batch, codes)
                _images("density.log_likelihood", values, (count,))
    if algorithm.density is not None and algorithm.density.log_weight is not None:
        weights = jax.eval_shape(algorithm.density.log_weight, state, batch, key)
        _images("density.log_weight", weights, (count,))
    for name, translation in algorithm.translations.items():
        made[f"translation {name}"] = jax.eval_shape(translation.translate, state, batch, key)
    for name, found in made.items():
        wanted = shape
        if name.startswith("translation "):
            target = algorithm.translations[name.removeprefix("translation ")].target
            wanted = experiment.data.specs[target].shape
        _images(name, found, (count, *wanted))


def _images(what: str, found: Any, wanted: tuple[int, ...]) -> None:
    shape = getattr(found, "shape", type(found).__name__)
    if shape != wanted:
        raise ConfigError(f"{what} gives {shape} where {wanted} is wanted")


def _monitored(experiment: Experiment, program: Program, state: State) -> set[str]:
    """Short names of all that is measured while training."""
    batch = {**example_batch(experiment), "mask": np.ones(1, np.float32)}
    sums = jax.eval_shape(program.evaluate, state, batch, rng.base_key(0))
    blank = dict.fromkeys(sums, (1.0, 1.0))
    names = set(summaries.finalize(blank)) if blank else set()
    for name in experiment.evaluation.metrics:
        if name in metrics.SAMPLE_METRICS:
            names |= set(metrics.SAMPLE_METRICS[name].gives)
    if "mixture" in open_data(experiment.data).info.knows:
        names |= {"modes", "high_quality", "reverse_kl"}
    return names
