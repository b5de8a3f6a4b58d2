"""Which experiments are trained together, as members of one population."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import jax

from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError, Experiment
from jaxgan.data import splits
from jaxgan.data.pipeline import is_resident
from jaxgan.program import example_batch
from jaxgan.training import varied

Force: TypeAlias = Literal["auto", "always", "never"]
"""Whether experiments are grouped: where it pays, wherever it can be done, or not at all."""
MOST = 32
"""Members of a population, at most: what a killed one loses, and one process does, has an end."""
STATE_BYTES = 2**30
"""Bytes of the states of a population's members, at most."""


def grouped(experiments: Sequence[Experiment], force: Force = "auto") -> list[tuple[int, ...]]:
    """Places of experiments that are to be trained together.

    Members of a group differ in seeds, names and numbers that may vary (`jaxgan.training.varied`),
    none of which is 0 for some of them alone. Nothing is computed, but much may be traced: a
    second or so for each kind of experiment.

    Args:
        experiments: in any order.
        force: ``auto`` groups where it `pays`.

    Returns:
        Groups in the order of their first members, each in the order given; one place is in one
        group, and many are alone.

    Raises:
        ConfigError: parts of a model do not go together.
        DataError: the data is missing or damaged.
    """
    if force == "never":
        return [(place,) for place in range(len(experiments))]
    kinds: dict[Any, list[int]] = {}
    for place, one in enumerate(experiments):
        kinds.setdefault(place if why_alone(one) else _kind(one), []).append(place)
    groups: list[tuple[int, ...]] = []
    for places in kinds.values():
        first = experiments[places[0]]
        if len(places) < 2 or (force == "auto" and not pays(first)):
            groups += [(place,) for place in places]
            continue
        most = max(1, min(MOST, STATE_BYTES // max(_state_bytes(first), 1)))
        for together in _by_numbers(experiments, places):
            groups += [together[i : i + most] for i in range(0, len(together), most)]
    return sorted(groups)


def why_alone(experiment: Experiment) -> str:
    """Why an experiment cannot be a member of a population, in words; empty: it can."""
    if experiment.early_stopping.metric:
        return "early_stopping.metric is set, and the members of a population end together"
    if experiment.init_from:
        return "init_from is set, and the members of a population start from their seeds"
    if not is_resident(experiment.data, splits.open_data(experiment.data).train):
        return "its data does not lie on the device (--data.streaming never, if there is room)"
    return ""


def pays(experiment: Experiment) -> bool:
    """Whether members together are trained faster than one after the other.

    Perceptrons are: eight at once 1.46 times as fast on two cores (`python
    experiments/benchmarks/scaling.py --only seeds`). For convolutions it depends on their size:
    ``vmap`` makes a grouped convolution of them, which CPUs are slow at. On other devices small
    networks leave most of the device idle, whatever they are made of.
    """
    if jax.default_backend() != "cpu":
        return True
    params = _state(experiment).parameters
    return not any(len(leaf.shape) == 4 for leaf in jax.tree.leaves(params))


def check(experiments: Sequence[Experiment]) -> tuple[str, ...]:
    """Refuses experiments that cannot be members of one population.

    Args:
        experiments: two at least, or one.

    Returns:
        Paths of the numbers that differ.

    Raises:
        ConfigError: says which, and why.
    """
    for one in experiments:
        if why := why_alone(one):
            raise ConfigError(f"{one.name} cannot be a member of a population: {why}")
    paths = varied.differing(experiments)
    varied.check(experiments, paths)
    return paths


def _kind(experiment: Experiment) -> Any:
    """All of an experiment but its name, seed, and the values of its numbers."""
    blank = dataclasses.replace(experiment, name="any", seed=0)

    def of(path: str, value: Any) -> Any:
        varies = isinstance(value, float) and path.startswith("model.")
        return (path, type(value), None if varies else value)

    return tuple(of(path, value) for path, value in varied.leaves(blank, ""))


def _by_numbers(experiments: Sequence[Experiment], places: Sequence[int]) -> list[tuple[int, ...]]:
    """Places of one kind, apart where numbers differ that may not."""
    known = {place: varied.numbers(experiments[place]) for place in places}
    paths = [path for path in known[places[0]] if len({known[at][path] for at in places}) > 1]
    groups: dict[Any, list[int]] = {}
    for place in places:
        # What is 0 is often left out, and those who have it are another program.
        zeros = tuple(known[place][path] == 0 for path in paths)
        groups.setdefault(zeros, []).append(place)
    found: list[tuple[int, ...]] = []
    for together in groups.values():
        first = experiments[together[0]]
        own = [path for path in paths if len({known[at][path] for at in together}) > 1]
        free = {*varied.may_vary(first, own)} if own else set()
        apart: dict[Any, list[int]] = {}
        for place in together:
            fixed = tuple(known[place][path] for path in own if path not in free)
            apart.setdefault(fixed, []).append(place)
        found += map(tuple, apart.values())
    return found


def _state(experiment: Experiment) -> Any:
    key = jax.eval_shape(lambda: rng.base_key(0))
    return jax.eval_shape(build(experiment).init, key, example_batch(experiment))


def _state_bytes(experiment: Experiment) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(_state(experiment)))
