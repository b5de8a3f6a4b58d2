"""Compiles an experiment's programs for TPUs that are not here, and says what they move.

    python experiments/benchmarks/compile_for.py dcgan
    python experiments/benchmarks/compile_for.py --topology v5e:4x4 dcgan --dataset fashion-mnist
    python experiments/benchmarks/compile_for.py --programs step --json all.json --all

The train step, the sampler and the feature extractor are lowered and compiled by the package libtpu
(extra ``tpu-check``), which needs no TPU. The experiment is one of experiments/ or a file; what
follows it are flags of its own command. Its batch is what one chip gets: the global batch grows
with the chips. Several chips run under shard_map.

Columns are of one chip, megabytes are 10^6 bytes. Main memory is what lies beside the chip (HBM);
small programs keep most of what they compute in memory on the chip (VMEM), and XLA's own count of
bytes (xla mb) does not tell them apart. ``least`` is what has to be moved: main, what the step is
given and gives, once; all, this and the operands and results of all products and convolutions. No
number is measured on a chip.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
from compiled.measure import TEMPORARIES, Row, complaints, rows
from compiled.programs import KINDS
from compiled.topology import Chips, chips, settle
from measures import fail
from scaling_report import EXPERIMENTS, machine, table

from jaxgan.cli import options as experiments
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.source import DataError
from jaxgan.machine.atomic import write_atomically
from jaxgan.run import experiment_file, workdir

TOPOLOGIES = "v5e:1x1,v5e:2x2,v5e:16x16"


def _options(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__,
        usage="compile_for.py [OPTIONS] EXPERIMENT [its flags], or [OPTIONS] --all",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--topology", default=TOPOLOGIES, metavar="A,B", help=f"chips; default {TOPOLOGIES}")
    add("--programs", default=",".join(KINDS), metavar="A,B", help=", ".join(KINDS))
    add("--all", action="store_true", help="every experiment of experiments/, as it stands there")
    add("--temporaries", type=float, default=TEMPORARIES, metavar="MB",
        help=f"most of them that a chip may need; default {TEMPORARIES:.0f}")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write the rows as a list")
    add("--markdown", type=Path, metavar="FILE", help="write the table")
    return parser.parse_known_args(arguments)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def named(words: Sequence[str]) -> tuple[str, Experiment]:
    """An experiment and its name.

    Args:
        words: the name of one of experiments/, or a file; then flags of its own command.

    Raises:
        ConfigError: there is no such experiment or flag, or a flag cannot have its value.
    """
    if not words or words[0].startswith("-"):
        before = f", before its flag {words[0]}" if words else ""
        raise ConfigError(f"name an experiment such as dcgan{before}; or --all")
    beside = EXPERIMENTS / f"{words[0]}.py"
    path = beside if beside.is_file() else Path(words[0])
    experiment = experiment_file.load_experiment(path)
    parsed = experiments.parse(experiment, words[1:], program=f"compile_for.py {words[0]}")
    return path.stem, parsed.experiment


def shipped() -> Iterator[tuple[str, Experiment]]:
    """All experiments of experiments/."""
    for path in sorted(EXPERIMENTS.glob("*.py")):
        found = getattr(experiment_file.load_file(path), "experiment", None)
        if isinstance(found, Experiment):
            yield path.stem, found


def compiled(
    wanted: Sequence[tuple[str, Experiment]],
    places: Sequence[Chips],
    kinds: tuple[str, ...],
    found: Callable[[Row], None],
) -> None:
    """Compiles all that is wanted.

    Args:
        wanted: experiments, by name.
        places: to compile each of them for.
        kinds: of programs.
        found: gets each row.
    """
    for name, experiment in wanted:
        for place in places:
            try:
                for row in rows(name, experiment, place, kinds):
                    found(row)
            except (ConfigError, DataError) as error:
                found(
                    {"experiment": name, "topology": place.name, "chips": place.size,
                     "program": ", ".join(kinds), "error": str(error)}
                )  # fmt: skip
            if len(wanted) > 1:  # programs are not used again, and there may be hundreds of them
                jax.clear_caches()


def write(options: argparse.Namespace, every: Sequence[Row], about: Row) -> None:
    """Writes the files that were asked for, each as a whole."""
    if options.json:
        workdir.write_json(options.json, [{**row, **about} for row in every])
    if options.markdown:
        head = ", ".join(f"{name} {value}" for name, value in about.items())
        text = "\n".join([head, "", *shown(every), ""])
        write_atomically(options.markdown, text.encode())


def shown(every: Sequence[Row]) -> list[str]:
    """Tables of steps and of the others, which have fewer columns, and a line for each failure."""
    done = [row for row in every if "error" not in row]
    parts = [[row for row in done if ("least_all_mb" in row) == is_step] for is_step in (1, 0)]
    lines = [f"{table(part)}\n" for part in parts if part]
    return lines + [complaints(row)[0] for row in every if "error" in row]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; its exit status: 1 where a program is not as it should be, 2 where what is
    asked for cannot be done."""
    options, words = _options(arguments)
    kinds: Any = tuple(_words(options.programs))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        fail(f"--programs {unknown[0]}: no such program; there are {', '.join(KINDS)}")
    if options.all and words:
        fail(f"{words[0]!r} does not go together with --all")
    for path in (options.json, options.markdown):
        if path and not path.absolute().parent.is_dir():
            fail(f"{path}: there is no folder {path.parent}")
    try:
        wanted = list(shipped()) if options.all else [named(words)]
        places = [chips(name) for name in _words(options.topology)]
    except (ConfigError, DataError) as error:
        fail(str(error))
    about, every, wrong = {**machine(), **_libtpu()}, [], []

    def found(row: Row) -> None:
        every.append(row)
        wrong.extend(complaints(row, options.temporaries))
        seconds = f"{row['compile_s']:.1f} s" if "compile_s" in row else "failed"
        line = f"{row['experiment']}, {row['program']}, {row['topology']}: {seconds}"
        print(line, file=sys.stderr, flush=True)
        write(options, every, about)  # at once, so that a stop keeps what there is

    compiled(wanted, places, kinds, found)
    print(", ".join(f"{name} {value}" for name, value in about.items()), end="\n\n")
    print("\n".join(shown(every)))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return 1 if wrong else 0


def _libtpu() -> Row:
    try:
        return {"libtpu": metadata.version("libtpu")}
    except metadata.PackageNotFoundError:
        return {}


if __name__ == "__main__":
    settle()
    raise SystemExit(main())
