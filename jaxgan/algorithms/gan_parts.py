"""How the parts of a GAN are applied: augmentations, penalties, auxiliary terms, losses, packs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxgan.algorithms import apply
from jaxgan.config import ConfigError
from jaxgan.objectives.gan.augmentations import Augmentation
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.losses import GanLoss, read
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Metrics, PerExample

Term: TypeAlias = Callable[[Verdict, Any], PerExample | None]
"""A part of an auxiliary term."""


def augmented(
    augmentations: Sequence[Augmentation],
    states: Sequence[Any],
    images: Any,
    keys_of: Callable[[str], Any],
) -> Any:
    """Images as the discriminator sees them.

    Args:
        augmentations: applied one after the other.
        states: theirs.
        images: in [-1, 1].
        keys_of: from the name of a draw to one key an example.
    """
    for index, (one, state) in enumerate(zip(augmentations, states, strict=True)):
        with jax.named_scope("augmentation"):
            images = one(images, keys_of(f"augmentation-{index}"), state)
    return images


def penalized(
    penalties: Sequence[Any], states: Sequence[Any], view: Any, done: Any, *,
    of: Callable[[Any], Callable[[Any, Any], tuple[Any, Any]]] = lambda penalty: penalty,
    under: str = "penalty",
) -> tuple[Any, Metrics, tuple[Any, ...]]:  # fmt: skip
    """The sum of the penalties that are due, their metrics, and their states afterwards.

    A lazy penalty is taken every so many updates, and counts as many times as much then (Karras et
    al., Analyzing and Improving the Image Quality of StyleGAN, 2020, appendix B).

    Args:
        penalties: of one player.
        states: theirs.
        view: what they see.
        done: updates of that player done before this one.
        of: from a penalty to its function of view and state.
        under: which name the metrics are.
    """
    total: Any = 0.0
    metrics: Metrics = {}
    kept = []
    for penalty, before in zip(penalties, states, strict=True):

        def due(state: Any, penalty: Any = penalty) -> tuple[Any, Any]:
            values, state = of(penalty)(view, state)
            return (values if penalty.every == 1 else penalty.every * values), state

        def skipped(state: Any, due: Callable[[Any], tuple[Any, Any]] = due) -> tuple[Any, Any]:
            values, _ = jax.eval_shape(due, state)
            return jnp.zeros(values.shape, values.dtype), state

        if penalty.every == 1:
            values, state = due(before)
        else:
            values, state = jax.lax.cond(done % penalty.every == 0, due, skipped, before)
        total = total + values
        metrics[f"{under}/{penalty.name}"] = jnp.mean(values)
        kept.append(state)
    return total, metrics, tuple(kept)


def whole(over: apply.Reduce, judged: Verdict) -> Verdict:
    """Logits and heads of the whole batch; features, which are large, are left out."""
    return Verdict(*over.gather((judged.logits, dict(judged.heads))))


def auxiliary(
    terms: Sequence[Auxiliary], part: Callable[[Auxiliary], Term], over: apply.Reduce,
    judged: Verdict, given: Any,
) -> dict[str, PerExample]:  # fmt: skip
    """Those values of auxiliary terms, by name, that are there; of this device's rows.

    Args:
        terms: of the model.
        part: of a term, such as ``lambda term: term.real``.
        over: the devices.
        judged: verdict of the images.
        given: what is known of them.
    """
    if not terms:
        return {}
    judged, given = whole(over, judged), over.gather(given)
    found = {term.name: part(term)(judged, given) for term in terms}
    return {name: over.own(values) for name, values in found.items() if values is not None}


def adversarial(
    player: Callable[..., PerExample], loss: GanLoss, over: apply.Reduce, real: Verdict,
    fake: Verdict,
) -> PerExample:  # fmt: skip
    """A player's loss on this device's rows.

    Args:
        player: a method of the loss.
        loss: which decides what is read of verdicts.
        over: the devices.
        real: verdict of the real images.
        fake: of the generated ones.
    """
    real, fake = over.gather((read(loss, real), read(loss, fake)))
    return over.own(player(real=real, fake=fake))


def packed(images: Any, pack: int) -> Any:
    """Each ``pack`` images that follow each other as one, their channels side by side.

    >>> packed(jnp.arange(4).reshape(4, 1, 1, 1), 2)[:, 0, 0].tolist()
    [[0, 1], [2, 3]]

    Raises:
        ConfigError: they are not whole packs.

    References:
        Lin et al., PacGAN: The Power of Two Samples in Generative Adversarial Networks, 2018.
    """
    if pack == 1:
        return images
    count, height, width, channels = images.shape
    if count % pack:
        raise ConfigError(f"pack = {pack} does not divide the {count} images of a device")
    apart = images.reshape(count // pack, pack, height, width, channels)
    return apart.transpose(0, 2, 3, 1, 4).reshape(count // pack, height, width, pack * channels)


def unpacked(images: Any, pack: int) -> Any:
    """The inverse of `packed`."""
    if pack == 1:
        return images
    count, height, width, channels = images.shape
    apart = images.reshape(count, height, width, pack, channels // pack)
    return apart.transpose(0, 3, 1, 2, 4).reshape(-1, height, width, channels // pack)
