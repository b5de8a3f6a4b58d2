import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from jaxgan.data.sources import triangles as data
from jaxgan.evaluation.manifolds import triangle_images
from jaxgan.evaluation.manifolds.inversion import invert
from jaxgan.evaluation.manifolds.triangle_images import (
    HALF,
    MIN_AREA,
    coverage,
    coverage_derivative,
    draw,
    random_triangles,
    signed_area,
)
from jaxgan.evaluation.manifolds.triangles import THRESHOLD, closest, scores, share_within
from jaxgan.evaluation.statistics.proportions import share

Y, X = (np.indices((28 * 16, 28 * 16)) + 0.5) / 16


def shape(mask):
    """An image of a region that is given by points, as floats."""
    return mask.reshape(28, 16, 28, 16).mean(axis=(1, 3)).astype(np.float32)


def distance(corners, image):
    """By the other renderer, in double precision."""
    return np.sqrt(np.square(data.coverage(corners) - image).sum(axis=(-2, -1)))


@pytest.fixture(scope="module")
def corners():
    return data.draw(48, seed=11)[:24]


@pytest.fixture(scope="module")
def samples(corners):
    """Images of every kind, by name, and the distances of all of them (one compilation)."""
    random = np.random.default_rng(2)
    exact = data.coverage(corners)
    # Noise that leaves no pixel outside [0, 1].
    noise = random.uniform(0.0, 0.1, exact.shape) * np.where(exact > 0.5, -1, 1)
    kinds = {
        "triangles": data.render(corners)[..., 0] / 255,
        "noisy": (exact + noise)[:16],
        "square": shape((abs(X - 13) < 6) & (abs(Y - 15) < 6))[None],
        "circles": np.stack([shape(r * r > (X - 12) ** 2 + (Y - 16) ** 2) for r in (4, 6, 9)]),
        "two": np.maximum(
            data.coverage(np.array([[[1.0, 1], [12, 2], [3, 11]]])),
            data.coverage(np.array([[[16.0, 16], [27, 20], [20, 27]]])),
        ),
        "inverted": 1 - exact[:4],
        "blank": np.zeros((1, 28, 28)),
        "white": np.ones((1, 28, 28)),
        "gray": np.full((1, 28, 28), 0.5),
        "checkerboard": np.indices((28, 28)).sum(axis=0)[None] % 2,
    }
    images = np.concatenate(list(kinds.values())).astype(np.float32)[..., None]
    found = closest(images)
    ends = np.cumsum([len(kind) for kind in kinds.values()])[:-1]
    parts = zip(kinds, np.split(images[..., 0], ends), np.split(found.distances, ends),
                np.split(found.corners, ends), strict=True)  # fmt: skip
    return {name: rest for name, *rest in parts}, np.linalg.norm(noise[:16], axis=(1, 2))


def test_manifold_is_that_of_the_data():
    assert (triangle_images.SIZE, triangle_images.MIN_AREA) == (data.SIZE, data.MIN_AREA)
    drawn = np.asarray(random_triangles(jax.random.key(0), 500))
    assert drawn.min() >= 0
    assert drawn.max() <= 28
    assert np.abs(signed_area(drawn)).min() >= MIN_AREA


def test_renderer_is_that_of_the_data(corners):
    made = np.asarray(draw(jnp.asarray(corners, jnp.float32)))
    np.testing.assert_allclose(made, data.coverage(corners), atol=1e-5)
    # Edges along pixels' borders, and along the image's.
    upright = np.array([HALF, [[2, 3], [2, 9], [14, 9]], [[28, 28], [28, 0], [3, 28]]], np.float64)
    made = np.asarray(draw(jnp.asarray(upright, jnp.float32)))
    np.testing.assert_allclose(made, data.coverage(upright), atol=1e-5)


def test_derivative_is_that_of_the_renderer(corners):
    few = corners[:20]
    found = np.asarray(jax.jit(jax.vmap(coverage_derivative))(jnp.asarray(few, jnp.float32)))
    for corner, axis in itertools.product(range(3), range(2)):
        step = np.zeros((3, 2))
        step[corner, axis] = 1e-5
        expected = (data.coverage(few + step) - data.coverage(few - step)) / 2e-5
        np.testing.assert_allclose(found[:, corner, axis], expected, atol=1e-3)


def test_gradients_are_the_derivative(corners):
    triangle = jnp.asarray(corners[0], jnp.float32)
    weights = jax.random.normal(jax.random.key(0), (28, 28))
    gradient = jax.jit(jax.grad(lambda c: jnp.sum(weights * coverage(c))))(triangle)
    expected = np.einsum("kdyx,yx->kd", coverage_derivative(triangle), weights)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)
    # The area's derivative with respect to a corner is half the opposite side.
    area = jax.jit(jax.grad(lambda c: jnp.sum(coverage(c))))(triangle)
    side = corners[0, 2] - corners[0, 1]
    half = np.sign(signed_area(corners[:1]))[0] * np.array([-side[1], side[0]]) / 2
    np.testing.assert_allclose(area[0], half, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_triangles_have_no_distance(samples, corners):
    _, distances, found = samples[0]["triangles"]
    # Rounding to 8 bits is all that is left: at most half a level in each pixel of an edge.
    assert distances.max() < 0.02
    # And they are the triangles that were drawn, in some order.
    for one, two in zip(found, corners, strict=True):
        apart = np.linalg.norm(one[:, None] - two, axis=-1)
        assert apart.min(axis=0).max() < 0.5
    assert share_within(distances).value == 1


@pytest.mark.slow
def test_what_is_found_is_a_triangle_of_the_manifold(samples):
    for images, distances, found in samples[0].values():
        np.testing.assert_allclose(
            distances, distance(found.astype(np.float64), images), rtol=1e-3, atol=1e-3
        )
        assert found.min() >= 0
        assert found.max() <= 28
        assert data.areas(found.astype(np.float64)).min() >= MIN_AREA * (1 - 1e-4)


def test_noise_is_found_out_to_its_norm(samples):
    kinds, norms = samples
    _, distances, _ = kinds["noisy"]
    assert (distances <= norms * (1 + 1e-4)).all()
    # Six of 784 directions of it are those of other triangles.
    assert (distances >= 0.97 * norms).all()


def test_square(samples):
    (image,), (found,), _ = samples[0]["square"]
    points = np.array(list(itertools.product(range(1, 28, 4), repeat=2)), np.float64)
    grid = np.array([points[list(c)] for c in itertools.combinations(range(len(points)), 3)])
    grid = grid[data.areas(grid) >= MIN_AREA]
    coarse = distance(grid, image)
    assert found < coarse.min()
    # From the best on the grid, downhill without derivatives.
    refined = [
        minimize(
            lambda c: distance(np.clip(c, 0, 28).reshape(1, 3, 2), image)[0],
            grid[i].ravel(),
            method="Nelder-Mead",
            options={"maxiter": 400, "xatol": 1e-2, "fatol": 1e-3},
        ).fun
        for i in np.argsort(coarse)[:4]
    ]
    assert found == pytest.approx(min(refined), rel=0.03)


def test_other_images_are_far_away(samples):
    kinds = samples[0]
    for name in ("square", "circles", "two", "inverted", "blank", "white", "gray", "checkerboard"):
        assert share_within(kinds[name][1]).value == 0
        assert kinds[name][1].min() > 2 * THRESHOLD
    # A bigger circle is farther, as the square of an area that grows with its circumference.
    four, six, nine = kinds["circles"][1]
    assert four < six < nine
    # A triangle covers at most half of the image: what remains are 378 whole pixels and 28 halves
    # if its edge is the diagonal.
    assert np.sqrt(340) < kinds["white"][1][0] < np.sqrt(378 + 28 / 4) + 1e-3
    # The smallest triangles cover 24 pixels, some of them in part.
    assert kinds["blank"][1][0] < np.sqrt(24)
    # The nearest to gray: 784/4 whatever is whole, less what lies on edges.
    assert kinds["gray"][1][0] < np.sqrt(784 / 4)
    # Of two that do not touch, one may be left out; the search comes near to that, or below.
    one = data.coverage(np.array([[[16.0, 16], [27, 20], [20, 27]]]))
    assert kinds["two"][1].max() <= 1.02 * np.linalg.norm(one)


def test_distance_errors():
    with pytest.raises(ValueError, match="there are no images"):
        closest(np.zeros((0, 28, 28, 1), np.uint8))
    with pytest.raises(ValueError, match="uint8, or floats from 0 to 1"):
        closest(np.full((1, 28, 28, 1), np.nan, np.float32))


def uniform(key, count):
    return random_triangles(key, count).reshape(count, 6) / 28


def renderer(latents):
    return draw(28 * latents.reshape(-1, 3, 2))[..., None]


def small(key, count):
    """A middle, and the corners within a box of 12 pixels about it."""
    middle, corners = jax.random.split(key)
    drawn = random_triangles(corners, 64 * count).reshape(count, 64, 6) / 28
    large = jnp.abs(signed_area(12 * drawn.reshape(count, 64, 3, 2))) >= MIN_AREA
    chosen = drawn[jnp.arange(count), jnp.argmax(large, axis=1)]
    return jnp.concatenate([jax.random.uniform(middle, (count, 2)), chosen], axis=1)


def draw_small(latents):
    middle = 6 + 16 * latents[:, None, :2]
    return draw(middle + 12 * (latents[:, 2:].reshape(-1, 3, 2) - 0.5))[..., None]


def clip(latents):
    return jnp.clip(latents, 0.0, 1.0)


@pytest.mark.slow
def test_a_generator_of_all_triangles_recalls_all(corners):
    images = data.render(corners[:16])
    found = invert(renderer, uniform, images, project=clip, bank=2048)
    assert share_within(found.distances).value == 1


@pytest.mark.slow
def test_a_generator_of_small_triangles_recalls_small_ones(samples, corners):
    images = data.render(corners[:24])
    found = invert(draw_small, small, images, project=clip, restarts=2, steps=60, bank=1024)
    # In a box of 12 pixels, no triangle covers more than 72.
    big = data.areas(corners[:24]) > 80
    assert 0.1 < big.mean() < 0.9
    assert not (found.distances[big] <= THRESHOLD).any()
    recall = share_within(found.distances).value
    # As many as the other samples, so that nothing is compiled again.
    count = sum(len(distances) for _, distances, _ in samples[0].values())
    made = np.asarray(draw_small(small(jax.random.key(3), count)))
    result = scores(closest(made).distances, found.distances)
    assert result.precision.value == 1
    assert result.recall.value == recall < 0.5
    assert result.f1.value == pytest.approx(2 * recall / (1 + recall))


def test_scores():
    result = scores(np.array([0.5, 2.0, 0.9, 0.1]), np.array([0.5, 3.0]), threshold=1.0)
    assert result.precision == share(np.array([True, False, True, True]))
    assert result.recall == share(np.array([True, False]))
    # 2 * 3/4 * 1/2 / (3/4 + 1/2)
    assert result.f1.value == pytest.approx(0.6)
    assert result.f1.low < 0.6 < result.f1.high
    assert scores(np.array([0.5]), np.array([0.5]), threshold=0.2).f1.value == 0
    assert scores(np.array([3.0]), np.array([3.0])).f1 == (0.0, 0.0, pytest.approx(0.83, abs=0.02))


def test_interval_of_f1_covers():
    random = np.random.default_rng(0)
    truth = 2 * 0.8 * 0.5 / 1.3
    covered = 0
    for _ in range(300):
        generated = np.where(random.random(80) < 0.8, 0.5, 2.0)
        recalled = np.where(random.random(60) < 0.5, 0.5, 2.0)
        f1 = scores(generated, recalled).f1
        covered += f1.low <= truth <= f1.high
    # Wider than need be: it covers in more than 95 %, but not by a factor of ten.
    assert covered >= 285
    assert f1.high - f1.low < 0.35


def test_share_within_counts_the_threshold_itself():
    assert share_within(np.array([1.0, 1.0001]), 1.0).value == 0.5
    with pytest.raises(ValueError, match="must be positive, got 0"):
        share_within(np.array([1.0]), 0.0)
    with pytest.raises(ValueError, match="some are NaN"):
        share_within(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="no samples"):
        share_within(np.zeros(0))
