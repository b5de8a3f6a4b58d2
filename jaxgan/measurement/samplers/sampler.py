"""What a sampler of codes is, and what is known of one that was fitted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Array, Float, Float32

from jaxgan.typing import PRNGKey

Log: TypeAlias = Callable[[str], None]
"""Gets a line now and then."""


@runtime_checkable
class Sampler(Protocol):
    """Settings of a sampler: a frozen dataclass. What is fitted are arrays, by name."""

    name: ClassVar[str]
    """What it is called on the command line, and in its file's name."""

    @property
    def draws(self) -> int:
        """Codes of each training image that it is fitted to."""
        ...

    @property
    def seed(self) -> int:
        """Of those codes, and of the fit."""
        ...

    def fit(self, codes: Float32[np.ndarray, "n latent"], log: Log) -> dict[str, np.ndarray]:
        """What draws codes like the given ones.

        Args:
            codes: of all training images; images in their order, and that again for each draw.
            log: gets a line where it takes long.

        Raises:
            ConfigError: it cannot be fitted to these.
        """
        ...

    def draw(self, arrays: Mapping[str, Any], key: PRNGKey) -> Float[Array, "latent"]:
        """One code.

        Args:
            arrays: as `fit` made them.
            key: of this code.
        """
        ...


class Fitted(NamedTuple):
    """A sampler, and the trained state that it belongs to.

    Attributes:
        sampler: its settings.
        arrays: what was fitted.
        step: of the run, after which the state was saved.
        digest: SHA-256 of that state.
        weights: that encoded the images, ``ema`` or ``raw``.
    """

    sampler: Sampler
    arrays: Mapping[str, np.ndarray]
    step: int
    digest: str
    weights: str


def mark(sampler: Any) -> str:
    """Its name, and settings that are not as usual: ``gaussian_mixture:components=5;seed=1``."""
    changed = [
        f"{field.name}={value:g}" if isinstance(value, float) else f"{field.name}={value}"
        for field in dataclasses.fields(sampler)
        if (value := getattr(sampler, field.name)) != field.default
    ]
    return sampler.name + (":" + ";".join(changed) if changed else "")


def check_settings(sampler: Any, *positive: str) -> None:
    """Refuses numbers out of range.

    Args:
        sampler: its ``temperature`` and ``seed`` are looked at.
        positive: fields that count something, or are rates.

    Raises:
        ValueError: says which number, and what it must be.
    """
    for name in positive:
        if not getattr(sampler, name) > 0:
            raise ValueError(f"{name} = {getattr(sampler, name)}: must be above 0")
    if not 0.0 < sampler.temperature <= 1.0:
        raise ValueError(f"temperature = {sampler.temperature}: must be above 0, and at most 1")
    if not 0 <= sampler.seed < 2**31:
        raise ValueError(f"seed = {sampler.seed}: must be at least 0 and below 2**31")
