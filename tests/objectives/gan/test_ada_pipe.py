"""ADA's pipeline: the published code's numbers, and what every augmentation must be."""

import dataclasses
import doctest
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special
from standard_draws import images

from jaxgan.objectives.gan import ada_draws, ada_pipe
from jaxgan.objectives.gan.ada_draws import Draws
from jaxgan.objectives.gan.ada_pipe import AdaPipe

NONE = dict.fromkeys(("blit", "geom", "color", "filter", "noise", "cutout"), 0.0)
BGC = {"blit": 1.0, "geom": 1.0, "color": 1.0}
ALL = AdaPipe(**dict.fromkeys(NONE, 1.0))


def at_percentile(percentile, count):
    """What the published code puts for its draws in its debugging mode: every gate is open, but
    that the last rotation is none; "quantiles" of normals lack a factor of sqrt 2."""

    def every(names, value):
        return {name: jnp.full(count, value, jnp.float32) for name in names}

    gates = every(ada_draws.GATES, 0.0) | every(["last rotation"], 2.0)
    normal = special.erfinv(2 * percentile - 1)
    return Draws(gates, every(ada_draws.UNIFORMS, percentile), every(ada_draws.NORMALS, normal))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"blit": 1.0}, -6.14049),
        ({"geom": 1.0}, -1.52767),
        ({"color": 1.0}, -549.6163),
        ({"filter": 1.0}, 26.23446),
        (BGC, -519.6415),
    ],
    ids=["blit", "geom", "color", "filter", "bgc"],
)
def test_sums_of_the_published_code(parts, expected):
    """That code's sums over sin(0.07 i), (2, 3, 32, 32), at percentile 0.7.

    In float32 ours differ by 3e-4 on one processor and by less on another: 6e-7 of the sum.
    """
    x = np.sin(0.07 * np.arange(2 * 3 * 32 * 32)).reshape(2, 3, 32, 32).transpose(0, 2, 3, 1)
    pipe = AdaPipe(**{**NONE, **parts})
    found = jax.jit(pipe.apply)(x.astype(np.float32), at_percentile(0.7, 2), jnp.float32(1.0))
    assert np.asarray(found, np.float64).sum() == pytest.approx(expected, abs=1e-3)


@functools.cache
def compiled(pipe):
    return jax.jit(lambda batch, keys, p: pipe(batch, keys, p))


def keys(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


def apply(batch, p=1.0, seed=0, pipe=ALL):
    return np.asarray(compiled(pipe)(batch, keys(len(batch), seed), jnp.float32(p)))


@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_happens_at_strength_0(channels):
    """Exactly. Strength 1/2 leaves about as many as it should."""
    x = images(64, 8, 6, channels)
    np.testing.assert_array_equal(apply(x, p=0.0), x)
    assert not np.isclose(apply(x), x, atol=1e-3).all(axis=(1, 2, 3)).any()
    assert np.isfinite(apply(x)).all()


def test_parts_by_themselves():
    """Each does something of its own, and none of it when it is off."""
    x = images(64, 8, 6, 3)
    changed = {}
    for name in ("color", "cutout"):
        found = apply(x, pipe=AdaPipe(**{**NONE, name: 1.0}))
        changed[name] = (found != x).any(axis=-1).mean()
    # A part of the rectangle may lie outside, and then there is less of it.
    assert changed["color"] > 0.95
    assert 0.1 < changed["cutout"] < 0.25
    # A multiplier is one of the probability.
    half = AdaPipe(**{**NONE, "cutout": 0.5})
    assert (apply(x, pipe=half) != x).any(axis=(1, 2, 3)).mean() == pytest.approx(0.5, abs=0.2)


def test_noise_is_of_each_pixel():
    x = np.zeros((64, 8, 6, 3), np.float32)
    found = apply(x, pipe=AdaPipe(**{**NONE, "noise": 1.0}))
    scales = found.std(axis=(1, 2, 3))
    # The mean of |N(0, 0.1)|.
    assert scales.mean() == pytest.approx(0.1 * np.sqrt(2 / np.pi), abs=0.03)
    assert scales.std() > 0.03
    flat = found.reshape(64, -1)
    assert len(np.unique(flat[0])) == flat.shape[1]
    assert np.abs(np.corrcoef(flat)[~np.eye(64, dtype=bool)]).max() < 0.5


def test_each_image_by_its_own_key():
    x, own = images(64, 8, 6, 3), keys(64)
    whole = apply(x)
    order = np.random.default_rng(0).permutation(64)
    run = compiled(ALL)
    np.testing.assert_allclose(run(x[order], own[order], jnp.float32(1.0)), whole[order], atol=2e-5)
    # What the other images are does not matter either.
    other = np.where(np.arange(64)[:, None, None, None] < 32, x, 0.0)
    np.testing.assert_allclose(apply(other)[:32], whole[:32], atol=2e-5)
    assert not np.allclose(apply(x, seed=1), whole, atol=0.1)
    same = apply(np.stack([x[0]] * 64))
    assert len({image.tobytes() for image in same}) == 64


def test_seeds_may_be_mapped():
    """Of what is no plain arithmetic: pixels that are fetched."""
    pipe, p = AdaPipe(**{**NONE, "blit": 1.0}), jnp.float32(0.9)
    x, own = images(64, 8, 6, 3), keys(128).reshape(2, 64)
    mapped = jax.jit(jax.vmap(pipe, in_axes=(None, 0, None)))(x, own, p)
    plain = [compiled(pipe)(x, one, p) for one in own]
    np.testing.assert_allclose(mapped, plain, atol=2e-5)


def test_gradients_are_those_of_a_map_without_bends():
    """Every part is affine in the image, so that its derivative is a difference, of any size."""
    x, step = images(64, 8, 6, 3), images(64, 8, 6, 3, seed=1)
    difference = apply(x + step) - apply(x)

    def both(batch, tangent, other):
        value, slope = jax.jvp(
            lambda one: ALL(one, keys(64), jnp.float32(1.0)), (batch,), (tangent,)
        )
        _, pull_back = jax.vjp(lambda one: ALL(one, keys(64), jnp.float32(1.0)), batch)
        return value, slope, pull_back(other)[0]

    other = images(64, 8, 6, 3, seed=2)
    value, slope, back = jax.jit(both)(x, step, other)
    np.testing.assert_allclose(value, apply(x), atol=2e-5)
    np.testing.assert_allclose(slope, difference, atol=1e-4)
    assert np.vdot(other, slope) == pytest.approx(np.vdot(back, step), rel=1e-3)
    assert np.abs(back).reshape(64, -1).max(axis=1).min() > 0


def test_refuses_what_it_cannot_augment():
    ALL.check((8, 8, 1), "uint8")
    ALL.check((28, 20, 3), "uint8")
    with pytest.raises(ValueError, match="for images, and these are points"):
        AdaPipe().check((1, 1, 2), "float32")
    with pytest.raises(ValueError, match="for 1 or 3 channels, not 2: set color = 0"):
        AdaPipe().check((8, 8, 2), "uint8")
    AdaPipe(color=0.0).check((8, 8, 2), "uint8")
    with pytest.raises(ValueError, match="no part is on"):
        AdaPipe(**NONE)
    with pytest.raises(ValueError, match=r"geom = -1.0: must not be negative"):
        AdaPipe(geom=-1.0)


def test_is_a_value():
    assert AdaPipe() == AdaPipe(**{**NONE, **BGC})
    assert hash(ALL) == hash(dataclasses.replace(ALL))


def test_examples():
    result = doctest.testmod(ada_pipe)
    assert result.attempted >= 2
    assert result.failed == 0
