"""Experiments from files, and their fields from the command line."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import tyro

from jaxgan.config import ConfigError, Experiment, Run, config_errors
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.folder import Folder
from jaxgan.data.sources.gaussians import Grid, Ring
from jaxgan.data.sources.idx import fashion_mnist
from jaxgan.data.sources.sprites import Sprites
from jaxgan.data.sources.tfds import Tfds
from jaxgan.data.sources.triangles import Triangles
from jaxgan.run import experiment_file

DatasetName = Literal[
    "digits", "fashion-mnist", "ring", "grid", "sprites", "triangles", "folder", "tfds"
]

DATASETS: dict[str, Data] = {
    "digits": Data(classes=10),
    "fashion-mnist": Data(source=fashion_mnist(), image_size=28, classes=10),
    "ring": Data(source=Ring(), image_size=1, channels=2, classes=8),
    "grid": Data(source=Grid(), image_size=1, channels=2, classes=25),
    "sprites": Data(source=Sprites(), image_size=64, classes=3),
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
        _check_named(name, arguments)
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


NAMED_BY = {"folder": "--data.source.path", "tfds": "--data.source.name"}
"""Flags without which a data set of a person's own is none."""


def _check_named(name: str, arguments: Sequence[str]) -> None:
    """Refuses ``--dataset folder`` and ``tfds`` that do not say which one."""
    flag = NAMED_BY.get(name)
    if flag is None or any(argument in ("-h", "--help") for argument in arguments):
        return
    if not any(argument.partition("=")[0] == flag for argument in arguments):
        example = "cifar10" if name == "tfds" else "FOLDER"
        raise ConfigError(f"--dataset {name} does not say which one: add {flag} {example}")


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


def read_entry(entry: Any) -> tuple[Experiment, str]:
    """The experiment of an entry (`jaxgan.study.comparison.Entry`), and its file's docstring.

    Raises:
        ConfigError: there is no such file or value, or the file fails.
    """
    experiment = experiment_file.load_experiment(entry.file)
    parsed = parse(experiment, entry.arguments, program=f"python {entry.file}")
    return parsed.experiment, experiment_file.load_file(entry.file).__doc__ or ""


def split_target(
    arguments: list[str], command: str, target: str, meaning: str
) -> tuple[str, list[str]]:
    """The first argument, which names a file or a run, and the others; or ends the process."""
    usage = f"jaxgan {command} {target}"
    if arguments and arguments[0] in ("-h", "--help"):
        print(f"usage: {usage} [OPTIONS]\n\n{target} is {meaning}.")
        print(f"The options depend on the experiment: {usage} --help")
        sys.exit(0)
    if not arguments or arguments[0].startswith("-"):
        raise ConfigError(f"name {meaning} first: {usage} [OPTIONS]")
    return arguments[0], arguments[1:]
