"""A second VAE, of the codes that the first one gives to images."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32

from jaxgan import rng
from jaxgan.config import ConfigError
from jaxgan.measurement.samplers.sampler import Log, check_settings
from jaxgan.objectives.vae.bounds import elbo, reparameterize
from jaxgan.objectives.vae.divergences import kl_standard_normal
from jaxgan.typing import Params, PRNGKey

STEPS_IN_A_CALL = 250
"""A line is told after each call."""


@dataclasses.dataclass(frozen=True)
class TwoStage:
    """A VAE whose code is as long as that of the first, with normal noise of a learned scale.

    Its two perceptrons are given their input again before the last layer. It is trained on codes
    drawn from the posteriors; from their means alone it would learn another distribution.

    References:
        Dai and Wipf, Diagnosing and Enhancing VAE Models, 2019, section 4 and appendix (there three
        layers of 1,024 units, rate 1e-4, and 800 epochs, the rate halved every 300).
    """

    name: ClassVar[str] = "two_stage"

    layers: int = 3
    """Hidden layers of either network."""
    width: int = 256
    """Units of each."""
    steps: int = 5000
    """Updates by Adam."""
    batch_size: int = 64
    """Codes an update."""
    first_scale: float = 0.3
    """Standard deviation that the noise starts with; where it is near that of the codes, the second
    VAE takes them for noise."""
    learning_rate: float = 1e-3
    """First rate; it is halved after each three eighths of the steps."""
    draws: int = 10
    """Codes of each training image."""
    temperature: float = 1.0
    """Factor of the second VAE's own codes, at most 1."""
    seed: int = 0
    """Of all codes, of the first weights and of the order."""

    def __post_init__(self) -> None:
        counts = ("layers", "width", "steps", "batch_size", "learning_rate", "draws", "first_scale")
        check_settings(self, *counts)

    def fit(self, codes: Float32[np.ndarray, "n latent"], log: Log) -> dict[str, np.ndarray]:
        """``log_scale`` of the noise, and the decoder's ``weight0``, ``bias0`` and so on.

        Raises:
            ConfigError: the training came to no end that is finite.
        """
        rows, key = jnp.asarray(codes), rng.base_key(self.seed)
        optimizer = optax.adam(
            optax.exponential_decay(
                self.learning_rate, max(1, self.steps * 3 // 8), 0.5, staircase=True
            )
        )
        params = self._init(rng.role_key(key, "init"), rows.shape[1])
        carry = (params, optimizer.init(params))

        @functools.partial(jax.jit, donate_argnums=0)
        def updates(carry: Any, first: Any) -> tuple[Any, Array]:
            def one(carry: Any, step: Any) -> tuple[Any, Array]:
                params, state = carry
                own = rng.role_key(rng.step_key(key, step), "update")
                places = jax.random.randint(own, (self.batch_size,), 0, len(rows))
                value, slopes = jax.value_and_grad(self._loss)(
                    params, rows[places], rng.role_key(own, "noise")
                )
                change, state = optimizer.update(slopes, state, params)
                return (optax.apply_updates(params, change), state), value

            carry, values = jax.lax.scan(one, carry, first + jnp.arange(calls))
            return carry, jnp.mean(values)

        calls = min(STEPS_IN_A_CALL, self.steps)
        for first in range(0, self.steps - calls + 1, calls):
            carry, value = updates(carry, first)
            log(f"second stage, step {first + calls} of {self.steps}: ELBO {-float(value):.4g}")
        params = carry[0]
        arrays = {"log_scale": params["log_scale"], **params["decoder"]}
        found = {name: np.asarray(array) for name, array in arrays.items()}
        if not all(np.isfinite(array).all() for array in found.values()):
            raise ConfigError(
                f"two_stage: the second VAE diverged: learning_rate = {self.learning_rate} is too"
                " high, or the codes are not finite"
            )
        return found

    def draw(self, arrays: Mapping[str, Any], key: PRNGKey) -> Float[Array, "latent"]:
        """What the second decoder makes of its own prior, with its noise."""
        scale = jnp.exp(jnp.asarray(arrays["log_scale"]))
        size = arrays[f"bias{self.layers}"].shape[0]
        code, noise = (
            jax.random.normal(rng.role_key(key, role), (size,)) for role in ("code", "noise")
        )
        return _perceptron(arrays, self.temperature * code[None])[0] + scale * noise

    def _init(self, key: PRNGKey, size: int) -> Params:
        keys = {name: rng.role_key(key, name) for name in ("encoder", "decoder")}
        outputs = {"encoder": 2 * size, "decoder": size}
        networks = {
            name: _first(keys[name], size, [self.width] * self.layers, outputs[name])
            for name in keys
        }
        return {**networks, "log_scale": jnp.log(jnp.float32(self.first_scale))}

    def _loss(self, params: Params, codes: Float[Array, "n latent"], key: PRNGKey) -> Array:
        """Negative ELBO of codes, averaged over them."""
        mean, log_variance = jnp.split(_perceptron(params["encoder"], codes), 2, axis=-1)
        noise = jax.random.normal(key, mean.shape)
        own = reparameterize(mean=mean, log_variance=log_variance, noise=noise)
        made = _perceptron(params["decoder"], own)
        distance = jnp.square((codes - made) * jnp.exp(-params["log_scale"]))
        constant = 2.0 * params["log_scale"] + math.log(2.0 * math.pi)
        log_likelihood = -0.5 * jnp.sum(distance + constant, axis=-1)
        kl = kl_standard_normal(mean=mean, log_variance=log_variance)
        return -jnp.mean(elbo(log_likelihood=log_likelihood, kl=kl))


def _first(key: PRNGKey, size: int, widths: list[int], output: int) -> Params:
    """First weights: normal, of variance 2 over the number of inputs; the last ones 1 over it."""
    found, inputs = {}, size
    for place, width in enumerate([*widths, output]):
        last = place == len(widths)
        inputs += size * last
        deviation = math.sqrt((1.0 if last else 2.0) / inputs)
        shape = (inputs, width)
        noise = jax.random.normal(rng.role_key(key, "weight", place), shape)
        found |= {f"weight{place}": deviation * noise, f"bias{place}": jnp.zeros(width)}
        inputs = width
    return found


def _perceptron(params: Mapping[str, Any], inputs: Float[Array, "n d"]) -> Float[Array, "n e"]:
    """Layers of ReLU; the last one, which has none, sees the inputs too."""
    hidden, last = inputs, sum(name.startswith("weight") for name in params) - 1
    for place in range(last):
        hidden = jax.nn.relu(hidden @ params[f"weight{place}"] + params[f"bias{place}"])
    both = jnp.concatenate([hidden, inputs], axis=-1)
    return both @ params[f"weight{last}"] + params[f"bias{last}"]
