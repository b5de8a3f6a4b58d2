import doctest

import pytest

from jaxgan.networks import trunk
from jaxgan.networks.trunk import Pyramid, pyramid


@pytest.mark.parametrize(
    ("size", "base", "multiples"),
    [
        (8, 4, (1,)),
        (10, 5, (1,)),
        (12, 3, (1, 2)),
        (16, 4, (1, 2)),
        (24, 3, (1, 2, 4)),
        (28, 7, (1, 2)),
        (32, 4, (1, 2, 4)),
        (64, 4, (1, 2, 4, 8)),
        (96, 3, (1, 2, 4, 8, 8)),
        (128, 4, (1, 2, 4, 8, 8)),
    ],
)
def test_levels(size, base, multiples):
    """Halved while even and above 4; doubled with every halving, up to eight times."""
    expected = Pyramid(base, tuple(10 * m for m in multiples))
    assert pyramid((size, size, 3), width=10, max_multiple=8) == expected
    assert base * 2 ** len(multiples) == size


def test_cap():
    assert pyramid((64, 64, 1), width=16, max_multiple=2).channels == (16, 32, 32, 32)
    assert pyramid((64, 64, 1), width=16, max_multiple=1).channels == (16, 16, 16, 16)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((32, 28, 1), "32x28: .* square"),
        ((6, 6, 1), "6x6: .* 8 to 128"),
        ((1, 1, 2), "1x1: .* 8 to 128"),
        ((130, 130, 3), "130x130: .* 8 to 128"),
        ((27, 27, 1), "27x27: an odd size"),
    ],
)
def test_impossible_shapes(shape, message):
    with pytest.raises(ValueError, match=message):
        pyramid(shape, width=8, max_multiple=8)


def test_examples():
    result = doctest.testmod(trunk)
    assert result.attempted >= 2
    assert result.failed == 0
