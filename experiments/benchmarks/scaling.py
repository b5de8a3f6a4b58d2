"""How the cost of training grows: the loop, batch size, width, seeds, devices, and start-up.

    python experiments/benchmarks/scaling.py
    python experiments/benchmarks/scaling.py --only loop,startup --json scaling.json

loop     the whole loop against the compiled step in a row (DCGAN and VAE on digits)
batch    a DCGAN step at 32 pixels, width 64, by batch size
width    the same with 64 images, by width
seeds    1 to 16 seeds in one program against one by one (MLP GAN and DCGAN on digits)
devices  one batch on 1 to 8 virtual CPU devices (DCGAN and VAE on digits)
startup  from process start to the first step, cold and warm (DCGAN on digits)

What is compared takes turns in one process (devices and startup: in processes of their own), after
one turn that is not counted; times are medians. About ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from scaling_devices import devices
from scaling_loop import batch, loop, width
from scaling_report import Row, machine, table
from scaling_seeds import seeds
from scaling_startup import StartError, startup

from jaxgan import memory, workdir
from jaxgan.visualization.atomic import write_atomically

MEASURES: dict[str, Callable[[int], list[Row]]] = {
    "loop": loop,
    "batch": batch,
    "width": width,
    "seeds": seeds,
    "devices": devices,
    "startup": startup,
}


def fail(message: str, code: int) -> NoReturn:
    """Ends the process with one line."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def chosen(only: str) -> list[str]:
    """The names in a list with commas, in the order of the table."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(MEASURES)
    if unknown := [name for name in names if name not in MEASURES]:
        fail(f"--only {unknown[0]}: no such measure; there are {', '.join(MEASURES)}", 2)
    return [name for name in MEASURES if name in names]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints tables, and writes them to the files asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="NAMES", help=", ".join(MEASURES))
    parser.add_argument("--rounds", type=int, default=5, help="timed turns of each; default 5")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as a list")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables")
    options = parser.parse_args(arguments)
    names = chosen(options.only)
    if options.rounds < 1:
        fail(f"--rounds {options.rounds}: must be at least 1", 2)
    for path in (options.json, options.markdown):
        if path and not path.parent.is_dir():
            fail(f"{path}: there is no folder {path.parent}", 2)

    # As on jaxgan's command line.
    memory.keep_freed_memory()
    about = machine()
    header = ", ".join(f"{name} {value}" for name, value in about.items())
    print(header, flush=True)
    rows, tables = [], []
    for name in names:
        try:
            found = MEASURES[name](options.rounds)
        except StartError as error:
            fail(str(error), 1)
        tables.append(f"## {name}\n\n{table(found)}\n")
        print(f"\n{tables[-1]}", end="", flush=True)
        rows += [{**row, **about} for row in found]
        # After each measure, so that a stop keeps what there is.
        if options.json:
            workdir.write_json(options.json, rows)
        if options.markdown:
            write_atomically(options.markdown, "\n".join([header, "", *tables]).encode())


if __name__ == "__main__":
    main()
