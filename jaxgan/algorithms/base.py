"""The contract between an algorithm and everything that runs it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jaxtyping import Array, Float, Int, Num

from jaxgan.config import ConfigError, Precision
from jaxgan.typing import (
    Batch,
    Latents,
    Measure,
    Metrics,
    Params,
    PerExample,
    Pixels,
    PRNGKey,
    Sums,
)

State: TypeAlias = Any
"""A pytree of arrays with at least the field ``step``."""

Generated: TypeAlias = Num[Array, "batch height width channels"]
"""uint8 images, or float32 points."""


class Algorithm(NamedTuple):
    """Pure functions that train, sample and evaluate one model.

    Everything is a function of its arguments, so an algorithm can be jitted, pmapped, vmapped over
    seeds, or run through ``jax.eval_shape``.

    Attributes:
        init: state from a key and one example batch, of which only shapes are used.
        train_step: one generator (or autoencoder) update; takes the key of the step.
        sample: generated images under the evaluation weights (EMA where there is one).
        evaluate: mergeable ``(sum, count)`` pairs over one held-out batch; examples whose ``mask``
            is 0 do not count.
        prior: latents of the given number of samples.
        generate: images of given latents under the evaluation weights.
        reconstruct: images decoded from the mean codes of others; None where there is no encoder.
        parameters: the trained parameters of a state, by network.
        posterior: mean and log variance of each image's code, a diagonal Gaussian, where the prior
            is the standard normal; under the evaluation weights, as the next. None where there is
            no encoder.
        log_likelihood: ``log p(x|z)`` of each image under a latent of its own, summed over pixels
            and channels, in nats; None where there is no likelihood.
        raw: the state whose evaluation weights are those being trained; None where there is only
            one kind of weights.
        truncate: latents nearer to the prior's mean by the factor ``psi``; None where the prior is
            not Gaussian.
        batch_normalized: images of given latents, normalized by this batch's own statistics, and
            those statistics (``batch_stats``). The key is for dropout, which is then on, as in
            training. None where nothing is known of it.
        with_statistics: the state whose evaluation weights have these ``batch_stats``.
        pixels: as ``generate``, from 0 to 1 and not rounded, so that they have gradients; None
            where no images are generated.
        to_support: latents brought back to where the prior has any; None where it has some
            everywhere.
        measure: what ``log_likelihood`` of these images is the log of; None where there is no
            likelihood.
    """

    init: Callable[[PRNGKey, Batch], State]
    train_step: Callable[[State, Batch, PRNGKey], tuple[State, Metrics]]
    sample: Callable[[State, PRNGKey, int], Generated]
    evaluate: Callable[[State, Batch, PRNGKey], Sums]
    prior: Callable[[PRNGKey, int], Latents]
    generate: Callable[[State, Latents], Generated]
    reconstruct: Callable[[State, Batch], Generated] | None
    parameters: Callable[[State], dict[str, Params]]
    posterior: Callable[[State, Batch], tuple[Latents, Latents]] | None = None
    log_likelihood: Callable[[State, Batch, Latents], PerExample] | None = None
    raw: Callable[[State], State] | None = None
    truncate: Callable[[Latents, float], Latents] | None = None
    batch_normalized: Callable[[State, Latents, PRNGKey], tuple[Generated, Params]] | None = None
    with_statistics: Callable[[State, Params], State] | None = None
    pixels: Callable[[State, Latents], Pixels] | None = None
    to_support: Callable[[Latents], Latents] | None = None
    measure: Callable[[np.ndarray], Measure] | None = None


class Player(struct.PyTreeNode):
    """A network in training.

    Attributes:
        params: what its optimizer updates.
        model_state: its other collections, such as batch statistics; may be empty.
        opt_state: its optimizer's state.
    """

    params: Params
    model_state: Params
    opt_state: optax.OptState

    @property
    def variables(self) -> dict[str, Any]:
        """What ``module.apply`` takes."""
        return {"params": self.params, **self.model_state}

    def update(
        self, optimizer: optax.GradientTransformation, gradients: Params, model_state: Params
    ) -> Player:
        """This player after one optimizer update.

        Args:
            optimizer: the transformation that made ``opt_state``.
            gradients: of the loss, averaged over the devices; same structure as ``params``.
            model_state: the collections that the forward pass returned.
        """
        updates, opt_state = optimizer.update(gradients, self.opt_state, self.params)
        params = optax.apply_updates(self.params, updates)
        return self.replace(params=params, model_state=model_state, opt_state=opt_state)


def at_precision(model: Any, precision: Precision) -> Any:
    """The settings of a model, with the experiment's precision in networks that name none.

    Args:
        model: a dataclass; the fields that are networks are looked at.
        precision: number format of the networks' arithmetic.

    Raises:
        ConfigError: a network computes in float32 only.
    """
    if precision == "float32":
        return model
    networks = {
        field.name: value
        for field in dataclasses.fields(model)
        if isinstance(value := getattr(model, field.name), nn.Module)
    }
    for name, network in networks.items():
        if not hasattr(network, "dtype"):
            raise ConfigError(
                f"the {name}, {type(network).__name__}, has no field dtype and computes in float32"
                f" only: give it one, or leave out --precision {precision}"
            )
        if network.dtype is None:
            networks[name] = network.clone(dtype=precision)
    return dataclasses.replace(model, **networks)


def new_player(variables: Mapping[str, Any], optimizer: optax.GradientTransformation) -> Player:
    """A player from what ``module.init`` returned."""
    model_state = {name: value for name, value in variables.items() if name != "params"}
    params = variables["params"]
    return Player(params=params, model_state=model_state, opt_state=optimizer.init(params))


def batch_statistics(
    apply: Callable[[dict[str, Any]], tuple[Any, Mapping[str, Any]]], variables: Mapping[str, Any]
) -> tuple[Any, Params]:
    """What a network makes of a batch in train mode, and the statistics that it normalized with.

    A network folds a batch's statistics ``b`` into running averages, ``new = m old + (1 - m) b``,
    with momenta of its own. Two values of ``old`` give ``m`` and ``b``; the outputs do not depend
    on them, so that compiled code makes the outputs once.

    Args:
        apply: from variables to outputs and changed collections, in train mode.
        variables: of the network, ``batch_stats`` included.

    Returns:
        The outputs, and a tree like ``batch_stats``; what ``apply`` does not normalize with is as
        it was.
    """
    before = variables["batch_stats"]

    def after(old: Any) -> tuple[Any, Any]:
        outputs, changed = apply({**variables, "batch_stats": old})
        return outputs, changed["batch_stats"]

    outputs, from_zero = after(jax.tree.map(jnp.zeros_like, before))
    # As large as the statistics themselves, so that few digits of m are lost.
    other = jax.tree.map(lambda leaf: 1.0 + 10.0 * jnp.abs(leaf), from_zero)
    _, from_other = after(other)

    def statistic(old: Array, zero: Array, start: Array, end: Array) -> Array:
        kept = (end - zero) / start
        return jnp.where(kept < 1.0, zero / jnp.where(kept < 1.0, 1.0 - kept, 1.0), old)

    return outputs, jax.tree.map(statistic, before, from_zero, other, from_other)


def masked_sum(
    values: Float[Array, "batch"], batch: Batch
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """``(sum, count)`` of per-example values, without the examples that ``mask`` excludes."""
    mask = batch.get("mask")
    weights = jnp.ones_like(values) if mask is None else jnp.asarray(mask, values.dtype)
    return jnp.sum(values * weights), jnp.sum(weights)


def sums_with_squares(values: Mapping[str, PerExample], batch: Batch) -> Sums:
    """What ``evaluate`` returns of per-example values; squares give their means' standard errors.

    Args:
        values: by name.
        batch: of the examples, whose ``mask`` applies.
    """
    squares = {f"{name}_squared": jnp.square(value) for name, value in values.items()}
    return {name: masked_sum(value, batch) for name, value in {**values, **squares}.items()}


def to_symmetric(images: Num[Array, "..."]) -> Float[Array, "..."]:
    """uint8 images to floats in [-1, 1]; points (floats) unchanged."""
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) / 127.5 - 1.0
    return images


def from_symmetric(pixels: Float[Array, "..."]) -> Num[Array, "..."]:
    """Floats in [-1, 1] to the nearest uint8; the inverse of `to_symmetric`."""
    return from_unit((pixels + 1.0) / 2.0)


def from_unit(pixels: Float[Array, "..."]) -> Num[Array, "..."]:
    """Floats in [0, 1] to the nearest uint8; values outside are clipped."""
    return jnp.round(jnp.clip(pixels, 0.0, 1.0) * 255.0).astype(jnp.uint8)


def scaled(latents: Latents, psi: float) -> Latents:
    """Latents of a standard normal prior, nearer to its mean by the factor ``psi``."""
    return latents * psi


def first_step() -> Int[Array, ""]:
    """The step counter of a new state."""
    return jnp.zeros((), jnp.int32)
