"""Variational autoencoders (Kingma and Welling 2013), beta-weighted (Higgins et al. 2017)."""

from __future__ import annotations

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from jaxgan import rng
from jaxgan.algorithms import base
from jaxgan.config import ConfigError, Experiment, Model
from jaxgan.objectives.vae.bounds import Beta, elbo, reparameterize
from jaxgan.objectives.vae.divergences import kl_standard_normal
from jaxgan.objectives.vae.likelihoods import Bernoulli, Likelihood
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Latents, Metrics, Params, PerExample, Pixels, PRNGKey, Sums


class VaeState(struct.PyTreeNode):
    """All that a VAE needs to go on training.

    Attributes:
        step: updates done.
        autoencoder: encoder and decoder, trained as one player; the top level of its parameters and
            of its other collections is ``encoder``, ``decoder``.
        ema: averaged variables of the autoencoder; what is evaluated.
        extras: state of regularizers that need some.
    """

    step: Any
    autoencoder: base.Player
    ema: Any
    extras: Any


@dataclasses.dataclass(frozen=True)
class Vae(Model):
    """Settings of a VAE."""

    encoder: nn.Module
    """Network from images to mean and log variance of their codes."""
    decoder: nn.Module
    """Network from codes to the parameters of the likelihood."""
    likelihood: Likelihood = Bernoulli()
    """Distribution of an image given its code."""
    latent_size: int = 20
    """Length of a code."""
    beta: Beta = Beta()
    """Weight of the KL, with its warm-up."""
    optimizer: Optimizer = Adam(learning_rate=1e-3, b1=0.9)
    """Optimizer of encoder and decoder."""
    ema: Ema = Ema()
    """Average of the weights that is evaluated."""

    def __post_init__(self) -> None:
        if self.latent_size < 1:
            raise ConfigError(f"latent_size = {self.latent_size}: must be at least 1")

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `vae`."""
        return vae(experiment, axis_name=axis_name)


class _Autoencoder(nn.Module):
    """Encoder and decoder under one roof, so that their variables form one tree."""

    encoder: nn.Module
    decoder: nn.Module

    def __call__(
        self, images: Any, noise: Latents, *, image_shape: Any, train: bool, axis_name: Any
    ):
        mean, log_variance = self.encode(
            images, latent_size=noise.shape[-1], train=train, axis_name=axis_name
        )
        latent = reparameterize(mean=mean, log_variance=log_variance, noise=noise)
        outputs = self.decode(latent, image_shape=image_shape, train=train, axis_name=axis_name)
        return outputs, mean, log_variance

    def encode(self, images: Any, **kwargs: Any):
        return self.encoder(images, **kwargs)

    def decode(self, latent: Latents, **kwargs: Any):
        return self.decoder(latent, **kwargs)


def vae(experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of an experiment whose model is a `Vae`.

    The loss is the negative of ``E[log p(x|z)] - beta KL(q(z|x) || p(z))``, estimated with one code
    an image; reconstruction and KL are summed over pixels and code dimensions and averaged over
    images.

    Args:
        experiment: networks, likelihood and optimizer in ``experiment.model``; the images' shape in
            ``experiment.data``.
        axis_name: mapped axis over which the batch is sharded; None on one device.
    """
    model: Vae = base.at_precision(experiment.model, experiment.precision)
    image_shape = experiment.data.image_shape
    is_image = experiment.data.dtype == "uint8"
    network = _Autoencoder(model.encoder, model.decoder)
    optimizer = model.optimizer.build(experiment.steps)

    def average(tree: Params) -> Params:
        return tree if axis_name is None else jax.lax.pmean(tree, axis_name)

    def targets(images: Any) -> Any:
        return model.likelihood.from_uint8(images) if is_image else images

    def prior(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(
            lambda k: jax.random.normal(k, (model.latent_size,)), key, count, axis
        )

    def terms(variables: Any, images: Any, noise: Latents, **kwargs: Any):
        """Log-likelihood and KL of each image, and the collections that the networks changed."""
        found: Any = network.apply(
            variables, base.to_symmetric(images), noise, image_shape=image_shape, **kwargs
        )
        (outputs, mean, log_variance), changed = found if "mutable" in kwargs else (found, {})
        log_likelihood = model.likelihood.log_prob(outputs=outputs, targets=targets(images))
        kl = kl_standard_normal(mean=mean, log_variance=log_variance)
        return log_likelihood, kl, changed

    def init(key: PRNGKey, batch: Batch) -> VaeState:
        keys = {role: rng.role_key(key, role) for role in ("params", "dropout")}
        images = base.to_symmetric(jnp.asarray(batch["image"])[:1])
        noise = jnp.zeros((1, model.latent_size))
        variables = network.init(
            keys, images, noise, image_shape=image_shape, train=False, axis_name=None
        )
        player = base.new_player(variables, optimizer)
        return VaeState(
            step=base.first_step(),
            autoencoder=player,
            # A copy, because a donated state must not hold one buffer twice.
            ema=jax.tree.map(jnp.copy, player.variables),
            extras={},
        )

    def train_step(state: VaeState, batch: Batch, key: PRNGKey) -> tuple[VaeState, Metrics]:
        images = jnp.asarray(batch["image"])
        noise = prior(rng.role_key(key, "noise"), images.shape[0], axis_name)
        beta = model.beta.at(state.step)

        def loss(params: Params):
            log_likelihood, kl, changed = terms(
                {"params": params, **state.autoencoder.model_state}, images, noise, train=True,
                axis_name=axis_name, mutable=["batch_stats"],
                rngs={"dropout": rng.role_key(key, "dropout")},
            )  # fmt: skip
            values = elbo(log_likelihood=log_likelihood, kl=kl, beta=beta)
            return -jnp.mean(values), (changed, log_likelihood, kl)

        (value, (model_state, log_likelihood, kl)), gradients = jax.value_and_grad(
            loss, has_aux=True
        )(state.autoencoder.params)
        player = state.autoencoder.update(optimizer, average(gradients), model_state)
        metrics = {
            "loss/autoencoder": value,
            "elbo": jnp.mean(elbo(log_likelihood=log_likelihood, kl=kl)),
            "reconstruction": jnp.mean(log_likelihood),
            "kl": jnp.mean(kl),
        }
        new_state = state.replace(
            step=state.step + 1,
            autoencoder=player,
            ema=model.ema.update(state.ema, player.variables, state.step),
        )
        return new_state, average(metrics)

    def outputs_of(state: VaeState, latent: Latents) -> Pixels:
        outputs: Any = network.apply(
            state.ema, latent, image_shape=image_shape, train=False, axis_name=None,
            method=network.decode,
        )  # fmt: skip
        return outputs

    def pixels(state: VaeState, latent: Latents) -> Pixels:
        means = model.likelihood.mean(outputs_of(state, latent))
        return jnp.clip(means, 0.0, 1.0) if is_image else means

    def decode(state: VaeState, latent: Latents) -> base.Generated:
        means = pixels(state, latent)
        return base.from_unit(means) if is_image else means

    def batch_normalized(
        state: VaeState, latent: Latents, key: PRNGKey
    ) -> tuple[base.Generated, Params]:
        def apply(variables: Any) -> Any:
            return network.apply(
                variables, latent, image_shape=image_shape, train=True, axis_name=None,
                mutable=["batch_stats"], rngs={"dropout": key}, method=network.decode,
            )  # fmt: skip

        outputs, statistics = base.batch_statistics(apply, state.ema)
        means = model.likelihood.mean(outputs)
        return base.from_unit(means) if is_image else means, statistics

    def sample(state: VaeState, key: PRNGKey, count: int) -> base.Generated:
        return decode(state, prior(key, count))

    def posterior(state: VaeState, batch: Batch) -> tuple[Latents, Latents]:
        codes: Any = network.apply(
            state.ema, base.to_symmetric(jnp.asarray(batch["image"])),
            latent_size=model.latent_size, train=False, axis_name=None, method=network.encode,
        )  # fmt: skip
        return codes

    def log_likelihood(state: VaeState, batch: Batch, latents: Latents) -> PerExample:
        return model.likelihood.log_prob(
            outputs=outputs_of(state, latents), targets=targets(jnp.asarray(batch["image"]))
        )

    def reconstruct(state: VaeState, batch: Batch) -> base.Generated:
        return decode(state, posterior(state, batch)[0])

    def evaluate(state: VaeState, batch: Batch, key: PRNGKey) -> Sums:
        images = jnp.asarray(batch["image"])
        noise = prior(key, images.shape[0])
        log_likelihood, kl, _ = terms(state.ema, images, noise, train=False, axis_name=None)
        values = {
            "elbo": elbo(log_likelihood=log_likelihood, kl=kl),
            "reconstruction": log_likelihood,
            "kl": kl,
        }
        return base.sums_with_squares(values, batch)

    def parameters(state: VaeState) -> dict[str, Params]:
        params = state.autoencoder.params
        return {"encoder": params["encoder"], "decoder": params["decoder"]}

    return base.Algorithm(
        init, train_step, sample, evaluate, prior, decode, reconstruct, parameters,
        posterior=posterior, log_likelihood=log_likelihood,
        raw=lambda state: state.replace(ema=state.autoencoder.variables), truncate=base.scaled,
        batch_normalized=batch_normalized,
        with_statistics=lambda state, found: state.replace(ema={**state.ema, "batch_stats": found}),
        pixels=pixels if is_image else None, measure=model.likelihood.measure,
    )  # fmt: skip
