"""What InfoGAN adds to a GAN: codes of images, bounds on information, traversals."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from scipy import stats
from scipy.special import log_softmax, softmax

from jaxgan.algorithms.base import build
from jaxgan.algorithms.infogan import COLUMNS, ROWS, InfoGan, traversals
from jaxgan.measurement import available
from jaxgan.networks.information import CodesGenerator, InformationMlpDiscriminator
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan.information import Information
from jaxgan.objectives.priors import Normal
from jaxgan.program import example_batch

PRIOR = Codes(Normal(3), categories=(4, 2), continuous=2)
COUNT = 6


@functools.cache
def made():
    """The algorithm, a state with weights of all sizes, and a batch."""
    experiment = tiny.gan(
        model=InfoGan(
            CodesGenerator(MlpGenerator((8,))),
            InformationMlpDiscriminator((8,), categories=(4, 2), continuous=2, hidden=6),
            prior=PRIOR,
        )
    )
    algorithm = build(experiment)
    state = jax.eval_shape(algorithm.init, jax.random.key(0), example_batch(experiment))
    draws = np.random.default_rng(0)
    state = jax.tree.map(lambda s: jnp.asarray(draws.normal(0, 0.6, s.shape), s.dtype), state)
    images = draws.integers(0, 256, (COUNT, *experiment.data.image_shape), np.uint8)
    return algorithm, state, {"image": images}


def heads(images):
    """What the discriminator's heads say, by its module."""
    module = InformationMlpDiscriminator((8,), categories=(4, 2), continuous=2, hidden=6)
    variables = made()[1].players["discriminator"].variables
    return module.apply(variables, jnp.asarray(images, jnp.float32), train=False)[1]


def test_codes_are_probabilities_and_means():
    algorithm, state, batch = made()
    found = algorithm.encoding.codes(state, batch)
    said = heads(batch["image"].astype(np.float32) / 127.5 - 1.0)
    expected = [
        softmax(said["category"][:, :4], axis=1), softmax(said["category"][:, 4:], axis=1),
        said["continuous"],
    ]  # fmt: skip
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-6)
    assert "codes" in available.has(algorithm)
    assert not {"encoder", "likelihood"} & available.has(algorithm)


def test_a_reconstruction_is_made_of_the_codes_alone():
    """The likeliest categories, whole; continuous codes where the prior has mass; no noise."""
    algorithm, state, batch = made()
    said = heads(batch["image"].astype(np.float32) / 127.5 - 1.0)
    first, second = (said["category"][:, part].argmax(1) for part in (slice(4), slice(4, 6)))
    latents = {
        "noise": jnp.zeros((COUNT, 3)),
        "category": (jnp.eye(4)[first], jnp.eye(2)[second]),
        "continuous": jnp.clip(said["continuous"], -1, 1),
    }
    assert np.abs(said["continuous"]).max() > 1
    np.testing.assert_allclose(
        algorithm.encoding.reconstruct(state, batch),
        algorithm.generation.pixels(state, latents),
        atol=1e-6,
    )


def test_evaluate_bounds_the_information_of_generated_images():
    """``H(c) + E log Q(c | x)``, in nats, of as many images as there are real ones."""
    algorithm, state, batch = made()
    batch = {**batch, "mask": jnp.ones(COUNT)}
    # The latents are drawn inside, so the expectation is compared over many draws.
    evaluate = jax.jit(lambda key: algorithm.evaluate(state, batch, key))
    sums = [jax.device_get(evaluate(jax.random.key(seed))) for seed in range(200)]
    found = {
        name: np.mean([one[name][0] / one[name][1] for one in sums])
        for name in ("information_category", "information_continuous")
    }
    assert all(one["information_category"][1] == COUNT for one in sums)
    latents = algorithm.generation.prior(jax.random.key(1), 1200)
    images = np.round(np.asarray(algorithm.generation.pixels(state, latents)) * 255) / 127.5 - 1.0
    said, rows = heads(jnp.asarray(images, jnp.float32)), np.arange(1200)
    first, second = (np.asarray(code).argmax(1) for code in latents["category"])
    log_q = log_softmax(said["category"][:, :4], axis=1)[rows, first]
    log_q += log_softmax(said["category"][:, 4:], axis=1)[rows, second]
    log_density = stats.norm.logpdf(latents["continuous"], said["continuous"], 1.0).sum(1)
    for name, values in (
        ("information_category", math.log(8) + log_q),
        ("information_continuous", 2 * math.log(2) + log_density),
    ):
        # Two means of 1200 images each.
        error = 5 * math.sqrt(2) * values.std() / math.sqrt(1200)
        assert abs(found[name] - values.mean()) < error < 0.5 * abs(values.mean()), name


def test_traversals_change_one_code():
    draw = made()[0].generation.prior
    sheets = traversals(PRIOR, draw, jax.random.key(0))
    assert sheets.keys() == {"category-0", "category-1", "continuous-0", "continuous-1"}
    for place, size in enumerate(PRIOR.categories):
        sheet = sheets[f"category-{place}"]
        assert sheet.columns == COLUMNS
        latents = jax.tree.map(lambda leaf, n=size: leaf.reshape(n, COLUMNS, -1), sheet.latents)
        code = np.asarray(latents["category"][place])
        np.testing.assert_array_equal(code.argmax(-1), np.arange(size)[:, None].repeat(COLUMNS, 1))
        rest = [latents["noise"], latents["continuous"], latents["category"][1 - place]]
        for leaf in rest:
            # Every row has the same; columns differ.
            assert not np.ptp(leaf, axis=0).any()
        assert np.ptp(latents["noise"], axis=1).all()
    for place in range(2):
        sheet = sheets[f"continuous-{place}"]
        latents = jax.tree.map(lambda leaf: leaf.reshape(ROWS, COLUMNS, -1), sheet.latents)
        code = np.asarray(latents["continuous"])
        expected = np.linspace(-2, 2, COLUMNS)
        np.testing.assert_allclose(code[..., place], expected[None].repeat(ROWS, 0), rtol=1e-6)
        for leaf in (latents["noise"], code[..., 1 - place, None], *latents["category"]):
            assert not np.ptp(leaf, axis=1).any()
        assert np.ptp(latents["noise"], axis=0).all()


def test_both_players_and_the_reader_learn_codes():
    """The default settings have the term in both losses."""
    model = InfoGan(CodesGenerator(), InformationMlpDiscriminator())
    assert model.auxiliaries == (Information(),)
    assert model.prior == Codes()
    assert "Information()" in model.objective()


@pytest.mark.parametrize("prior", [Codes(Normal(3), (), 1), Codes(Normal(3), (5,), 0)])
def test_one_kind_of_codes_alone(prior):
    sheets = traversals(prior, lambda key, n: jax.vmap(lambda k: prior.draw(k, 0))(
        jax.random.split(key, n)), jax.random.key(0))  # fmt: skip
    assert len(sheets) == 1
