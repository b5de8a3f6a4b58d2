"""Experiments from Python files."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from jaxgan.config import ConfigError, Experiment, config_fields
from jaxgan.run.config_json import FILE_MODULE
from jaxgan.run.field_types import misfit


def load_file(path: str | Path) -> ModuleType:
    """Imports a Python file by its path.

    Raises:
        ConfigError: there is no such file, or it fails.
    """
    path = Path(path)
    if path.suffix != ".py" or not path.is_file():
        is_run = (path / "config.json").is_file()
        hint = f"it is a run's folder: `jaxgan resume {path}`" if is_run else ""
        raise ConfigError(
            f"{path} is no Python file: {hint or 'name an experiment such as dcgan.py'}"
        )
    unique = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:8]
    name = f"{FILE_MODULE}{path.stem}_{unique}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # As when it is run as a script, a file may import those beside it.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception | SystemExit):
            raise
        raise ConfigError(f"{path} fails{_where(error, path)}: {_told(error)}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _where(error: BaseException, path: Path) -> str:
    """The line of the file that was being run, as `` in line 3``; a syntax error has its own."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
    return f" in line {lines[-1]}" if lines else ""


def _told(error: BaseException) -> str:
    """An error of a person's own code on one line."""
    if isinstance(error, SystemExit):
        return f"it ends the process by sys.exit({error.code!r}) before there is an experiment"
    if line := _misfit(error):
        return line
    try:
        message = " ".join(str(error).split())
    except Exception:
        message = ""
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def _misfit(error: BaseException) -> str:
    """The field of a wrong type behind an error of the checks that a configuration makes of itself.

    They compare before they look at types: ``Adam("fast")`` is a TypeError about ``<``.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        value = frame.f_locals.get("self")
        is_check = frame.f_code.co_name == "__post_init__" and dataclasses.is_dataclass(value)
        if is_check and not isinstance(error, ConfigError):
            cls = type(value)
            if line := misfit(cls, {f.name: getattr(value, f.name) for f in config_fields(value)}):
                return f"{cls.__name__}: {line}"
    return ""


def load_experiment(path: str | Path) -> Experiment:
    """The value called ``experiment`` in a Python file.

    Raises:
        ConfigError: there is no such file or value, or the file fails.
    """
    found = getattr(load_file(path), "experiment", None)
    if not isinstance(found, Experiment):
        raise ConfigError(f"{path} defines no `experiment = Experiment(...)`")
    return found
