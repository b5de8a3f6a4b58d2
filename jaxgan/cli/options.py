"""Experiments from files, and their fields from the command line."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import io
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import tyro

from jaxgan.cli import flags, names, parts, short_help
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
        if "--help-all" in help_wanted:
            print(short_help.names_page(named.experiment))
            return _read(default, ["--help"], program)[0]
        if help_wanted:
            print(short_help.page(default, program, fields=len(_leaves(default))))
            sys.exit(0)
        _check_named(named)
        try:
            parsed, unknown = _read(default, named.arguments, program)
        except ConfigError as error:
            raise ConfigError(_as_typed(str(error), named.typed)) from None
        if unknown:
            raise ConfigError(_unknown(unknown, _short(named.experiment), _leaves(default)))
    return parsed


def _check_named(named: parts.Named) -> None:
    """Refuses ``--dataset folder`` and ``tfds`` that do not say which one."""
    said = {flags.dashed(word.partition("=")[0]) for word in named.arguments}
    for name, (flag, example) in names.NAMED_BY.items():
        if named.experiment.data is names.DATASETS[name] and flag not in said:
            raise ConfigError(f"--dataset {name} does not say which one: add {flag} {example}")


def _read(default: Options, arguments: list[str], program: str) -> tuple[Options, list[str]]:
    """Options, and the arguments that none of their fields is for."""
    seen = io.StringIO()
    try:
        with contextlib.redirect_stderr(seen):
            read = tyro.cli(
                Options,
                default=default,
                args=arguments,
                prog=program,
                description=f"Train {default.experiment.name}. Every field can be set.",
                return_unknown_args=True,
                config=(tyro.conf.AvoidSubcommands,),
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ConfigError(_complaint(seen.getvalue())) from None
    sys.stderr.write(seen.getvalue())
    return read


def _leaves(options: Options) -> list[tuple[str, Any]]:
    """Flags and values of all fields."""
    own = [(name, value) for name, value in vars(options).items() if name not in _WHOLES]
    wholes = [getattr(options, name) for name in _WHOLES]
    named = [(flags.dashed(name), value) for name, value in own]
    return [*named, *(leaf for whole in wholes for leaf in flags.leaves(whole))]


_WHOLES = ("experiment", "run")
"""Fields of `Options` that have no flag of their own, but for each of their fields."""

_WORDS = (
    (r"Error parsing (experiment\.)?", ""),
    (r"invalid literal for int\(\) with base \d+: (.*)", r"\1 is no whole number"),
    (r"could not convert string to float: (.*)", r"\1 is no number"),
    (
        r"no type matching (.*) could be instantiated from \[(.*?)\]\..*",
        r"\2 is none of \1",
    ),
    (
        r"[iI]nvalid choice (.*) for argument '(.*?)'\. Expected one of \((.*?),?\)\.",
        r"\2: \1 is none of \3",
    ),
    (r"Could not find valid parse for arguments: \[(.*)\]", r"\1 cannot be its values"),
    (r"Missing value for argument '(.*?)'\..*", r"\1 needs a value"),
)
"""What tyro says, and how people say it."""


def _complaint(seen: str) -> str:
    """What is wrong, on one line: of tyro's box the part above its first line across."""
    lines = [line.strip("│ ") for line in seen.splitlines() if not line.startswith(("╭", "╰"))]
    across = next((i for i, line in enumerate(lines) if re.fullmatch("─+", line)), len(lines))
    text = " ".join(line for line in lines[:across] if line)
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return text or "the command line cannot be read"


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


def _unknown(
    unknown: Sequence[str], short: Iterable[str], leaves: Iterable[tuple[str, Any]]
) -> str:
    """What is said of words that nothing is known of; of the first flag among them."""
    flag = next((word for word in unknown if word.startswith("--")), None)
    if flag is None:
        return f"{unknown[0]!r} belongs to no option; flags begin with --"
    word = flags.dashed(flag.partition("=")[0][2:])
    known = [*short, *(one for leaf in leaves for one in flags.switches(*leaf))]
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.75)
    # The end of a flag is what one remembers of it.
    ends = [one for one in known if one.endswith(f".{word}")]
    last = {one.rpartition(".")[2]: one for one in reversed(known)}
    alike = [last[end] for end in difflib.get_close_matches(word, last, n=2, cutoff=0.75)]
    found = list(dict.fromkeys([*ends, *near, *alike]))[:3]
    asked = f", did you mean {' or '.join(f'--{one}' for one in found)}?" if found else ";"
    return f"there is no option {flag.partition('=')[0]}{asked} --help-all lists all"


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
