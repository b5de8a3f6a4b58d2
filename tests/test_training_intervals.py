"""Intervals of training in steps and in thousands of images: what is read, and what is refused."""

import pytest

from jaxgan.intervals import check_least, in_steps


@pytest.mark.parametrize(
    ("value", "images", "steps"),
    [
        # 10,000 / 64 = 156.25, and 10,000 / (5 * 64) = 31.25.
        ("10kimg", 64, 156),
        ("10kimg", 320, 31),
        ("0.5kimg", 32, 16),  # 15.625
        ("25000kimg", 32, 781_250),
        # A step that is longer than the interval is the least there is.
        ("0.001kimg", 64, 1),
        (7, 64, 7),
        (0, 64, 0),
    ],
)
def test_thousands_of_images_are_the_nearest_number_of_steps(value, images, steps):
    assert in_steps(value, images) == steps


@pytest.mark.parametrize("text", ["", "5", "kimg", "-1kimg", "1e3kimg", "infkimg", "5 kimg", "5k"])
def test_other_texts_are_no_intervals(text):
    with pytest.raises(ValueError, match=r"^every = '.*': must be a number of steps, or of thous"):
        check_least("every", text, 0)


def test_none_is_said_by_zero_steps():
    check_least("every", 0, 0)
    check_least("every", "0.001kimg", 1)
    with pytest.raises(ValueError, match=r"^every = .0\.0kimg.: must be more than 0 images$"):
        check_least("every", "0.0kimg", 0)
    with pytest.raises(ValueError, match=r"^every = 0: must be at least 1$"):
        check_least("every", 0, 1)
