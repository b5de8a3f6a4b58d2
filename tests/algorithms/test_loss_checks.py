"""Losses that are refused with a discriminator as soon as a model is made of both."""

from typing import ClassVar

import flax.linen as nn
import pytest

from jaxgan.algorithms.gan import Gan
from jaxgan.config import ConfigError
from jaxgan.networks.features import FeatureDcganDiscriminator, FeatureMlpDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.f_divergences import (
    ForwardKl,
    JensenShannon,
    PearsonChiSquared,
    ReverseKl,
    SquaredHellinger,
)
from jaxgan.objectives.gan.feature_matching import AbsoluteFeatureMatching, FeatureMatching
from jaxgan.objectives.gan.losses import LeastSquares, Minimax, NonSaturating, Wasserstein
from jaxgan.objectives.gan.mmd import Mmd
from jaxgan.objectives.gan.multi_hinge import MultiHinge
from jaxgan.objectives.gan.top_k import TopK
from jaxgan.objectives.gan.zero_sum import ZeroSum


class Probability(MlpDiscriminator):
    """Says that it ends in a sigmoid."""

    bounded: ClassVar[bool] = True


class Inside(nn.Module):
    """With such a one in it."""

    body: nn.Module = Probability()


@pytest.mark.parametrize(
    "loss",
    [
        *(ForwardKl(), ReverseKl(), PearsonChiSquared(), SquaredHellinger(), JensenShannon()),
        *(Minimax(), NonSaturating(), TopK(ForwardKl())),
    ],
    ids=lambda loss: type(loss).__name__,
)
@pytest.mark.parametrize("discriminator", [Probability(), Inside()], ids=["itself", "body"])
def test_bounded_outputs_are_refused_where_any_number_is_wanted(loss, discriminator):
    """A sigmoid behind which there is another, or another activation."""
    with pytest.raises(ConfigError, match=r"takes any number for a logit, and the outputs of") as e:
        Gan(MlpGenerator(), discriminator, loss=loss)
    assert "\n" not in str(e.value)
    Gan(MlpGenerator(), MlpDiscriminator(), loss=loss)


def test_least_squares_may_have_bounds():
    """Its labels lie between 0 and 1, and there is no sigmoid of its own."""
    Gan(MlpGenerator(), Probability(), loss=LeastSquares())


def test_a_discriminator_that_nothing_trains():
    """By a loss that leaves it to an auxiliary term."""
    alone, judging = FeatureMatching(adversarial=False), FeatureMlpDiscriminator()
    said = r"\AFeatureMatching\(adversarial=False\) leaves the discriminator [^\n]*\Z"
    with pytest.raises(ConfigError, match=said):
        Gan(MlpGenerator(), judging, loss=alone)
    Gan(MlpGenerator(), judging, loss=alone, auxiliaries=(MultiHinge(),))


@pytest.mark.parametrize("loss", [FeatureMatching(), AbsoluteFeatureMatching()])
def test_feature_matching_needs_features(loss):
    for own in (loss, TopK(loss)):
        with pytest.raises(
            ConfigError, match=r"hidden features, and MlpDiscriminator returns"
        ) as e:
            Gan(MlpGenerator(), MlpDiscriminator(), loss=own)
        assert "\n" not in str(e.value)
        for discriminator in (FeatureMlpDiscriminator(), FeatureDcganDiscriminator()):
            Gan(MlpGenerator(), discriminator, loss=own)


@pytest.mark.parametrize(
    ("game", "why"),
    [
        (FeatureMatching(), "reads more than logits"),
        (Mmd(), "reads more than logits"),
        (TopK(), "reads more than logits"),
        (Began(), "has a state of its own"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("outer", [ZeroSum, lambda game: TopK(ZeroSum(game))], ids=["", "top_k"])
def test_a_zero_sum_game_is_one_of_logits(game, why, outer):
    """Whatever the discriminator is."""
    with pytest.raises(ConfigError, match=f"{type(game).__name__} {why}: take") as raised:
        Gan(MlpGenerator(), FeatureMlpDiscriminator(), loss=outer(game))
    assert "\n" not in str(raised.value)
    Gan(MlpGenerator(), MlpDiscriminator(), loss=outer(Wasserstein()))
