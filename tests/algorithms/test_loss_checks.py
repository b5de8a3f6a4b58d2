"""Losses that are refused with a discriminator as soon as a model is made of both."""

from typing import ClassVar

import flax.linen as nn
import pytest

from jaxgan.algorithms.gan import Gan
from jaxgan.config import ConfigError
from jaxgan.networks.features import FeatureDcganDiscriminator, FeatureMlpDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.f_divergences import (
    ForwardKl,
    JensenShannon,
    PearsonChiSquared,
    ReverseKl,
    SquaredHellinger,
)
from jaxgan.objectives.gan.feature_matching import AbsoluteFeatureMatching, FeatureMatching
from jaxgan.objectives.gan.losses import LeastSquares, Minimax, NonSaturating
from jaxgan.objectives.gan.top_k import TopK


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
