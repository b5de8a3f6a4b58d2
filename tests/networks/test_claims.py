"""What networks say of themselves."""

import doctest
from typing import ClassVar

import flax.linen as nn
import pytest

from jaxgan.networks import claims as module
from jaxgan.networks.autoencoder import DcganAutoencoder, MlpAutoencoder
from jaxgan.networks.began import BeganDiscriminator
from jaxgan.networks.claims import Claims, claims, core
from jaxgan.networks.class_or_fake import ClassOrFakeMlpDiscriminator
from jaxgan.networks.conditional import LabelledDiscriminator
from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.features import FeatureDcganDiscriminator, FeatureMlpDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.networks.resnet import ResnetDiscriminator
from jaxgan.networks.vectors import VectorDcganDiscriminator, VectorMlpDiscriminator


class Silent(nn.Module):
    """Says nothing."""


class Denying(nn.Module):
    """Says of itself what does not hold of what is in it."""

    body: nn.Module = DcganDiscriminator()
    batch_norm: ClassVar[bool] = False
    bounded: ClassVar[bool] = True


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (Silent(), Claims()),
        (MlpDiscriminator(), Claims()),
        (ResnetDiscriminator(), Claims()),
        (DcganDiscriminator(), Claims(batch_norm=True)),
        (DcganDiscriminator(batch_norm=False), Claims()),
        (MlpAutoencoder(), Claims(autoencodes=True)),
        (DcganAutoencoder(batch_norm=False), Claims(autoencodes=True)),
        (BeganDiscriminator(), Claims(autoencodes=True)),
        (VectorMlpDiscriminator(), Claims(embeds=True)),
        (VectorDcganDiscriminator(), Claims(embeds=True, batch_norm=True)),
        (FeatureMlpDiscriminator(), Claims(perceives=True)),
        (FeatureDcganDiscriminator(batch_norm=False), Claims(perceives=True)),
        (ClassOrFakeMlpDiscriminator(), Claims(perceives=True)),
        (LabelledDiscriminator(DcganDiscriminator()), Claims(batch_norm=True)),
        (LabelledDiscriminator(FeatureMlpDiscriminator()), Claims(perceives=True)),
        (Denying(), Claims(bounded=True)),
        (LabelledDiscriminator(Denying()), Claims(bounded=True)),
    ],
)
def test_what_networks_say(network, expected):
    assert claims(network) == expected


def test_the_innermost_network():
    inner = ResnetDiscriminator()
    for network in (inner, LabelledDiscriminator(inner), Denying(Denying(inner))):
        assert core(network) is inner


def test_examples():
    result = doctest.testmod(module)
    assert result.attempted >= 2
    assert result.failed == 0
