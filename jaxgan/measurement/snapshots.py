"""Snapshots: the part of a trained model that draws samples, in one file and read back.

What is kept is found by tracing: those arrays of the state that images depend on. So every
algorithm that draws samples has snapshots, and none has to say what its generator is made of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Var

import jaxgan
from jaxgan.algorithms.base import Algorithm
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Evaluation, Experiment, config_errors
from jaxgan.data.pipeline import Data
from jaxgan.data.source import Source
from jaxgan.measurement.trained import Trained, working
from jaxgan.program import Program, compile_program, example_batch
from jaxgan.run.config_json import JSON, from_json, to_json
from jaxgan.run.generator_file import Content, read
from jaxgan.run.trust import Trust, classes_of, notes
from jaxgan.run.workdir import RunError

HalfPrecision = Literal["float16", "bfloat16"]


def snapshot(
    trained: Trained,
    config: Mapping[str, Any],
    *,
    dtype: HalfPrecision | None = None,
    attribution: str | None = None,
) -> Content:
    """What is to be written of a trained model.

    Args:
        trained: whose evaluation settings say which weights draw.
        config: the document of the run's ``config.json``, for digests of code that is not jaxgan's.
        dtype: of floating-point numbers, in place of float32.
        attribution: a line on the data's authors and licence; None: what the data's source says.

    Raises:
        ConfigError: the model draws no samples, or a number is beyond the range of ``dtype``.
    """
    experiment = trained.experiment
    if trained.program.algorithm.generation is None:
        raise ConfigError(f"{experiment.name} draws no samples, so there is no generator to keep")
    read_by_images = needed(trained.program.algorithm, trained.state, experiment.evaluation)
    held = jax.device_get(_by_path(trained.state))
    arrays = {path: held[path] for path in sorted(read_by_images)}
    if dtype is not None:
        arrays = {path: _halved(array, dtype, path) for path, array in arrays.items()}
    said = getattr(experiment.data.source, "attribution", "")
    document = {
        "jaxgan": jaxgan.__version__,
        # What it was started from is not needed to draw, and its path is nobody's business.
        "experiment": to_json(dataclasses.replace(experiment, init_from="")),
        "step": trained.step,
        "attribution": said if attribution is None else attribution,
        "code": _code(config),
    }
    return Content(arrays, document)


def needed(algorithm: Algorithm, state: State, evaluation: Evaluation) -> set[str]:
    """The paths of those arrays of a state that samples depend on.

    Args:
        algorithm: which draws samples.
        state: of arrays, or of shapes alone.
        evaluation: says whether averaged weights draw.
    """
    generation = algorithm.generation
    assert generation is not None
    key = jax.random.key(0)
    latents = jax.eval_shape(lambda k: generation.prior(k, 1), key)

    def images(state: State, latents: Any, key: Any) -> Any:
        state = state.raw if evaluation.weights == "raw" else state
        found: list[Any] = [generation.pixels(state, latents)]
        if generation.normalized is not None and state.is_batch_normalized:
            found.append(generation.normalized(state, latents, key))
        return found

    jaxpr = jax.make_jaxpr(images)(state, latents, key).jaxpr
    wanted = {out for out in jaxpr.outvars if isinstance(out, Var)}
    for equation in reversed(jaxpr.eqns):
        if wanted.intersection(equation.outvars):
            wanted |= {one for one in equation.invars if isinstance(one, Var)}
    # The arguments of the trace begin with the leaves of the state.
    return {
        path
        for path, argument in zip(_by_path(state), jaxpr.invars, strict=False)
        if argument in wanted
    }


def experiment_of(path: Path, trust: Trust) -> Experiment:
    """The experiment of a snapshot. Runs no code that is not jaxgan's, unless that is allowed.

    Raises:
        RunError: the file cannot be used.
        TrustError: it needs code that is not allowed.
        ConfigError: it names something that does not exist (any more).
    """
    return _experiment(path, read(path).document, trust)


def load(path: Path, trust: Trust) -> Trained:
    """The model of a snapshot, which draws samples and can do nothing else.

    Raises:
        RunError: the file cannot be used, or its arrays are not those of its experiment.
        TrustError: as `experiment_of`.
        ConfigError: as `experiment_of`.
    """
    content = read(path)
    return restored(path, content, _experiment(path, content.document, trust), trust)


def restored(path: Path, content: Content, experiment: Experiment, trust: Trust) -> Trained:
    """As `load`, of what has been read.

    Args:
        path: of the file, for messages.
        content: of the file.
        experiment: that it names.
        trust: what has been allowed.
    """
    with working(path):
        program = compile_program(experiment, "none")
        if program.algorithm.generation is None:
            raise ConfigError("its model draws no samples")
        like = jax.eval_shape(program.init, 0, example_batch(experiment))
        paths = needed(program.algorithm, like, experiment.evaluation)
    if more := sorted(content.arrays.keys() ^ paths):
        what = "lacks" if more[0] in paths else "has no place for"
        raise RunError(f"{path} is of another model than it says, which {what} {more[0][:200]}")
    leaves = [
        _fitted(path, name, content.arrays[name], leaf) if name in paths else None
        for name, leaf in _by_path(like).items()
    ]
    state = jax.device_put(jax.tree.unflatten(jax.tree.structure(like), leaves), jax.devices()[0])
    said = content.document["attribution"]
    told = (*notes(content.document, trust), *([f"trained on: {said}"] if said else []))
    return Trained(experiment, _drawing(program), state, content.document["step"], told)


def _experiment(path: Path, document: dict[str, Any], trust: Trust) -> Experiment:
    try:
        with config_errors():
            experiment = from_json(
                document["experiment"], classes=classes_of(path, document, trust)
            )
    except ConfigError as error:
        if (written := document.get("jaxgan")) in (None, jaxgan.__version__):
            raise
        raise RunError(
            f"{path} was written by another version of jaxgan ({str(written)[:20]}) than this one"
            f" ({jaxgan.__version__}): {error}"
        ) from error
    data = getattr(experiment, "data", None)
    if not (
        isinstance(experiment, Experiment)
        and isinstance(data, Data)
        and isinstance(data.source, Source)
    ):
        raise RunError(f"{path} is damaged: it does not describe an experiment")
    return experiment


def _drawing(program: Program) -> Program:
    """A program whose model can draw samples and nothing else."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("reconstruct", "codes", "posterior", "draw", "decode", "log_likelihood", "log_weights")
    )
    algorithm = program.algorithm._replace(
        evaluate=lambda *_: {}, encoding=None, density=None, translations={}
    )
    return program._replace(
        algorithm=algorithm, evaluate=algorithm.evaluate, translations={}, **nothing
    )


def _by_path(state: State) -> dict[str, Any]:
    """The leaves of a state by their paths, such as ``ema/generator/params/dense/kernel``."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
    }


def _halved(array: np.ndarray, dtype: HalfPrecision, path: str) -> np.ndarray:
    if array.dtype != np.float32:
        return array
    with np.errstate(over="ignore"):
        half = array.astype(jnp.dtype(dtype))
    if np.isfinite(array).all() and not np.isfinite(half).all():
        raise ConfigError(
            f"--dtype {dtype}: {path} has a number of size {np.abs(array).max():.3g}, which is"
            " beyond its range; bfloat16 has that of float32"
        )
    return half


def _fitted(path: Path, name: str, array: np.ndarray, like: Any) -> np.ndarray:
    """An array of a file as the state has it: of its shape, and of its type again."""
    half = array.dtype in (np.float16, jnp.bfloat16) and like.dtype == np.float32
    if array.shape != like.shape or not (half or array.dtype == like.dtype):
        raise RunError(
            f"{path} is of another model than it says: {name[:200]} is"
            f" {array.dtype}{array.shape} and should be {like.dtype}{like.shape}"
        )
    return array.astype(like.dtype)


def _code(config: Mapping[str, Any]) -> JSON:
    """Digests of files that foreign classes come from; without paths, which differ elsewhere."""
    written = config.get("code")
    return {
        module: {"path": "", "sha256": one.get("sha256", "")}
        for module, one in (written.items() if isinstance(written, dict) else ())
        if isinstance(one, dict)
    }
