"""Parts of a GAN that do not go together are refused in one line, before anything is built."""

import dataclasses
import re

import pytest

from jaxgan.algorithms.gan import Gan
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.autoencoder import DcganAutoencoder, MlpAutoencoder
from jaxgan.networks.began import BeganDiscriminator
from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.networks.vectors import VectorDcganDiscriminator, VectorMlpDiscriminator
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.ebgan import Ebgan, PullAway
from jaxgan.objectives.gan.mmd import Mmd, RepulsiveMmd

PLAIN = Gan(MlpGenerator(), MlpDiscriminator())


def refused(**changes):
    with pytest.raises(ConfigError) as raised:
        dataclasses.replace(PLAIN, **changes)
    assert "\n" not in str(raised.value)
    return str(raised.value)


class TestAutoencoders:
    @pytest.mark.parametrize("loss", [Began(), Ebgan()])
    def test_losses_of_energies_need_one(self, loss):
        name = type(loss).__name__
        for other in (MlpDiscriminator(), DcganDiscriminator(), VectorMlpDiscriminator()):
            said = refused(loss=loss, discriminator=other)
            assert said.startswith(
                f"{name} is about an autoencoder's errors and codes, and {type(other).__name__} is"
                " none: use MlpAutoencoder, DcganAutoencoder or BeganDiscriminator"
            )
        for judging in (MlpAutoencoder(), DcganAutoencoder(), BeganDiscriminator()):
            dataclasses.replace(PLAIN, loss=loss, discriminator=judging)

    def test_the_pull_away_term_needs_one(self):
        assert refused(auxiliaries=(PullAway(),)).startswith("PullAway is about an autoencoder's")
        dataclasses.replace(PLAIN, auxiliaries=(PullAway(),), discriminator=MlpAutoencoder())


class TestEmbeddings:
    @pytest.mark.parametrize("loss", [Mmd(), RepulsiveMmd()])
    def test_losses_of_vectors_need_them(self, loss):
        for other in (MlpDiscriminator(), DcganDiscriminator(), MlpAutoencoder()):
            said = refused(loss=loss, discriminator=other)
            assert said.startswith(
                f"{type(loss).__name__} compares vectors, and {type(other).__name__} gives none:"
                " use VectorMlpDiscriminator or VectorDcganDiscriminator"
            )
        for judging in (VectorMlpDiscriminator(), VectorDcganDiscriminator()):
            dataclasses.replace(PLAIN, loss=loss, discriminator=judging)

    @pytest.mark.parametrize("loss", [Mmd(), RepulsiveMmd()])
    def test_losses_of_pairs_need_two(self, loss):
        model = dataclasses.replace(PLAIN, loss=loss, discriminator=VectorMlpDiscriminator())
        experiment = Experiment(name="small", model=model, data=Data(), steps=1, batch_size=1)
        with pytest.raises(ConfigError, match=re.escape("a batch of 1 has no pairs")):
            model.build(experiment)
