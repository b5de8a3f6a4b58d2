"""Searches the settings of a study's rows with Optuna, by one worker or by several at once.

    pip install 'jaxgan[search]'
    python experiments/search_optuna.py STUDY.py --storage runs/search.log --trials 20

STUDY.py says ``study = Study(...)`` with a space, as for `jaxgan plan`, which draws settings at
random instead and is the fairer protocol where methods are compared. Start the same command as
often as there are workers: they share the trials, which are a row's in all. The last lines give the
best settings by the validation split, as words for the final runs.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import tyro

from jaxgan.cli import options as experiments
from jaxgan.cli import reading
from jaxgan.cli.entry import guarded
from jaxgan.cli.plan import load_study
from jaxgan.config import ConfigError
from jaxgan.study.optuna_search import search


@dataclasses.dataclass(frozen=True)
class Options:
    """Search the settings of a study's rows with Optuna."""

    file: tyro.conf.Positional[Path]
    """The study's Python file."""
    storage: Path
    """Optuna's journal, which workers share."""
    trials: int
    """Of each row, by all workers together."""
    workdir: str = ""
    """Folder of the runs; empty: runs/NAME."""


def show(arguments: Sequence[str] | None = None) -> None:
    """Searches, and prints the best settings.

    Raises:
        ConfigError: the study cannot work, or Optuna is not installed.
    """
    options = reading.read(Options, arguments, f"python {sys.argv[0]}")
    if options.trials < 1:
        raise ConfigError(f"--trials {options.trials}: must be at least 1")
    study = load_study(options.file)
    folder = Path(options.workdir or f"runs/{study.name}")
    for entry in study.entries:
        best = search(
            study, entry, options.storage, options.trials, folder, read=experiments.read_entry
        )
        print(f"best: {shlex.join(['python', entry.file, *entry.arguments, *best])}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs it; errors become one line."""
    guarded(lambda: show(arguments))


if __name__ == "__main__":
    main()
