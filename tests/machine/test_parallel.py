"""One device, pmap and shard_map compute the same."""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan import rng
from jaxgan.algorithms.base import Algorithm, Phase
from jaxgan.algorithms.state import new_state
from jaxgan.config import Model
from jaxgan.data import splits
from jaxgan.data.order import epoch_position
from jaxgan.networks.layers.dropout import Dropout
from jaxgan.program import compile_program, example_batch

MODES = ("none", "pmap", "shard_map")
EXPERIMENTS = {"dcgan": tiny.dcgan, "gan": tiny.gan, "vae": tiny.vae}

SOME_SLOW = ["vae", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dcgan", "gan"))]


@functools.cache
def trained(name, mode):
    return tiny.train(EXPERIMENTS[name](seed=1, steps=20), mode, 20)


def assert_close(found, expected, tolerance):
    """Leaf by leaf, relative to the largest number of each."""
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for (path, a), b in zip(
        jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(expected), strict=True
    ):
        scale = max(float(np.abs(np.asarray(b, np.float64)).max(initial=0.0)), 1e-3)
        np.testing.assert_allclose(
            a, b, rtol=0, atol=tolerance * scale, err_msg=jax.tree_util.keystr(path)
        )


@pytest.mark.parametrize("name", SOME_SLOW)
@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_eight_devices_train_what_one_device_trains(name, mode):
    state, metrics = trained(name, mode)
    expected, expected_metrics = trained(name, "none")
    experiment = EXPERIMENTS[name](seed=1, steps=20)
    start = jax.device_get(compile_program(experiment, "none").init(1, example_batch(experiment)))
    assert int(state.step) == 20
    # Sums of 2 or 16 float32 values round differently, and twenty updates spread that. Gradient
    # descent (see tiny.py) does not blow it up, so that the tolerance stays far below the updates.
    tolerance = 2e-5
    assert_close(state, expected, tolerance)
    assert_close(metrics, expected_metrics, 1e-4)
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), expected.ema, start.ema)
    assert max(jax.tree.leaves(moved)) > 100 * tolerance


@pytest.mark.parametrize("name", SOME_SLOW)
def test_pmap_and_shard_map_agree_bit_for_bit(name):
    # They partition alike, so the sums run over the same terms in the same order.
    jax.tree.map(np.testing.assert_array_equal, trained(name, "pmap"), trained(name, "shard_map"))


@pytest.mark.parametrize("mode", MODES)
def test_streamed_batches_train_what_resident_data_trains(mode):
    experiment = tiny.gan(model=tiny.Regression(rate=0.01), seed=1)
    state, metrics = tiny.train(experiment, mode, 5, streaming=True)
    expected, expected_metrics = tiny.train(experiment, mode, 5)
    assert_close(state, expected, 1e-6)
    assert_close(metrics, expected_metrics, 1e-6)


# --- What each device sees ------------------------------------------------------------------------


class Seen(NamedTuple):
    """What a step was given, gathered from all devices."""

    images: Any
    labels: Any
    bits: Any
    latents: Any
    mask: Any


@dataclasses.dataclass(frozen=True)
class Probe(Model):
    """Keeps the last batch, its latents and a dropout mask instead of learning."""

    def build(self, experiment, *, axis_name=None):
        size = experiment.batch_size

        def init(key, batch):
            shape = experiment.data.image_shape
            seen = Seen(
                jnp.zeros((size, *shape), experiment.data.dtype),
                jnp.zeros(size, jnp.int32),
                jnp.zeros((size, 5), jnp.uint32),
                jnp.zeros((size, 5)),
                jnp.zeros((size, 6)),
            )
            return new_state({}, extras=seen)

        def train_step(state, batch, key):
            count = len(batch["image"])
            latent_key = rng.role_key(key, "latent")
            bits, latents = (
                rng.per_example(draw, latent_key, count, axis_name)
                for draw in (
                    lambda k: jax.random.bits(k, (5,)),
                    lambda k: jax.random.normal(k, (5,)),
                )
            )
            mask = Dropout(0.5).apply(
                {}, jnp.ones((count, 6)), train=True, axis_name=axis_name,
                rngs={"dropout": rng.role_key(key, "dropout")},
            )  # fmt: skip
            local = (batch["image"], batch["label"], bits, latents, mask)
            if axis_name is not None:
                local = jax.lax.all_gather(local, axis_name, tiled=True)
            return state.replace(step=state.step + 1, extras=Seen(*local)), {
                "loss": jnp.float32(0.0)
            }

        return Algorithm(init, (Phase(experiment.steps, train_step),), lambda *_: {})


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("streaming", [False, True])
def test_rows_latents_and_masks_are_the_same_on_any_number_of_devices(mode, streaming):
    experiment = tiny.gan(model=Probe(), seed=4, batch_size=24)
    data = splits.in_memory(experiment.data, "train")
    for steps in (1, 3, 64):  # the last one is in the second epoch of the 1,500 images
        state, _ = tiny.train(experiment, mode, steps, streaming=streaming)
        seen = state.extras
        places = np.arange(24) + (steps - 1) * 24
        rows = np.asarray(epoch_position(places, 1500, 4))
        np.testing.assert_array_equal(seen.images, data["image"][rows])
        np.testing.assert_array_equal(seen.labels, data["label"][rows])
        key = rng.role_key(rng.step_key(rng.base_key(4), steps - 1), "latent")
        keys = [jax.random.fold_in(key, i) for i in range(24)]
        bits = [np.asarray(jax.random.bits(k, (5,))) for k in keys]
        np.testing.assert_array_equal(seen.bits, np.stack(bits))
        # From the same bits, compiled programs make normals that differ by the last digit.
        latents = [np.asarray(jax.random.normal(k, (5,))) for k in keys]
        np.testing.assert_allclose(seen.latents, np.stack(latents), rtol=1e-6)
        expected, _ = tiny.train(experiment, "none", steps)
        np.testing.assert_array_equal(seen.mask, expected.extras.mask)
        assert set(np.unique(seen.mask)) == {0.0, 2.0}


# --- The exact gradient ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_one_step_is_the_gradient_of_the_global_mean(mode):
    experiment = tiny.gan(model=tiny.Regression(), batch_size=40)
    state, metrics = tiny.train(experiment, mode, 1)
    data = splits.in_memory(experiment.data, "train")
    rows = np.asarray(epoch_position(np.arange(40), 1500, 0))
    pixels = data["image"][rows].reshape(40, 64) / 255.0
    start = np.linspace(-1.0, 1.0, 64)
    error = pixels @ start - data["label"][rows]
    # d/dw mean (Xw - y)^2 = 2 X'(Xw - y) / n. A sum over eight devices would be eight times that.
    gradient = 2.0 * pixels.T @ error / 40
    np.testing.assert_allclose(
        state.players["weights"].params, start - gradient, rtol=1e-5, atol=1e-5
    )
    assert np.abs(gradient).max() > 1.0
    assert metrics[0]["loss"] == pytest.approx(np.mean(error**2), rel=1e-5)
