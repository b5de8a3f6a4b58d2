"""An autoencoder in two phases, for tests of what comes between them.

Encoder and decoder are matrices. First both are trained, then the decoder alone, on codes with
noise, with an optimizer that starts anew.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.algorithms.base import Algorithm, Encoding, Generation, Phase
from jaxgan.algorithms.state import new_player, new_state
from jaxgan.config import Evaluation, Experiment, Model
from jaxgan.data.pipeline import Data
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam, Optimizer

SIZE = 3


@dataclasses.dataclass(frozen=True)
class TwoPhases(Model):
    """Settings of the autoencoder; ``ends`` and ``renew`` may be such as no run should have."""

    ends: tuple[int, ...] = (7, 12)
    """Steps done when each phase ends."""
    renew: bool = True
    """Whether the decoder's optimizer starts anew with the second phase."""
    optimizer: Optimizer = Adam(learning_rate=1e-2, b1=0.9)
    """Of both players."""

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> Algorithm:
        optimizer, over = self.optimizer.build(experiment.steps), apply.reduce(axis_name)
        prior, shape = Normal(SIZE), experiment.data.image_shape

        def pixels_of(batch: Any) -> Any:
            return batch["image"].reshape(len(batch["image"]), -1).astype(jnp.float32) / 255.0

        def init(key: Any, batch: Any) -> Any:
            numbers = pixels_of(batch).shape[1]
            first = {
                name: 0.1 * jax.random.normal(rng.role_key(key, name), of)
                for name, of in (("encoder", (numbers, SIZE)), ("decoder", (SIZE, numbers)))
            }
            players = {n: new_player({"params": {"w": w}}, optimizer) for n, w in first.items()}
            return new_state(players, averaged=("decoder",))

        def step(state: Any, batch: Any, noise: Any, trained: tuple[str, ...]) -> Any:
            real = pixels_of(batch)

            def loss(params: Any) -> Any:
                every = {**state.parameters, **params}
                codes = real @ every["encoder"]["w"] + noise
                return jnp.mean(jnp.square(codes @ every["decoder"]["w"] - real))

            params = {name: state.players[name].params for name in trained}
            value, slopes = over.mean(jax.value_and_grad(loss)(params))
            players = {
                name: player.update(optimizer, slopes[name], {}) if name in trained else player
                for name, player in state.players.items()
            }
            average = jax.tree.map(
                lambda old, new: 0.9 * old + 0.1 * new,
                state.ema["decoder"], players["decoder"].variables,
            )  # fmt: skip
            after = state.replace(step=state.step + 1, players=players, ema={"decoder": average})
            return after, {"loss": value}

        def both(state: Any, batch: Any, key: Any) -> Any:
            return step(state, batch, 0.0, ("encoder", "decoder"))

        def decoder(state: Any, batch: Any, key: Any) -> Any:
            noise = rng.per_example(
                lambda k: prior.draw(k, 0), rng.role_key(key, "noise"), len(batch["image"]),
                axis_name,
            )  # fmt: skip
            state, metrics = step(state, batch, 0.1 * noise, ("decoder",))
            return state, {"loss": metrics["loss"], "noise": over.mean(jnp.mean(noise))}

        def renewed(state: Any) -> Any:
            player = state.players["decoder"].renewed(optimizer)
            return state.replace(players={**state.players, "decoder": player})

        def shown(state: Any, codes: Any) -> Any:
            decoded = codes @ state.evaluated("decoder")["params"]["w"]
            return jnp.clip(decoded, 0.0, 1.0).reshape(-1, *shape)

        def codes(state: Any, batch: Any) -> Any:
            return pixels_of(batch) @ state.evaluated("encoder")["params"]["w"]

        def evaluate(state: Any, batch: Any, key: Any) -> Any:
            away = shown(state, codes(state, batch)).reshape(len(batch["image"]), -1)
            errors = jnp.mean(jnp.square(away - pixels_of(batch)), axis=1)
            return {"error": apply.masked_sum(errors, batch)}

        enters = (None, renewed if self.renew else None)
        return Algorithm(
            init,
            tuple(map(Phase, self.ends, (both, decoder), enters)),
            evaluate,
            Generation(lambda key, count: rng.per_example(lambda k: prior.draw(k, 0), key, count),
                       shown),
            Encoding(lambda state, batch: shown(state, codes(state, batch)), codes),
        )  # fmt: skip


def two_phases(model: Model | None = None, **changes: Any) -> Experiment:
    """Twelve steps, of which the decoder alone has the last five."""
    settings: dict[str, Any] = {
        "name": "two-phases",
        "model": model or TwoPhases(),
        "data": Data(),
        "steps": 12,
        "batch_size": 8,
        "evaluation": Evaluation(samples=20, backbone="pixels"),
    }
    return Experiment(**{**settings, **changes})
