"""InfoGAN (Chen et al. 2016): a GAN whose codes can be read off its images.

It is a GAN by parts (`jaxgan.algorithms.gan`) with a prior that draws codes, a discriminator that
reads them and a term that asks both players for it. What comes on top is what can be done with
codes: those of real images are read, and images are shown while one code changes.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.base import Sheet
from jaxgan.algorithms.gan import Gan, gan
from jaxgan.algorithms.gan_game import Networks
from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.information import Information, negative_log_likelihoods
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.priors import Prior
from jaxgan.typing import Batch, Pixels, PRNGKey, Sums

ROWS, COLUMNS = 8, 8
FARTHEST = 2.0
"""How far traversals of continuous codes go to either side: twice as far as the prior (Chen et al.
2016, figure 2)."""


@dataclasses.dataclass(frozen=True)
class InfoGan(Gan):
    """Settings of an InfoGAN: those of a GAN, with codes and their reader."""

    family: ClassVar[str] = "GAN"

    prior: Prior = Codes()
    """Distribution of noise and codes, `jaxgan.objectives.codes.Codes`."""
    auxiliaries: tuple[Auxiliary, ...] = (Information(),)
    """Added to both players' losses; the information of the codes must be among them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.prior, Codes):
            raise ConfigError(
                f"InfoGAN needs a prior with codes, such as Codes, not {type(self.prior).__name__}"
            )
        if not any(isinstance(term, Information) for term in self.auxiliaries):
            raise ConfigError(
                "InfoGAN without Information among its auxiliaries is a plain GAN, whose codes mean"
                " nothing: add it, --auxiliary information"
            )

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `infogan`."""
        return infogan(experiment, self, axis_name=axis_name)


def infogan(
    experiment: Experiment, model: InfoGan, *, axis_name: str | None = None
) -> base.Algorithm:
    """The algorithm of an InfoGAN: that of `jaxgan.algorithms.gan.gan`, and codes of images.

    An image's code is what the discriminator's heads say of it: probabilities of the categories of
    each categorical code, and means of the continuous codes. A reconstruction is what is made of an
    image's likeliest categories and continuous codes, and of noise at its mean: what the codes do
    not hold is not there.

    ``evaluate`` also gives the bound on the information that generated images hold of their codes,
    ``H(c) + E log Q(c | x)`` in nats, by kind: ``information_category``, at most the logarithm of
    the number of categories, and ``information_continuous``, where Q is a Gaussian of standard
    deviation 1, which is too wide for it to be positive.

    Args:
        experiment: as in `jaxgan.algorithms.gan.gan`.
        model: settings.
        axis_name: mapped axis over which the batch is sharded; None on one device.
    """
    algorithm = gan(experiment, model, axis_name=axis_name)
    data, prior, generation = experiment.data, model.prior, algorithm.generation
    assert isinstance(prior, Codes)
    assert generation is not None
    is_image = data.dtype == "uint8"
    networks = Networks(model.generator, model.discriminator, data.image_shape, 0, axis_name)
    entropy = prior.entropy

    def judged(state: State, images: Any) -> Verdict:
        variables = state.players["discriminator"].variables
        return networks.discriminator(variables, images, None, train=False)[0]

    def read(state: State, batch: Batch) -> dict[str, Any]:
        """Probabilities of categories and means of continuous codes, as latents hold codes."""
        heads = judged(state, apply.to_symmetric(jnp.asarray(batch["image"]))).heads
        found: dict[str, Any] = {}
        if prior.categories:
            ends = [sum(prior.categories[:i]) for i in range(1, len(prior.categories))]
            parts = jnp.split(heads["category"], ends, axis=-1)
            found["category"] = tuple(jax.nn.softmax(part) for part in parts)
        if prior.continuous:
            found["continuous"] = heads["continuous"]
        return found

    def codes(state: State, batch: Batch) -> Float[Array, "batch codes"]:
        return jnp.concatenate(jax.tree.leaves(read(state, batch)), axis=-1)

    def reconstruct(state: State, batch: Batch) -> Pixels:
        found = read(state, batch)
        blank = jnp.zeros((len(jax.tree.leaves(found)[0]), prior.noise.size))
        return generation.pixels(state, prior.project({**found, "noise": blank}))

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        count = jnp.shape(batch["image"])[0]
        latents = generation.prior(rng.role_key(key, "information"), count)
        fake = generation.pixels(state, latents)
        # Through eight bits, as real images come.
        fake = apply.to_symmetric(apply.quantized(fake)) if is_image else fake
        terms = negative_log_likelihoods(judged(state, fake), latents)
        bounds = {f"information_{kind}": entropy[kind] - term for kind, term in terms.items()}
        return {
            **algorithm.evaluate(state, batch, key),
            **apply.sums_with_squares(bounds, batch),
        }

    def sheets(key: PRNGKey) -> dict[str, Sheet]:
        return {**generation.sheets(key), **traversals(prior, generation.prior, key)}

    return algorithm._replace(
        evaluate=evaluate,
        generation=generation._replace(sheets=sheets),
        encoding=base.Encoding(reconstruct, codes),
    )


def traversals(prior: Codes, draw: Any, key: PRNGKey) -> dict[str, Sheet]:
    """Latents that differ in one code along a row or column; all else stays.

    Args:
        prior: whose latents they are.
        draw: from a key and a count to latents of the prior.
        key: of the latents.

    Returns:
        ``category-I``: a row for each category of a categorical code; a column shares all else.
        ``continuous-I``: a continuous code from -2 to 2 along each row, which shares all else.
    """
    found = {}
    once = draw(rng.role_key(key, "categories"), COLUMNS)
    for place, size in enumerate(prior.categories):
        latents = jax.tree.map(lambda leaf, n=size: jnp.concatenate([leaf] * n), once)
        parts = list(latents["category"])
        parts[place] = jnp.repeat(jnp.eye(size, dtype=parts[place].dtype), COLUMNS, axis=0)
        found[f"category-{place}"] = Sheet({**latents, "category": tuple(parts)}, COLUMNS)
    starts = draw(rng.role_key(key, "continuous"), ROWS)
    steps = jnp.tile(jnp.linspace(-FARTHEST, FARTHEST, COLUMNS), ROWS)
    for place in range(prior.continuous):
        latents = jax.tree.map(lambda leaf: jnp.repeat(leaf, COLUMNS, axis=0), starts)
        changed = latents["continuous"].at[:, place].set(steps)
        found[f"continuous-{place}"] = Sheet({**latents, "continuous": changed}, COLUMNS)
    return found
