"""What parts of an autoencoder do not go together, told when an experiment is made."""

from __future__ import annotations

from typing import Any

from jaxgan.config import ConfigError


def check(model: Any) -> None:
    """Refuses combinations that cannot be trained.

    Args:
        model: `jaxgan.algorithms.vae.Vae` or what has its fields.

    Raises:
        ConfigError: says what does not go together, why, and what would do.
    """
    bound, posterior, prior = model.bound, model.posterior, model.code_prior
    name, drawn = type(bound).__name__, type(posterior).__name__
    if bound.closed and not posterior.has_kl(prior):
        other = "MonteCarloElbo" if posterior.dense else "Reconstruction"
        raise ConfigError(
            f"the bound, {name}, needs a KL in closed form, and there is none of {drawn} from"
            f" {type(prior).__name__}: take {other}"
        )
    if bound.dense and not posterior.dense:
        raise ConfigError(
            f"the bound, {name}, needs the density of any code, and {drawn} gives none: take"
            " DiagonalGaussian"
        )
    if bound.linear and not model.beta.linear:
        raise ConfigError(
            f"the bound, {name}, weighs single codes, and {type(model.beta).__name__} is no number"
            " that a code's log ratio could be multiplied by: take Beta"
        )
