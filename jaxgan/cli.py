"""The command line: train | resume | sample | evaluate | compare."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import jax
import numpy as np
import tyro

from jaxgan import options, parallel, results, runs, study, training, workdir, xla
from jaxgan.checkpoint import CheckpointError
from jaxgan.comparison import Entry, Study
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.source import DataError
from jaxgan.logging import LogError
from jaxgan.recorder import NonFiniteError
from jaxgan.visualization.grid import save_png

USAGE_ERRORS = (ConfigError, DataError, parallel.ParallelError, workdir.RunError)
RUN_ERRORS = (CheckpointError, LogError, NonFiniteError)

USAGE = """usage: jaxgan COMMAND ...

  train FILE [--steps N ...]     train the experiment that a Python file defines
  resume RUN                     go on with a run that was stopped
  sample RUN -n 64               draw samples from a run
  evaluate RUN                   measure a run again, as JSON
  compare FILES...               train several experiments, several seeds each; write a report

`jaxgan COMMAND --help` lists the options of each.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `jaxgan`; ends the process.

    Exit codes: 0 done, 1 the run failed, 2 the request cannot work, 130 or 143 stopped by Ctrl-C or
    SIGTERM (after saving).
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    commands: dict[str, Callable[[list[str]], None]] = {
        "train": _train,
        "resume": _resume,
        "sample": _sample,
        "evaluate": _evaluate,
        "compare": _compare,
    }
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        sys.exit(0 if arguments else 2)
    if arguments[0] == "--version":
        print(f"jaxgan {workdir.versions()['jaxgan']}")
        sys.exit(0)
    if arguments[0] not in commands:
        _fail(f"there is no command {arguments[0]!r}; there are {', '.join(commands)}", 2)
    guarded(lambda: commands[arguments[0]](arguments[1:]))


def run_experiment(experiment: Experiment, file: str) -> None:
    """What an experiment's file does when it is run: trains, as the command line says.

    Args:
        experiment: the file's own value.
        file: its ``__file__``.
    """

    def body() -> None:
        parsed = options.parse(experiment, sys.argv[1:], program=f"python {Path(file).name}")
        xla.set_flags([parsed.experiment.precision])
        training.train(parsed.experiment, parsed.run, resume=parsed.resume, file=file)

    guarded(body)


def run_study(value: Study) -> None:
    """What a study's file does when it is run: trains, compares, reports."""

    def body() -> None:
        parsed = tyro.cli(study.StudyOptions, description=value.title)
        study.run(value, parsed, command=workdir.command_line())

    guarded(body)


def guarded(body: Callable[[], None]) -> None:
    """Runs a command; errors that a person can act on become one line and an exit code."""
    sys.unraisablehook = _unraisable
    # What has been imported stays: the garbage collector need not look through it again and again
    # while the first step is traced, which would take a quarter longer.
    gc.freeze()
    try:
        _keep_compiled_programs()
        parallel.initialize()
        body()
    except USAGE_ERRORS as error:
        _fail(str(error), 2)
    except RUN_ERRORS as error:
        _fail(str(error), 1)
    except training.Interrupted as stop:
        print(stop, file=sys.stderr)
        sys.exit(128 + stop.signal_number)
    except KeyboardInterrupt:
        print("interrupted; nothing was saved after the last checkpoint", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has left, as `head` does.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}", 1)


def _unraisable(found: Any) -> None:
    """Keeps quiet about writes that a failed checkpoint has left behind; the failure is raised."""
    if str(found.exc_value) != "Event loop is closed":
        sys.__unraisablehook__(found)


def _keep_compiled_programs() -> None:
    """Lets a second start of the same program skip compilation, unless JAX is told otherwise.

    Programs are kept in ``$XDG_CACHE_HOME/jaxgan`` (``~/.cache/jaxgan``), apart for each type of
    processor, because they use all its instructions and home folders are shared.
    ``JAX_COMPILATION_CACHE_DIR`` names another folder; ``JAX_ENABLE_COMPILATION_CACHE=false`` turns
    it off.
    """
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    processor = hashlib.sha256(workdir.processor().encode()).hexdigest()[:8]
    folder = home / "jaxgan" / f"programs-{processor}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _fail(message: str, code: int) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def _split_target(
    arguments: list[str], command: str, target: str, meaning: str
) -> tuple[str, list[str]]:
    """The first argument, which names a file or a run, and the others."""
    usage = f"jaxgan {command} {target}"
    if arguments and arguments[0] in ("-h", "--help"):
        print(f"usage: {usage} [OPTIONS]\n\n{target} is {meaning}.")
        print(f"The options depend on the experiment: {usage} --help")
        sys.exit(0)
    if not arguments or arguments[0].startswith("-"):
        _fail(f"name {meaning} first: {usage} [OPTIONS]", 2)
    return arguments[0], arguments[1:]


def _train(arguments: list[str]) -> None:
    file, rest = _split_target(arguments, "train", "FILE", "an experiment's Python file")
    experiment = options.load_experiment(file)
    parsed = options.parse(experiment, rest, program=f"jaxgan train {file}")
    xla.set_flags([parsed.experiment.precision])
    training.train(parsed.experiment, parsed.run, resume=parsed.resume, file=file)


def _resume(arguments: list[str]) -> None:
    folder, rest = _split_target(arguments, "resume", "RUN", "a run's folder")
    experiment = runs.experiment_of(Path(folder))
    # Unless told otherwise, on as many devices and with as many checkpoints as before; but the
    # folder may have been moved.
    before = dataclasses.replace(workdir.read_run(Path(folder)), workdir=folder)
    parsed = options.parse(experiment, rest, program=f"jaxgan resume {folder}", run=before)
    if workdir.read_result(Path(folder)) is not None:
        workdir.check_same(Path(folder), parsed.experiment)
        print(f"{folder} is finished; its numbers are in {Path(folder) / workdir.RESULT}")
        return
    run = dataclasses.replace(parsed.run, workdir=folder)
    xla.set_flags([parsed.experiment.precision])
    training.train(parsed.experiment, run, resume=True)


@dataclasses.dataclass(frozen=True)
class SampleOptions:
    """Draw samples from the newest checkpoint of a run, under its averaged weights."""

    run: tyro.conf.Positional[Path]
    """Folder of the run."""
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many."""
    seed: int = 0
    """Seed of the latents."""
    out: Path | None = None
    """A .png file for one picture, or .npz for an array `images`; default: RUN/samples.png."""


def _sample(arguments: list[str]) -> None:
    parsed = tyro.cli(SampleOptions, args=arguments, prog="jaxgan sample")
    if parsed.count < 1:
        raise ConfigError(f"count = {parsed.count}: must be at least 1")
    out = parsed.out or parsed.run / "samples.png"
    if out.suffix not in (".png", ".npz"):
        raise ConfigError(f"--out {out}: the name must end in .png or .npz")
    xla.set_flags([runs.experiment_of(parsed.run).precision])
    trained = runs.load(parsed.run)
    images = runs.sample(trained, parsed.count, parsed.seed)
    if out.suffix == ".npz":
        with open(out, "wb") as file:
            np.savez_compressed(file, images=images)
    else:
        columns = max(1, round(parsed.count**0.5))
        save_png(out, results.picture(trained.experiment.data, images, columns))
    for note in trained.notes:
        print(note, file=sys.stderr)
    print(f"{parsed.count} samples of step {trained.step} are in {out}")


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """Measure the newest checkpoint of a run again; prints JSON."""

    run: tyro.conf.Positional[Path]
    """Folder of the run."""


def _evaluate(arguments: list[str]) -> None:
    parsed = tyro.cli(EvaluateOptions, args=arguments, prog="jaxgan evaluate")
    xla.set_flags([runs.experiment_of(parsed.run).precision])
    trained = runs.load(parsed.run)
    for note in trained.notes:
        print(note, file=sys.stderr)
    print(json.dumps(runs.evaluate(trained), indent=2))


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """Train several experiments under one budget, several seeds each, and write a report."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """Experiments' Python files."""
    study: Annotated[study.StudyOptions, tyro.conf.arg(name="")] = study.StudyOptions()
    dataset: options.DatasetName | None = None
    """Replaces the data set of every experiment."""


def _compare(arguments: list[str]) -> None:
    parsed = tyro.cli(CompareOptions, args=arguments, prog="jaxgan compare")
    if not parsed.files:
        raise ConfigError("jaxgan compare needs experiments' files: jaxgan compare FILES...")
    changes = ("--dataset", parsed.dataset) if parsed.dataset else ()
    entries = tuple(Entry(str(file), changes) for file in parsed.files)
    title = " against ".join(file.stem for file in parsed.files)
    value = Study(name="compare", title=title, entries=entries)
    study.run(value, parsed.study, command=workdir.command_line())
