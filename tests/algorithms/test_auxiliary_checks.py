"""Auxiliary terms, networks and priors that miss each other, each refused on one line."""

import dataclasses

import pytest
import tiny

from jaxgan.algorithms.base import build
from jaxgan.algorithms.bigan import BiGan
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.infogan import InfoGan
from jaxgan.config import ConfigError
from jaxgan.data.pipeline import Data
from jaxgan.networks.auxiliary import AuxiliaryMlpDiscriminator
from jaxgan.networks.bidirectional import MlpCoder, PairMlpDiscriminator
from jaxgan.networks.class_information import EmbeddingMlpDiscriminator, TwinMlpDiscriminator
from jaxgan.networks.conditional import LabelledGenerator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.information import CodesGenerator, InformationMlpDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.networks.projection import ProjectionMlpDiscriminator
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.class_terms import HingeClassifier, TwinClassifier
from jaxgan.objectives.gan.contrastive import ConditionalContrastive, DataToDataCrossEntropy
from jaxgan.objectives.gan.information import Information
from jaxgan.objectives.priors import Labelled, Normal

PLAIN = Gan(MlpGenerator((8,)), MlpDiscriminator((8,)))
LABELLED = Gan(
    LabelledGenerator(MlpGenerator((8,))), AuxiliaryMlpDiscriminator((8,)), prior=Labelled()
)
CODED = Gan(
    CodesGenerator(MlpGenerator((8,))), InformationMlpDiscriminator((8,)), prior=Codes(Normal(4))
)
HEADS = "heads 'embedding' and 'proxy'"


def refused(model, **changes):
    def made():
        changed = dataclasses.replace(model, **changes)
        return build(tiny.gan(data=Data(classes=10), model=changed))

    with pytest.raises(ConfigError) as raised:
        made()
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("model", "changes", "complaint"),
    [
        (PLAIN, {"auxiliaries": (AuxiliaryClassifier(),)}, "a head 'class'"),
        (
            LABELLED,
            {"auxiliaries": (AuxiliaryClassifier(), TwinClassifier())},
            "a discriminator with a head 'twin'",
        ),
        (
            LABELLED,
            {"auxiliaries": (TwinClassifier(),), "discriminator": TwinMlpDiscriminator((8,))},
            "nothing draws them there: add AuxiliaryClassifier (--auxiliary classifier",
        ),
        (LABELLED, {"auxiliaries": (ConditionalContrastive(),)}, HEADS),
        (LABELLED, {"auxiliaries": (DataToDataCrossEntropy(),)}, HEADS),
        (LABELLED, {"auxiliaries": (Information(),)}, "needs a prior with codes, such as Codes"),
        (CODED, {"auxiliaries": (HingeClassifier(),)}, "a discriminator with a head 'class'"),
        (
            CODED,
            {"auxiliaries": (Information(),), "prior": Codes(Normal(4), categories=(5,))},
            "head 'category' of 5 numbers, as the prior has codes; this one has one of 10",
        ),
        (
            PLAIN,
            {"discriminator": ProjectionMlpDiscriminator((8,))},
            "the discriminator, ProjectionMlpDiscriminator, is given labels, and the prior, Normal,"
            " draws none: set --prior labelled",
        ),
        (
            PLAIN,
            {"discriminator": EmbeddingMlpDiscriminator((8,))},
            "EmbeddingMlpDiscriminator, is given labels, and the prior, Normal, draws none",
        ),
    ],
)
def test_what_is_missing_is_told_when_it_is_built(model, changes, complaint):
    assert complaint in refused(model, **changes)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"prior": Normal(4)}, "InfoGAN needs a prior with codes, such as Codes, not Normal"),
        ({"auxiliaries": ()}, "InfoGAN without Information among its auxiliaries is a plain GAN"),
        ({"discriminator": MlpDiscriminator((8,))}, "a head 'category' of 10 numbers"),
    ],
)
def test_an_infogan_has_codes_and_their_reader(changes, complaint):
    model = InfoGan(CODED.generator, CODED.discriminator, prior=CODED.prior)
    build(tiny.gan(model=model))
    assert complaint in refused(model, **changes)


@pytest.mark.parametrize("generator", [MlpGenerator((8,)), DcganGenerator(width=4)])
def test_codes_are_for_a_generator_of_several_vectors(generator):
    own = type(generator).__name__
    expected = f"the generator, {own}, takes one vector an image, and the prior, Codes, draws noise"
    assert refused(CODED, generator=generator).startswith(expected)
    assert f"CodesGenerator({own}(...))" in refused(CODED, generator=generator)
    build(tiny.gan(model=dataclasses.replace(CODED, generator=CodesGenerator(generator))))


def test_a_bidirectional_gan_has_plain_codes():
    model = BiGan(MlpGenerator((8,)), MlpCoder((8,)), PairMlpDiscriminator((8,)))
    build(tiny.gan(model=model))
    assert "draws no plain vectors" in refused(model, prior=Labelled())


@pytest.mark.parametrize(
    ("discriminator", "terms"),
    [
        (AuxiliaryMlpDiscriminator((8,)), (AuxiliaryClassifier(), HingeClassifier())),
        (TwinMlpDiscriminator((8,)), (AuxiliaryClassifier(), TwinClassifier())),
        (
            EmbeddingMlpDiscriminator((8,)),
            (ConditionalContrastive(), DataToDataCrossEntropy()),
        ),
    ],
)
def test_what_goes_together_is_built(discriminator, terms):
    model = dataclasses.replace(LABELLED, discriminator=discriminator, auxiliaries=terms)
    build(tiny.gan(data=Data(classes=10), model=model))
