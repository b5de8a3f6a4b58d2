"""What an autoencoder is made of: its settings, and its two networks as one."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import flax.linen as nn

from jaxgan.algorithms import apply
from jaxgan.config import ConfigError
from jaxgan.objectives.vae.code_priors import CodePrior
from jaxgan.objectives.vae.likelihoods import Likelihood
from jaxgan.objectives.vae.posteriors import Encoded, Posterior
from jaxgan.typing import Codes

PLAYER = "autoencoder"
"""The player whose variables an autoencoder's are."""


@runtime_checkable
class Parts(Protocol):
    """The settings of an autoencoder, such as `jaxgan.algorithms.vae.Vae`."""

    @property
    def encoder(self) -> nn.Module:
        """Network from images to two vectors each."""
        ...

    @property
    def decoder(self) -> nn.Module:
        """Network from codes to what the likelihood takes."""
        ...

    @property
    def likelihood(self) -> Likelihood:
        """Of an image given its code."""
        ...

    @property
    def posterior(self) -> Posterior:
        """Of a code given its image."""
        ...

    @property
    def code_prior(self) -> CodePrior:
        """Of codes."""
        ...

    @property
    def latent_size(self) -> int:
        """Length of a code."""
        ...

    @property
    def conditional(self) -> bool:
        """Whether both networks are given the image's class."""
        ...


class Networks(nn.Module):
    """Encoder and decoder under one roof, so that their variables form one tree."""

    encoder: nn.Module
    decoder: nn.Module

    def __call__(
        self, images: Any, codes: Codes, labels: Any, *, size: int, image_shape: Any, classes: int,
        train: bool, axis_name: Any = None,
    ):  # fmt: skip
        """Both, to make their variables."""
        how = {"classes": classes, "train": train, "axis_name": axis_name}
        encoded = self.encode(images, labels, latent_size=size, **how)
        return encoded, self.decode(codes, labels, image_shape=image_shape, **how)

    def encode(self, images: Any, labels: Any, *, classes: int, **how: Any) -> Encoded:
        """What the encoder makes of images.

        Raises:
            ConfigError: it is no encoder.
        """
        if labels is None:
            return encoded_by("encoder", self.encoder, images, **how)
        return encoded_by("encoder", self.encoder, images, labels, classes=classes, **how)

    def decode(self, codes: Codes, labels: Any, *, image_shape: Any, classes: int, **how: Any):
        """What the decoder makes of codes.

        Raises:
            ConfigError: it is no decoder.
        """
        given, labelled = (codes, {}) if labels is None else (
            {"noise": codes, "label": labels}, {"classes": classes}
        )  # fmt: skip
        how = {**how, **labelled, "image_shape": image_shape}
        apply.check_arguments("decoder", self.decoder, 1, how)
        outputs = self.decoder(given, **how)
        apply.check_shape("decoder", self.decoder, outputs, (codes.shape[0], *image_shape))
        return outputs


def encoded_by(role: str, network: Any, *given: Any, **how: Any) -> Encoded:
    """What a network makes of its input: mean and log variance of codes.

    Args:
        role: how messages call it.
        network: called inside of another one.
        given: its inputs; axis 0 of the first is the batch.
        how: its arguments, ``latent_size`` among them.

    Raises:
        ConfigError: it is no encoder.
    """
    apply.check_arguments(role, network, len(given), how)
    codes = network(*given, **how)
    wanted = (given[0].shape[0], how["latent_size"])
    if not isinstance(codes, tuple) or len(codes) != 2:
        raise ConfigError(
            f"the {role}, {type(network).__name__}, must return mean and log variance of"
            f" each code: two arrays, of shape {wanted} for a batch of {wanted[0]}"
        )
    for found in codes:
        apply.check_shape(role, network, found, wanted)
    return Encoded(*codes)
