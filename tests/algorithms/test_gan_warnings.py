"""What a GAN warns of."""

import dataclasses

import pytest

from jaxgan.algorithms.gan import Gan
from jaxgan.config import Model
from jaxgan.networks.conditional import LabelledDiscriminator
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.resnet import ResnetDiscriminator
from jaxgan.objectives.gan.losses import Hinge, NonSaturating
from jaxgan.objectives.gan.penalties import R1

PLAIN = ResnetDiscriminator(weight_norm=None)
UNBOUNDED = Gan(DcganGenerator(), PLAIN, loss=Hinge())


@pytest.mark.parametrize("discriminator", [PLAIN, LabelledDiscriminator(PLAIN)])
def test_a_hinge_resnet_whose_slope_nothing_bounds(discriminator):
    (line,) = dataclasses.replace(UNBOUNDED, discriminator=discriminator).warnings()
    assert "--model.discriminator.weight-norm spectral" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "change",
    [
        {"discriminator": ResnetDiscriminator()},
        {"discriminator": DcganDiscriminator()},
        {"loss": NonSaturating()},
        {"penalties": (R1(),)},
    ],
    ids=["spectral", "dcgan", "loss", "penalty"],
)
def test_what_is_as_it_should_be(change):
    assert dataclasses.replace(UNBOUNDED, **change).warnings() == ()
    assert Model().warnings() == ()
