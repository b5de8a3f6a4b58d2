"""Variational autoencoders (Kingma and Welling 2013), beta-weighted (Higgins et al. 2017)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.sheets import sheets_of
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.config import ConfigError, Experiment, Model, describe
from jaxgan.objectives.priors import Labelled, Normal, Prior
from jaxgan.objectives.vae.bounds import Beta, elbo, reparameterize
from jaxgan.objectives.vae.divergences import kl_standard_normal
from jaxgan.objectives.vae.likelihoods import Bernoulli, Likelihood
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import (
    Batch,
    Codes,
    Latents,
    Metrics,
    Params,
    PerExample,
    Pixels,
    PRNGKey,
    Sums,
    Variables,
)


@dataclasses.dataclass(frozen=True)
class Vae(Model):
    """Settings of a VAE."""

    family: ClassVar[str] = "VAE"

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
    conditional: bool = False
    """Whether encoder and decoder are given the image's class (Sohn et al. 2015)."""

    def __post_init__(self) -> None:
        if self.latent_size < 1:
            raise ConfigError(f"latent_size = {self.latent_size}: must be at least 1")

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """One, of one player."""
        return {"autoencoder": (self.optimizer, 1)}

    def objective(self) -> str:
        """``ELBO, Bernoulli(), beta = 1``."""
        labels = ", conditional" if self.conditional else ""
        return f"ELBO, {describe(self.likelihood)}, beta = {self.beta.value:g}{labels}"

    def mark(self) -> str:
        """``β = 4``."""
        return f"β = {self.beta.value:g}"

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `vae`."""
        return vae(experiment, self, axis_name=axis_name)


class _Autoencoder(nn.Module):
    """Encoder and decoder under one roof, so that their variables form one tree."""

    encoder: nn.Module
    decoder: nn.Module

    def __call__(
        self, images: Any, labels: Any, noise: Codes, *, image_shape: Any, classes: int,
        train: bool, axis_name: Any = None,
    ):  # fmt: skip
        how = {"classes": classes, "train": train, "axis_name": axis_name}
        size = noise.shape[-1]
        mean, log_variance = self.encode(images, labels, latent_size=size, **how)
        latent = reparameterize(mean=mean, log_variance=log_variance, noise=noise)
        outputs = self.decode(latent, labels, image_shape=image_shape, **how)
        return outputs, mean, log_variance

    def encode(self, images: Any, labels: Any, *, classes: int, **how: Any):
        given, labelled = (
            ((images,), {}) if labels is None else ((images, labels), {"classes": classes})
        )
        apply.check_arguments("encoder", self.encoder, len(given), {**how, **labelled})
        codes = self.encoder(*given, **how, **labelled)
        wanted = (images.shape[0], how["latent_size"])
        if not isinstance(codes, tuple) or len(codes) != 2:
            raise ConfigError(
                f"the encoder, {type(self.encoder).__name__}, must return mean and log variance of"
                f" each code: two arrays, of shape {wanted} for a batch of {wanted[0]}"
            )
        for found in codes:
            apply.check_shape("encoder", self.encoder, found, wanted)
        return codes

    def decode(self, latent: Codes, labels: Any, *, image_shape: Any, classes: int, **how: Any):
        given, labelled = (latent, {}) if labels is None else (
            {"noise": latent, "label": labels}, {"classes": classes}
        )  # fmt: skip
        how = {**how, **labelled, "image_shape": image_shape}
        apply.check_arguments("decoder", self.decoder, 1, how)
        outputs = self.decoder(given, **how)
        apply.check_shape("decoder", self.decoder, outputs, (latent.shape[0], *image_shape))
        return outputs


def vae(experiment: Experiment, model: Vae, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of a VAE.

    The loss is the negative of ``E[log p(x|z)] - beta KL(q(z|x) || p(z))``, estimated with one code
    an image; reconstruction and KL are summed over pixels and code dimensions and averaged over
    images.

    Args:
        experiment: the images' shape and classes in ``experiment.data``, the number of steps.
        model: networks, likelihood and optimizer.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: labels are wanted, and the data's classes are not said.
    """
    data = experiment.data
    classes = base.classes_of(data) if model.conditional else 0
    is_image = data.dtype == "uint8"
    network = _Autoencoder(model.encoder, model.decoder)
    optimizer = model.optimizer.build(experiment.steps)
    over = apply.reduce(axis_name)
    normal = Normal(model.latent_size)
    prior: Prior = Labelled(normal) if model.conditional else normal

    def targets(images: Any) -> Any:
        return model.likelihood.from_uint8(images) if is_image else images

    def draw(key: PRNGKey, count: int) -> Latents:
        return rng.per_example(lambda k: prior.draw(k, classes), key, count)

    def noise_of(key: PRNGKey, count: int, axis: str | None = None) -> Codes:
        def one(k: PRNGKey) -> Array:
            return normal.draw(k, 0)

        return rng.per_example(one, key, count, axis)

    def labels_of(batch: Batch) -> Any:
        return jnp.asarray(batch["label"]) if model.conditional else None

    def run(
        variables: Variables, *inputs: Any, train: bool = False, method: Any = None, **how: Any
    ):
        return apply.call(
            "autoencoder", network, variables, *inputs, train=train, axis_name=axis_name,
            method=method, classes=classes, **how,
        )  # fmt: skip

    def terms(variables: Variables, batch: Batch, noise: Codes, **how: Any):
        """Log-likelihood and KL of each image, and the collections that the networks changed."""
        images = jnp.asarray(batch["image"])
        (outputs, mean, log_variance), changed = run(
            variables, apply.to_symmetric(images), labels_of(batch), noise,
            image_shape=data.image_shape, **how,
        )  # fmt: skip
        log_likelihood = model.likelihood.log_prob(outputs=outputs, targets=targets(images))
        return log_likelihood, kl_standard_normal(mean=mean, log_variance=log_variance), changed

    def init(key: PRNGKey, batch: Batch) -> State:
        images = apply.to_symmetric(jnp.asarray(batch["image"])[:1])
        labels = None if not model.conditional else jnp.zeros(1, jnp.int32)
        variables = apply.initial(
            "autoencoder", network, key, images, labels, jnp.zeros((1, model.latent_size)),
            image_shape=data.image_shape, classes=classes,
        )  # fmt: skip
        players = {"autoencoder": new_player(variables, optimizer)}
        return new_state(players, averaged=("autoencoder",))

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        noise = noise_of(rng.role_key(key, "noise"), jnp.shape(batch["image"])[0], axis_name)
        beta, before = model.beta.at(state.step), state.players["autoencoder"]

        def loss(params: Params):
            log_likelihood, kl, changed = terms(
                {"params": params, **before.model_state}, batch, noise, train=True,
                key=rng.role_key(key, "dropout"),
            )  # fmt: skip
            values = elbo(log_likelihood=log_likelihood, kl=kl, beta=beta)
            return -jnp.mean(values), (changed, log_likelihood, kl)

        (value, (changed, log_likelihood, kl)), gradients = jax.value_and_grad(loss, has_aux=True)(
            before.params
        )
        gradients = over.mean(gradients)
        player = before.update(optimizer, gradients, changed)
        metrics = {
            "loss/autoencoder": value,
            "elbo": jnp.mean(elbo(log_likelihood=log_likelihood, kl=kl)),
            "reconstruction": jnp.mean(log_likelihood),
            "kl": jnp.mean(kl),
            **apply.gradient_norm("autoencoder", gradients),
        }
        average = model.ema.update(state.ema["autoencoder"], player.variables, state.step)
        new = state.replace(
            step=state.step + 1, players={"autoencoder": player}, ema={"autoencoder": average}
        )
        return new, over.mean(metrics)

    def parts_of(latents: Latents) -> tuple[Codes, Any]:
        return (latents["noise"], latents["label"]) if model.conditional else (latents, None)

    def outputs_of(state: State, code: Codes, labels: Any) -> Pixels:
        return run(
            state.evaluated("autoencoder"), code, labels, method=network.decode,
            image_shape=data.image_shape,
        )[0]  # fmt: skip

    def in_range(outputs: Any) -> Pixels:
        means = model.likelihood.mean(outputs)
        return jnp.clip(means, 0.0, 1.0) if is_image else means

    def pixels(state: State, latents: Latents) -> Pixels:
        return in_range(outputs_of(state, *parts_of(latents)))

    def normalized(
        state: State, latents: Latents, key: PRNGKey
    ) -> tuple[Pixels, dict[str, Params]]:
        outputs, found = apply.batch_statistics(
            lambda variables: run(
                variables, *parts_of(latents), train=True, key=key, method=network.decode,
                image_shape=data.image_shape,
            ),
            state.evaluated("autoencoder"),
        )  # fmt: skip
        return in_range(outputs), {"autoencoder": found}

    def posterior(state: State, batch: Batch) -> tuple[Codes, Codes]:
        return run(
            state.evaluated("autoencoder"), apply.to_symmetric(jnp.asarray(batch["image"])),
            labels_of(batch), method=network.encode, latent_size=model.latent_size,
        )[0]  # fmt: skip

    def log_likelihood(state: State, batch: Batch, codes: Codes) -> PerExample:
        outputs = outputs_of(state, codes, labels_of(batch))
        images = jnp.asarray(batch["image"])
        return model.likelihood.log_prob(outputs=outputs, targets=targets(images))

    def codes(state: State, batch: Batch) -> Codes:
        return posterior(state, batch)[0]

    def reconstruct(state: State, batch: Batch) -> Pixels:
        return in_range(outputs_of(state, codes(state, batch), labels_of(batch)))

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        noise = noise_of(key, jnp.shape(batch["image"])[0])
        found, kl, _ = terms(state.evaluated("autoencoder"), batch, noise)
        values = {
            "elbo": elbo(log_likelihood=found, kl=kl),
            "reconstruction": found,
            "kl": kl,
        }
        return apply.sums_with_squares(values, batch)

    generation = base.Generation(
        draw,
        pixels,
        normalized,
        truncate=prior.truncate,
        between=prior.between,
        sheets=lambda key: sheets_of(prior, classes, draw, key),
    )
    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        base.with_label(generation) if model.conditional else generation,
        base.Encoding(reconstruct, codes, posterior),
        base.Density(type(model.likelihood).__name__, model.likelihood.measure, log_likelihood),
    )
