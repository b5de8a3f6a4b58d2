"""Which penalties and layers of a discriminator do not do what they are for, beside other parts."""

from __future__ import annotations

from typing import Any

from jaxgan.config import ConfigError
from jaxgan.networks.claims import core
from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.trunk import pyramid
from jaxgan.objectives.gan.consistency import LatentConsistency
from jaxgan.objectives.gan.game_gradients import Consensus
from jaxgan.objectives.gan.latent_spread import LatentSpread
from jaxgan.typing import ImageShape


def check_unrolled(model: Any) -> None:
    """Refuses looking ahead at updates that the discriminator does not make.

    The updates that an unrolled generator learns through are those of the adversarial loss alone.

    Args:
        model: a `jaxgan.algorithms.gan.Gan`.

    Raises:
        ConfigError: the discriminator minimizes penalties or auxiliary terms besides.
    """
    terms = (*model.penalties, *model.auxiliaries)
    if model.unrolled_steps and terms:
        flag = "penalty" if model.penalties else "auxiliary"
        raise ConfigError(
            f"unrolled_steps = {model.unrolled_steps} looks ahead at the loss alone, and the"
            f" discriminator minimizes {type(terms[0]).__name__} as well: set --{flag} none or"
            " --model.unrolled-steps 0"
        )


def check_norm(image_shape: ImageShape, discriminator: Any) -> None:
    """Refuses a normalization that is asked for by name and has no layer to normalize.

    A convolutional discriminator never normalizes its first layer, and of images of 8 pixels a side
    it has no other. (``batch_norm``, which is on unless it is switched off, may be without effect.)

    Args:
        image_shape: of one image.
        discriminator: the network, or one with such a network as its ``body``.

    Raises:
        ConfigError: says of which images it would have an effect.
    """
    judging = core(discriminator)
    if not isinstance(judging, DcganFeatures) or judging.norm is None:
        return
    if len(pyramid(image_shape, judging.width, judging.max_multiple).channels) == 1:
        height, width, _ = image_shape
        raise ConfigError(
            f"norm = {judging.norm!r} normalizes all layers of {type(judging).__name__} but the"
            f" first, and of images of {height}x{width} it has one: leave it out, or take images of"
            " 16 pixels a side (--data.image-size 16)"
        )


def penalty_warnings(model: Any) -> tuple[str, ...]:
    """Halves of something that is told to both players.

    Args:
        model: a `jaxgan.algorithms.gan.Gan`.
    """
    kinds = {type(one) for one in model.penalties}
    of_generator = {type(one) for one in model.generator_penalties}
    found = []
    if (Consensus in kinds) != (Consensus in of_generator):
        missing = "generator-penalty" if Consensus in kinds else "penalty"
        found.append(
            "Consensus for one player alone is not consensus optimization, where both make the"
            f" gradients of both short: add --{missing} consensus"
        )
    if LatentConsistency in kinds and LatentSpread not in of_generator:
        found.append(
            "LatentConsistency without LatentSpread is half of zCR: a generator that does not look"
            " at its latents satisfies it (--generator-penalty latent_spread)"
        )
    return tuple(found)
