"""Weights to start from: those of another run (``Experiment.init_from``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.program import Program, example_batch
from jaxgan.run import workdir
from jaxgan.run.weights import Weights, read_weights


def asked_for(experiment: Experiment, program: Program) -> Weights | None:
    """The weights that an experiment names, if they fit; None where it names none.

    Raises:
        RunError: there is no such run, or it has no checkpoint.
        CheckpointError: its checkpoint cannot be read.
        ConfigError: as `with_weights`.
    """
    if not experiment.init_from:
        return None
    weights = read_weights(Path(experiment.init_from))
    state = jax.eval_shape(program.init, 0, example_batch(experiment))
    with_weights(state, weights, experiment.init_from)
    return weights


def record(experiment: Experiment, weights: Weights) -> dict[str, Any]:
    """What a run's configuration says of the weights that it started from."""
    run = Path(experiment.init_from).resolve()
    return {"run": str(run), "step": weights.step, "digest": weights.digest}


def recorded(folder: Path) -> Weights:
    """The weights that a run has started from, read again.

    Args:
        folder: of the run that started from them.

    Raises:
        RunError: the other run has gone, or its weights are no longer what they were.
        CheckpointError: they cannot be read.
    """
    known = workdir.read_config(folder)["init_from"]
    weights = read_weights(Path(known["run"]), known["step"])
    if weights.digest != known["digest"]:
        raise workdir.RunError(
            f"{folder} started from step {known['step']} of {known['run']}, whose weights have"
            f" changed since (digest {known['digest'][:12]} then, {weights.digest[:12]} now): start"
            " a new run in another --workdir"
        )
    return weights


def with_weights(state: State, weights: Weights, run: str) -> State:
    """A new state with the variables of another run; its optimizers and extras stay as they are.

    Where the other run keeps no average of a network, its weights stand in.

    Args:
        state: before the first step, or its shapes alone, with which nothing but the fit is found.
        weights: of the other run.
        run: how messages call that run.

    Raises:
        ConfigError: a network has other variables there, or there is no such network; or the
            weights are not finite.
    """
    players = {}
    for name, player in state.players.items():
        theirs = _of(weights.players, name, run)
        found = _fitted(player.variables, theirs, name, run)
        rest = {kind: value for kind, value in found.items() if kind != "params"}
        players[name] = player.replace(params=found["params"], model_state=rest)
    averages = {
        name: _fitted(
            mine, weights.averages.get(name) or _of(weights.players, name, run), name, run
        )
        for name, mine in state.ema.items()
    }
    return state.replace(players=players, ema=averages)


def _of(players: Mapping[str, Any], name: str, run: str) -> Any:
    if name not in players:
        raise ConfigError(f"init_from = {run}: it has no {name}, only {', '.join(players)}")
    return players[name]


def _fitted(mine: Any, theirs: Any, name: str, run: str) -> Any:
    """The other run's variables, in the structure of one's own."""
    own, structure = jax.tree_util.tree_flatten_with_path(mine)
    wanted = {_path(path): leaf for path, leaf in own}
    found = {_path(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(theirs)}
    every = dict.fromkeys([*wanted, *found])
    for path in sorted(every, key=lambda path: not path.startswith("params")):
        here, there = _shown(wanted.get(path)), _shown(found.get(path))
        if here != there:
            raise ConfigError(
                f"init_from = {run}: {name}/{path} is {there} there and {here} here; the networks"
                " must be the same"
            )
        if jnp.issubdtype(found[path].dtype, jnp.floating) and not np.isfinite(found[path]).all():
            raise ConfigError(f"init_from = {run}: {name}/{path} is not finite there")
    return jax.tree.unflatten(structure, [found[path] for path in wanted])


def _path(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _shown(leaf: Any) -> str:
    return "absent" if leaf is None else f"{leaf.dtype} {tuple(leaf.shape)}"
