"""One step of a GAN: updates of the discriminator, and then one of the generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply, gan_diagnostics
from jaxgan.algorithms.gan_game import DRAWS, Game, Round, keys_of
from jaxgan.algorithms.gan_generator import generate
from jaxgan.algorithms.gan_parts import adversarial, auxiliary, packed, penalized, unpacked
from jaxgan.algorithms.state import Player, State
from jaxgan.networks.layers import spectral
from jaxgan.objectives.gan.augmentations import Replacing
from jaxgan.objectives.gan.losses import StatefulLoss, read
from jaxgan.objectives.gan.penalties import View
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Batch, Metrics, Params, PRNGKey, Scalar


def discriminate(
    game: Game, state: State, player: Player, extras: Any, batch: Any, key: PRNGKey, update: int
) -> tuple[Player, Any, Round]:
    """One update of the discriminator, and what the generator's update needs of it.

    Args:
        game: the settings.
        state: before the step.
        player: the discriminator before the update.
        extras: of the state, before the update.
        batch: real images in [-1, 1], and their labels.
        key: of the step.
        update: of the step's, counted from 0.
    """
    model, networks, over, loss = game.model, game.networks, game.over, game.loss_at(extras)
    pack, count = model.pack, batch["image"].shape[0]
    keys = {role: rng.role_key(key, role, update) for role in DRAWS}
    latents = game.draw(keys["latent"], count, networks.axis_name)
    of_fakes, making = networks.labels_of(latents), state.players["generator"]

    def fakes(params: Params) -> Any:
        variables = {"params": params, **making.model_state}
        return networks.generator(variables, latents, keys["generator-dropout"])

    fake, pull_back, g_state = jax.vjp(fakes, making.params, has_aux=True)
    still = jax.lax.stop_gradient(fake)
    real, labels = shown_as_real(game, making, extras, batch, key, update)
    player = iterated(player)

    def judge(variables: Any, images: Any, of: Any, role: str, key_: PRNGKey) -> Any:
        shown = game.seen(images, key, role, update, extras)
        return networks.discriminator(variables, shown, of, key_)

    def losses(critic_params: Params, generator_params: Params) -> tuple[Scalar, Scalar]:
        variables, (made, _) = player.variables | {"params": critic_params}, fakes(generator_params)
        on_real, _ = judge(variables, real, labels, "real", keys["real-dropout"])
        on_fake, _ = judge(variables, made, of_fakes, "fake", keys["fake-dropout"])
        return game.losses(loss, (on_real, on_fake))

    def objective(params: Params) -> Any:
        variables = {"params": params, **player.model_state}
        # Real and fake images are normalized apart, each with the statistics of its own batch.
        on_real, after = judge(variables, real, labels, "real", keys["real-dropout"])
        on_fake, after = judge(
            {"params": params, **after}, still, of_fakes, "fake", keys["fake-dropout"]
        )

        def critic(of: Any, role: str) -> Callable[[Any], Verdict]:
            # Running statistics are those of real and fake images, not of what lies between.
            return lambda images: judge(
                variables, unpacked(images, pack), of, role, keys["penalty-dropout"]
            )[0]

        view = View(
            critic=critic(labels, "real"),
            fake_critic=critic(of_fakes, "fake"),
            real=packed(real, pack),
            fake=packed(still, pack),
            generate=lambda z: packed(
                networks.generator(making.variables, z, keys["generator-dropout"])[0], pack
            ),
            latents=latents,
            draw=lambda role, one: rng.per_example(
                one, rng.role_key(key, role, update), count // pack, networks.axis_name
            ),
            on_real=on_real,
            on_fake=on_fake,
            critic_params=params,
            # Plain numbers to the discriminator, as the generated images are.
            generator_params=jax.lax.stop_gradient(making.params),
            losses=losses,
            mean=over.mean,
        )
        done = state.step * model.n_critic + update
        penalties, metrics, kept = penalized(model.penalties, extras["penalties"], view, done)
        values = adversarial(loss.discriminator, loss, over, on_real, on_fake) + penalties
        of_real = auxiliary(
            model.auxiliaries, lambda one: one.real, over, on_real, {"label": labels}
        )
        of_fake = auxiliary(model.auxiliaries, lambda one: one.fake, over, on_fake, latents)
        for term in [*of_real.values(), *of_fake.values()]:
            values = values + term
        metrics = {
            "loss/discriminator": jnp.mean(values),
            "logits/real": jnp.mean(on_real.logits),
            "logits/fake": jnp.mean(on_fake.logits),
            **metrics,
            **{f"{name}/real": jnp.mean(term) for name, term in of_real.items()},
            **{f"{name}/fake": jnp.mean(term) for name, term in of_fake.items()},
        }
        seen = (read(loss, on_real), read(loss, on_fake))
        return metrics["loss/discriminator"], (after, metrics, kept, (on_real, on_fake), seen)

    gradients, found = jax.grad(objective, has_aux=True)(player.params)
    after, metrics, kept, (on_real, on_fake), seen = found
    gradients = over.mean(gradients)
    metrics |= apply.gradient_norm("discriminator", gradients)
    before = player
    player = player.update(game.optimizers["discriminator"], gradients, after)
    for constraint in model.constraints:
        player = player.replace(params=constraint(player.params))
    if model.diagnostics:
        metrics |= gan_diagnostics.of_update("discriminator", before.params, player.params)
        metrics |= gan_diagnostics.of_verdicts(on_real, on_fake)
        metrics |= gan_diagnostics.of_spread(batch["image"], still, over.mean)
        slope = gan_diagnostics.slope_squared(
            lambda images: judge(before.variables, images, labels, "real", keys["real-dropout"])[0],
            real,
            extras["slope"],
            state.step * model.n_critic + update,
        )
        metrics |= {f"{gan_diagnostics.PREFIX}slope_squared": slope}
        extras = {**extras, "slope": over.mean(slope)}
    moved = extras["augmentations"]
    if moved:
        everything = jax.tree.map(over.gather, on_real)
        moved = tuple(
            one.update(one_state, everything, game.batch_size)
            for one, one_state in zip(model.augmentations, moved, strict=True)
        )
    extras = {**extras, "penalties": over.mean(kept), "augmentations": moved}
    return player, extras, Round(batch, latents, fake, pull_back, g_state, seen, metrics)


def shown_as_real(
    game: Game, making: Player, extras: Any, batch: Any, key: PRNGKey, update: int
) -> tuple[Any, Any]:
    """Images and labels that the discriminator is to take for real ones.

    They are the batch's, unless an augmentation replaces some: by images made for this, which are
    in no other term of the update.

    Args:
        game: the settings.
        making: the generator.
        extras: of the state.
        batch: real images in [-1, 1], and their labels.
        key: of the step.
        update: of the step's, counted from 0.
    """
    real, labels, networks = batch["image"], batch.get("label"), game.networks
    flags_by = keys_of(key, "real", update, real.shape[0], networks.axis_name)
    for index, one in enumerate(game.model.augmentations):
        if not isinstance(one, Replacing):
            continue
        keys = {n: rng.role_key(key, f"replacing-{n}-{index}", update) for n in ("latent", "make")}
        latents = game.draw(keys["latent"], real.shape[0], networks.axis_name)
        made, _ = networks.generator(making.variables, latents, keys["make"])
        flags = one.replaced(flags_by(f"replacing-{index}"), extras["augmentations"][index])
        real = jnp.where(flags[:, None, None, None], jax.lax.stop_gradient(made), real)
        if labels is not None:
            labels = jnp.where(flags, networks.labels_of(latents), labels)
    return real, labels


def train_step(game: Game, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
    """The state after one step, and what is worth logging of it."""
    model, over = game.model, game.over
    rows = {"image": apply.to_symmetric(jnp.asarray(batch["image"]))}
    if game.networks.classes:
        rows["label"] = jnp.asarray(batch["label"])
    # Rows of one critic update are n_critic apart, however many devices share them.
    rows = {n: a.reshape(-1, model.n_critic, *a.shape[1:]) for n, a in rows.items()}
    making = iterated(state.players["generator"])
    state = state.replace(players={**state.players, "generator": making})
    player, extras, last = state.players["discriminator"], state.extras, None
    for update in range(model.n_critic):
        own = {name: array[:, update] for name, array in rows.items()}
        player, extras, last = discriminate(game, state, player, extras, own, key, update)
    assert last is not None
    making, extras, metrics = generate(game, making, player, extras, last, key, state.step)
    metrics = over.mean(last.metrics | metrics)
    if isinstance(model.loss, StatefulLoss):
        real, fake = over.gather(last.seen)
        after, more = model.loss.update(extras["loss"], real=real, fake=fake)
        extras, metrics = {**extras, "loss": after}, metrics | more
    for one, one_state in zip(model.augmentations, extras["augmentations"], strict=True):
        metrics |= one.metrics(one_state)
    average = model.ema.update(state.ema["generator"], making.variables, state.step)
    new = state.replace(
        step=state.step + 1,
        players={"generator": making, "discriminator": player},
        ema={"generator": average},
        extras=extras,
    )
    return new, metrics


def iterated(player: Player) -> Player:
    """A player whose spectral normalization is one iteration further on."""
    variables = spectral.moved(player.variables)
    return player.replace(model_state={n: v for n, v in variables.items() if n != "params"})
