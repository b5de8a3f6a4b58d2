"""The command line that the benchmarks of several measures share: names, tables, files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from scaling_report import Row, machine, table

from jaxgan.machine.atomic import write_atomically
from jaxgan.run import workdir


def fail(message: str, code: int = 2) -> NoReturn:
    """Ends the process with one line."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def parser(description: str | None, names: Iterable[str]) -> argparse.ArgumentParser:
    """The options that all have."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--only", default="", metavar="NAMES", help=", ".join(names))
    made.add_argument("--json", type=Path, metavar="FILE", help="write the rows as a list")
    made.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables")
    return made


def chosen(options: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """The names asked for, in the order of the table, or all; files are checked as well."""
    known = list(names)
    wanted = [name.strip() for name in options.only.split(",") if name.strip()] or known
    if unknown := [name for name in wanted if name not in known]:
        fail(f"--only {unknown[0]}: no such measure; there are {', '.join(known)}")
    for path in (options.json, options.markdown):
        if path and not path.parent.is_dir():
            fail(f"{path}: there is no folder {path.parent}")
    return [name for name in known if name in wanted]


def report(
    options: argparse.Namespace, names: Sequence[str], measure: Callable[[str], list[Row]]
) -> None:
    """Takes each measure, prints its table, and writes what there is to the files asked for.

    Args:
        options: of `parser`.
        names: of the measures.
        measure: from a name to rows, all with the same columns.
    """
    about = machine()
    header = ", ".join(f"{name} {value}" for name, value in about.items())
    print(header, flush=True)
    rows, tables = [], []
    for name in names:
        found = measure(name)
        tables.append(f"## {name}\n\n{table(found)}\n")
        print(f"\n{tables[-1]}", end="", flush=True)
        rows += [{**row, **about} for row in found]
        # After each measure, so that a stop keeps what there is.
        if options.json:
            workdir.write_json(options.json, rows)
        if options.markdown:
            write_atomically(options.markdown, "\n".join([header, "", *tables]).encode())
