"""Samples by raw weights, by statistics of batches, and by truncated latents."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from scipy.stats import norm, truncnorm

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.config import ConfigError, Evaluation
from jaxgan.measurement import sampling
from jaxgan.objectives.priors import Uniform
from jaxgan.program import compile_program, example_batch

SIZE = 16


@functools.cache
def made(kind="dcgan"):
    """A program, and a state whose averages differ from what is trained."""
    experiment = getattr(tiny, kind)()
    program = compile_program(experiment, "none")
    state = program.init(0, example_batch(experiment))
    other = program.init(1, example_batch(experiment))
    (player,) = state.ema
    own, others = state.ema[player], other.ema[player]
    stats = jax.tree.map(lambda leaf: leaf + 0.5, own.get("batch_stats", {}))
    # Large weights, so that samples are not all gray.
    params = jax.tree.map(lambda leaf: leaf * (15.0 if stats else 1.0), others["params"])
    average = {**others, "params": params}
    average = {**average, "batch_stats": stats} if stats else average
    return experiment, program, state.replace(ema={player: average})


def samples(evaluation=None, count=SIZE, kind="dcgan", key=7):
    _, program, state = made(kind)
    evaluation = evaluation or Evaluation(batch_size=SIZE)
    ready = sampling.prepared(program, state, evaluation)
    return np.asarray(sampling.sampler(program, ready, evaluation)(rng.base_key(key), count))


def normalized_by_batch(latents):
    """Pixels in train mode and statistics of the batch, by the network itself."""
    experiment, _, state = made()
    # With averages of zero, what is folded in is the batch's share: a tenth.
    average = state.ema["generator"]
    zeros = jax.tree.map(jnp.zeros_like, average["batch_stats"])
    pixels, changed = experiment.model.generator.apply(
        {**average, "batch_stats": zeros}, latents, image_shape=(8, 8, 1), train=True,
        axis_name=None, mutable=["batch_stats"],
    )  # fmt: skip
    images = np.clip(np.asarray(pixels, np.float64) + 1, 0, 2) * 127.5
    return images, jax.tree.map(lambda leaf: np.asarray(leaf, np.float64) * 10, changed)


def latents_of(key, count=SIZE):
    return made()[1].prior(key, count)


def test_devices_share_the_work_and_change_nothing():
    _, program, state = made()
    alone = np.asarray(program.generate(state, latents_of(rng.base_key(7), 13)))
    shared = samples(count=13)
    assert shared.shape == alone.shape == (13, 8, 8, 1)
    # Another number of images a device rounds differently.
    assert np.abs(shared.astype(int) - alone).max() <= 1


def test_statistics_of_the_batch():
    expected, _ = normalized_by_batch(latents_of(rng.base_key(7)))
    found = samples(Evaluation(batch_norm="batch", batch_size=SIZE))
    assert np.abs(found - expected).max() <= 0.51
    assert np.abs(found.astype(int) - samples()).max() > 10
    # Whatever cannot be shared evenly is not filled up either: nothing else may join the batch.
    expected, _ = normalized_by_batch(latents_of(rng.base_key(7), 13))
    found = samples(Evaluation(batch_norm="batch", batch_size=13), count=13)
    assert np.abs(found - expected).max() <= 0.51


@pytest.mark.parametrize("rule", ["standing", "standing_random"])
def test_standing_statistics_are_the_mean_over_batches(monkeypatch, rule):
    """Of one size each, or of random sizes, whose weights are the same."""
    count = 3 if rule == "standing" else 2
    monkeypatch.setattr(sampling, "STANDING_BATCHES", count)
    _, program, state = made()
    keys = [jax.random.fold_in(rng.role_key(rng.base_key(0), "standing"), i) for i in range(count)]
    sizes = [SIZE] * count
    if rule == "standing_random":
        sizes = [int(jax.random.randint(rng.role_key(k, "size"), (), 1, SIZE + 1)) for k in keys]
        assert len({*sizes, SIZE}) == 3
    parts = [
        normalized_by_batch(latents_of(key, size))[1]["batch_stats"]
        for key, size in zip(keys, sizes, strict=True)
    ]
    expected = jax.tree.map(lambda *leaves: np.mean(leaves, axis=0), *parts)
    evaluation = Evaluation(batch_norm=rule, batch_size=SIZE)
    ready = sampling.prepared(program, state, evaluation)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6),
        jax.device_get(ready.ema["generator"]["batch_stats"]),
        expected,
    )
    for name, tree in state.ema["generator"].items():
        if name != "batch_stats":
            assert ready.ema["generator"][name] is tree
    assert np.abs(samples(evaluation).astype(int) - samples()).max() > 10


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_statistics_do_not_depend_on_momentum_or_scale(scale):
    values = scale * np.random.default_rng(0).normal(2.0, 1.0, (5, 3)).astype(np.float32)

    def network(variables, momentum=0.97):
        old = variables["batch_stats"]["mean"]
        new = momentum * old + (1 - momentum) * values.mean(axis=0)
        return values.sum(), {"batch_stats": {**variables["batch_stats"], "mean": new}}

    before = {"mean": jnp.ones(3), "elsewhere": jnp.full(2, 7.0)}
    outputs, found = jax.jit(lambda: apply.batch_statistics(network, {"batch_stats": before}))()
    np.testing.assert_allclose(found["mean"], values.mean(axis=0), rtol=2e-5)
    np.testing.assert_array_equal(found["elsewhere"], [7.0, 7.0])
    np.testing.assert_allclose(outputs, values.sum(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["dcgan", "vae"])
def test_raw_weights(kind):
    _, program, state = made(kind)
    raw = {name: state.players[name].variables for name in state.ema}
    latents = program.prior(rng.base_key(7), SIZE)
    expected = np.asarray(program.generate(state.replace(ema=raw), latents))
    found = samples(Evaluation(weights="raw", batch_size=SIZE), kind=kind)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.abs(found.astype(int) - samples(kind=kind)).max() > 5


@pytest.mark.parametrize("kind", ["dcgan", "vae"])
def test_truncation_scales_latents(kind):
    _, program, state = made(kind)
    latents = program.prior(rng.base_key(7), SIZE)
    expected = np.asarray(program.generate(state, 0.3 * latents))
    found = samples(Evaluation(truncation=0.3, batch_size=SIZE), kind=kind)
    assert np.abs(found.astype(int) - expected).max() <= 1
    spread = [images.astype(float).std(axis=0).mean() for images in (found, samples(kind=kind))]
    assert spread[0] < spread[1]


@pytest.mark.parametrize("psi", [1.0, 0.5])
def test_a_threshold_cuts_latents_off_before_a_factor(psi):
    """By the quantiles of SciPy's truncated normal distribution."""
    _, program, state = made("vae")
    latents = program.prior(rng.base_key(7), SIZE)
    cut = psi * truncnorm.ppf(norm.cdf(latents), -0.6, 0.6)
    expected = np.asarray(program.generate(state, jnp.asarray(cut, jnp.float32)))
    evaluation = Evaluation(threshold=0.6, truncation=psi, batch_size=SIZE)
    found = samples(evaluation, kind="vae")
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.abs(found.astype(int) - samples(kind="vae")).max() > 5


def test_a_threshold_is_for_what_is_gaussian():
    """Labels stay, and other codes."""
    evaluation = Evaluation(threshold=0.5)
    noise = np.linspace(-3.0, 3.0, 7, dtype=np.float32)[:, None]
    latents = {"noise": noise, "label": np.arange(7), "codes": np.full((7, 2), 4.0, np.float32)}
    latents = jax.tree.map(jnp.asarray, latents)
    found = sampling._truncated(
        latents, lambda z, psi: {**z, "noise": psi * z["noise"]}, evaluation
    )
    np.testing.assert_allclose(found["noise"], truncnorm.ppf(norm.cdf(noise), -0.5, 0.5), atol=1e-5)
    for name in ("label", "codes"):
        np.testing.assert_array_equal(found[name], latents[name])


@pytest.mark.parametrize(
    ("kind", "changes", "evaluation", "message"),
    [
        (
            "gan", {"prior": Uniform(8)}, Evaluation(truncation=0.5),
            "evaluation.truncation = 0.5: the model has no Gaussian latents that could be"
            " truncated; leave it at 1",
        ),
        (
            "gan", {"prior": Uniform(8)}, Evaluation(threshold=0.5),
            "evaluation.threshold = 0.5: the model has no Gaussian latents that could be"
            " truncated; leave it at 0",
        ),
        (
            "gan", {}, Evaluation(batch_norm="standing"),
            "evaluation.batch_norm = 'standing': the model that samples has no batch normalization",
        ),
        (
            "vae", {}, Evaluation(batch_norm="batch"),
            "evaluation.batch_norm = 'batch': the model that samples has no batch normalization",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(kind, changes, evaluation, message):
    experiment = getattr(tiny, kind)()
    model = dataclasses.replace(experiment.model, **changes)
    experiment = dataclasses.replace(experiment, model=model)
    program = compile_program(experiment, "none")
    shapes = jax.eval_shape(program.init, 0, example_batch(experiment))
    with pytest.raises(ConfigError) as raised:
        sampling.check(program.algorithm, shapes, evaluation)
    assert str(raised.value) == message
    sampling.check(program.algorithm, shapes, Evaluation())


def test_a_model_without_an_average_has_raw_weights_whatever_is_asked():
    experiment = tiny.gan(model=tiny.Regression())
    program = compile_program(experiment, "none")
    state = program.init(0, example_batch(experiment))
    for weights in ("ema", "raw"):
        evaluation = Evaluation(weights=weights)
        sampling.check(program.algorithm, state, evaluation)
        assert sampling.weights_of(state, evaluation) == "raw"
        assert sampling.prepared(program, state, evaluation).players is state.players
    averaged = made("gan")[2]
    assert sampling.weights_of(averaged, Evaluation()) == "ema"
    assert sampling.weights_of(averaged, Evaluation(weights="raw")) == "raw"
