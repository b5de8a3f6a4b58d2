"""Everything of an experiment that is compiled, made once and used for every seed."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgan import rng
from jaxgan.algorithms import micro_batches
from jaxgan.algorithms.apply import quantized
from jaxgan.algorithms.base import Algorithm, Generated, Phase, build
from jaxgan.algorithms.state import State
from jaxgan.config import EarlyStopping, Evaluation, Experiment, Parallel, config_errors
from jaxgan.data.pipeline import resident_batch
from jaxgan.machine.parallel import Plan, plan
from jaxgan.typing import Batch, Latents, Metrics, Params, PerExample, PRNGKey, Sums

STEPS_IN_A_CALL = 64
"""Most steps of one call. A constant, so that no setting of a run changes what is compiled."""


class Steps(NamedTuple):
    """The compiled train step of one phase.

    Attributes:
        start: steps done before its first.
        until: steps done when it ends.
        enter: from the state before its first step to the one that it starts from; None: the same.
        resident_step: ``(state, arrays, seed)`` to state and metrics; the batch is gathered from
            the whole data set, which lies on the device. For measurements; a run is trained by
            ``resident_steps``, which differs from it in the last bits.
        resident_steps: ``(state, arrays, seed, count)`` to state and metrics after ``count`` such
            steps, `STEPS_IN_A_CALL` at most. The metrics are ``(STEPS_IN_A_CALL,)`` each, of which
            the first ``count`` are of these steps.
        streaming_step: ``(state, batch, seed)`` to state and metrics.
    """

    start: int
    until: int
    enter: Callable[[State], State] | None
    resident_step: Callable[..., tuple[State, Metrics]]
    resident_steps: Callable[..., tuple[State, dict[str, Array]]]
    streaming_step: Callable[..., tuple[State, Metrics]]


class Program(NamedTuple):
    """Compiled functions of one experiment; the seed is an argument, so seeds share them.

    All but the steps run on one device. What the algorithm does not have is None.

    Attributes:
        plan: the devices that the steps run on.
        algorithm: the single-device functions, not compiled.
        phases: the train steps, in their order.
        init: state from a seed and an example batch, on the host's first device.
        evaluate: ``(state, batch, key)`` to sums.
        prior: ``(key, count)`` to latents.
        generate: ``(state, latents)`` to uint8 images, or points.
        normalized: ``(state, latents, key)`` to such images, normalized by their own batch, and the
            statistics of that batch.
        reconstruct: ``(state, batch)`` to such images.
        codes: ``(state, batch)`` to one vector an image.
        posterior: ``(state, batch)`` to means and log variances of codes.
        draw: ``(state, batch, key)`` to one code an image.
        decode: ``(state, codes)`` to such images as ``generate``.
        log_likelihood: ``(state, batch, codes)`` to ``log p(x|z)``.
        log_weights: ``(state, batch, keys)`` to ``log p(x|z) + log p(z) - log q(z|x)``, one code an
            image and key: ``(keys, batch)``.
        translations: ``(state, batch, key)`` to such images, by direction.
    """

    plan: Plan
    algorithm: Algorithm
    phases: tuple[Steps, ...]
    init: Callable[[Any, Batch], State]
    evaluate: Callable[[State, Batch, PRNGKey], Sums]
    prior: Callable[[PRNGKey, int], Latents] | None
    generate: Callable[[State, Latents], Generated] | None
    normalized: Callable[[State, Latents, PRNGKey], tuple[Generated, dict[str, Params]]] | None
    reconstruct: Callable[[State, Batch], Generated] | None
    codes: Callable[[State, Batch], Array] | None
    posterior: Callable[[State, Batch], tuple[Array, Array]] | None
    draw: Callable[[State, Batch, PRNGKey], Array] | None
    decode: Callable[[State, Array], Generated] | None
    log_likelihood: Callable[[State, Batch, Array], PerExample] | None
    log_weights: Callable[[State, Batch, Any], Array] | None
    translations: dict[str, Callable[[State, Batch, PRNGKey], Generated]]

    def phase(self, step: int) -> Steps:
        """The phase whose steps come after ``step`` others (the last one after the end)."""
        return next((one for one in self.phases if step < one.until), self.phases[-1])


def compile_program(experiment: Experiment, mode: Parallel = "auto") -> Program:
    """The program of an experiment, whatever its seed and evaluation; made once.

    Raises:
        ParallelError: the batch cannot be shared by the devices; nothing is compiled.
        ConfigError: parts of the model do not go together, or a device's rows cannot be divided as
            asked.
    """
    compiled = dataclasses.replace(
        experiment, seed=0, name="any", evaluation=Evaluation(), early_stopping=EarlyStopping(),
        init_from="",
    )  # fmt: skip
    return _compile(compiled, mode)


@functools.lru_cache(maxsize=16)
def _compile(experiment: Experiment, mode: Parallel) -> Program:
    return program_on(experiment, plan(mode, batch_size=experiment.batch_size))


def program_on(experiment: Experiment, chosen: Plan) -> Program:
    """The program of an experiment on given devices, such as some that are not here; made anew.

    Args:
        experiment: its seed and evaluation do not matter.
        chosen: the devices. They must be able to share the batch evenly.

    Raises:
        ConfigError: parts of the model do not go together.
    """
    with config_errors():
        micro_batches.check(experiment, chosen.devices)
        single = build(experiment)
        mapped = build(experiment, axis_name=chosen.axis_name)

    def init(seed: Any, batch: Batch) -> State:
        return single.init(rng.role_key(rng.base_key(seed), "init"), batch)

    def seen(pixels: Any) -> Generated:
        """Images as they are measured: eight bits a channel, as real ones have; points as they
        are."""
        return quantized(pixels) if experiment.data.dtype == "uint8" else pixels

    def shown(function: Callable[..., Any] | None) -> Any:
        """A compiled function whose result is images."""
        if function is None:
            return None
        return jax.jit(lambda *arguments: seen(function(*arguments)))

    def compiled(function: Callable[..., Any] | None) -> Any:
        return None if function is None else jax.jit(function)

    def by_key(function: Callable[..., Any] | None) -> Any:
        # What does not depend on the key, such as the encoder, is computed once for all of them.
        return None if function is None else compiled(jax.vmap(function, (None, None, 0)))

    def normalized(state: State, latents: Latents, key: PRNGKey) -> Any:
        assert single.generation is not None
        assert single.generation.normalized is not None
        pixels, statistics = single.generation.normalized(state, latents, key)
        return seen(pixels), statistics

    generation, encoding, density = single.generation, single.encoding, single.density
    starts = (0, *(phase.until for phase in mapped.phases))
    return Program(
        plan=chosen,
        algorithm=single,
        phases=tuple(
            _steps(experiment, chosen, phase, start)
            for phase, start in zip(mapped.phases, starts, strict=False)
        ),
        init=jax.jit(init),
        evaluate=jax.jit(single.evaluate),
        prior=generation and jax.jit(generation.prior, static_argnums=1),
        generate=generation and shown(generation.pixels),
        normalized=jax.jit(normalized) if generation and generation.normalized else None,
        reconstruct=encoding and shown(encoding.reconstruct),
        codes=encoding and compiled(encoding.codes),
        posterior=encoding and compiled(encoding.posterior),
        draw=encoding and compiled(encoding.draw),
        decode=encoding and shown(encoding.decode),
        log_likelihood=density and compiled(density.log_likelihood),
        log_weights=density and by_key(density.log_weight),
        translations={
            name: shown(translation.translate) for name, translation in single.translations.items()
        },
    )


def _steps(experiment: Experiment, chosen: Plan, phase: Phase, start: int) -> Steps:
    """The compiled train step of a phase that starts after so many steps."""
    rows = experiment.images_per_step // chosen.devices

    def streaming_step(state: State, batch: Batch, seed: Any) -> tuple[State, Metrics]:
        return phase.train_step(state, batch, rng.step_key(rng.base_key(seed), state.step))

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

    def resident_steps(
        state: State, arrays: Any, seed: Any, count: Any
    ) -> tuple[State, dict[str, Array]]:
        # The number of steps and the length of the metrics are no part of the program, so that
        # every step of a run is the same machine code, wherever one call ends and the next begins.
        # (XLA compiles a loop of one known trip as if there were none, with other last bits.)
        step = jax.jit(resident_step, inline=True)  # traced once, for its shapes and the loop
        _, shapes = jax.eval_shape(step, state, arrays, seed)
        blank = jax.tree.map(lambda m: jnp.zeros((STEPS_IN_A_CALL, *m.shape), m.dtype), shapes)

        def body(place: Any, carry: tuple[State, dict[str, Array]]) -> tuple[State, Any]:
            state, held = carry
            state, metrics = step(state, arrays, seed)
            return state, jax.tree.map(lambda all, one: all.at[place].set(one), held, metrics)

        return jax.lax.fori_loop(0, count, body, (state, blank))

    def one(function: Callable[..., Any], *sharded: bool) -> Callable[..., Any]:
        return chosen.compile(function, sharded=sharded, donate=(0,))

    return Steps(
        start,
        phase.until,
        None if phase.enter is None else one(phase.enter, False),
        resident_step=one(resident_step, False, False, False),
        resident_steps=one(resident_steps, False, False, False, False),
        streaming_step=one(streaming_step, False, True, False),
    )


def example_batch(experiment: Experiment) -> dict[str, np.ndarray]:
    """One blank example, with every field that the experiment's data has."""
    return {
        name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in experiment.data.specs.items()
    }


def on_one_device(state: State) -> State:
    """A replicated state as arrays of this process's first device, without a copy."""

    def first(leaf: Any) -> Any:
        return leaf.addressable_data(0) if isinstance(leaf, jax.Array) else leaf

    return jax.tree.map(first, state)
