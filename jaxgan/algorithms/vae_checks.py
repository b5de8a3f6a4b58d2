"""What parts of an autoencoder do not go together, told when an experiment is made."""

from __future__ import annotations

from typing import Any

from jaxgan.config import ConfigError
from jaxgan.objectives.vae.free_bits import FreeBits
from jaxgan.objectives.vae.likelihoods import Likelihood
from jaxgan.objectives.vae.regularizers import Checked


def check(model: Any) -> None:
    """Refuses combinations that cannot be trained.

    Args:
        model: `jaxgan.algorithms.vae.Vae` or what has its fields.

    Raises:
        ConfigError: says what does not go together, why, and what would do.
    """
    bound, posterior, prior = model.bound, model.posterior, model.code_prior
    name, drawn = type(bound).__name__, type(posterior).__name__
    # Both refuse codes of a length that they cannot have.
    posterior.encoded_size(model.latent_size)
    prior.latents(model.latent_size)
    if posterior.support != prior.support:
        raise ConfigError(
            f"codes of {drawn} are of another kind ({posterior.support}) than those of"
            f" {type(prior).__name__} ({prior.support}): take a posterior and a prior of one kind"
        )
    has_kl = posterior.has_kl(prior)
    if bound.closed and not has_kl:
        other = "MonteCarloElbo" if posterior.dense else "Reconstruction"
        raise ConfigError(
            f"the bound, {name}, needs a KL in closed form, and there is none of {drawn} from"
            f" {type(prior).__name__}: take {other}"
        )
    if bound.dense and not posterior.dense:
        raise ConfigError(
            f"the bound, {name}, needs densities of codes, and {drawn} gives none: take"
            " DiagonalGaussian"
        )
    if bound.path and not posterior.anywhere:
        raise ConfigError(
            f"the bound, {name}, needs the density of any code, and {drawn} gives only those of the"
            " codes that it draws: take DiagonalGaussian, or a bound that is not differentiated"
            " through the codes alone"
        )
    if isinstance(model.beta, FreeBits) and (model.beta.groups or 0) > model.latent_size:
        raise ConfigError(
            f"FreeBits has {model.beta.groups} groups, and a code has {model.latent_size}"
            f" dimensions: take at most {model.latent_size} groups"
        )
    if bound.linear and not model.beta.linear:
        raise ConfigError(
            f"the bound, {name}, weighs single codes, and {type(model.beta).__name__} is no number"
            " that a code's log ratio could be multiplied by: take Beta"
        )
    terms = [one.regularizes for one in model.regularizers]
    if twice := {term for term in terms if terms.count(term) > 1}:
        raise ConfigError(
            f"regularizers: {sorted(twice)[0]} is there twice: take one of both weights together"
        )


def check_batch(model: Any, batch_size: int) -> None:
    """Refuses regularizers that do not go with the model, or with the batch.

    Args:
        model: as in `check`.
        batch_size: images that regularizers see at once, on all devices together.

    Raises:
        ConfigError: see `jaxgan.objectives.vae.regularizers.Checked`.
    """
    for one in model.regularizers:
        if isinstance(one, Checked):
            one.check(model, batch_size)


def check_data(likelihood: Likelihood, data: Any) -> None:
    """Refuses a likelihood of images where there are points.

    Args:
        likelihood: of what the data set has.
        data: as `jaxgan.data.pipeline.Data`, of which the type of an example is asked.

    Raises:
        ConfigError: says which likelihood it is, and what would do.
    """
    if likelihood.bounded and data.dtype != "uint8":
        raise ConfigError(
            f"the likelihood, {type(likelihood).__name__}, is one of pixels from 0 to 1, and the"
            " data are points of any size: take Gaussian"
        )
