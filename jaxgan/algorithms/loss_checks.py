"""Which losses of logits and features do not go with which discriminators, said in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxgan.config import ConfigError
from jaxgan.networks.claims import claims
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.feature_matching import AbsoluteFeatureMatching, FeatureMatching
from jaxgan.objectives.gan.losses import Reader, StatefulLoss
from jaxgan.objectives.gan.zero_sum import ZeroSum


def check_range(loss: Any, judging: Any) -> None:
    """Refuses a discriminator whose outputs have bounds under a loss that wants any number.

    A loss says by an attribute ``unbounded`` that it does: an f-divergence has an activation of its
    own behind the last layer, and cross-entropies take logits. (Least squares may do with either.)

    Args:
        loss: that has no other within it.
        judging: the discriminator.

    Raises:
        ConfigError: the outputs have bounds, and the loss takes logits.
    """
    if claims(judging).bounded and getattr(loss, "unbounded", False):
        raise ConfigError(
            f"{type(loss).__name__} takes any number for a logit, and the outputs of"
            f" {type(judging).__name__} have bounds: let it end in a linear layer"
        )


def check_features(loss: Any, judging: Any, auxiliaries: Sequence[Auxiliary] = ()) -> None:
    """Refuses feature matching without features, or by a discriminator that learns nothing.

    Args:
        loss: that has no other within it.
        judging: the discriminator.
        auxiliaries: terms that may train it in place of the loss.

    Raises:
        ConfigError: it returns none (see `jaxgan.networks.claims.Claims`); or the loss does not
            train it, and nothing else does.
    """
    reads = isinstance(loss, FeatureMatching | AbsoluteFeatureMatching)
    if reads and not claims(judging).perceives:
        raise ConfigError(
            f"{type(loss).__name__} matches hidden features, and {type(judging).__name__} returns"
            " none: use FeatureMlpDiscriminator or FeatureDcganDiscriminator (one of your own says"
            " so by perceives = True)"
        )
    if reads and not loss.adversarial and not auxiliaries:
        raise ConfigError(
            f"{type(loss).__name__}(adversarial=False) leaves the discriminator as it is, and no"
            " auxiliary term trains it: add one, such as MultiHinge, or leave adversarial on"
        )


def check_zero_sum(loss: Any) -> None:
    """Refuses the zero-sum game of a loss that reads more than logits, or that changes.

    `ZeroSum` passes logits on, and keeps no state.

    Args:
        loss: that has no other within it.

    Raises:
        ConfigError: names the loss.
    """
    game = loss.game if isinstance(loss, ZeroSum) else None
    if isinstance(game, Reader | StatefulLoss):
        what = "reads more than logits" if isinstance(game, Reader) else "has a state of its own"
        raise ConfigError(
            f"ZeroSum is a game of logits alone, and {type(game).__name__} {what}: take"
            f" {type(game).__name__} without it, or the game of another loss, such as Minimax"
        )
