"""Everything of an experiment that is compiled, made once and used for every seed."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from jaxgan import rng
from jaxgan.algorithms.base import Algorithm, Generated, State
from jaxgan.config import EarlyStopping, Evaluation, Experiment, Parallel, config_errors
from jaxgan.data.pipeline import resident_batch
from jaxgan.machine.parallel import Plan, plan
from jaxgan.typing import Batch, Latents, Metrics, Params, PerExample, PRNGKey, Sums


class Program(NamedTuple):
    """Compiled functions of one experiment; the seed is an argument, so seeds share them.

    Attributes:
        plan: the devices it runs on.
        algorithm: the single-device functions, not compiled.
        init: state from a seed and an example batch, on the host's first device.
        resident_step: ``(state, arrays, seed)`` to state and metrics; the batch is gathered from
            the whole data set, which lies on the device.
        resident_steps: from a number of steps to a function like ``resident_step`` that does so
            many in one call; its metrics are ``(steps,)`` each. The same number gives the same
            function.
        streaming_step: ``(state, batch, seed)`` to state and metrics.
        sample: ``(state, key, count)`` to images, on one device.
        generate: ``(state, latents)`` to images, on one device.
        reconstruct: ``(state, batch)`` to images, on one device; None where there is no encoder.
        evaluate: ``(state, batch, key)`` to sums, on one device.
        prior: ``(key, count)`` to latents, on one device.
        posterior: ``(state, batch)`` to means and log variances of codes, on one device; None where
            there is no encoder.
        log_likelihood: ``(state, batch, latents)`` to ``log p(x|z)``, on one device; None where
            there is no likelihood.
        batch_normalized: ``(state, latents, key)`` to images and batch statistics; None where the
            algorithm does not tell.
    """

    plan: Plan
    algorithm: Algorithm
    init: Callable[[Any, Batch], State]
    resident_step: Callable[..., tuple[State, Metrics]]
    resident_steps: Callable[[int], Callable[..., tuple[State, dict[str, Array]]]]
    streaming_step: Callable[..., tuple[State, Metrics]]
    sample: Callable[[State, PRNGKey, int], Generated]
    generate: Callable[[State, Latents], Generated]
    reconstruct: Callable[[State, Batch], Generated] | None
    evaluate: Callable[[State, Batch, PRNGKey], Sums]
    prior: Callable[[PRNGKey, int], Latents]
    posterior: Callable[[State, Batch], tuple[Latents, Latents]] | None = None
    log_likelihood: Callable[[State, Batch, Latents], PerExample] | None = None
    batch_normalized: Callable[[State, Latents, PRNGKey], tuple[Generated, Params]] | None = None


def compile_program(experiment: Experiment, mode: Parallel = "auto") -> Program:
    """The program of an experiment, whatever its seed and evaluation; made once.

    Raises:
        ParallelError: the batch cannot be shared by the devices; nothing is compiled.
    """
    compiled = dataclasses.replace(
        experiment, seed=0, name="", evaluation=Evaluation(), early_stopping=EarlyStopping()
    )
    return _compile(compiled, mode)


@functools.lru_cache(maxsize=16)
def _compile(experiment: Experiment, mode: Parallel) -> Program:
    chosen = plan(mode, batch_size=experiment.batch_size)
    with config_errors():
        single = experiment.model.build(experiment)
        mapped = experiment.model.build(experiment, axis_name=chosen.axis_name)
    rows = experiment.images_per_step // chosen.devices

    def init(seed: Any, batch: Batch) -> State:
        return single.init(rng.role_key(rng.base_key(seed), "init"), batch)

    def streaming_step(state: State, batch: Batch, seed: Any) -> tuple[State, Metrics]:
        return mapped.train_step(state, batch, rng.step_key(rng.base_key(seed), state.step))

    def resident_step(state: State, arrays: Any, seed: Any) -> tuple[State, Metrics]:
        batch = resident_batch(
            arrays,
            step=state.step,
            seed=seed,
            batch_size_global=experiment.images_per_step,
            local_count=rows,
            axis_name=chosen.axis_name,
        )
        return streaming_step(state, batch, seed)

    @functools.cache
    def resident_steps(count: int) -> Callable[..., tuple[State, dict[str, Array]]]:
        def steps(state: State, arrays: Any, seed: Any) -> tuple[State, dict[str, Array]]:
            def body(state: State, _: None) -> tuple[State, Metrics]:
                return resident_step(state, arrays, seed)

            # The number is part of the program, so that no device waits for the host's answer
            # whether there is one more.
            return jax.lax.scan(body, state, length=count)

        return chosen.compile(steps, sharded=(False, False, False), donate=(0,))

    return Program(
        plan=chosen,
        algorithm=single,
        init=jax.jit(init),
        resident_step=chosen.compile(resident_step, sharded=(False, False, False), donate=(0,)),
        resident_steps=resident_steps,
        streaming_step=chosen.compile(streaming_step, sharded=(False, True, False), donate=(0,)),
        sample=jax.jit(single.sample, static_argnums=2),
        generate=jax.jit(single.generate),
        reconstruct=None if single.reconstruct is None else jax.jit(single.reconstruct),
        evaluate=jax.jit(single.evaluate),
        posterior=None if single.posterior is None else jax.jit(single.posterior),
        log_likelihood=None if single.log_likelihood is None else jax.jit(single.log_likelihood),
        prior=jax.jit(single.prior, static_argnums=1),
        batch_normalized=(
            None if single.batch_normalized is None else jax.jit(single.batch_normalized)
        ),
    )


def example_batch(experiment: Experiment) -> dict[str, np.ndarray]:
    """One blank example, of the shape and type that the experiment's data has."""
    data = experiment.data
    return {
        "image": np.zeros((1, *data.image_shape), data.dtype),
        "label": np.zeros((1,), np.int32),
    }


def on_one_device(state: State) -> State:
    """A replicated state as arrays of this process's first device, without a copy."""

    def first(leaf: Any) -> Any:
        return leaf.addressable_data(0) if isinstance(leaf, jax.Array) else leaf

    return jax.tree.map(first, state)
