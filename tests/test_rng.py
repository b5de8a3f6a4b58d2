"""Randomness: the same draws on any number of devices, and independent ones for every use."""

import itertools
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgan import rng

KEY = rng.role_key(rng.step_key(rng.base_key(3), 5), "latent")


def bits(key):
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


def draw(key):
    return jax.random.normal(key, (7,))


def test_eight_devices_draw_what_one_device_draws():
    one = rng.per_example(draw, KEY, 24)
    for devices in (2, 8):
        local = 24 // devices
        mapped = jax.pmap(
            lambda _, local=local: rng.per_example(draw, KEY, local, "devices"), "devices"
        )
        shared = np.asarray(mapped(jnp.zeros(devices))).reshape(24, 7)
        np.testing.assert_array_equal(shared, np.asarray(one))


def test_a_draw_depends_on_the_place_in_the_batch_and_not_on_the_batch():
    long, short = rng.per_example(draw, KEY, 10), rng.per_example(draw, KEY, 4)
    np.testing.assert_array_equal(np.asarray(long[:4]), np.asarray(short))
    expected = [draw(jax.random.fold_in(KEY, i)) for i in range(4)]
    np.testing.assert_array_equal(np.asarray(short), np.stack([np.asarray(e) for e in expected]))


def test_example_indices_are_contiguous_blocks():
    def indices(_):
        return rng.example_indices(3, "d")

    found = jax.pmap(indices, "d")(jnp.zeros(8))
    np.testing.assert_array_equal(np.asarray(found).ravel(), np.arange(24))
    np.testing.assert_array_equal(np.asarray(rng.example_indices(5)), np.arange(5))


def test_seeds_steps_roles_and_indices_have_keys_of_their_own():
    keys = {
        bits(rng.role_key(rng.step_key(rng.base_key(seed), step), role, index))
        for seed, step, role, index in itertools.product(
            (0, 1, 2), (0, 1, 2), ("latent", "dropout", "noise"), (0, 1, 2)
        )
    }
    assert len(keys) == 3**4


def test_a_role_is_its_name_and_not_how_python_hashes_it():
    # Python's own hash of a string changes from process to process.
    expected = jax.random.fold_in(
        jax.random.fold_in(rng.base_key(0), zlib.crc32(b"latent") & 0x7FFFFFFF), 4
    )
    assert bits(rng.role_key(rng.base_key(0), "latent", 4)) == bits(expected)


def test_keys_can_be_made_inside_a_compiled_step():
    @jax.jit
    def compiled(seed, step):
        return jax.random.key_data(rng.step_key(rng.base_key(seed), step))

    assert tuple(np.asarray(compiled(7, 11)).tolist()) == bits(rng.step_key(rng.base_key(7), 11))


@pytest.mark.parametrize("role", ["latent", "dropout"])
def test_draws_of_a_batch_are_independent_standard_normals(role):
    key = rng.role_key(rng.base_key(0), role)
    values = np.asarray(rng.per_example(lambda k: jax.random.normal(k, (16,)), key, 4096))
    # Kolmogorov-Smirnov; a sound generator fails once in 10,000 fixed seeds.
    assert stats.kstest(values.ravel(), "norm").pvalue > 1e-4
    # Neighbors in the batch, and coordinates of one draw: |r| of n pairs is 1/sqrt(n) at 1 sigma.
    for a, b in ((values[:-1], values[1:]), (values[:, :-1], values[:, 1:])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / np.sqrt(a.size)


def test_two_roles_are_uncorrelated():
    first, second = (
        np.asarray(rng.per_example(draw, rng.role_key(rng.base_key(0), role), 4096)).ravel()
        for role in ("latent", "noise")
    )
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(first.size)
