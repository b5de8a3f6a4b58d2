"""A population in blocks of a few members, whose steps are done side by side.

A step of a small network is a chain of small operations, and few of them fill more than one core.
So a CPU gets blocks of `MEMBERS`, each in a thread: while one draws its dropout masks, another
multiplies its matrices. 8, 16 and 32 members of gan_mlp have 1.44, 1.58 and 1.46 times the
throughput of runs one after the other (``python experiments/benchmarks/scaling.py --only members``,
two cores of a Xeon that other processes had at a low priority). Other devices get all members as
one block, which fills them best.

How members are cut into blocks depends on their number alone, so that a run may go on bit for bit
on a machine with more cores, or fewer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgan.algorithms.state import State
from jaxgan.training.population import Steps

MEMBERS = 4
"""Members of a block on a CPU."""


def cut(count: int) -> tuple[slice, ...]:
    """The members of each block: `MEMBERS`, or what is left of them; on a CPU.

    Args:
        count: of all members, at least 1.
    """
    size = MEMBERS if jax.default_backend() == "cpu" else count
    return tuple(slice(first, min(first + size, count)) for first in range(0, count, size))


class Blocks:
    """The states of all members, and the threads that do their steps.

    Args:
        states: of all members (`jaxgan.training.population.Population.init`); used up.
        seeds: uint32 ``(members,)``.
        values: numbers that vary, float32 ``(members,)`` by path.
        died: int32 ``(members,)``, as in `jaxgan.training.population.Steps`.
    """

    def __init__(
        self, states: State, seeds: Array, values: Mapping[str, Array], died: np.ndarray
    ) -> None:
        self._cut = cut(len(seeds))
        self._states = _apart(states, self._cut)
        own = [
            (seeds[one], {path: all_[one] for path, all_ in values.items()}) for one in self._cut
        ]
        self._own = jax.device_put(own)
        self._died = [jax.device_put(np.asarray(died[one], np.int32)) for one in self._cut]
        self._pool = ThreadPoolExecutor(min(len(self._cut), os.cpu_count() or 1))
        self._compiled: Steps | None = None

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown()

    def enter(self, phase: Steps) -> None:
        """What a phase does to the states before its first step."""
        if phase.enter is not None:
            pairs = zip(self._states, self._own, strict=True)
            self._states = [phase.enter(states, values) for states, (_, values) in pairs]

    def steps(self, phase: Steps, arrays: Any, count: int) -> list[tuple[dict[str, Array], ...]]:
        """So many more steps of every member.

        Args:
            phase: whose steps they are.
            arrays: the training split, as `jaxgan.data.pipeline.arrays` returns it.
            count: of steps, at least 1.

        Returns:
            For each step, metrics of each block's members ``(block,)``.
        """

        def stepped(index: int) -> list[dict[str, Array]]:
            (seeds, values), told = self._own[index], []
            for _ in range(count):
                self._states[index], metrics, self._died[index] = phase.guarded(
                    self._states[index], arrays, seeds, values, self._died[index]
                )
                told.append(metrics)
            return told

        # At first one by one: threads that come together would each compile the program.
        do = self._pool.map if phase is self._compiled else map
        self._compiled = phase
        return list(zip(*do(stepped, range(len(self._cut))), strict=True))

    @property
    def states(self) -> State:
        """Of all members; holds until the next step."""
        if len(self._states) == 1:
            return self._states[0]
        first, *_ = self._states
        parts = [one.replace(step=()) for one in self._states]
        return jax.tree.map(lambda *own: jnp.concatenate(own), *parts).replace(step=first.step)

    @property
    def died(self) -> np.ndarray:
        """See `jaxgan.training.population.Steps`."""
        return np.concatenate(jax.device_get(self._died))

    def end(self, places: Sequence[int], step: int) -> None:
        """Members die at a step, for what their metrics do not tell."""
        died = self.died
        died[np.asarray(places, int)] = step
        self._died = [jax.device_put(died[one]) for one in self._cut]


def of_all(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The metrics of all members ``(members,)``, from those of their blocks."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _apart(states: State, cuts: Sequence[slice]) -> list[State]:
    """Blocks of states that share the step; each with arrays of its own."""
    if len(cuts) == 1:
        return [states]
    own = states.replace(step=())
    return [
        jax.tree.map(lambda leaf, one=one: leaf[one], own).replace(step=jnp.array(states.step))
        for one in cuts
    ]
