"""Penalties and layers that do not do, beside other parts, what they are for."""

import dataclasses

import pytest

from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan import Gan
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.consistency import LatentConsistency
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.game_gradients import Consensus, GradientRegularization
from jaxgan.objectives.gan.latent_spread import LatentSpread
from jaxgan.objectives.gan.penalties import R1

PLAIN = Gan(MlpGenerator((8,)), MlpDiscriminator((8,)))
CONVOLUTIONS = DcganDiscriminator(width=4, batch_norm=False)


def changed(**parts):
    return dataclasses.replace(PLAIN, **parts)


def built(size, discriminator):
    model = Gan(DcganGenerator(width=4), discriminator)
    data = Data(image_size=size, resize="bilinear")
    return build(Experiment(name="normalized", model=model, data=data, steps=1, batch_size=4))


@pytest.mark.parametrize(
    ("terms", "flag"),
    [
        ({"penalties": (R1(),)}, "penalty"),
        ({"penalties": (R1(), LatentConsistency())}, "penalty"),
        ({"auxiliaries": (AuxiliaryClassifier(),)}, "auxiliary"),
    ],
)
def test_what_is_looked_ahead_at_is_all_that_there_is(terms, flag):
    first = type(next(iter(terms.values()))[0]).__name__
    changed(**terms)
    with pytest.raises(ConfigError, match=f"{first} as well: set --{flag} none or") as raised:
        changed(unrolled_steps=3, **terms)
    assert str(raised.value).startswith("unrolled_steps = 3 looks ahead at the loss alone")
    assert "\n" not in str(raised.value)


def test_constraints_and_what_the_generator_minimizes_may_be_looked_ahead_with():
    changed(unrolled_steps=3, constraints=(Clip(),), generator_penalties=(LatentSpread(),))


@pytest.mark.parametrize("norm", ["layer", "instance", "virtual_batch"])
def test_a_normalization_of_nothing(norm):
    """Images of 8 pixels are halved once, and the first layer is never normalized."""
    with pytest.raises(ConfigError, match=f"norm = '{norm}' normalizes all layers") as raised:
        built(8, CONVOLUTIONS.clone(norm=norm))
    assert "of images of 8x8 it has one" in str(raised.value)
    assert "\n" not in str(raised.value)
    built(16, CONVOLUTIONS.clone(norm=norm))


def test_other_layers_are_there_at_eight_pixels():
    built(8, CONVOLUTIONS.clone(weight_norm="spectral"))
    built(8, DcganDiscriminator(width=4))
    built(8, MlpDiscriminator((4,), norm="layer"))


def test_warns_of_consensus_for_one_player():
    for one, other in (("penalties", "generator-penalty"), ("generator_penalties", "penalty")):
        (line,) = changed(**{one: (Consensus(),)}).warnings()
        assert line.startswith("Consensus for one player alone")
        assert line.endswith(f"add --{other} consensus")
    both = changed(penalties=(Consensus(), R1()), generator_penalties=(Consensus(),))
    assert both.warnings() == ()
    assert changed(generator_penalties=(GradientRegularization(),)).warnings() == ()


def test_warns_of_half_of_latent_consistency():
    (line,) = changed(penalties=(LatentConsistency(),)).warnings()
    assert line.startswith("LatentConsistency without LatentSpread is half of zCR")
    assert "\n" not in line
    whole = changed(penalties=(LatentConsistency(),), generator_penalties=(LatentSpread(),))
    assert whole.warnings() == ()
    # The generator's half is a loss of variety by itself, whatever the discriminator learns.
    assert changed(generator_penalties=(LatentSpread(),)).warnings() == ()
