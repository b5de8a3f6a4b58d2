"""``jaxgan show``: what one run is, how far it is, and its numbers."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import tyro

from jaxgan.cli import list as listing
from jaxgan.cli import reading, tables
from jaxgan.config import ConfigError
from jaxgan.measurement.numbers import numbers_of
from jaxgan.run import workdir
from jaxgan.run.config_json import JSON, TYPE_KEY, is_own, to_json
from jaxgan.run.overview import Overview, look
from jaxgan.run.workdir import RunError
from jaxgan.visualization.report.text import duration


@dataclasses.dataclass(frozen=True)
class ShowOptions:
    """Show a run: its settings where they differ from the defaults, how far it is, its numbers.

    Only files of data are read: nothing of a run is executed or changed.
    """

    run: tyro.conf.Positional[Path]
    """Folder of the run."""
    json: bool = False
    """Print JSON, with all settings."""


def show(arguments: list[str]) -> None:
    """The command; prints text, or JSON.

    Raises:
        RunError: there is no run in the folder.
    """
    options = reading.read(ShowOptions, arguments, "jaxgan show")
    folder = options.run
    if not (folder / workdir.CONFIG).exists():
        raise RunError(f"{folder} holds no run: there is no {folder / workdir.CONFIG}")
    found = look(folder)
    if options.json:
        print(json.dumps({**listing.document(found), "config": found.config}, indent=2))
        return
    try:
        lines = _lines(found)
    except RecursionError:
        raise RunError(f"{folder / workdir.CONFIG} is damaged: it has too many levels") from None
    print("\n".join(map(tables.printable, lines)))


def _lines(found: Overview) -> list[str]:
    folder = found.folder
    done = f"step {found.step:,}" + (f" of {found.steps:,}" if found.steps is not None else "")
    lines = [f"{folder}: {found.status}, {done}" + (f" ({found.why})" if found.why else "")]
    seconds = found.result.get("seconds")
    if isinstance(seconds, dict) and isinstance(training := seconds.get("training"), int | float):
        lines[0] += f", trained for {duration(training)}"
    if found.config:
        lines += [*_started(found.config), "", *settings(found.config["experiment"])]
    if found.result:
        lines.append("")
        try:
            lines += tables.numbers_table(numbers_of(found.result))
        except ValueError as error:
            lines.append(f"{folder / workdir.RESULT} is damaged: {error}")
    lines.append("")
    lines += [f"picture: {path}" for path in sorted((folder / workdir.PICTURES).glob("*.png"))]
    for step in found.checkpoints:
        size = size_of(folder / workdir.CHECKPOINTS / str(step))
        lines.append(f"checkpoint: step {step:,}, {megabytes(size)}")
    lines.append(f"all files: {megabytes(size_of(folder))}")
    return lines


def _started(config: dict[str, Any]) -> list[str]:
    """How a run was started, and with which versions."""
    versions = config.get("versions")
    told = versions if isinstance(versions, dict) else {}
    named = [f"{name} {told[name]}" for name in ("jaxgan", "python", "jax") if name in told]
    lines = [f"started by: {config.get('command') or 'unknown'}"]
    if config.get("file"):
        lines.append(f"experiment's file: {config['file']}")
    return lines + ([f"versions: {', '.join(named)}"] if named else [])


def settings(experiment: dict[str, JSON]) -> list[str]:
    """The fields of an experiment that differ from their defaults, a line each."""
    shown = {key: value for key, value in changed(experiment).items() if key != TYPE_KEY}
    width = max(map(len, shown), default=0)
    return [f"{key:<{width}}  {written(value)}" for key, value in shown.items()]


def changed(data: dict[str, JSON]) -> dict[str, JSON]:
    """Those fields of an object of `jaxgan.run.config_json.to_json` that differ from the defaults
    of its class; all of them, where the class is not jaxgan's own."""
    usual = _defaults(str(data.get(TYPE_KEY)))
    return {
        key: value
        for key, value in data.items()
        if key == TYPE_KEY or key not in usual or usual[key] != value
    }


def _defaults(name: str) -> dict[str, JSON]:
    """The defaults of a class of jaxgan's; none are known of others, which are not imported."""
    if not is_own(name):
        return {}
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return {}
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        return {}
    usual = {}
    for field in dataclasses.fields(found):
        value = field.default
        if field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        with contextlib.suppress(ConfigError):  # none, or a linen module's bookkeeping
            usual[field.name] = to_json(value)
    return usual


def written(data: JSON) -> str:
    """A value on one line, an object as the call that makes it: ``Adam(learning_rate=0.001)``."""
    if isinstance(data, list):
        return f"[{', '.join(map(written, data))}]"
    if not isinstance(data, dict):
        return repr(data)
    fields = [f"{k}={written(v)}" for k, v in changed(data).items() if k != TYPE_KEY]
    return f"{str(data.get(TYPE_KEY, '')).rpartition(':')[2]}({', '.join(fields)})"


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except OSError:
            continue  # A run that is in training deletes checkpoints meanwhile.
    return total


def megabytes(count: int) -> str:
    """A number of bytes, for people: ``1.5 MB``."""
    return f"{count / 1e6:,.3g} MB" if count < 1e9 else f"{count / 1e6:,.0f} MB"
