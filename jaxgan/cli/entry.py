"""The command line: train, compare, plan, report and the others of `jaxgan.cli.usage`."""

from __future__ import annotations

import gc
import hashlib
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import jax

from jaxgan.cli import options
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.source import DataError
from jaxgan.machine import interrupts, memory, parallel, xla
from jaxgan.run import provenance, workdir
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.logs import LogError
from jaxgan.run.restore import CheckpointError
from jaxgan.study.plan import PlanError
from jaxgan.training import loop

if TYPE_CHECKING:
    from jaxgan.study.comparison import Study

USAGE_ERRORS = (ConfigError, DataError, PlanError, parallel.ParallelError, workdir.RunError)
RUN_ERRORS = (CheckpointError, LogError, NonFiniteError)


def main(arguments: Sequence[str]) -> None:
    """One of the commands of `jaxgan.cli.usage`; its name and then its own arguments.

    Ends the process, unless all is well: exit code 1 if the run failed, 2 if the request cannot
    work, 130, 143 or 138 if it was stopped by Ctrl-C, SIGTERM or SIGUSR1 (after saving).
    """
    guarded(lambda: _command(arguments[0])([*arguments[1:]]))


def run_experiment(experiment: Experiment, file: str) -> None:
    """What an experiment's file does when it is run: trains, as the command line says.

    Args:
        experiment: the file's own value.
        file: its ``__file__``.
    """

    def body() -> None:
        parsed = options.parse(experiment, sys.argv[1:], program=f"python {Path(file).name}")
        xla.set_flags([parsed.experiment.precision])
        loop.train(parsed.experiment, parsed.run, resume=parsed.resume, file=file)

    guarded(body)


def run_study(value: Study) -> None:
    """What a study's file does when it is run: trains, compares, reports."""

    def body() -> None:
        from jaxgan.cli import compare

        compare.study(value)

    guarded(body)


def guarded(body: Callable[[], None]) -> None:
    """Runs a command; errors that a person can act on become one line and an exit code."""
    sys.unraisablehook = _unraisable
    # What has been imported stays: the garbage collector need not look through it again and again
    # while the first step is traced, which would take a quarter longer.
    gc.freeze()
    for stream in (sys.stdout, sys.stderr):
        # Names of files may be any bytes, and terminals may have few characters: what cannot be
        # printed must not end a run that has done its work.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with interrupts.raising():
            _keep_compiled_programs()
            memory.keep_freed_memory()
            parallel.initialize()
            body()
    except USAGE_ERRORS as error:
        _fail(str(error), 2)
    except RUN_ERRORS as error:
        _fail(str(error), 1)
    except loop.Interrupted as stop:
        print(stop, file=sys.stderr)
        sys.exit(128 + stop.signal_number)
    except KeyboardInterrupt as stop:
        print("interrupted; a run that was training keeps its last checkpoint", file=sys.stderr)
        sys.exit(128 + interrupts.signal_of(stop))
    except BrokenPipeError:
        # Whoever read our output has left, as `head` does.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}", 1)
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        _fail(f"the memory is not enough ({_first_line(error)}): ask for less at a time", 1)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


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
    processor = hashlib.sha256(provenance.processor().encode()).hexdigest()[:8]
    folder = home / "jaxgan" / f"programs-{processor}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _fail(message: str, code: int) -> NoReturn:
    # What a file or its name says must not speak to the terminal.
    shown = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in message
    )
    print(f"error: {shown}", file=sys.stderr)
    sys.exit(code)


def _command(name: str) -> Callable[[list[str]], None]:
    """The function of a command; imported when it is asked for, so that training starts sooner."""
    return getattr(importlib.import_module(f"jaxgan.cli.{name}"), name)
