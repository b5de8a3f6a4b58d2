"""The update of a GAN's generator."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply, gan_diagnostics
from jaxgan.algorithms.gan_game import Game, Round
from jaxgan.algorithms.gan_parts import adversarial, auxiliary, penalized
from jaxgan.algorithms.state import Player
from jaxgan.algorithms.unrolling import unrolled
from jaxgan.objectives.gan.generator_penalties import GeneratorView
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Latents, Metrics, Params, PRNGKey, Scalar


def generate(
    game: Game, making: Player, player: Player, extras: Any, last: Round, key: PRNGKey, step: Any
) -> tuple[Player, Any, Metrics]:
    """The update of the generator.

    Args:
        game: the settings.
        making: the generator before the update.
        player: the discriminator after its own.
        extras: of the state, after them.
        last: what the last of them left.
        key: of the step.
        step: steps done before this one.

    Returns:
        The generator, the extras, and metrics that are not yet averaged over the devices.
    """
    model, networks, over, loss = game.model, game.networks, game.over, game.loss_at(extras)
    final, real, labels = model.n_critic, last.batch["image"], last.batch.get("label")
    of_fakes = networks.labels_of(last.latents)
    real_key, fake_key = (rng.role_key(key, f"{role}-dropout", final) for role in ("real", "fake"))

    def judge(params: Params, images: Any, of: Any, role: str, key_: PRNGKey) -> Verdict:
        shown = game.seen(images, key, role, final, extras)
        return networks.discriminator({**player.variables, "params": params}, shown, of, key_)[0]

    def verdicts(params: Params, fake: Any) -> tuple[Verdict, Verdict]:
        on_real = judge(params, real, labels, "real", real_key)
        return on_real, judge(params, fake, of_fakes, "fake", fake_key)

    def bare(params: Params, fake: Any) -> Scalar:
        return jnp.mean(adversarial(loss.discriminator, loss, over, *verdicts(params, fake)))

    def objective(fake: Any) -> Any:
        ahead = unrolled(
            player, game.optimizers["discriminator"], model.constraints,
            lambda params: bare(params, fake), over.mean, model.unrolled_steps,
        )  # fmt: skip
        on_real, on_fake = verdicts(ahead, fake)
        values = adversarial(loss.generator, loss, over, on_real, on_fake)
        terms = auxiliary(model.auxiliaries, lambda one: one.generator, over, on_fake, last.latents)
        for term in terms.values():
            values = values + term
        return jnp.mean(values), {f"{n}/generator": jnp.mean(term) for n, term in terms.items()}

    (value, metrics), slope = jax.value_and_grad(objective, has_aux=True)(last.fake)
    (gradients,) = last.pull_back(slope)
    if model.generator_penalties:

        def produced(params: Params, latents: Latents) -> Any:
            variables, dropout = {**making.variables, "params": params}, "generator-dropout"
            own = rng.role_key(key, dropout, final - 1)
            return networks.generator(variables, latents, own)[0]

        def losses(critic_params: Params, generator_params: Params) -> tuple[Scalar, Scalar]:
            fake = produced(generator_params, last.latents)
            return game.losses(loss, verdicts(critic_params, fake))

        def penalties(params: Params) -> Any:
            view = GeneratorView(
                generator_params=params,
                critic_params=player.params,
                generate=produced,
                latents=last.latents,
                real=real,
                judge=lambda p, images: judge(p, images, of_fakes, "fake", fake_key),
                losses=losses,
                draw=lambda role, one: rng.per_example(
                    one, rng.role_key(key, role, final), real.shape[0], networks.axis_name
                ),
                mean=over.mean,
            )
            values, found, kept = penalized(
                model.generator_penalties, extras["generator_penalties"], view, step,
                of=lambda one: one.generator, under="penalty/generator",
            )  # fmt: skip
            return jnp.mean(values), (found, kept)

        (more, (found, kept)), added = jax.value_and_grad(penalties, has_aux=True)(making.params)
        value, metrics = value + more, metrics | found
        gradients = jax.tree.map(jnp.add, gradients, added)
        extras = {**extras, "generator_penalties": over.mean(kept)}
    gradients = over.mean(gradients)
    before = making.params
    making = making.update(game.optimizers["generator"], gradients, last.generator_state)
    if model.diagnostics:
        metrics |= gan_diagnostics.of_update("generator", before, making.params)
    metrics |= {"loss/generator": value} | apply.gradient_norm("generator", gradients)
    return making, extras, metrics
