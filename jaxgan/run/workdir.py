"""The folder of a run: what is in it, and who may write there.

``config.json`` (the experiment and how it was started), ``metrics.jsonl``, ``tensorboard/``,
``checkpoints/STEP/``, ``pictures/*.png``, ``result.json``; of a study's run that cannot be finished
``failed.json`` (`jaxgan.run.failure`).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jaxgan
from jaxgan.config import ConfigError, Experiment, Run, config_errors
from jaxgan.run import trust
from jaxgan.run.config_json import JSON, from_json, to_json, with_defaults
from jaxgan.run.difference import difference
from jaxgan.run.provenance import versions

CONFIG = "config.json"
RESULT = "result.json"
METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
PICTURES = "pictures"
LOCK = "lock"
READS_SINCE = "0.2.0"
"""First version of jaxgan whose runs this one reads: states were built otherwise before."""


class RunError(RuntimeError):
    """A run folder that cannot be used as asked. The message is one line for people."""


def check_new(folder: Path) -> None:
    """Refuses a folder that a new run may not be written to; changes nothing.

    Raises:
        RunError: the folder holds a run or anything else, or has a name that cannot be used.
    """
    check_folder(folder)
    if (folder / CONFIG).exists():
        raise RunError(
            f"{folder} already holds a run: go on with it by `jaxgan resume {folder}`,"
            " or choose another --workdir"
        )
    try:
        taken = folder.exists() and not all(_is_left_over(path.name) for path in folder.iterdir())
    except NotADirectoryError:
        taken = True
    except OSError as error:
        raise RunError(f"cannot read {folder}: {error.strerror or error}") from error
    if taken:
        raise RunError(f"{folder} exists and is not an empty folder: choose another --workdir")


def _is_left_over(name: str) -> bool:
    """Whether a process that was killed before its run had begun may have left such a file."""
    return name == LOCK or (name.startswith(f".{CONFIG}.") and name.endswith(".tmp"))


def create(
    folder: Path,
    experiment: Experiment,
    run: Run,
    *,
    file: str | None,
    command: str,
    init_from: dict[str, Any] | None = None,
) -> None:
    """Makes the folder of a new run and writes its configuration.

    Args:
        folder: to be made.
        experiment: what is trained.
        run: where and how.
        file: the experiment's file.
        command: that started the run.
        init_from: where its first weights are from, and their digest; None: they are random.

    Raises:
        RunError: the folder holds a run or anything else, or cannot be written.
    """
    check_new(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            "experiment": to_json(experiment),
            "run": to_json(run),
            "file": file and str(Path(file).resolve()),
            "code": trust.written_down(to_json(experiment), file),
            "command": command,
            "versions": versions(),
        }
        if init_from is not None:
            document["init_from"] = init_from
        write_json(folder / CONFIG, document)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error


def check_folder(folder: Path) -> None:
    """Refuses folders that checkpoints could not be written to.

    Raises:
        RunError: a name in the path is not UTF-8, as checkpoints' libraries want it.
    """
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError:
        shown = str(folder.absolute()).encode(errors="backslashreplace").decode()
        raise RunError(
            f"{shown}: checkpoints cannot be written to a folder whose name is not UTF-8: choose"
            " another --workdir"
        ) from None


def read_config(folder: Path) -> dict[str, Any]:
    """The JSON document that `create` wrote.

    Raises:
        RunError: there is no run in the folder, its configuration is damaged, or it is of an older
            version of jaxgan than `READS_SINCE`.
    """
    path = folder / CONFIG
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document["experiment"], dict):
            raise ValueError
    except FileNotFoundError:
        there = [*folder.glob(f"*/{CONFIG}"), *folder.glob(f"runs/*/{CONFIG}")]
        below = f"; there are runs below it: `jaxgan list {folder}`" if there else ""
        raise RunError(f"{folder} holds no run: there is no {path}{below}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RunError(f"{path} is damaged: it is not the configuration of a run") from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    written = _written_by(document)
    if written and _numbers(written) < _numbers(READS_SINCE):
        raise RunError(
            f"{folder} was written by an older version of jaxgan ({written}), whose settings and"
            f" checkpoints this one ({jaxgan.__version__}) does not read: train it again, or use"
            " that version"
        )
    return document


def read_experiment(folder: Path, classes: Mapping[str, type] | None = None) -> Experiment:
    """The experiment of a run.

    Args:
        folder: of the run.
        classes: those that are not jaxgan's, as `jaxgan.run.trust.classes_of` gives them.

    Raises:
        RunError: as `read_config`, or another version of jaxgan wrote settings that this one does
            not know.
        ConfigError: the configuration names something that does not exist (any more).
    """
    document = read_config(folder)
    experiment = _value(folder, document, document["experiment"], classes)
    if not isinstance(experiment, Experiment):
        raise RunError(f"{folder / CONFIG} is damaged: it does not describe an experiment")
    return experiment


def read_run(folder: Path) -> Run:
    """Where and how a run was started.

    Raises:
        RunError: as `read_experiment`.
        ConfigError: the configuration names something that does not exist (any more).
    """
    document = read_config(folder)
    run = _value(folder, document, document.get("run"), None)
    if not isinstance(run, Run):
        raise RunError(f"{folder / CONFIG} is damaged: it does not say how the run was started")
    return run


def _value(folder: Path, document: JSON, data: JSON, classes: Mapping[str, type] | None) -> Any:
    try:
        with config_errors():
            return from_json(data, classes=classes)
    except ConfigError as error:
        written = _written_by(document)
        if written in (None, jaxgan.__version__):
            raise
        raise RunError(
            f"{folder} was written by another version of jaxgan ({written}), whose settings this"
            f" one ({jaxgan.__version__}) does not read: {error}; use that version, or train it"
            " again"
        ) from error


def _written_by(document: JSON) -> str | None:
    """The version of jaxgan that a configuration names; None if it names none."""
    versions = document.get("versions")
    named = str(versions.get("jaxgan")) if isinstance(versions, dict) else ""
    return named if _numbers(named) else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def check_same(folder: Path, experiment: Experiment) -> None:
    """Refuses to go on with a run whose configuration has changed.

    Raises:
        RunError: as `read_config`.
        ConfigError: lists every field that differs.
    """
    before = with_defaults(read_config(folder)["experiment"], experiment)
    if lines := difference(before, to_json(experiment)):
        more = ""
        if [line.partition(":")[0] for line in lines] == ["steps"]:
            more = f" More steps for this one: `jaxgan resume {folder} --steps N`."
        raise ConfigError(
            f"{folder} was started with another configuration, and a run that changes midway cannot"
            " be compared with anything. Different (old -> new):\n  "
            + "\n  ".join(lines)
            + f"\nLeave these as they were, or start a new run in another --workdir.{more}"
        )


def write_json(path: Path, data: Any) -> None:
    """Writes JSON so that readers see the old file or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=2, allow_nan=True)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_result(folder: Path) -> dict[str, Any] | None:
    """What the finished run reported; None while it is not finished."""
    path = folder / RESULT
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if not (isinstance(result, dict) and isinstance(result.get("metrics"), dict)):
            raise ValueError
        return result
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        raise RunError(f"{path} is damaged: delete it and `jaxgan resume {folder}`") from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error


def command_line() -> str:
    """The command that started this process, as a person would type it."""
    first = Path(sys.argv[0])
    if first.name == "__main__.py":
        words = ["python", "-m", "jaxgan", *sys.argv[1:]]
    elif first.suffix == ".py":
        words = ["python", _relative(first), *sys.argv[1:]]
    else:
        words = [first.name, *sys.argv[1:]]
    return shlex.join(words)


def _relative(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
