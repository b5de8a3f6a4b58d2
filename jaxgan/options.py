"""Experiments from files, and their fields from the command line."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import tyro

from jaxgan.config import FILE_MODULE, ConfigError, Experiment, Run, config_errors
from jaxgan.data.folder import Folder
from jaxgan.data.gaussians import Grid, Ring
from jaxgan.data.idx import fashion_mnist
from jaxgan.data.pipeline import Data
from jaxgan.data.sprites import Sprites
from jaxgan.data.tfds import Tfds
from jaxgan.data.triangles import Triangles

DatasetName = Literal[
    "digits", "fashion-mnist", "ring", "grid", "sprites", "triangles", "folder", "tfds"
]

DATASETS: dict[str, Data] = {
    "digits": Data(),
    "fashion-mnist": Data(source=fashion_mnist(), image_size=28),
    "ring": Data(source=Ring(), image_size=1, channels=2),
    "grid": Data(source=Grid(), image_size=1, channels=2),
    "sprites": Data(source=Sprites(), image_size=64),
    "triangles": Data(source=Triangles(), image_size=28),
    "folder": Data(source=Folder("images"), image_size=32, channels=3, resize="crop"),
    "tfds": Data(source=Tfds("cifar10"), image_size=32, channels=3),
}
"""What ``--dataset NAME`` stands for; each field can be changed further by ``--data.*``."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line of one run says."""

    experiment: Annotated[Experiment, tyro.conf.arg(name="")]
    run: Annotated[Run, tyro.conf.arg(name="")]
    dataset: DatasetName | None = None
    """Replaces the data set and all of --data.* at once; None: as the experiment has it. folder and
    tfds need --data.source.path or --data.source.name as well."""
    resume: bool = False
    """Go on with the run in the folder, which must have the same configuration."""


def parse(
    experiment: Experiment, arguments: Sequence[str], *, program: str, run: Run | None = None
) -> Options:
    """An experiment and its run, as the command line changes them.

    Args:
        experiment: what flags start from.
        arguments: of the command line.
        program: how messages call the command.
        run: what the flags of the run start from; None: `Run`'s defaults.

    Ends the process with code 0 for ``--help``, and with 2 and a message for a field that does not
    exist (naming similar ones) or a value that it cannot have.

    Raises:
        ConfigError: fields that exist, but do not go together.
    """
    if name := _dataset(arguments):
        experiment = dataclasses.replace(experiment, data=DATASETS[name])
    with config_errors():
        return tyro.cli(
            Options,
            default=Options(experiment, run or Run()),
            args=list(arguments),
            prog=program,
            description=f"Train {experiment.name}. Every field of the experiment can be set.",
            config=(tyro.conf.AvoidSubcommands,),
        )


def _dataset(arguments: Sequence[str]) -> str | None:
    """The value of ``--dataset``, needed before the fields of the data are known."""
    name = None
    for i, argument in enumerate(arguments):
        if argument == "--dataset" and i + 1 < len(arguments):
            name = arguments[i + 1]
        elif argument.startswith("--dataset="):
            name = argument.partition("=")[2]
    # An unknown name is left to tyro, whose message lists the known ones.
    return name if name in DATASETS else None


def load_file(path: str | Path) -> ModuleType:
    """Imports a Python file by its path.

    Raises:
        ConfigError: there is no such file, or it fails.
    """
    path = Path(path)
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"{path} is no Python file: name an experiment such as dcgan.py")
    unique = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
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
        if not isinstance(error, Exception):
            raise
        raise ConfigError(f"{path} fails: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def load_experiment(path: str | Path) -> Experiment:
    """The value called ``experiment`` in a Python file.

    Raises:
        ConfigError: there is no such file or value, or the file fails.
    """
    found = getattr(load_file(path), "experiment", None)
    if not isinstance(found, Experiment):
        raise ConfigError(f"{path} defines no `experiment = Experiment(...)`")
    return found
