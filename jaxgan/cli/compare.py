"""``jaxgan compare``, and studies that are files of their own."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from jaxgan.cli import datasets, options, reading
from jaxgan.config import ConfigError
from jaxgan.run import workdir
from jaxgan.study.comparison import Entry, Study
from jaxgan.study.runner import StudyOptions, run


def study(value: Study) -> None:
    """What a study's file does: trains as the command line says, compares, reports.

    Raises:
        ConfigError: an experiment or the budget cannot work.
        DataError: the data is missing or damaged.
    """
    check_seeds(sys.argv[1:])
    parsed = reading.read(StudyOptions, None, f"python {sys.argv[0]}", value.title)
    run(value, parsed, read=options.read_entry, command=workdir.command_line())


def check_seeds(arguments: Sequence[str]) -> None:
    """Refuses ``--seeds`` without any, which an empty variable of a shell leaves."""
    for i, argument in enumerate(arguments):
        if argument == "--seeds" and (i + 1 == len(arguments) or arguments[i + 1][:2] == "--"):
            raise ConfigError("--seeds names none: give at least one, such as --seeds 0 1 2")


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """Train several experiments under one budget, several seeds each, and write a report."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """Experiments' Python files."""
    study: Annotated[StudyOptions, tyro.conf.arg(name="")] = StudyOptions()
    dataset: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Replaces the data set of every experiment, as `--dataset` does where one is trained."""


def compare(arguments: list[str]) -> None:
    """``jaxgan compare``: trains several experiments, several seeds each, and writes a report.

    Raises:
        ConfigError: a file, an experiment or the budget cannot work.
        DataError: the data is missing or damaged.
    """
    check_seeds(arguments)
    parsed = reading.read(CompareOptions, arguments, "jaxgan compare")
    if not parsed.files:
        raise ConfigError("jaxgan compare needs experiments' files: jaxgan compare FILES...")
    if named := datasets.NAMED_BY.get(parsed.dataset or ""):
        raise ConfigError(
            f"--dataset {parsed.dataset} needs {named[0]} as well, which a comparison does not"
            " take: give the experiments' files their data"
        )
    changes = ("--dataset", parsed.dataset) if parsed.dataset else ()
    entries = tuple(Entry(str(file), changes) for file in parsed.files)
    title = " against ".join(file.stem for file in parsed.files)
    value = Study(name="compare", title=title, entries=entries)
    run(value, parsed.study, read=options.read_entry, command=workdir.command_line())
