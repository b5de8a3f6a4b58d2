"""What autoencoders can do besides training: draw images, encode them, tell their likelihood."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.algorithms import apply, base
from jaxgan.algorithms.autoencoder import Autoencoder
from jaxgan.algorithms.autoencoder_parts import PLAYER, Parts
from jaxgan.algorithms.sheets import sheets_of
from jaxgan.algorithms.state import State
from jaxgan.config import Experiment
from jaxgan.objectives.priors import Labelled
from jaxgan.objectives.vae.likelihoods import Drawing, kind_of
from jaxgan.typing import Batch, Codes, Latents, Params, PerExample, Pixels, PRNGKey, Variables


def capabilities(experiment: Experiment, model: Parts, parts: Autoencoder) -> dict[str, Any]:
    """Fields of `jaxgan.algorithms.base.Algorithm` by name: sampling, codes and densities.

    Args:
        experiment: the data's classes.
        model: the settings that the parts are made from.
        parts: as `autoencoder` makes them.
    """
    likelihood = model.likelihood
    latents_prior = model.code_prior.latents(model.latent_size)
    prior = Labelled(latents_prior) if model.conditional else latents_prior
    classes = base.classes_of(experiment.data) if model.conditional else 0

    def variables_of(state: State) -> Variables:
        return state.evaluated(PLAYER)

    def pixels(state: State, latents: Latents) -> Pixels:
        variables = variables_of(state)
        return parts.in_range(parts.outputs(variables, *parts.codes_of(variables, latents))[0])

    def normalized(
        state: State, latents: Latents, key: PRNGKey
    ) -> tuple[Pixels, dict[str, Params]]:
        codes, labels = parts.codes_of(variables_of(state), latents)
        made, found = apply.batch_statistics(
            lambda variables: parts.outputs(variables, codes, labels, train=True, key=key),
            variables_of(state),
        )
        return parts.in_range(made), {PLAYER: found}

    def codes(state: State, batch: Batch) -> Codes:
        variables = variables_of(state)
        return parts.center(variables, parts.encode(variables, batch)[0])

    def posterior(state: State, batch: Batch) -> tuple[Codes, Codes]:
        mean, log_variance = parts.encode(variables_of(state), batch)[0]
        return mean, log_variance

    def reconstruct(state: State, batch: Batch) -> Pixels:
        made = parts.outputs(variables_of(state), codes(state, batch), parts.labels(batch))[0]
        return parts.in_range(made)

    def draw(state: State, batch: Batch, key: PRNGKey) -> Codes:
        variables, count = variables_of(state), jnp.shape(batch["image"])[0]
        return parts.infer(variables, batch, parts.noise(key, count), state.step)[0].codes[0]

    def decode(state: State, given: Codes) -> Pixels:
        return parts.in_range(parts.outputs(variables_of(state), given, None)[0])

    def log_likelihood(state: State, batch: Batch, given: Codes) -> PerExample:
        made = parts.outputs(variables_of(state), given, parts.labels(batch))[0]
        return parts.log_likelihood(batch, made)

    def log_prior(state: State, given: Codes) -> PerExample:
        return parts.log_prior(variables_of(state), given)

    def draw_prior(state: State, key: PRNGKey, count: int) -> Codes:
        return parts.codes_of(variables_of(state), parts.prior(key, count))[0]

    def simulate(state: State, batch: Batch, given: Codes, key: PRNGKey) -> Pixels:
        assert isinstance(likelihood, Drawing)
        made = parts.outputs(variables_of(state), given, parts.labels(batch))[0]
        return likelihood.draw(made, key)

    def log_weight(state: State, batch: Batch, key: PRNGKey) -> PerExample:
        variables, count = variables_of(state), jnp.shape(batch["image"])[0]
        found, _ = parts.infer(variables, batch, parts.noise(key, count), state.step)
        terms, _ = parts.terms(variables, batch, found)
        assert terms.log_prior is not None
        assert terms.log_posterior is not None
        return (terms.log_likelihood + terms.log_prior - terms.log_posterior)[0]

    drawn = jax.eval_shape(lambda key: latents_prior.draw(key, classes), jax.random.key(0))
    generation = base.Generation(
        parts.prior,
        pixels,
        normalized,
        gradients=all(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in jax.tree.leaves(drawn)),
        truncate=prior.truncate if prior.truncates else None,
        project=prior.project,
        between=prior.between,
        sheets=lambda key: sheets_of(prior, classes, parts.prior, key),
    )
    gaussian = model.posterior.gaussian and model.code_prior.standard
    dense = model.posterior.dense
    return {
        "generation": base.with_label(generation) if model.conditional else generation,
        "encoding": base.Encoding(
            reconstruct, codes, posterior if gaussian else None, draw,
            None if model.conditional or model.posterior.support != "space" else decode,
        ),
        "density": base.Density(
            kind_of(likelihood), likelihood.measure, log_likelihood,
            log_weight if dense else None,
            *((log_prior, draw_prior) if model.code_prior.support == "space" else (None, None)),
            simulate if isinstance(likelihood, Drawing) else None,
        ),
    }  # fmt: skip
