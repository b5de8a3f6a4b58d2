"""One update of an autoencoder, in two parts, between which others may play on its codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.algorithms.autoencoder import Autoencoder, Inferred, values_of
from jaxgan.algorithms.autoencoder_parts import PLAYER
from jaxgan.algorithms.observed import observe
from jaxgan.algorithms.state import Player
from jaxgan.networks.layers import spectral
from jaxgan.objectives.vae.bounds import Terms, Weigh
from jaxgan.objectives.vae.regularizers import CodeView
from jaxgan.typing import Batch, Metrics, Params, PerExample, PRNGKey


class Coded(NamedTuple):
    """The first half of an update: a batch's codes, and the way back to the encoder.

    Attributes:
        player: that made them.
        found: the codes; differentiable by the second half alone.
        changed: the player's other collections after the encoder.
        pull: from slopes by ``found`` to slopes by the player's parameters.
    """

    player: Player
    found: Inferred
    changed: Params
    pull: Callable[[Any], Any]


class Learner(NamedTuple):
    """The two halves.

    Attributes:
        code: from the player, a batch, the steps done and the step's key to `Coded`.
        update: from `Coded`, a batch, the steps done and the step's key to the player after its
            update, and metrics of this device's rows. ``terms`` are further functions of a
            `CodeView` by name, whose values are added to each image's loss.
    """

    code: Callable[..., Coded]
    update: Callable[..., tuple[Player, Metrics]]


def learner(
    model: Any, parts: Autoencoder, optimizer: optax.GradientTransformation,
    axis_name: str | None = None,
) -> Learner:  # fmt: skip
    """The update of an autoencoder by its bound, its regularizers and what is added besides.

    Args:
        model: `jaxgan.algorithms.vae.Vae` or what has its fields.
        parts: as `jaxgan.algorithms.autoencoder.autoencoder` makes them.
        optimizer: of the player.
        axis_name: mapped axis over which the batch is sharded; None on one device.
    """
    over, bound = apply.reduce(axis_name), model.bound

    def weigh_at(step: Any) -> Weigh:
        return lambda kl: model.beta(kl, step=step, mean=over.mean)

    def training(key: PRNGKey) -> dict[str, Any]:
        return {"train": True, "key": rng.role_key(key, "dropout")}

    def seen(batch: Batch, key: PRNGKey) -> Batch:
        # One draw for both halves, since it follows from the key.
        return observe(model.likelihood, batch, rng.role_key(key, "observed"), axis_name)

    def code(player: Player, batch: Batch, step: Any, key: PRNGKey) -> Coded:
        batch = seen(batch, key)
        moved = spectral.moved(player.variables)
        before = player.replace(model_state={n: v for n, v in moved.items() if n != "params"})
        count = jnp.shape(batch["image"])[0]
        noise = parts.noise(rng.role_key(key, "noise"), count, bound.samples, axis_name)

        def inferred(params: Params) -> tuple[Inferred, Params]:
            return parts.infer(
                {"params": params, **before.model_state}, batch, noise, step,
                path=bound.path, **training(key),
            )  # fmt: skip

        found, pull, changed = jax.vjp(inferred, before.params, has_aux=True)
        return Coded(before, found, changed, pull)

    def view_of(variables: Any, batch: Batch, found: Inferred, step: Any, key: PRNGKey) -> CodeView:
        labels, count = parts.labels(batch), found.codes.shape[1]

        def prior_codes(role: str) -> Any:
            latents = parts.prior(rng.role_key(key, role), count, axis_name)
            return parts.codes_of(variables, latents)[0]

        return CodeView(
            codes=found.codes[0],
            encoded=found.encoded,
            prior_codes=prior_codes,
            gather=over.gather,
            rows=over.rows(count),
            decode=lambda codes: parts.outputs(variables, codes, labels)[0],
            params=variables["params"],
            key=key,
            step=step,
        )

    def update(
        coded: Coded, batch: Batch, step: Any, key: PRNGKey,
        terms: Mapping[str, Callable[[CodeView], PerExample]] = {},
    ) -> tuple[Player, Metrics]:  # fmt: skip
        before, weigh, batch = coded.player, weigh_at(step), seen(batch, key)
        added = {**{one.regularizes: one for one in model.regularizers}, **terms}

        def told(params: Params, found: Inferred):
            variables = {"params": params, **before.model_state, **coded.changed}
            known, changed = parts.terms(variables, batch, found, **training(key))
            view = view_of(variables, batch, found, step, key)
            return (known, {name: one(view) for name, one in added.items()}), changed

        def loss(known: Terms, more: dict[str, PerExample], maximized: Any):
            return jnp.mean(sum(more.values()) - maximized(known, weigh))

        # Encoder and decoder may have different objectives of the same codes.
        (known, more), pull, changed = jax.vjp(told, before.params, coded.found, has_aux=True)
        slopes = jax.value_and_grad(loss, argnums=(0, 1))
        value, slope = slopes(known, more, bound)
        direct, through = pull(slope)
        if bound.encoder(known, weigh) is not None:
            _, through = pull(slopes(known, more, bound.encoder)[1])
        gradients = over.mean(jax.tree.map(jnp.add, direct, *coded.pull(through)))
        metrics = {
            "loss/autoencoder": value,
            **{name: jnp.mean(each) for name, each in {**values_of(known), **more}.items()},
            **apply.gradient_norm(PLAYER, gradients),
        }
        return before.update(optimizer, gradients, changed), metrics

    return Learner(code, update)
