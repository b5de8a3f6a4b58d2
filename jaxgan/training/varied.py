"""Numbers of an experiment that may differ between the members of one population.

A field may vary if the algorithm can be built and traced with an unknown number in its place
(`check`), which is tried and not listed: rates and betas of optimizers, weights of penalties, beta
of a KL, smoothed labels, decays of averages. Whatever decides a shape, or what is computed at all,
asks for the number's value, and fails.

A field's path is that of its attributes, such as ``model.penalties.0.weight``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError, Experiment, config_errors, config_fields, is_network
from jaxgan.measurement.rehearsal import batch_of
from jaxgan.program import example_batch

T = TypeVar("T")


def numbers(experiment: Experiment) -> dict[str, float]:
    """The floating-point numbers of an experiment's model, by path; not all of them may vary."""
    return {p: v for p, v in leaves(experiment.model, "model") if isinstance(v, float)}


def replaced(experiment: Experiment, values: Mapping[str, float]) -> Experiment:
    """A copy with other numbers, checked as any configuration is.

    >>> from jaxgan.run.experiment_file import load_experiment
    >>> experiment = load_experiment("experiments/vae.py")
    >>> replaced(experiment, {"model.beta.value": 4.0}).model.beta
    Beta(value=4.0, warmup_steps=0)

    Args:
        experiment: to be copied.
        values: by path.

    Raises:
        ConfigError: there is no such number, or it cannot have the value.
    """
    known = numbers(experiment)
    for path in values:
        if path not in known:
            raise ConfigError(f"{path}: there is no such number in {experiment.name}")
    with config_errors():
        return _with(experiment, values, checked=True)


def traced(experiment: Experiment, values: Mapping[str, Any]) -> Experiment:
    """A copy with traced numbers, for the inside of a compiled function.

    What the numbers may be was checked when the members' experiments were made: nothing is asked
    here that needs to know them.
    """
    return _with(experiment, values, checked=False)


def differing(experiments: Sequence[Experiment]) -> tuple[str, ...]:
    """Paths of the numbers in which experiments differ, beside their names and seeds.

    Args:
        experiments: at least one.

    Raises:
        ConfigError: they differ in something that is no number; names it.
    """
    first, *others = experiments
    usual = dict(leaves(_alike(first), ""))
    found: dict[str, None] = {}
    for other in others:
        theirs = dict(leaves(_alike(other), ""))
        for path in dict.fromkeys([*usual, *theirs]):
            one, two = (side.get(path, "absent") for side in (usual, theirs))
            if type(one) is type(two) and one == two:
                continue
            if not (path.startswith("model.") and isinstance(one, float) and type(two) is float):
                raise ConfigError(
                    f"{other.name} and {first.name} cannot be members of one population: {path} is"
                    f" {_shown(two)} and {_shown(one)}"
                )
            found[path] = None
    return tuple(found)


def check(experiments: Sequence[Experiment], paths: Collection[str]) -> None:
    """Refuses numbers that may not differ, by tracing; nothing is computed.

    Where code leaves out what has the weight 0, members with and without it are different
    programs: of each choice of zeros one member is traced by itself, and compared.

    Args:
        experiments: the members, which differ in these numbers at most.
        paths: of the numbers.

    Raises:
        ConfigError: names a number that may not differ, and says why.
    """
    first = experiments[0]
    known = numbers(first)
    for path in paths:
        if path not in known:
            raise ConfigError(f"{path}: there is no such number in {first.name}")
    usual = _shapes(first, ())
    if _fault(first, paths, usual):
        for path in paths:
            if why := _fault(first, (path,), usual):
                raise ConfigError(f"{path} may not differ within a population: {why}")
        raise ConfigError(f"{', '.join(paths)} may not differ together within a population")
    seen = {_zeros(first, paths)}
    for one in experiments[1:]:
        if (zeros := _zeros(one, paths)) in seen:
            continue
        seen.add(zeros)
        if _shapes(one, ()) != usual:
            path = next(p for p in paths if (numbers(one)[p] == 0) != (known[p] == 0))
            raise ConfigError(
                f"{path} may not be 0 for some members of a population and not for others: their"
                " states have different parts"
            )


def may_vary(experiment: Experiment, paths: Collection[str]) -> tuple[str, ...]:
    """Those of some numbers that may differ, together."""
    usual = _shapes(experiment, ())
    if not _fault(experiment, paths, usual):
        return tuple(paths)
    return tuple(path for path in paths if not _fault(experiment, (path,), usual))


def values_of(experiments: Sequence[Experiment], paths: Iterable[str]) -> dict[str, np.ndarray]:
    """Each number of all members, float32 ``(members,)``."""
    every = [numbers(one) for one in experiments]
    return {path: np.asarray([one[path] for one in every], np.float32) for path in paths}


def _zeros(experiment: Experiment, paths: Iterable[str]) -> tuple[bool, ...]:
    known = numbers(experiment)
    return tuple(known[path] == 0 for path in paths)


def _alike(experiment: Experiment) -> Experiment:
    return dataclasses.replace(experiment, name="any", seed=0)


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Everything in a configuration by its path; of what has parts, its type or length."""
    if isinstance(value, tuple):
        yield path, ("tuple", len(value))
        parts = enumerate(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield path, type(value)
        parts = ((field.name, getattr(value, field.name)) for field in config_fields(value))
    else:
        yield path, value
        return
    for name, part in parts:
        yield from leaves(part, f"{path}.{name}".lstrip("."))


def _shown(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else repr(value)


def _with(experiment: Experiment, values: Mapping[str, Any], *, checked: bool) -> Experiment:
    for path, value in values.items():
        experiment = _put(experiment, path.split("."), value, checked)
    return experiment


def _put(owner: T, path: Sequence[str], new: Any, checked: bool) -> T:
    """A copy of nested tuples and dataclasses with another value in one place."""
    name, *rest = path
    if isinstance(owner, tuple):
        parts: list[Any] = list(owner)
        parts[int(name)] = _put(parts[int(name)], rest, new, checked) if rest else new
        return tuple(parts)  # type: ignore[return-value]
    inner = _put(getattr(owner, name), rest, new, checked) if rest else new
    if is_network(owner):
        return owner.clone(**{name: inner})  # type: ignore[attr-defined]
    if checked:
        return dataclasses.replace(owner, **{name: inner})  # type: ignore[type-var]
    copy = object.__new__(type(owner))
    for field in dataclasses.fields(owner):  # type: ignore[arg-type]
        object.__setattr__(copy, field.name, getattr(owner, field.name))
    object.__setattr__(copy, name, inner)
    return copy


def _shapes(experiment: Experiment, paths: Collection[str]) -> Any:
    """Structure, shapes and types of the first state and of what each phase makes of it."""
    blank = jax.tree.map(jnp.asarray, example_batch(experiment))

    def course(values: Any, batch: Any, key: Any) -> Any:
        algorithm = build(traced(experiment, values))
        state = algorithm.init(key, blank)
        found: list[Any] = [state]
        for phase in algorithm.phases:
            state = state if phase.enter is None else phase.enter(state)
            found += phase.train_step(state, batch, key)
        return found

    unknown = {path: jax.ShapeDtypeStruct((), np.float32) for path in paths}
    key = jax.eval_shape(lambda: rng.base_key(0))
    found = jax.eval_shape(course, unknown, batch_of(experiment, experiment.images_per_step), key)
    parts, structure = jax.tree.flatten(found)
    return structure, [(one.shape, one.dtype, one.weak_type) for one in parts]


def _fault(experiment: Experiment, paths: Collection[str], usual: Any) -> str:
    """Why numbers may not vary together; empty: they may."""
    try:
        found = _shapes(experiment, paths)
    except jax.errors.JAXTypeError:
        return "what is computed, or a shape, depends on its value"
    # Whatever code may raise that is given something else than a number.
    except Exception as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return "" if found == usual else "its value decides what there is in the state"
