"""Path lengths against finite differences, and their mean against its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan.path_length import PathLength, path_lengths

DRAWS = np.random.default_rng(0)
MIX = DRAWS.normal(size=(3 * 4, 2 * 2 * 1)) / 4
WS, NOISE = DRAWS.normal(size=(5, 3, 4)), DRAWS.normal(size=(5, 2, 2, 1))


def images(ws, lib=np):
    """A smooth map from three styles of four units to four pixels."""
    return (lib.sin(ws.reshape(-1, 12) @ MIX) + (ws.reshape(-1, 12) @ MIX) ** 2).reshape(
        -1, 2, 2, 1
    )


def by_differences(ws, noise, step=1e-6):
    """sqrt(mean over layers of sum over units of (d <image, y> / d w)^2), in float64."""
    found = []
    for own, direction in zip(ws, noise, strict=True):
        squares = np.zeros((3, 4))
        for place in np.ndindex(3, 4):
            ends = []
            for sign in (1, -1):
                moved = own.copy()
                moved[place] += sign * step
                ends.append(np.sum(images(moved[None])[0] * direction))
            squares[place] = ((ends[0] - ends[1]) / (2 * step)) ** 2
        found.append(np.sqrt(squares.sum(axis=1).mean()))
    return np.asarray(found)


def single(array):
    return jnp.asarray(array, jnp.float32)


def made(ws):
    return images(ws, jnp)


def test_lengths_are_those_of_finite_differences():
    found = path_lengths(made, single(WS), single(NOISE))
    np.testing.assert_allclose(found, by_differences(WS, NOISE), rtol=1e-4)


def test_values_and_their_mean():
    """Noise over the root of 4 pixels; the mean moves before it is compared with."""
    lengths = by_differences(WS, NOISE / 2)
    mean = 0.5 + 0.2 * (lengths.mean() - 0.5)
    penalty = PathLength(weight=3.0, decay=0.2)
    values, state = penalty(made, single(WS), single(NOISE), jnp.float32(0.5), lambda x: x)
    np.testing.assert_allclose(values, 3.0 * (lengths - mean) ** 2, rtol=1e-3)
    np.testing.assert_allclose(state, mean, rtol=1e-5)
    assert PathLength().init() == 0.0


def test_the_mean_is_that_of_all_devices():
    both = jax.pmap(
        lambda ws, noise: PathLength()(
            made, ws, noise, jnp.float32(0.0), lambda x: jax.lax.pmean(x, "data")
        )[1],
        axis_name="data",
    )(single(WS[:4]).reshape(2, 2, 3, 4), single(NOISE[:4]).reshape(2, 2, 2, 2, 1))
    expected = 0.01 * by_differences(WS[:4], NOISE[:4] / 2).mean()
    np.testing.assert_allclose(both, [expected] * 2, rtol=1e-4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weight": 0.0}, "weight = 0"), ({"every": 0}, "every = 0"),
        ({"shrink": 0}, "shrink = 0"), ({"decay": 0.0}, "decay = 0"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work(fields, message):
    with pytest.raises(ValueError, match=message):
        PathLength(**fields)
