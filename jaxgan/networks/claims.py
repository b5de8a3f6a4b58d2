"""What a network may say of itself, for those who must know which parts go together."""

from __future__ import annotations

from typing import NamedTuple

import flax.linen as nn


class Claims(NamedTuple):
    """What a discriminator says of itself by attributes (fields, class variables) of these names.

    It need not have any: what it does not say does not hold. A network with another one in it, as
    its ``body``, says what the body says where it says nothing itself.

    Attributes:
        autoencodes: its logits are minus the errors of an autoencoder, whose codes are the head
            ``code``.
        embeds: a head ``embedding`` has a vector for each image, which kernels compare.
        perceives: it returns features: the third part of a verdict is not empty.
        bounded: it ends in a sigmoid or the like, so that its outputs are no logits.
        batch_norm: it normalizes over the batch, so that no example is judged by itself.
    """

    autoencodes: bool = False
    embeds: bool = False
    perceives: bool = False
    bounded: bool = False
    batch_norm: bool = False


def claims(network: nn.Module) -> Claims:
    """What a network says of itself, or of the network in it.

    >>> from jaxgan.networks.vectors import VectorMlpDiscriminator
    >>> claims(VectorMlpDiscriminator())
    Claims(autoencodes=False, embeds=True, perceives=False, bounded=False, batch_norm=False)
    """
    body = getattr(network, "body", None)
    of_body = claims(body) if isinstance(body, nn.Module) else Claims()
    said = (getattr(network, name, known) for name, known in of_body._asdict().items())
    return Claims(*map(bool, said))


def core(network: nn.Module) -> nn.Module:
    """The ``body`` of a network that has one, and of that one; else the network itself."""
    body = getattr(network, "body", None)
    return core(body) if isinstance(body, nn.Module) else network
