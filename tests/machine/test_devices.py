"""Arrays on all devices of a process."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.machine import devices


def test_rows_are_shared_in_order():
    rows = np.arange(48.0, dtype=np.float32).reshape(16, 3)
    placed = devices.shared(rows)
    parts = sorted(placed.addressable_shards, key=lambda part: part.index[0].start)
    assert [part.data.shape for part in parts] == [(2, 3)] * 8
    assert len({part.device for part in parts}) == 8
    np.testing.assert_array_equal(np.concatenate([part.data for part in parts]), rows)


def test_everything_is_everywhere():
    tree = {"a": np.arange(5.0), "step": jnp.int32(3), "key": jax.random.key(0)}
    placed = devices.on_every_device(tree)
    for leaf in jax.tree.leaves(placed):
        assert leaf.devices() == set(jax.devices())
    assert int(placed["step"]) == 3


def test_compiled_functions_then_run_on_all():
    weights = devices.on_every_device(np.ones((3, 2), np.float32))
    product = jax.jit(jnp.matmul)(devices.shared(np.ones((8, 3), np.float32)), weights)
    assert len(product.devices()) == 8
    assert [part.data.shape for part in product.addressable_shards] == [(1, 2)] * 8
    np.testing.assert_array_equal(product, np.full((8, 2), 3.0))


def test_what_cannot_be_shared_evenly():
    with pytest.raises(ValueError, match="partitioned 8 times"):
        devices.shared(np.ones((9, 3)))


def test_one_device_needs_no_mesh(monkeypatch):
    monkeypatch.setattr(devices.jax, "local_devices", lambda: jax.devices()[:1])
    for placed in (devices.shared(np.ones(3)), devices.on_every_device(np.ones(3))):
        assert placed.devices() == {jax.devices()[0]}
