"""How often something is due in training: every so many steps, or thousands of images seen."""

from __future__ import annotations

import re
from typing import TypeAlias

Interval: TypeAlias = int | str
"""Steps, or thousands of real images that training is shown, such as ``"50kimg"``."""

_KIMG = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)kimg", re.ASCII)


def check_least(name: str, value: int | float | str, least: int) -> None:
    """Refuses a number that is too small, and a text that is no interval.

    Args:
        name: of the setting, for the message.
        value: a number, or an interval in thousands of images.
        least: the smallest number that is allowed. Thousands of images must be more than none.

    Raises:
        ValueError: says what would be right.
    """
    if isinstance(value, str):
        if not (found := _KIMG.fullmatch(value)):
            raise ValueError(
                f"{name} = {value!r}: must be a number of steps, or of thousands of images such as"
                " 50kimg"
            )
        if not float(found[1]):
            raise ValueError(f"{name} = {value!r}: must be more than 0 images")
    elif value < least:
        raise ValueError(f"{name} = {value}: must be at least {least}")


def in_steps(value: Interval, images_per_step: int) -> int:
    """An interval in whole steps, at least one; 0 stays 0, which is never.

    >>> in_steps("10kimg", images_per_step=64), in_steps(500, images_per_step=64)
    (156, 500)

    Args:
        value: that `check_least` accepts.
        images_per_step: real images that one train step consumes, over all devices.
    """
    if not isinstance(value, str):
        return value
    return max(1, round(float(value.removesuffix("kimg")) * 1000 / images_per_step))
