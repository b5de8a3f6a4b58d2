"""An autoencoder whose codes have two levels: what ladder VAEs are put together from.

The lower level is `jaxgan.algorithms.autoencoder.autoencoder`, whose encoder also gives features;
`ladder` puts the upper level on it. A code is both levels' numbers, the lower ones first.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.autoencoder import Autoencoder, Inferred, autoencoder
from jaxgan.algorithms.autoencoder_parts import encoded_by
from jaxgan.config import Experiment
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.objectives.vae.bounds import Terms
from jaxgan.objectives.vae.code_priors import StandardNormal
from jaxgan.objectives.vae.divergences import (
    kl_diagonal_gaussians_groups,
    kl_standard_normal_groups,
)
from jaxgan.objectives.vae.flows import base_and_context, size_with_context
from jaxgan.objectives.vae.ladder import precision_weighted
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Encoded, gaussian_log_prob
from jaxgan.typing import Batch, Codes, Latents, Params, PRNGKey, Variables


@dataclasses.dataclass(frozen=True)
class TwoLevels(DiagonalGaussian):
    """The lower level's posterior before it meets its prior.

    Its encoder gives features for the upper level as well, and its noise is that of both.
    """

    gaussian: ClassVar[bool] = False
    anywhere: ClassVar[bool] = False

    features: int = 64
    """Numbers that the upper encoder reads."""
    upper_size: int = 10
    """Length of an upper code."""

    def encoded_size(self, latent_size: int) -> int:
        """A mean and a log variance a dimension, and the features."""
        return size_with_context(latent_size, self.features)

    def noise(self, key: PRNGKey, latent_size: int) -> Float[Array, "both"]:
        """Standard normal, for both levels."""
        return jax.random.normal(key, (latent_size + self.upper_size,))


class Upper(nn.Module):
    """The networks of the upper level, in one tree; what they read is an image of one pixel."""

    upper_encoder: nn.Module
    upper_decoder: nn.Module

    def __call__(self, features: Any, codes: Codes, *, size: int, lower_size: int, **how: Any):
        """Both, to make their variables."""
        return self.encode(features, size=size, **how), self.decode(codes, size=lower_size, **how)

    def encode(self, features: Any, *, size: int, **how: Any) -> Encoded:
        """Posterior of the upper level, from the lower level's features."""
        given = features[:, None, None, :]
        return encoded_by("upper_encoder", self.upper_encoder, given, latent_size=size, **how)

    def decode(self, codes: Codes, *, size: int, **how: Any) -> Encoded:
        """Prior of the lower level, from codes of the upper one."""
        given = codes[:, None, None, :]
        return encoded_by("upper_decoder", self.upper_decoder, given, latent_size=size, **how)


class Levels(NamedTuple):
    """Distributions of several codes an image.

    Attributes:
        upper: posterior of the upper level, ``(batch, upper)`` each.
        lower: posterior of the lower level given each upper code, ``(samples, batch, lower)``.
        prior: prior of the lower level given each upper code, likewise.
    """

    upper: Encoded
    lower: Encoded
    prior: Encoded


def ladder(experiment: Experiment, model: Any, *, axis_name: str | None = None) -> Autoencoder:
    """The functions of an autoencoder with two levels of codes.

    Args:
        experiment: as in `jaxgan.algorithms.autoencoder.autoencoder`.
        model: `jaxgan.algorithms.ladder_vae.LadderVae`.
        axis_name: mapped axis over which the batch is sharded; None on one device.
    """
    lower = autoencoder(experiment, model, axis_name=axis_name)
    size, upper_size, features = model.latent_size, model.upper_size, model.features
    network = Upper(model.upper_encoder, model.upper_decoder)
    classes = base.classes_of(experiment.data) if model.conditional else 0
    noise_prior = Normal(size + upper_size)
    prior = Labelled(noise_prior) if model.conditional else noise_prior

    def run(variables: Variables, given: Any, *, train: bool = False, **how: Any):
        return apply.call(
            "ladder", network, variables, given, train=train, axis_name=axis_name, **how
        )

    def init(key: PRNGKey, batch: Batch) -> Variables:
        found = lower.init(key, batch)
        more = apply.initial(
            "ladder", network, key, jnp.zeros((1, features)), jnp.zeros((1, upper_size)),
            prefix="upper-", size=upper_size, lower_size=size,
        )  # fmt: skip
        return {name: {**found.get(name, {}), **more.get(name, {})} for name in {**found, **more}}

    def above(variables: Variables, codes: Float[Array, "samples batch latent"], **how: Any):
        """Prior of the lower level, of several upper codes an image."""
        shape = codes.shape[:2]
        found, changed = run(
            variables, codes.reshape(-1, upper_size), method=network.decode, size=size, **how
        )
        return Encoded(*(leaf.reshape(*shape, size) for leaf in found)), changed

    def infer(
        variables: Variables, batch: Batch, drawn: Any, step: Any, *, path: bool = False,
        **how: Any,
    ) -> tuple[Inferred, Params]:  # fmt: skip
        del step, path
        encoded, changed = lower.encode(variables, batch, **how)
        below, context = base_and_context(encoded, size, features)
        upper, changed_above = run(
            {**variables, **changed}, context, method=network.encode, size=upper_size, **how
        )
        codes_above = _draw(upper, drawn[..., size:])
        own, last = above({**variables, **changed, **changed_above}, codes_above, **how)
        posterior = precision_weighted(below, own)
        codes = _draw(posterior, drawn[..., :size])
        density = _log_prob(codes_above, upper) + _log_prob(codes, posterior)
        both = jnp.concatenate([codes, codes_above], axis=-1)
        levels = Levels(upper, posterior, own)
        return Inferred(both, cast(Any, levels), density), {**changed, **changed_above, **last}

    def outputs(variables: Variables, codes: Codes, labels: Any, **how: Any):
        return lower.outputs(variables, codes[:, :size], labels, **how)

    def terms(
        variables: Variables, batch: Batch, found: Inferred, **how: Any
    ) -> tuple[Terms, Params]:
        levels = cast(Levels, found.encoded)
        likelihoods, changed = lower.terms(
            variables, batch, Inferred(found.codes[..., :size], levels.upper, None), **how
        )
        standard = jax.vmap(lambda z: StandardNormal().log_prob({}, z, None))
        log_prior = standard(found.codes[..., size:]) + _log_prob(
            found.codes[..., :size], levels.prior
        )
        of_lower = kl_diagonal_gaussians_groups(
            mean_q=levels.lower.mean, log_variance_q=levels.lower.log_variance,
            mean_p=levels.prior.mean, log_variance_p=levels.prior.log_variance,
        )  # fmt: skip
        of_upper = kl_standard_normal_groups(
            mean=levels.upper.mean, log_variance=levels.upper.log_variance
        )
        kl = jnp.concatenate([jnp.mean(of_lower, axis=0), of_upper], axis=-1)
        return likelihoods._replace(
            log_prior=log_prior, log_posterior=found.log_posterior, kl=kl
        ), changed

    def center(variables: Variables, encoded: Encoded) -> Codes:
        below, context = base_and_context(encoded, size, features)
        upper = run(variables, context, method=network.encode, size=upper_size)[0]
        own = run(variables, upper.mean, method=network.decode, size=size)[0]
        return jnp.concatenate([precision_weighted(below, own).mean, upper.mean], axis=-1)

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(lambda k: prior.draw(k, classes), key, count, axis)

    def codes_of(variables: Variables, latents: Latents) -> tuple[Codes, Any]:
        inner, labels = (
            (latents["noise"], latents["label"]) if model.conditional else (latents, None)
        )
        codes_above = inner[:, size:]
        own = run(variables, codes_above, method=network.decode, size=size)[0]
        codes = own.mean + jnp.exp(0.5 * own.log_variance) * inner[:, :size]
        return jnp.concatenate([codes, codes_above], axis=-1), labels

    return lower._replace(
        init=init, infer=infer, outputs=outputs, terms=terms, center=center,
        prior=draw, codes_of=codes_of,
    )  # fmt: skip


def _draw(found: Encoded, noise: Array) -> Float[Array, "samples batch latent"]:
    """A draw of each Gaussian; those of an image are broadcast over its samples."""
    return found.mean + jnp.exp(0.5 * found.log_variance) * noise


def _log_prob(
    codes: Float[Array, "samples batch latent"], found: Encoded
) -> Float[Array, "samples batch"]:
    """Log density of each code; an image's Gaussian is broadcast over its samples."""
    wide = Encoded(*(jnp.broadcast_to(leaf, codes.shape) for leaf in found))
    return jax.vmap(gaussian_log_prob)(codes, wide.mean, wide.log_variance)
