"""Experiments from files, and their fields from the command line."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import tyro

from jaxgan.cli import datasets, flags, parts, reading, short_help
from jaxgan.config import ConfigError, Experiment, Run, config_errors
from jaxgan.run import experiment_file


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line of one run says."""

    experiment: Annotated[Experiment, tyro.conf.arg(name="")]
    run: Annotated[Run, tyro.conf.arg(name="")]
    resume: bool = False
    """Go on with the run in the folder, which must have the same configuration."""


def parse(
    experiment: Experiment, arguments: Sequence[str], *, program: str, run: Run | None = None
) -> Options:
    """An experiment and its run, as the command line changes them.

    Parts that are named (`jaxgan.cli.names`) replace those of the experiment; flags of fields start
    from what results, in whatever order both are given.

    Args:
        experiment: what flags start from.
        arguments: of the command line.
        program: how messages call the command.
        run: what the flags of the run start from; None: `Run`'s defaults.

    Ends the process with code 0 for ``--help`` and ``--help-all``.

    Raises:
        ConfigError: a field or a name does not exist (names similar ones), or cannot have its
            value; fields do not go together.
    """
    help_wanted = {"-h", "--help", "--help-all"}.intersection(arguments)
    arguments = [word for word in arguments if word not in help_wanted]
    with config_errors():
        named = parts.apply(experiment, arguments)
        default = Options(named.experiment, run or Run())
        about = f"Train {experiment.name}. Every field of the experiment can be set."
        if "--help-all" in help_wanted:
            print(short_help.names_page(named.experiment))
            return reading.read_known(Options, ["--help"], program, about, default)[0]
        if help_wanted:
            print(short_help.page(default, program, fields=len(_leaves(default))))
            sys.exit(0)
        _check_named(named)
        try:
            parsed, unknown = reading.read_known(Options, named.arguments, program, about, default)
        except ConfigError as error:
            raise ConfigError(_as_typed(str(error), named.typed)) from None
        if unknown:
            fields = [one for leaf in _leaves(default) for one in flags.switches(*leaf)]
            known = [*_short(named.experiment), *fields]
            raise ConfigError(reading.not_known(unknown, known, "--help-all"))
    return parsed


def _check_named(named: parts.Named) -> None:
    """Refuses ``--dataset folder`` and ``tfds`` that do not say which one."""
    said = {flags.dashed(word.partition("=")[0]) for word in named.arguments}
    for name, (flag, example) in datasets.NAMED_BY.items():
        if named.experiment.data is datasets.DATASETS[name] and flag not in said:
            raise ConfigError(f"--dataset {name} does not say which one: add {flag} {example}")


def _leaves(options: Options) -> list[tuple[str, Any]]:
    """Flags and values of all fields."""
    own = [(name, value) for name, value in vars(options).items() if name not in _WHOLES]
    wholes = [getattr(options, name) for name in _WHOLES]
    named = [(flags.dashed(name), value) for name, value in own]
    return [*named, *(leaf for whole in wholes for leaf in flags.leaves(whole))]


_WHOLES = ("experiment", "run")
"""Fields of `Options` that have no flag of their own, but for each of their fields."""


def _as_typed(message: str, typed: Mapping[str, str]) -> str:
    """A message about flags as the person wrote them."""
    for flag in sorted(typed, key=len, reverse=True):
        message = message.replace(flag, typed[flag])
    return message


def _short(experiment: Experiment) -> list[str]:
    """Flags of parts, by their short names."""
    found = ["dataset"]
    for name, head in parts.heads(experiment.model).items():
        values = [getattr(experiment.model, field) for field in head.fields]
        values = [one for held in values for one in (held if head.several else (held,))]
        found += [name] if head.fields else []
        found += [f"{name}.{flag}" for part in values[:1] for flag, _ in flags.leaves(part)]
    return found


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
