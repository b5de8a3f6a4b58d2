"""Vector-quantized autoencoders (van den Oord et al. 2017), with a prior of their codes.

First the autoencoder and its codebook are trained; then, in a second phase, a network learns which
codes go together, so that images can be drawn.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.observed import observe
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.algorithms.vae_checks import check_data
from jaxgan.algorithms.vq_parts import Quantized, drawn, log_probability
from jaxgan.config import ConfigError, Experiment, Model, config_errors, describe
from jaxgan.networks.pixel_cnn import PixelCnn
from jaxgan.objectives.vae.codebook import Codebook, nearest, perplexity, straight_through, uses
from jaxgan.objectives.vae.likelihoods import Gaussian, Likelihood
from jaxgan.optim import Adam, Ema, Optimizer, Schedule
from jaxgan.typing import Batch, Codes, Latents, Metrics, Params, PerExample, Pixels, PRNGKey, Sums


@dataclasses.dataclass(frozen=True)
class VqVae(Model):
    """Settings of a VQ-VAE."""

    family: ClassVar[str] = "VAE"

    encoder: nn.Module
    """Network from images to a vector at each place of a grid."""
    decoder: nn.Module
    """Network from such grids to the parameters of the likelihood."""
    prior: nn.Module = PixelCnn()
    """Network from one-hot codes at the places of a grid to logits of the code at each, given those
    at the places before it."""
    likelihood: Likelihood = Gaussian(scale=0.2)
    """Distribution of an image given its codes."""
    codebook: Codebook = Codebook()
    """The codes, and how they follow the encoder."""
    commitment: float = 0.25
    """Weight of the squared distance of the encoder's vectors from their codes (beta)."""
    share: float = 0.5
    """Of the steps that train autoencoder and codebook; the others train the prior."""
    optimizer: Optimizer = Adam(learning_rate=1e-3, b1=0.9)
    """Optimizer of encoder and decoder."""
    prior_optimizer: Optimizer = Adam(learning_rate=1e-3, b1=0.9)
    """Optimizer of the prior."""
    ema: Ema = Ema()
    """Average of the prior's weights that is evaluated. Encoder and decoder have none: the codebook
    belongs to their weights as they are."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.commitment < float("inf"):
            raise ConfigError(f"commitment = {self.commitment}: a weight is at least 0 and finite")
        if not 0.0 < self.share < 1.0:
            raise ConfigError(
                f"share = {self.share}: of the steps, above 0 and below 1, so that both the"
                " autoencoder and the prior are trained"
            )
        if self.likelihood.learned(1):
            raise ConfigError(
                f"the likelihood, {type(self.likelihood).__name__}, learns numbers of its own,"
                " which a VQ-VAE does not train: take one with a fixed scale, such as Gaussian"
            )

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """Those of constant rates: a schedule runs over a phase, of which logs know nothing."""
        both = {"autoencoder": self.optimizer, "prior": self.prior_optimizer}
        return {n: (one, 1) for n, one in both.items() if getattr(one, "schedule", 0) == Schedule()}

    def objective(self) -> str:
        """``VQ, Gaussian(scale=0.2), 512 codes, commitment = 0.25``."""
        parts = ["VQ", describe(self.likelihood), f"{self.codebook.codes} codes"]
        return ", ".join([*parts, f"commitment = {self.commitment:g}"])

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `vq_vae`."""
        return vq_vae(experiment, self, axis_name=axis_name)


def vq_vae(experiment: Experiment, model: VqVae, *, axis_name: str | None = None) -> base.Algorithm:
    """The algorithm of a VQ-VAE.

    First phase: ``-log p(x | e) + beta |z - sg(e)|^2``, where ``z`` are the encoder's vectors and
    ``e`` the codes nearest to them; the gradient of ``e`` is handed to ``z``. Distances are summed
    over places and dimensions, as the likelihood is over pixels. The codebook is no parameter: it
    follows the vectors by moving averages (`Codebook`).

    Second phase: ``-log p(c)`` of the codes of real images under the prior, in nats an image. The
    autoencoder stays as it is.

    Latents are one number from U(0, 1) a place: the code there is where the cumulative distribution
    of the prior's conditional reaches it. ``evaluate`` gives ``log p(x | c)``, ``-log p(c)`` under
    the name ``kl`` (the posterior has all its mass on one ``c``), and the bound of ``log p(x)``
    that they make, which is a bound from the start, but a poor one before the second phase.

    Args:
        experiment: the images' shape in ``experiment.data``, the number of steps.
        model: networks, likelihood, codebook and optimizers.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    Raises:
        ConfigError: there are not two steps, or the encoder makes no grid of vectors, or
            the likelihood is none of such data.

    References:
        Van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, 2017,
        section 3, eq. 1 to 3, and appendix A.1.
    """
    if experiment.steps < 2:
        raise ConfigError(f"steps = {experiment.steps}: a VQ-VAE has two phases of a step at least")
    check_data(model.likelihood, experiment.data)
    first = min(max(round(model.share * experiment.steps), 1), experiment.steps - 1)
    data, book, over = experiment.data, model.codebook, apply.reduce(axis_name)
    is_image, image_shape = data.dtype == "uint8", data.image_shape
    network = Quantized(model.encoder, model.decoder)
    optimizer = model.optimizer.build(first)
    prior_optimizer = model.prior_optimizer.build(experiment.steps - first)
    decoded = (*image_shape[:2], model.likelihood.decoded(image_shape[2]))

    def new_autoencoder(key: PRNGKey) -> Any:
        images = jnp.zeros((1, *image_shape))
        return apply.initial(
            "autoencoder", network, key, images, size=book.size, image_shape=decoded
        )

    def encode(variables: Any, batch: Batch, train: bool = False, key: PRNGKey | None = None):
        images = apply.to_symmetric(jnp.asarray(observe(model.likelihood, batch)["image"]))
        return apply.call(
            "autoencoder", network, variables, images, train=train, axis_name=axis_name,
            key=key, method=network.encode, size=book.size,
        )  # fmt: skip

    def decode(variables: Any, grid: Array, train: bool = False, key: PRNGKey | None = None):
        return apply.call(
            "autoencoder", network, variables, grid, train=train, axis_name=axis_name,
            key=key, method=network.decode, image_shape=decoded,
        )  # fmt: skip

    def grid_of() -> tuple[int, int]:
        zeros = {"image": jnp.zeros((1, *image_shape))}
        key = rng.base_key(0)
        with config_errors():
            grid = jax.eval_shape(lambda k: encode(new_autoencoder(k), zeros)[0], key)
        return grid.shape[1], grid.shape[2]

    rows, columns = grid_of()

    def closest(vectors: Array, grid: Array) -> Int[Array, "batch rows columns"]:
        with jax.named_scope("codebook"):
            return nearest(vectors, grid)

    def predict(variables: Any, indices: Array, train: bool = False, key: Any = None):
        places = jax.nn.one_hot(indices, book.codes)
        logits, changed = apply.call(
            "prior", model.prior, variables, places, train=train, axis_name=axis_name, key=key
        )
        apply.check_shape("prior", model.prior, logits, places.shape)
        return logits, changed

    def log_likelihood(batch: Batch, made: Array) -> PerExample:
        images = jnp.asarray(observe(model.likelihood, batch)["image"])
        targets = model.likelihood.from_uint8(images) if is_image else images
        return model.likelihood.log_prob(outputs=made, targets=targets)

    def init(key: PRNGKey, batch: Batch) -> State:
        del batch
        blank = jnp.zeros((1, rows, columns, book.codes))
        prior = apply.initial("prior", model.prior, key, blank, prefix="prior-")
        players = {
            "autoencoder": new_player(new_autoencoder(key), optimizer),
            "prior": new_player(prior, prior_optimizer),
        }
        extras = book.init(rng.role_key(key, "codebook"))
        return new_state(players, averaged=("prior",), extras=extras)

    def some_of(grid: Array, key: PRNGKey) -> Float[Array, "codes size"]:
        """Vectors of the whole batch, drawn with replacement: the same on all devices."""
        count = grid.shape[0]
        own, every = over.rows(count), over.total(count)
        index = jax.random.randint(key, (3, book.codes), 0, jnp.array([[every], [rows], [columns]]))
        local = index[0] - own[0]
        here = (local >= 0) & (local < count)
        found = grid[jnp.clip(local, 0, count - 1), index[1], index[2]]
        return over.total(jnp.where(here[:, None], found, 0.0))

    def train_autoencoder(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        before, vectors = state.players["autoencoder"], book.vectors(state.extras)
        batch = observe(model.likelihood, batch, rng.role_key(key, "observed"), axis_name)
        dropout = rng.role_key(key, "dropout")

        def loss(params: Params) -> Any:
            variables = {"params": params, **before.model_state}
            grid, changed = encode(variables, batch, True, rng.role_key(dropout, "encoder"))
            indices = closest(vectors, jax.lax.stop_gradient(grid))
            codes = vectors[indices]
            variables = {"params": params, **before.model_state, **changed}
            made, changed = decode(variables, straight_through(grid, codes), True, dropout)
            likelihood = log_likelihood(batch, made)
            distance = jnp.sum(jnp.square(grid - codes), axis=(1, 2, 3))
            total = jnp.mean(model.commitment * distance - likelihood)
            return total, (changed, grid, indices, likelihood, distance)

        (value, (changed, grid, indices, likelihood, distance)), gradients = jax.value_and_grad(
            loss, has_aux=True
        )(before.params)
        gradients = over.mean(gradients)
        player = before.update(optimizer, gradients, changed)
        with jax.named_scope("codebook"):
            used = over.total(uses(indices, grid, book.codes))
        fresh = some_of(grid, rng.role_key(key, "restart"))
        extras = book.update(state.extras, used, fresh=fresh)
        metrics = {
            "loss/autoencoder": value,
            "reconstruction": jnp.mean(likelihood),
            "commitment": jnp.mean(distance),
            "perplexity": perplexity(used.counts),
            **apply.gradient_norm("autoencoder", gradients),
        }
        players = {**state.players, "autoencoder": player}
        new = state.replace(step=state.step + 1, players=players, extras=extras)
        return new, over.mean(metrics)

    def train_prior(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        batch = observe(model.likelihood, batch, rng.role_key(key, "observed"), axis_name)
        before, indices = state.players["prior"], indices_of(state, batch)

        def loss(params: Params) -> Any:
            variables = {"params": params, **before.model_state}
            logits, changed = predict(variables, indices, True, rng.role_key(key, "dropout"))
            return -jnp.mean(log_probability(logits, indices)), changed

        (value, changed), gradients = jax.value_and_grad(loss, has_aux=True)(before.params)
        gradients = over.mean(gradients)
        player = before.update(prior_optimizer, gradients, changed)
        average = model.ema.update(state.ema["prior"], player.variables, state.step - first)
        metrics = {"loss/prior": value, **apply.gradient_norm("prior", gradients)}
        players = {**state.players, "prior": player}
        new = state.replace(step=state.step + 1, players=players, ema={"prior": average})
        return new, over.mean(metrics)

    def indices_of(state: State, batch: Batch) -> Int[Array, "batch rows columns"]:
        grid, _ = encode(state.players["autoencoder"].variables, batch)
        return closest(book.vectors(state.extras), grid)

    def outputs(state: State, indices: Array) -> Array:
        codes = book.vectors(state.extras)[indices]
        return decode(state.players["autoencoder"].variables, codes)[0]

    def in_range(made: Array) -> Pixels:
        means = model.likelihood.mean(made)
        return jnp.clip(means, 0.0, 1.0) if is_image else means

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Latents:
        return rng.per_example(lambda k: jax.random.uniform(k, (rows, columns)), key, count, axis)

    def pixels(state: State, latents: Latents) -> Pixels:
        variables = state.evaluated("prior")
        indices = drawn(lambda found: predict(variables, found)[0], latents)
        return in_range(outputs(state, indices))

    def reconstruct(state: State, batch: Batch) -> Pixels:
        return in_range(outputs(state, indices_of(state, batch)))

    def codes(state: State, batch: Batch) -> Codes:
        indices = indices_of(state, batch)
        return book.vectors(state.extras)[indices].reshape(indices.shape[0], -1)

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        del key
        indices = indices_of(state, batch)
        likelihood = log_likelihood(batch, outputs(state, indices))
        kl = -log_probability(predict(state.evaluated("prior"), indices)[0], indices)
        values = {"elbo": likelihood - kl, "reconstruction": likelihood, "kl": kl}
        return apply.sums_with_squares(values, batch)

    def enter(state: State) -> State:
        renewed = state.players["prior"].renewed(prior_optimizer)
        return state.replace(players={**state.players, "prior": renewed})

    return base.Algorithm(
        init,
        (base.Phase(first, train_autoencoder), base.Phase(experiment.steps, train_prior, enter)),
        evaluate,
        base.Generation(draw, pixels, gradients=False),
        base.Encoding(reconstruct, codes),
    )
