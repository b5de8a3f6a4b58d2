"""What algorithms share: players, masked sums, and the way of images to networks and back."""

import jax.numpy as jnp
import numpy as np
import optax

from jaxgan.algorithms.base import (
    first_step,
    from_symmetric,
    from_unit,
    masked_sum,
    new_player,
    to_symmetric,
)

BYTES = np.arange(256, dtype=np.uint8)


def test_bytes_go_to_the_symmetric_range_and_come_back():
    pixels = to_symmetric(jnp.asarray(BYTES))
    assert pixels.dtype == jnp.float32
    np.testing.assert_allclose(pixels, np.linspace(-1, 1, 256), atol=1e-6)
    np.testing.assert_array_equal(from_symmetric(pixels), BYTES)
    assert from_symmetric(pixels).dtype == jnp.uint8


def test_points_stay_as_they_are():
    points = jnp.asarray([[-3.5, 200.0]])
    np.testing.assert_array_equal(to_symmetric(points), points)


def test_the_nearest_byte_and_no_overflow():
    """127.4 goes down and 127.6 goes up; beyond the range is the end of the range."""
    pixels = jnp.asarray([-0.5, 0.0, 127.4 / 255, 127.6 / 255, 1.0, 1.01, 300.0])
    np.testing.assert_array_equal(from_unit(pixels), [0, 0, 127, 128, 255, 255, 255])
    np.testing.assert_array_equal(from_symmetric(2 * pixels - 1), [0, 0, 127, 128, 255, 255, 255])


def test_masked_sum():
    values = jnp.asarray([1.0, 10.0, 100.0])
    assert [float(x) for x in masked_sum(values, {"image": values})] == [111.0, 3.0]
    mask = np.array([1, 0, 1], np.float32)
    assert [float(x) for x in masked_sum(values, {"image": values, "mask": mask})] == [101.0, 2.0]


def test_a_player_after_one_update():
    """Parameters go down the gradient; the other collections are replaced; the old one is kept."""
    optimizer = optax.sgd(0.5, momentum=0.5)
    variables = {"params": {"w": jnp.asarray([1.0, 2.0])}, "batch_stats": {"mean": jnp.zeros(2)}}
    player = new_player(variables, optimizer)
    assert player.variables == variables
    assert player.model_state.keys() == {"batch_stats"}
    gradients, stats = {"w": jnp.asarray([4.0, -2.0])}, {"batch_stats": {"mean": jnp.ones(2)}}
    once = player.update(optimizer, gradients, stats)
    np.testing.assert_allclose(once.params["w"], [-1.0, 3.0])
    np.testing.assert_array_equal(once.model_state["batch_stats"]["mean"], [1.0, 1.0])
    # The momentum of the second update holds half of the first.
    twice = once.update(optimizer, gradients, stats)
    np.testing.assert_allclose(twice.params["w"], [-4.0, 4.5])
    np.testing.assert_array_equal(player.params["w"], [1.0, 2.0])


def test_a_player_without_other_collections():
    player = new_player({"params": {"w": jnp.ones(2)}}, optax.sgd(0.1))
    assert player.model_state == {}
    assert player.variables.keys() == {"params"}


def test_the_step_counter_starts_at_zero():
    assert (int(first_step()), first_step().dtype, first_step().shape) == (0, jnp.int32, ())
