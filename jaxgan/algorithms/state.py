"""The state of a run: one type for all algorithms, and nothing in it but arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jaxtyping import Array, Int

from jaxgan.typing import Params, Variables


class Player(struct.PyTreeNode):
    """A network in training.

    Attributes:
        params: what its optimizer updates.
        model_state: its other collections, such as batch statistics; may be empty.
        opt_state: its optimizer's state.
    """

    params: Params
    model_state: Params
    opt_state: optax.OptState

    @property
    def variables(self) -> Variables:
        """What ``module.apply`` takes."""
        return {"params": self.params, **self.model_state}

    def update(
        self, optimizer: optax.GradientTransformation, gradients: Params, model_state: Params
    ) -> Player:
        """This player after one optimizer update.

        Args:
            optimizer: the transformation that made ``opt_state``.
            gradients: of the loss, averaged over the devices; same structure as ``params``.
            model_state: the collections that the forward pass returned.
        """
        updates, opt_state = optimizer.update(gradients, self.opt_state, self.params)
        params = optax.apply_updates(self.params, updates)
        return self.replace(params=params, model_state=model_state, opt_state=opt_state)

    def renewed(self, optimizer: optax.GradientTransformation) -> Player:
        """This player with its optimizer as at the start, as at the start of a phase."""
        return self.replace(opt_state=optimizer.init(self.params))


class State(struct.PyTreeNode):
    """All that a run needs to go on: it checkpoints, donates, vmaps and shards as it is.

    Its structure stays the same over a whole run, in all phases.

    Attributes:
        step: generator (or autoencoder) updates done.
        players: networks in training, by name.
        ema: averaged variables, batch statistics included, of those players that are averaged.
        extras: state of regularizers and controllers that have some.
    """

    step: Any
    # Any: who maps over a state may put other things in the places of its parts.
    players: dict[str, Player] | Any
    ema: dict[str, Variables] | Any
    extras: Any

    def evaluated(self, player: str) -> Variables:
        """The variables of a player that are measured: averaged ones, where there are any."""
        return self.ema[player] if player in self.ema else self.players[player].variables

    @property
    def raw(self) -> State:
        """This state with the weights being trained in place of their averages."""
        return self.replace(ema={name: self.players[name].variables for name in self.ema})

    @property
    def parameters(self) -> dict[str, Params]:
        """The trained parameters, by player."""
        return {name: player.params for name, player in self.players.items()}

    def with_statistics(self, found: Mapping[str, Params]) -> State:
        """This state with other batch statistics in the variables that are measured.

        Args:
            found: ``batch_stats`` by player.
        """
        ema, players = dict(self.ema), dict(self.players)
        for name, statistics in found.items():
            if name in ema:
                ema[name] = {**ema[name], "batch_stats": statistics}
            else:
                player = players[name]
                kept = {**player.model_state, "batch_stats": statistics}
                players[name] = player.replace(model_state=kept)
        return self.replace(ema=ema, players=players)

    @property
    def is_batch_normalized(self) -> bool:
        """Whether any network that is measured has batch statistics."""
        shown = (self.evaluated(name).get("batch_stats", {}) for name in self.players)
        return any(jax.tree.leaves(statistics) for statistics in shown)


def new_player(variables: Mapping[str, Any], optimizer: optax.GradientTransformation) -> Player:
    """A player from what ``module.init`` returned."""
    model_state = {name: value for name, value in variables.items() if name != "params"}
    params = variables["params"]
    return Player(params=params, model_state=model_state, opt_state=optimizer.init(params))


def new_state(
    players: Mapping[str, Player], *, averaged: tuple[str, ...] = (), extras: Any = ()
) -> State:
    """The state before the first step.

    Args:
        players: by name.
        averaged: names of those whose average is kept.
        extras: as in `State`.
    """
    return State(
        step=first_step(),
        players=dict(players),
        # Copies, because a donated state must not hold one buffer twice.
        ema={name: jax.tree.map(jnp.copy, players[name].variables) for name in averaged},
        extras=extras,
    )


def first_step() -> Int[Array, ""]:
    """The step counter of a new state."""
    return jnp.zeros((), jnp.int32)
