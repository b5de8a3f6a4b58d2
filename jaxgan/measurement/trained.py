"""A trained model, ready to be sampled and measured on one device."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment
from jaxgan.program import Program
from jaxgan.run import workdir


class Trained(NamedTuple):
    """A run's experiment, and its state on one device."""

    experiment: Experiment
    program: Program
    state: State
    step: int
    notes: tuple[str, ...]


@contextlib.contextmanager
def working(where: Path) -> Iterator[None]:
    """Explains whatever a configuration raises that worked when the run was started.

    Args:
        where: the run's folder, or a file with its generator.
    """
    named = where if where.is_file() else where / workdir.CONFIG
    try:
        yield
    except ConfigError as error:
        raise workdir.RunError(f"{named} does not work: {error}") from error
    except Exception as error:
        line = " ".join(str(error).split())[:200]
        raise workdir.RunError(f"{named} does not work: {type(error).__name__}: {line}") from error
