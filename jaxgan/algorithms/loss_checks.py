"""Which losses of logits and features do not go with which discriminators, said in one line."""

from __future__ import annotations

from typing import Any

from jaxgan.config import ConfigError
from jaxgan.objectives.gan.feature_matching import AbsoluteFeatureMatching, FeatureMatching


def check_range(loss: Any, judging: Any) -> None:
    """Refuses a discriminator whose outputs have bounds under a loss that wants any number.

    A discriminator says that it ends in a sigmoid or the like by an attribute ``bounded`` that is
    true, a loss that this will not do by ``unbounded``: an f-divergence has an activation of its
    own behind the last layer, and cross-entropies take logits. (Least squares may do with either.)

    Args:
        loss: that has no other within it.
        judging: the discriminator.

    Raises:
        ConfigError: the outputs have bounds, and the loss takes logits.
    """
    networks = (judging, getattr(judging, "body", None))
    is_bounded = any(getattr(network, "bounded", False) for network in networks)
    if is_bounded and getattr(loss, "unbounded", False):
        raise ConfigError(
            f"{type(loss).__name__} takes any number for a logit, and the outputs of"
            f" {type(judging).__name__} have bounds: let it end in a linear layer"
        )


def check_features(loss: Any, judging: Any) -> None:
    """Refuses feature matching with a discriminator that returns no features.

    Args:
        loss: that has no other within it.
        judging: the discriminator.

    Raises:
        ConfigError: it does not say that it does, by an attribute ``perceives`` that is true.
    """
    reads = isinstance(loss, FeatureMatching | AbsoluteFeatureMatching)
    if reads and not getattr(judging, "perceives", False):
        raise ConfigError(
            f"{type(loss).__name__} matches hidden features, and {type(judging).__name__} returns"
            " none: use FeatureMlpDiscriminator or FeatureDcganDiscriminator (one of your own says"
            " so by perceives = True)"
        )
