"""An encoder and a decoder with a posterior, a prior and a likelihood: what VAEs have in common.

`autoencoder` makes the functions that all of them are put together from. Algorithms differ in what
they maximize, and in who else plays; what all can do besides training is in `capabilities`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.autoencoder_parts import Networks, Parts
from jaxgan.algorithms.observed import observe
from jaxgan.algorithms.vae_checks import check_data
from jaxgan.config import Experiment
from jaxgan.objectives.priors import Labelled
from jaxgan.objectives.vae.bounds import Terms
from jaxgan.objectives.vae.code_priors import CheckedPrior
from jaxgan.objectives.vae.posteriors import Encoded
from jaxgan.typing import Batch, Codes, Latents, Params, PerExample, Pixels, PRNGKey, Variables


class Inferred(NamedTuple):
    """Codes of images.

    Attributes:
        codes: ``(samples, batch, latent)``.
        encoded: what the encoder returned, ``(batch, size)`` each.
        log_posterior: log density of each code, ``(samples, batch)``; None where there is none.
    """

    codes: Float[Array, "samples batch latent"]
    encoded: Encoded
    log_posterior: Float[Array, "samples batch"] | None


class Autoencoder(NamedTuple):
    """Functions of an autoencoder's variables; ``how`` is ``train=True, key=...`` in training.

    Attributes:
        init: from a key and an example batch to variables: collections with the entries
            ``encoder`` and ``decoder``, and among the parameters ``posterior``, ``prior`` and
            ``likelihood`` where these learn something.
        noise: from a key, images a device, codes an image and a mapped axis to what codes are drawn
            with, ``(samples, batch, ...)``.
        encode: from variables and a batch to `Encoded` and changed collections.
        infer: from variables, a batch, noise and the step to `Inferred` and changed collections.
            With ``path=True`` the density's parameters are held fixed. The step plays no part
            outside of training.
        outputs: from variables, codes and labels (or None) to what the likelihood takes and changed
            collections.
        terms: from variables, a batch and `Inferred` to `Terms` and changed collections.
        center: from variables and `Encoded` to the codes that stand for the images.
        prior: from a key, a count and a mapped axis to latents.
        codes_of: from variables and latents to codes and labels (or None).
        labels: of a batch; None where the model takes none.
        in_range: from a likelihood's outputs to images from 0 to 1, or to points.
        log_likelihood: of a batch under outputs.
        log_prior: from variables and codes to their log densities under the prior.
    """

    init: Callable[[PRNGKey, Batch], Variables]
    noise: Callable[..., Any]
    encode: Callable[..., tuple[Encoded, Params]]
    infer: Callable[..., tuple[Inferred, Params]]
    outputs: Callable[..., tuple[Array, Params]]
    terms: Callable[..., tuple[Terms, Params]]
    center: Callable[[Variables, Encoded], Codes]
    prior: Callable[..., Latents]
    codes_of: Callable[[Variables, Latents], tuple[Codes, Any]]
    labels: Callable[[Batch], Any]
    in_range: Callable[[Array], Pixels]
    log_likelihood: Callable[[Batch, Array], PerExample]
    log_prior: Callable[[Variables, Codes], PerExample]


def autoencoder(
    experiment: Experiment, model: Parts, *, axis_name: str | None = None
) -> Autoencoder:
    """The functions of an autoencoder.

    Args:
        experiment: the images' shape and classes in ``experiment.data``.
        model: networks, likelihood, posterior and prior.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: labels are wanted, and the data's classes are not said; or the prior does not
            go with the model, or with the images; or the likelihood is none of such data.
    """
    if isinstance(model.code_prior, CheckedPrior):
        model.code_prior.check(model, experiment.data.image_shape)
    data, size = experiment.data, model.latent_size
    check_data(model.likelihood, data)
    height, width, channels = data.image_shape
    decoded = (height, width, model.likelihood.decoded(channels))
    learned = model.likelihood.learned(channels)
    encoded_size = model.posterior.encoded_size(size)
    is_image = data.dtype == "uint8"
    classes = base.classes_of(data) if model.conditional else 0
    network = Networks(model.encoder, model.decoder)
    latents_prior = model.code_prior.latents(size)
    prior = Labelled(latents_prior) if model.conditional else latents_prior

    def run(variables: Variables, *inputs: Any, train: bool = False, method: Any, **how: Any):
        return apply.call(
            "autoencoder", network, variables, *inputs, train=train, axis_name=axis_name,
            method=method, classes=classes, **how,
        )  # fmt: skip

    def init(key: PRNGKey, batch: Batch) -> Variables:
        images = apply.to_symmetric(jnp.asarray(batch["image"])[:1])
        labels = None if not model.conditional else jnp.zeros(1, jnp.int32)
        variables = apply.initial(
            "autoencoder", network, key, images, jnp.zeros((1, size)), labels, size=encoded_size,
            image_shape=decoded, classes=classes,
        )  # fmt: skip
        more = {
            "posterior": model.posterior.init(rng.role_key(key, "posterior"), size),
            "prior": model.code_prior.init(rng.role_key(key, "prior"), size, data.image_shape),
            "likelihood": jnp.asarray(learned, jnp.float32) if learned else {},
        }
        params = {**variables["params"]}
        params |= {name: value for name, value in more.items() if jax.tree.leaves(value)}
        return {**variables, "params": params}

    def learned_by(variables: Variables, part: str) -> Params:
        return variables["params"].get(part, {})

    def noise(key: PRNGKey, count: int, samples: int = 1, axis: str | None = None) -> Any:
        def one(k: PRNGKey) -> Any:
            # One code is drawn as it would be if there were no others.
            keys = [k, *(rng.role_key(k, "code", i) for i in range(1, samples))]
            drawn = [model.posterior.noise(each, size) for each in keys]
            return jax.tree.map(lambda *parts: jnp.stack(parts), *drawn)

        found = rng.per_example(one, key, count, axis)
        return jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), found)

    def labels_of(batch: Batch) -> Any:
        return jnp.asarray(batch["label"]) if model.conditional else None

    def encode(variables: Variables, batch: Batch, **how: Any):
        images = jnp.asarray(observe(model.likelihood, batch)["image"])
        return run(
            variables, apply.to_symmetric(images), labels_of(batch),
            method=network.encode, latent_size=encoded_size, **how,
        )  # fmt: skip

    def infer(
        variables: Variables, batch: Batch, drawn: Any, step: Any, *, path: bool = False,
        **how: Any,
    ) -> tuple[Inferred, Params]:  # fmt: skip
        encoded, changed = encode(variables, batch, **how)
        params = learned_by(variables, "posterior")

        def one(single: Any) -> Any:
            at = step if how.get("train") else None
            return model.posterior.draw(params, encoded, single, at)

        codes, log_prob = jax.vmap(one)(drawn)
        if path:
            fixed = jax.lax.stop_gradient((params, encoded))
            log_prob = jax.vmap(lambda z: model.posterior.log_prob(*fixed, z))(codes)
        return Inferred(codes, encoded, log_prob), changed

    def outputs(variables: Variables, codes: Codes, labels: Any, **how: Any):
        made, changed = run(
            variables, codes, labels, method=network.decode, image_shape=decoded, **how
        )
        if learned:
            shared = learned_by(variables, "likelihood")
            planes = jnp.broadcast_to(shared, (*made.shape[:-1], len(learned)))
            made = jnp.concatenate([made, planes], axis=-1)
        return made, changed

    def log_likelihood(batch: Batch, made: Array) -> PerExample:
        images = jnp.asarray(batch["image"])
        if images.dtype == jnp.uint8:
            images = jnp.asarray(observe(model.likelihood, batch)["image"])
        # What is no integer is a point, or a draw of the likelihood, in its range already.
        targets = model.likelihood.from_uint8(images) if images.dtype == jnp.uint8 else images
        return model.likelihood.log_prob(outputs=made, targets=targets)

    def encoder_of(variables: Variables) -> Callable[[Pixels, Any], Encoded]:
        def encode_images(images: Pixels, numbers: Any) -> Encoded:
            labels = numbers % classes if model.conditional else None
            return run(
                variables, images, labels, method=network.encode, latent_size=encoded_size
            )[0]  # fmt: skip

        return encode_images

    def prior_log_prob(variables: Variables, codes: Codes) -> PerExample:
        params = learned_by(variables, "prior")
        return model.code_prior.log_prob(params, codes, encoder_of(variables))

    def terms(
        variables: Variables, batch: Batch, found: Inferred, **how: Any
    ) -> tuple[Terms, Params]:
        samples, count = found.codes.shape[:2]
        flat, labels = found.codes.reshape(samples * count, -1), labels_of(batch)
        tiled = None if labels is None else jnp.tile(labels, samples)
        made, changed = outputs(variables, flat, tiled, **how)
        per_code = made.reshape(samples, count, *made.shape[1:])
        likelihood = jax.vmap(lambda one: log_likelihood(batch, one))(per_code)
        log_prior = None
        if found.log_posterior is not None:
            log_prior = prior_log_prob(variables, flat).reshape(samples, count)
        kl = None
        if model.posterior.has_kl(model.code_prior):
            params = learned_by(variables, "posterior")
            kl = model.posterior.kl(params, found.encoded, model.code_prior)
        return Terms(likelihood, log_prior, found.log_posterior, kl), changed

    def center(variables: Variables, encoded: Encoded) -> Codes:
        return model.posterior.center(learned_by(variables, "posterior"), encoded)

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(lambda k: prior.draw(k, classes), key, count, axis)

    def codes_of(variables: Variables, latents: Latents) -> tuple[Codes, Any]:
        inner, labels = (
            (latents["noise"], latents["label"]) if model.conditional else (latents, None)
        )
        codes = model.code_prior.codes(learned_by(variables, "prior"), inner, encoder_of(variables))
        return codes, labels

    def in_range(made: Array) -> Pixels:
        means = model.likelihood.mean(made)
        return jnp.clip(means, 0.0, 1.0) if is_image else means

    return Autoencoder(
        init, noise, encode, infer, outputs, terms, center, draw, codes_of, labels_of, in_range,
        log_likelihood, prior_log_prob,
    )  # fmt: skip


def kl_of(terms: Terms) -> PerExample | None:
    """KL of each image's posterior: in closed form, else estimated by its codes; None: unknown."""
    if terms.kl is not None:
        return jnp.sum(terms.kl, axis=-1)
    if terms.log_posterior is None or terms.log_prior is None:
        return None
    return jnp.mean(terms.log_posterior - terms.log_prior, axis=0)


def values_of(terms: Terms) -> dict[str, PerExample]:
    """What is told of each image: ``reconstruction``, and ``kl`` and ``elbo`` where they exist."""
    reconstruction, kl = jnp.mean(terms.log_likelihood, axis=0), kl_of(terms)
    if kl is None:
        return {"reconstruction": reconstruction}
    return {"elbo": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
