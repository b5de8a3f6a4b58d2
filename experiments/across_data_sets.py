"""Compares methods over several data sets: IQM, optimality gap, probability of improvement.

    python experiments/across_data_sets.py runs/digits runs/fashion-mnist --rank-by fid

Each folder holds the runs of one data set (a comparison's, or several runs); the folder's name is
the data set's. Methods are told apart by the names of their experiments, and every one must be on
all data sets. Nothing is trained; see `jaxgan.study.across` for what the numbers are.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import tyro

from jaxgan.cli import reading
from jaxgan.cli.entry import guarded
from jaxgan.config import ConfigError
from jaxgan.study import across, finished


@dataclasses.dataclass(frozen=True)
class Options:
    """Compare methods over several data sets."""

    folders: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of runs, one for each data set."""
    rank_by: str = "fid"
    """Short name of the metric."""


def show(arguments: Sequence[str] | None = None) -> None:
    """Prints the table.

    Raises:
        ConfigError: the runs cannot be compared.
        RunError: a folder holds no runs, or none that is finished.
    """
    options = reading.read(Options, arguments, f"python {sys.argv[0]}")
    rows = {}
    for folder in options.folders:
        name = folder.resolve().name
        if name in rows:
            raise ConfigError(f"two folders are called {name}: their names tell data sets apart")
        rows[name] = finished.rows_of(finished.read([folder]))
    print(across.table(across.compare(rows, options.rank_by)), end="")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs it; errors become one line."""
    guarded(lambda: show(arguments))


if __name__ == "__main__":
    main()
