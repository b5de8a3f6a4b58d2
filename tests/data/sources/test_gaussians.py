import numpy as np
import pytest
from scipy import stats

from jaxgan.data.sources.gaussians import Grid, Ring, sample

HALF = np.sqrt(0.5)


def test_ring_modes_lie_on_the_unit_circle():
    expected = [
        (1, 0), (HALF, HALF), (0, 1), (-HALF, HALF), (-1, 0), (-HALF, -HALF), (0, -1), (HALF, -HALF)
    ]  # fmt: skip
    np.testing.assert_allclose(Ring().modes, expected, atol=1e-15)
    assert Ring().std == 0.01


def test_grid_modes_are_the_square_of_the_line():
    line = (-4, -2, 0, 2, 4)
    np.testing.assert_array_equal(Grid().modes, [(x, y) for x in line for y in line])
    assert Grid().std == 0.05


def test_a_ring_of_any_size_has_eight_modes():
    """Eight angles from 0 to 2 pi with both ends, as in one paper's code, are seven modes."""
    ring = Ring(radius=2.0, std=0.02)
    modes = ring.modes
    np.testing.assert_allclose(np.hypot(*modes.T), 2.0, rtol=1e-15)
    apart = np.linalg.norm(modes[:, None] - modes[None], axis=-1)[~np.eye(8, dtype=bool)]
    np.testing.assert_allclose(apart.min(), 4.0 * np.sin(np.pi / 8), rtol=1e-12)
    small, large = Ring().load("test"), ring.load("test")
    np.testing.assert_allclose(large.images, 2.0 * small.images, rtol=1e-6)


def test_a_grid_of_any_size():
    line = (-1, -0.5, 0, 0.5, 1)
    np.testing.assert_array_equal(Grid(spacing=0.5).modes, [(x, y) for x in line for y in line])


@pytest.mark.parametrize("size", [0.0, -1.0, np.inf, np.nan])
def test_sizes_of_no_mixture_are_refused(size):
    for make in (lambda: Ring(radius=size), lambda: Ring(std=size), lambda: Grid(spacing=size)):
        with pytest.raises(ValueError, match="must be above 0 and finite"):
            make()


@pytest.mark.parametrize(("source", "modes"), [(Ring(), 8), (Grid(), 25), (Ring(2.0, 0.02), 8)])
def test_points_follow_the_mixture(source, modes):
    info = source.info()
    counts = {"train": 100_000, "test": 10_000}
    assert info[1:] == ((1, 1, 2), 2, "float32", modes, counts, {"mixture"})
    split = source.load("train")
    assert split.images.shape == (100_000, 1, 1, 2)
    assert split.images.dtype == np.float32
    assert split.labels.dtype == np.int32
    # Equal weights, by a chi-square test.
    assert stats.chisquare(np.bincount(split.labels, minlength=modes)).pvalue > 1e-3
    # Given its mode, each coordinate is normal with the given spread, and the two are independent.
    standard = (split.images[:, 0, 0] - source.modes[split.labels]) / source.std
    for axis in (0, 1):
        assert stats.kstest(standard[:, axis], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(standard.T)[0, 1]) < 4 / np.sqrt(100_000)


def test_splits_differ_and_are_always_the_same():
    train, test = Ring().load("train"), Ring().load("test")
    assert len(test) == 10_000
    assert not np.isin(test.images[:, 0, 0, 0], train.images[:, 0, 0, 0]).all()
    np.testing.assert_array_equal(Ring().load("test").images, test.images)
    # NumPy promises that RandomState's stream never changes, so these values hold everywhere.
    assert test.labels[:8].tolist() == [5, 2, 0, 3, 2, 1, 1, 7]
    np.testing.assert_allclose(
        test.images[:2, 0, 0], [[-0.71867734, -0.71159065], [-0.00493942, 1.0214567]], rtol=1e-6
    )
    assert Grid().load("train").labels[:8].tolist() == [17, 18, 18, 20, 6, 9, 8, 16]


def test_example_of_a_point():
    example = Grid().load("test")[3]
    assert example["image"].shape == (1, 1, 2)
    assert 0 <= example["label"] < 25


def test_sample_uses_its_seed():
    modes = np.zeros((1, 2))
    first, second = (sample(modes, 1.0, 5, seed).images for seed in (1, 2))
    assert not np.array_equal(first, second)
