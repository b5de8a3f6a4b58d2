"""One train step in jaxgan, plain Flax and PyTorch, timed in turns in one run.

    python experiments/benchmarks/train_step.py
    python experiments/benchmarks/train_step.py --only dcgan --precision float32 --json dcgan.json

Each implementation runs in a process of its own; those of one step and precision take turns, after
they have been found equal in parameters, in operations, and in losses and gradients from the same
weights. PyTorch (extra ``bench``) may live in another Python: ``--torch-python PATH``.

Prints a table. ``--json FILE`` writes one object a row, and beside it a file that ends in
``.meta.json`` has the machine, the versions and the single rounds; both grow with every step.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from side_by_side import machine, table
from side_by_side.agreement import Mismatch
from side_by_side.measure import Group, Plan, measure
from side_by_side.process import WorkerError, lacks
from side_by_side.steps import (
    IMPLEMENTATIONS,
    PRECISIONS,
    SIZES,
    STEPS,
    implementations_of,
)

from jaxgan.machine.atomic import write_atomically


class _Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"error: {message.removeprefix('argument ')}", file=sys.stderr)
        raise SystemExit(2)


class _Names:
    """Names with commas between them, each one of some."""

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = choices

    def __call__(self, text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        if unknown := [name for name in names if name not in self.choices]:
            raise argparse.ArgumentTypeError(
                f"there is no {unknown[0]!r}; there are {', '.join(self.choices)}"
            )
        return [name for name in self.choices if name in names]


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.0 < (number := float(text)) < 3600.0:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        description="Times one train step in jaxgan, plain Flax and PyTorch.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    for flag, choices in (
        ("--only", STEPS),
        ("--precision", PRECISIONS),
        ("--implementations", IMPLEMENTATIONS),
    ):
        add(flag, type=_Names(choices), default=",".join(choices), metavar="A,B",
            help="which ones, with commas between")  # fmt: skip
    add("--rounds", type=_at_least_one, default=7, help="turns that each implementation has")
    add("--seconds", type=_seconds, default=0.5, help="least duration of a turn")
    add("--torch-python", default=sys.executable, help="interpreter that has PyTorch and NumPy")
    add("--json", type=Path, help="file to write the rows to")
    add("--markdown", type=Path, help="file to write the table to")
    return parser.parse_args(arguments)


def run(
    options: argparse.Namespace, sizes: Any = SIZES, say: Any = lambda line: None
) -> tuple[list[Group], list[str]]:
    """Measures what the options ask for; returns the groups and notes on what was left out.

    Args:
        options: of the command line.
        sizes: of the networks and batches, by step.
        say: called with each line of progress.

    Raises:
        Mismatch: implementations differ; nothing unequal is timed.
        WorkerError: an implementation failed, or there is nothing to measure.
    """
    wanted, notes = list(options.implementations), []
    torch_ones = [name for name in wanted if name.startswith("torch_")]
    if torch_ones and (missing := lacks(options.torch_python, ("numpy", "torch"))):
        notes.append(
            f"no PyTorch in {options.torch_python} ({missing}): install the extra `bench`, or name"
            " an interpreter that has it by --torch-python"
        )
        wanted = [name for name in wanted if name not in torch_ones]
        if not wanted:
            raise WorkerError(notes[0])
        say(f"{notes[0]}; measuring {', '.join(wanted)}")
    pythons = {
        name: options.torch_python if name.startswith("torch_") else sys.executable
        for name in IMPLEMENTATIONS
    }
    plan = Plan(options.rounds, options.seconds, pythons, say)
    groups: list[Group] = []
    for step in options.only:
        for precision in options.precision:
            names = [name for name in wanted if name in implementations_of(step)]
            if not names:
                continue
            groups.append(measure(step, precision, names, sizes[step], plan))
            say(table.text(groups[-1:]))
            write(options, groups, notes)
    return groups, notes


def write(options: argparse.Namespace, groups: Sequence[Group], notes: Sequence[str]) -> None:
    """Writes the files that were asked for, each as a whole."""
    environment = machine.environment(groups)
    if options.json:
        meta = {
            "rounds": options.rounds,
            "seconds_a_turn": options.seconds,
            **environment,
            "notes": list(notes),
            "groups": table.details(groups),
        }
        write_atomically(options.json, table.rows_as_json(groups).encode())
        beside = options.json.with_suffix(".meta.json")
        write_atomically(beside, (json.dumps(meta, indent=2) + "\n").encode())
    if options.markdown:
        parts = [machine.headline(environment), table.markdown(groups), table.NOTES]
        parts += [f"- {note}" for note in [*notes, *(n for g in groups for n in g.notes)]]
        write_atomically(options.markdown, ("\n\n".join(parts) + "\n").encode())


def _stop(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        groups, notes = run(options, say=lambda line: print(line, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    except (Mismatch, WorkerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(machine.headline(machine.environment(groups)), end="\n\n")
    print(table.text(groups))
    print(table.NOTES)
    for note in [*notes, *(note for group in groups for note in group.notes)]:
        print(f"\n{note}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
