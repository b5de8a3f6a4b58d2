"""One step of StyleGAN2: up to four updates, each with latents, styles and noise of its own.

In the order of the reference code: the generator; its path lengths; the discriminator; its
penalties. Path lengths and penalties are due in one of so many steps, and are updates by
themselves, so that the optimizers' settings are those of `jaxgan.algorithms.stylegan2.lazy`.

References:
    Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020, appendix B, and the
    code of Karras et al., Training Generative Adversarial Networks with Limited Data, 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.algorithms.gan_game import Game
from jaxgan.algorithms.gan_parts import adversarial
from jaxgan.algorithms.micro_batches import by_parts
from jaxgan.algorithms.state import Player, State
from jaxgan.config import ConfigError
from jaxgan.networks.style_levels import styles_of
from jaxgan.objectives.gan.penalties import View
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Batch, Labels, Latents, Metrics, Params, PRNGKey, Variables

if TYPE_CHECKING:
    from jaxgan.algorithms.stylegan2 import StyleGan2


class Made(NamedTuple):
    """Styles of one update.

    Attributes:
        ws: ``(batch, styles, units)``.
        latents: that they were mapped from (before mixing).
        model_state: the generator's other collections, the mean of ``w`` moved on.
    """

    ws: Any
    latents: Latents
    model_state: Params


def styles(game: Game, variables: Variables, key: PRNGKey, role: str, count: int) -> Made:
    """Styles of so many images; in most batches those from one layer on are another latent's.

    Args:
        game: the settings.
        variables: of the generator.
        key: of the step.
        role: of the update.
        count: images on this device.
    """
    model, networks = cast("StyleGan2", game.model), game.networks
    places = styles_of(networks.image_shape)

    def mapped(latents: Latents, follow: bool) -> tuple[Any, Params]:
        return by_parts(
            lambda rows: networks.making.apply(
                variables, rows["noise"] if networks.classes else rows, networks.labels_of(rows),
                method="styles", classes=networks.classes, axis_name=networks.axis_name,
                follow=follow, mutable=[name for name in variables if name != "params"],
            ),
            latents,
        )  # fmt: skip

    latents = game.draw(rng.role_key(key, f"{role}-latent"), count, networks.axis_name)
    w, after = mapped(latents, follow=True)
    ws = jnp.broadcast_to(w[:, None], (count, places, w.shape[1]))
    if model.mixing is not None:
        other = game.draw(rng.role_key(key, f"{role}-mixing"), count, networks.axis_name)
        if networks.classes:
            other = {**other, "label": latents["label"]}
        cut = jax.random.randint(rng.role_key(key, f"{role}-cut"), (), 1, places)
        mixed = jax.random.uniform(rng.role_key(key, f"{role}-mixed")) < model.mixing
        kept = (jnp.arange(places) < cut) | ~mixed
        ws = jnp.where(kept[:, None], ws, mapped(other, follow=False)[0][:, None])
    return Made(ws, latents, after)


def synthesized(game: Game, variables: Variables, ws: Any, key: PRNGKey, role: str) -> Any:
    """Images of styles, with noise of the update's own."""
    networks, noise = game.networks, {"dropout": rng.role_key(key, f"{role}-noise")}
    return by_parts(
        lambda rows: (networks.making.apply(
            variables, rows, method="images", image_shape=networks.image_shape, random=True,
            axis_name=networks.axis_name, rngs=noise,
        ), {}),
        ws,
    )[0]  # fmt: skip


def judged(
    game: Game, variables: Variables, images: Any, labels: Any, key: PRNGKey, role: str,
    extras: Any,
) -> Verdict:  # fmt: skip
    """What the discriminator says of augmented images."""
    return game.networks.discriminator(
        variables, game.seen(images, key, role, 0, extras), labels, rng.role_key(key, f"{role}-d")
    )[0]


def generate(
    game: Game, making: Player, judging: Player, extras: Any, key: PRNGKey, count: int
) -> tuple[Player, Metrics]:
    """The generator's update."""

    def objective(params: Params) -> Any:
        variables = {**making.variables, "params": params}
        made = styles(game, variables, key, "generator", count)
        fake = synthesized(game, variables, made.ws, key, "generator")
        labels = game.networks.labels_of(made.latents)
        on_fake = judged(game, judging.variables, fake, labels, key, "generator", extras)
        loss = game.model.loss
        # Its loss reads nothing of real images.
        values = adversarial(loss.generator, loss, game.over, on_fake, on_fake)
        return jnp.mean(values), made.model_state

    (value, after), gradients = jax.value_and_grad(objective, has_aux=True)(making.params)
    gradients = game.over.mean(gradients)
    found = {"loss/generator": value, **apply.gradient_norm("generator", gradients)}
    return making.update(game.optimizers["generator"], gradients, after), found


def lengthen(
    game: Game, making: Player, extras: Any, key: PRNGKey, count: int, step: Any
) -> tuple[Player, Any, Metrics]:
    """The updates for path lengths, where they are due.

    Raises:
        ConfigError: a device has no whole number of images to take lengths of.
    """
    kept, metrics = [], {}
    model = cast("StyleGan2", game.model)
    for one, before in zip(model.path_lengths, extras["path_lengths"], strict=True):
        if count % one.shrink:
            raise ConfigError(
                f"path lengths are of one in {one.shrink} images, and a device has {count}: choose"
                " another batch size, or set --model.path-lengths.0.shrink 1"
            )

        def due(given: Any, one: Any = one) -> Any:
            making, state = given

            def objective(params: Params) -> Any:
                variables = {**making.variables, "params": params}
                made = styles(game, variables, key, "path", count // one.shrink)
                networks = game.networks
                noise = rng.per_example(
                    lambda k: jax.random.normal(k, networks.image_shape),
                    rng.role_key(key, "path-direction"), count // one.shrink, networks.axis_name,
                )  # fmt: skip
                values, moved = one(
                    lambda ws: synthesized(game, variables, ws, key, "path"), made.ws, noise,
                    state, game.over.mean,
                )  # fmt: skip
                value = jnp.mean(values)
                return one.every * value, (made.model_state, moved, value)

            gradients, (after, moved, value) = jax.grad(objective, has_aux=True)(making.params)
            optimizer = game.optimizers["generator"]
            return making.update(optimizer, game.over.mean(gradients), after), moved, value

        making, state, value = _where_due(due, step % one.every == 0, (making, before))
        kept.append(state)
        metrics |= {f"penalty/generator/{one.name}": value, f"{one.name}/mean": state}
    return making, {**extras, "path_lengths": tuple(kept)}, metrics


class Judged(NamedTuple):
    """What the discriminator's update leaves.

    Attributes:
        on_real: verdict of the real images.
        latents: of the generated images.
        fake: the generated images.
    """

    on_real: Verdict
    latents: Latents
    fake: Any


def discriminate(
    game: Game, making: Player, judging: Player, extras: Any, batch: Mapping[str, Any], key: PRNGKey
) -> tuple[Player, Player, Judged, Metrics]:
    """The discriminator's update, and the generator with its mean of ``w`` moved on."""
    loss, count = game.model.loss, batch["image"].shape[0]
    made = styles(game, making.variables, key, "discriminator", count)
    fake = synthesized(game, making.variables, made.ws, key, "discriminator")
    of_fakes = game.networks.labels_of(made.latents)

    def objective(params: Params) -> Any:
        variables = {**judging.variables, "params": params}
        # Apart, so that a group of the minibatch's standard deviations is of one kind.
        on_fake = judged(game, variables, fake, of_fakes, key, "fake", extras)
        on_real = judged(game, variables, batch["image"], batch.get("label"), key, "real", extras)
        values = adversarial(loss.discriminator, loss, game.over, on_real, on_fake)
        logits = {"logits/real": on_real.logits, "logits/fake": on_fake.logits}
        found = {name: jnp.mean(value) for name, value in logits.items()}
        return jnp.mean(values), (on_real, found)

    (value, (on_real, found)), gradients = jax.value_and_grad(objective, has_aux=True)(
        judging.params
    )
    gradients = game.over.mean(gradients)
    found |= {"loss/discriminator": value, **apply.gradient_norm("discriminator", gradients)}
    judging = judging.update(game.optimizers["discriminator"], gradients, judging.model_state)
    making = making.replace(model_state=made.model_state)
    return making, judging, Judged(on_real, made.latents, fake), found


def penalize(
    game: Game, making: Player, judging: Player, extras: Any, batch: Mapping[str, Any],
    last: Judged, key: PRNGKey, step: Any,
) -> tuple[Player, Any, Metrics]:  # fmt: skip
    """The updates for the discriminator's penalties, where they are due."""
    kept, metrics = [], {}
    for one, before in zip(game.model.penalties, extras["penalties"], strict=True):

        def due(given: Any, one: Any = one) -> Any:
            judging, state = given

            def critic(params: Params, labels: Labels | None) -> Callable[[Any], Verdict]:
                variables = {**judging.variables, "params": params}
                return lambda images: judged(
                    game, variables, images, labels, key, f"penalty-{one.name}", extras
                )

            def objective(params: Params) -> Any:
                view = View(
                    critic=critic(params, batch.get("label")),
                    fake_critic=critic(params, game.networks.labels_of(last.latents)),
                    real=batch["image"],
                    fake=last.fake,
                    generate=lambda z: game.networks.generator(making.variables, z)[0],
                    latents=last.latents,
                    draw=lambda role, draw: rng.per_example(
                        draw, rng.role_key(key, role), batch["image"].shape[0],
                        game.networks.axis_name,
                    ),
                    critic_params=params,
                    generator_params=making.params,
                    mean=game.over.mean,
                )  # fmt: skip
                values, moved = one(view, state)
                value = jnp.mean(values)
                return one.every * value, (moved, value)

            gradients, (moved, value) = jax.grad(objective, has_aux=True)(judging.params)
            optimizer = game.optimizers["discriminator"]
            updated = judging.update(optimizer, game.over.mean(gradients), judging.model_state)
            return updated, moved, value

        judging, state, value = _where_due(due, step % one.every == 0, (judging, before))
        kept.append(state)
        metrics[f"penalty/{one.name}"] = value
    return judging, {**extras, "penalties": game.over.mean(tuple(kept))}, metrics


def _where_due(due: Callable[[Any], Any], is_due: Any, given: tuple[Player, Any]) -> Any:
    """A player, a state and a value after an update that is due; otherwise as they were, and 0."""
    return jax.lax.cond(is_due, due, lambda held: (*held, jnp.float32(0.0)), given)


def train_step(game: Game, state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
    """The state after one step, and what is worth logging of it."""
    model, over, extras = game.model, game.over, state.extras
    rows: dict[str, Any] = {"image": apply.to_symmetric(jnp.asarray(batch["image"]))}
    if game.networks.classes:
        rows["label"] = jnp.asarray(batch["label"])
    count, step = rows["image"].shape[0], state.step
    making, judging = (state.players[name] for name in ("generator", "discriminator"))
    making, metrics = generate(game, making, judging, extras, key, count)
    making, extras, of_paths = lengthen(game, making, extras, key, count, step)
    making, judging, last, found = discriminate(game, making, judging, extras, rows, key)
    judging, extras, penalties = penalize(game, making, judging, extras, rows, last, key, step)
    metrics = over.mean({**metrics, **of_paths, **found, **penalties})
    everything = jax.tree.map(over.gather, last.on_real)
    moved = tuple(
        one.update(one_state, everything, game.batch_size)
        for one, one_state in zip(model.augmentations, extras["augmentations"], strict=True)
    )
    for one, one_state in zip(model.augmentations, moved, strict=True):
        metrics |= one.metrics(one_state)
    averaged = model.ema.update(state.ema["generator"]["params"], making.params, step)
    new = state.replace(
        step=step + 1,
        players={"generator": making, "discriminator": judging},
        # The mean of w is an average already, and constants of the noise stay what they are.
        ema={"generator": {**making.model_state, "params": averaged}},
        extras={**extras, "augmentations": moved},
    )
    return new, metrics
