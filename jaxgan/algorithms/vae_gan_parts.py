"""The three networks of a VAE-GAN, called alike wherever they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import flax.linen as nn

from jaxgan.algorithms import apply
from jaxgan.algorithms.state import Player
from jaxgan.config import ConfigError
from jaxgan.networks.layers import spectral
from jaxgan.objectives.gan.verdict import Verdict, verdict
from jaxgan.typing import Codes, ImageShape, Latents, Params, Pixels, PRNGKey, Variables


class Judged(NamedTuple):
    """What the discriminator says of the three kinds of images.

    Attributes:
        real: of the batch.
        decoded: of what was decoded from the batch's codes.
        generated: of what was decoded from draws of the prior.
    """

    real: Verdict
    decoded: Verdict
    generated: Verdict


class Networks(NamedTuple):
    """Encoder, decoder and discriminator.

    Attributes:
        encoder: from images to means and log variances.
        decoder: from codes to images.
        discriminator: from images to logits and features.
        image_shape: of one image.
        size: of a code.
        axis_name: mapped axis over which the batch is sharded; None on one device.
    """

    encoder: nn.Module
    decoder: nn.Module
    discriminator: nn.Module
    image_shape: ImageShape
    size: int
    axis_name: str | None

    def encode(
        self, variables: Variables, images: Pixels, key: PRNGKey | None = None, train: bool = True
    ) -> tuple[Latents, Latents, Params]:
        """Means, log variances, and changed collections.

        Raises:
            ConfigError: it is no encoder.
        """
        found, changed = apply.call(
            "encoder", self.encoder, variables, images, train=train, axis_name=self.axis_name,
            key=key, latent_size=self.size,
        )  # fmt: skip
        if not isinstance(found, tuple) or len(found) != 2:
            raise ConfigError(
                f"the encoder, {type(self.encoder).__name__}, must return mean and log variance of"
                " each code"
            )
        for one in found:
            apply.check_shape("encoder", self.encoder, one, (images.shape[0], self.size))
        return (*found, changed)

    def decode(
        self, variables: Variables, codes: Codes, key: PRNGKey | None = None, train: bool = True
    ) -> tuple[Pixels, Params]:
        """Images, and changed collections."""
        images, changed = apply.call(
            "decoder", self.decoder, variables, codes, train=train, axis_name=self.axis_name,
            key=key, image_shape=self.image_shape,
        )  # fmt: skip
        apply.check_shape("decoder", self.decoder, images, (codes.shape[0], *self.image_shape))
        return images, changed

    def judge(
        self, variables: Variables, images: Pixels, key: PRNGKey | None = None, train: bool = True
    ) -> tuple[Verdict, Params]:
        """What is said of images, and changed collections."""
        found, changed = apply.call(
            "discriminator", self.discriminator, variables, images, train=train,
            axis_name=self.axis_name, key=key,
        )  # fmt: skip
        judged: Any = verdict(found)
        apply.check_shape("discriminator", self.discriminator, judged.logits, (images.shape[0],))
        return judged, changed


def moved(player: Player) -> Player:
    """A player whose spectral normalization is one iteration further on."""
    variables = spectral.moved(player.variables)
    return player.replace(model_state={n: v for n, v in variables.items() if n != "params"})
