"""Search spaces as plain values, and the settings that are drawn from them before the first run.

A value depends on the search's seed, the flag's name and the number of the trial, and on nothing
else (Bergstra and Bengio 2012 draw at random for the same reason: a trial is worth as much whatever
others there are). So more trials keep the first ones, and another flag or entry changes none; and
all entries of a study try the same values of the flags that they share: trial 7 of each method has
the same learning rate, so that no method is ahead for having been given the better rates.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from jaxgan.config import ConfigError, check_seed

Number: TypeAlias = float | int
Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = Scalar | tuple[Scalar, ...]
"""What a flag can be given; a tuple is several words behind one flag."""


@runtime_checkable
class Distribution(Protocol):
    """What the values of one flag are drawn from."""

    def at(self, share: float) -> Value:
        """The value below which a share of the draws lies, ``0 <= share < 1``."""
        ...


def _check_ends(low: Number, high: Number, kind: str) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ConfigError(f"{kind}({low}, {high}): both ends must be finite numbers")
    if not low < high:
        raise ConfigError(f"{kind}({low}, {high}): low must be less than high")


def _between(low: Number, value: float, high: Number) -> float:
    """The value, which rounding may have put beyond an end."""
    return float(min(max(value, low), high))


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Real numbers, all alike likely.

    Raises:
        ConfigError: an end is not finite, or ``low`` is not less than ``high``.
    """

    low: Number
    high: Number

    def __post_init__(self) -> None:
        _check_ends(self.low, self.high, "Uniform")

    def at(self, share: float) -> float:
        """``low + share (high - low)``."""
        # In this form nothing overflows.
        return _between(self.low, (1 - share) * self.low + share * self.high, self.high)


@dataclasses.dataclass(frozen=True)
class LogUniform:
    """Positive numbers whose logarithm is uniform: ``10^U[-5, -2]`` is ``LogUniform(1e-5, 1e-2)``.

    Raises:
        ConfigError: an end is not positive and finite, or ``low`` is not less than ``high``.
    """

    low: Number
    high: Number

    def __post_init__(self) -> None:
        if not (self.low > 0 and self.high > 0):
            raise ConfigError(
                f"LogUniform({self.low}, {self.high}): both ends must be greater than 0, for"
                " logarithms are drawn"
            )
        _check_ends(self.low, self.high, "LogUniform")

    def at(self, share: float) -> float:
        """``low (high / low)^share``."""
        log = (1 - share) * math.log(self.low) + share * math.log(self.high)
        return _between(self.low, math.exp(log), self.high)


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of a few values, all alike likely; a value that is there twice is twice as likely.

    Raises:
        ConfigError: there is no value, or one is no text, number, truth value, None, or tuple of
            those.
    """

    values: Sequence[Any]

    def __post_init__(self) -> None:
        if isinstance(self.values, str) or not isinstance(self.values, tuple | list):
            raise ConfigError(f"Choice({self.values!r}): the values must be a tuple")
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise ConfigError("Choice(()): there must be at least one value")
        for value in self.values:
            for one in value if isinstance(value, tuple) else (value,):
                if not isinstance(one, bool | int | float | str | None):
                    raise ConfigError(f"Choice: {one!r} cannot be written on a command line")

    def at(self, share: float) -> Value:
        """The value number ``floor(share * count)``."""
        return self.values[int(share * len(self.values))]


def settings(
    space: Mapping[str, Distribution], trials: int, seed: int
) -> tuple[tuple[str, ...], ...]:
    """The command-line words of each trial.

    >>> settings({"beta": Choice((4,)), "ema.warmup": Choice((False,))}, 1, seed=0)
    (('--beta', '4', '--ema.no-warmup'),)

    Args:
        space: distributions by the names of flags, without dashes in front.
        trials: how many.
        seed: of the draws.

    Raises:
        ConfigError: there are fewer than no trials, or the seed is none.
    """
    return tuple(
        tuple(word for flag, value in drawn.items() for word in words(flag, value))
        for drawn in draw(space, trials, seed)
    )


def draw(space: Mapping[str, Distribution], trials: int, seed: int) -> tuple[dict[str, Value], ...]:
    """The values of each trial, by flag; as `settings`, which writes them."""
    if trials < 0:
        raise ConfigError(f"trials = {trials}: must be at least 0")
    check_seed(seed)
    return tuple(
        {flag: one.at(_share(seed, flag, trial)) for flag, one in space.items()}
        for trial in range(trials)
    )


def _share(seed: int, flag: str, trial: int) -> float:
    """A number of [0, 1), uniform, with 53 bits: the same for ever, on all machines."""
    digest = hashlib.sha256(f"{seed}/{trial}/{flag}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53


def words(flag: str, value: Value) -> tuple[str, ...]:
    """How a command line says that a flag has a value; numbers with all their digits.

    >>> words("rate", 1e-4), words("widths", (8, 16)), words("shift", -1e-5)
    (('--rate', '0.0001'), ('--widths', '8', '16'), ('--shift=-1e-05',))
    """
    if isinstance(value, bool):
        outer, dot, last = flag.rpartition(".")
        return (f"--{flag}",) if value else (f"--{outer}{dot}no-{last}",)
    if isinstance(value, tuple):
        return (f"--{flag}", *(_text(one) for one in value))
    text = _text(value)
    # A word that starts with a dash would be taken for a flag.
    return (f"--{flag}={text}",) if text.startswith("-") else (f"--{flag}", text)


def _text(value: Scalar) -> str:
    # The shortest decimals that give back the same number.
    return repr(float(value)) if isinstance(value, float) else str(value)
