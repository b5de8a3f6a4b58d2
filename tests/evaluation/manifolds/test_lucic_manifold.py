"""Distances to the published triangles of Lucic et al. 2018."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import least_squares

from jaxgan.data.sources import lucic_triangles as data
from jaxgan.data.sources import triangles
from jaxgan.evaluation.manifolds.lucic_triangles import POINTS, closest, corners_of
from jaxgan.evaluation.model_metrics import MODEL_METRICS, Model

SHARES = np.random.RandomState(5).random_sample((6, 4))


def exact(shares):
    """Exact areas by the other data set's renderer, in double precision; black on white.

    The pixel (0, 0) of the published images is the square around (1/16, 1/16) (`data`).
    """
    corners = data.corners_of(np.atleast_2d(shares).astype(np.float64))[..., ::-1]
    return 1.0 - triangles.coverage(corners + 0.5 - 1 / 16)


@pytest.fixture(scope="module")
def found():
    """Genuine images, half-way ones, and some that no triangle is like."""
    genuine = data.render(data.corners_of(SHARES))[..., 0] / 255
    between = (exact(SHARES[:2]) + exact(SHARES[2:4])) / 2
    smaller = 1.0 - triangles.coverage(data.corners_of(SHARES[:2])[..., ::-1] / 2 + 7)
    inverted = 1.0 - genuine[:1]
    kinds = [genuine, between, smaller, inverted]
    images = np.concatenate(kinds).astype(np.float32)
    return images, closest(images[..., None])


def test_corners_are_those_of_the_data():
    made = jax.jit(jax.vmap(corners_of))(jnp.asarray(SHARES, jnp.float32))
    # Half a pixel, less half of an eighth.
    expected = data.corners_of(SHARES)[..., ::-1] + 7 / 16
    np.testing.assert_allclose(made, expected, atol=1e-4)
    assert POINTS == data.POINTS


def test_images_of_the_set_are_as_far_as_the_grid_of_points_says(found):
    images, (distances, shares) = found
    to_exact = np.linalg.norm(images[:6] - exact(SHARES), axis=(1, 2))
    assert (distances[:6] <= to_exact * 1.001).all()
    assert distances[:6].min() > 0.02
    assert distances[:6].max() < 0.2
    # Turns by some degrees are nearly the same as corners that move along the circle.
    np.testing.assert_allclose(exact(shares[:6]), exact(SHARES), atol=0.05)


def test_what_is_found_is_in_the_set_and_at_that_distance(found):
    images, (distances, shares) = found
    assert shares.min() >= 0
    assert shares.max() <= 1
    np.testing.assert_allclose(
        distances, np.linalg.norm(images - exact(shares), axis=(1, 2)), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("index", [6, 7, 8, 9, 10])
def test_no_other_search_finds_a_closer_one(found, index):
    images, (distances, _) = found
    starts = np.random.RandomState(index).random_sample((12, 4))
    ends = [
        least_squares(
            lambda shares: (exact(shares)[0] - images[index]).reshape(-1),
            start, bounds=(0, 1), max_nfev=30,
        )
        for start in starts
    ]  # fmt: skip
    least = min(np.sqrt(2 * end.cost) for end in ends)
    assert distances[index] <= 1.005 * least
    assert distances[index] > 1


def test_nothing_has_no_distance():
    with pytest.raises(ValueError, match="there are no images"):
        closest(np.zeros((0, 28, 28, 1), np.uint8))


def _gray(codes):
    """Images of one level each."""
    return jnp.ones((len(codes), 28, 28, 1)) * codes[:, :1, None, None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "share"), [(data.LucicTriangles(), 1.0), (triangles.Triangles(), 0.0)]
)
def test_the_metric_has_the_manifold_of_its_data(source, share):
    images = data.render(data.corners_of(SHARES))
    model = Model(
        source, [{"image": images, "mask": np.ones(6)}], draws=1, seed=0,
        pixels=jax.tree_util.Partial(_gray),
        prior=lambda key, count: jax.random.uniform(key, (count, 1)),
        samples=lambda count: images[:count], sample_count=6,
    )  # fmt: skip
    assert MODEL_METRICS["manifold"].compute(model)["manifold_precision"].value == share
