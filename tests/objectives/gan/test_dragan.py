"""DRAGAN's penalty against its formula in NumPy, at the points that its noise should lead to."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from views import view

from jaxgan import rng
from jaxgan.objectives.gan.dragan import Dragan
from jaxgan.objectives.gan.penalties import Penalty

SHAPE = (6, 2, 3, 2)
DRAWS = np.random.default_rng(0)
# The images' own mean is not that of the noise, and images differ in their spread.
REAL = (DRAWS.normal(1.5, 0.4, SHAPE) * np.arange(1, 7)[:, None, None, None]).astype(np.float32)
FAKE = jnp.full(SHAPE, jnp.nan)  # no part of it


def quadratic(images):
    """``|x|^2 / 2``, whose gradient is ``x``: its length tells where it was taken."""
    return 0.5 * jnp.sum(images**2, axis=(1, 2, 3))


def penalized(penalty, critic=quadratic, real=REAL):
    shown = view(critic, jnp.asarray(real), FAKE[: len(real)])._replace(mean=lambda tree: tree)
    values, state = penalty(shown, penalty.init())
    assert state == ()
    return values


def noise():
    key = rng.role_key(rng.base_key(7), "dragan")
    return np.asarray(rng.per_example(lambda k: jax.random.normal(k, SHAPE[1:]), key, SHAPE[0]))


@pytest.mark.parametrize(("weight", "target", "scale"), [(10.0, 1.0, 0.5), (3.0, 0.7, 0.2)])
def test_formula(weight, target, scale):
    """Gaussian noise of each pixel, with the deviation of all pixels of the whole batch.

    Uniform numbers of [0, 1), as the authors' code and StudioGAN have them, are other points.
    """
    points = REAL + scale * REAL.std() * noise()
    lengths = np.sqrt((points.astype(np.float64) ** 2).sum(axis=(1, 2, 3)))
    values = penalized(Dragan(weight, target, scale))
    assert values.shape == (6,)
    np.testing.assert_allclose(values, weight * (lengths - target) ** 2, rtol=1e-4)


@pytest.mark.slow
def test_deviation_is_that_of_the_whole_batch_on_several_devices():
    """Halves of the batch on two devices, of which one has the larger images."""
    whole = penalized(Dragan())

    def of_a_device(real, first):
        def draw(role, one):
            keys = jax.vmap(lambda i: jax.random.fold_in(rng.role_key(rng.base_key(7), role), i))
            return jax.vmap(one)(keys(first + jnp.arange(3)))

        shown = view(quadratic, real, FAKE[:3])
        shown = shown._replace(draw=draw, mean=lambda tree: jax.lax.pmean(tree, "devices"))
        return Dragan()(shown, ())[0]

    halves = jax.vmap(of_a_device, axis_name="devices")(
        jnp.asarray(REAL).reshape(2, 3, *SHAPE[1:]), jnp.array([0, 3])
    )
    np.testing.assert_allclose(halves.ravel(), whole, rtol=1e-5)


def test_gradient_that_trains_the_critic():
    """By the scale ``s`` of ``s |x|^2 / 2``, whose gradient has the length ``s |x|``: in closed
    form, at a flat critic too."""
    points = (REAL + 0.5 * REAL.std() * noise()).astype(np.float64)
    lengths = np.sqrt((points**2).sum(axis=(1, 2, 3)))

    def mean(scale):
        return jnp.mean(penalized(Dragan(2.0, 0.8), lambda images: scale * quadratic(images)))

    for scale in (0.3, 0.01):
        expected = np.mean(2.0 * 2.0 * (scale * lengths - 0.8) * lengths)
        assert float(jax.grad(mean)(scale)) == pytest.approx(expected, rel=1e-4)
    assert float(jax.grad(mean)(0.0)) == 0.0


def test_is_a_plain_value():
    assert isinstance(Dragan(), Penalty)
    assert (Dragan.name, Dragan.per_example) == ("dragan", True)
    assert Dragan() == Dragan(weight=10.0, target=1.0, noise=0.5, every=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": 0.0}, r"^weight = 0\.0: must be above 0 and finite"),
        ({"target": -1.0}, r"^target = -1\.0: must be at least 0 and finite$"),
        ({"noise": 0.0}, r"^noise = 0\.0: must be above 0 and finite$"),
        ({"every": 0}, r"^every = 0: must be at least 1$"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Dragan(**settings)
