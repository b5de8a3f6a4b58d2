"""Options of commands from the command line, and on one line whatever is wrong with them."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import inspect
import io
import itertools
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import tyro

from jaxgan.cli import flags
from jaxgan.config import ConfigError

_T = TypeVar("_T")

_WORDS = (
    (r"Error parsing (experiment\.)?", ""),
    (r"invalid literal for int\(\) with base \d+: (.*)", r"\1 is no whole number"),
    (r"could not convert string to float: (.*)", r"\1 is no number"),
    (
        r"no type matching \{None\}\|INT could be instantiated from \[(.*?)\]\..*",
        r"\1 is no whole number, nor None",
    ),
    (
        r"no type matching \{None\}\|FLOAT could be instantiated from \[(.*?)\]\..*",
        r"\1 is no number, nor None",
    ),
    (
        r"no type matching (.*) could be instantiated from \[(.*?)\]\..*",
        r"\2 is none of \1",
    ),
    (
        r"[iI]nvalid choice (.*) for argument '(.*?)'\. Expected one of \((.*?),?\)\.",
        r"\2: \1 is none of \3",
    ),
    (r"Could not find valid parse for arguments: \[(.*)\]", r"\1 cannot be its values"),
    (r"Missing from [^:]*: (\w+) (.*?)\.? \(required\).*", r"\1 is missing: \2"),
    (r"Missing value for argument '(-.*?)'\..*", r"\1 needs a value"),
    (r"Missing value for argument '(.*?)'\..*", lambda found: f"{found[1].upper()} is missing"),
)
"""What tyro says, and how people say it."""


def read(what: type[_T], arguments: Sequence[str] | None, program: str, about: str = "") -> _T:
    """The options of a command.

    Args:
        what: a dataclass.
        arguments: of the command line; None: the process's.
        program: how messages call the command.
        about: what it does; empty: the dataclass's docstring.

    Ends the process with code 0 for ``--help``.

    Raises:
        ConfigError: an option does not exist (names similar ones), or cannot have its value.
    """
    try:
        parsed, unknown = read_known(what, arguments, program, about or inspect.getdoc(what) or "")
    except ConfigError as error:
        raise ConfigError(f"{error}; see {program} --help") from None
    if unknown:
        raise ConfigError(not_known(unknown, _flags(what), f"{program} --help"))
    return parsed


def read_known(
    what: type[_T],
    arguments: Sequence[str] | None,
    program: str,
    about: str,
    default: _T | None = None,
) -> tuple[_T, list[str]]:
    """As `read`, with the words that no option is for.

    Args:
        what: a dataclass.
        arguments: of the command line; None: the process's.
        program: how messages call the command.
        about: what it does.
        default: what flags start from; None: the dataclass's own defaults.
    """
    seen = io.StringIO()
    try:
        with contextlib.redirect_stderr(seen):
            found = tyro.cli(
                what,
                args=arguments,
                prog=program,
                description=_wrapped(about),
                return_unknown_args=True,
                config=(tyro.conf.AvoidSubcommands,),
                default=tyro.MISSING_NONPROP if default is None else default,
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ConfigError(_complaint(seen.getvalue())) from None
    sys.stderr.write(seen.getvalue())
    return found


def _wrapped(text: str) -> str:
    """Paragraphs no wider than the terminal; tyro joins lines again unless they are indented."""
    width, indent = shutil.get_terminal_size().columns, "  "
    return "\n".join(
        textwrap.fill(" ".join(one.split()), width, initial_indent=indent, subsequent_indent=indent)
        for one in text.split("\n\n")
    )


def _complaint(seen: str) -> str:
    """What is wrong, on one line: of tyro's box the part above its first line across.

    Where the output has no lines for a box, the title stands above a row of dashes.
    """
    plain = re.sub(r"\x1b\[[\d;]*m", "", seen)
    lines = [line.strip("│ ") for line in plain.splitlines()]
    body = lines[1:] if lines[:1] and lines[0].startswith("╭") else lines[2:]
    above = itertools.takewhile(lambda line: not re.fullmatch("[╰╯─-]{3,}", line), body)
    text = " ".join(line for line in above if line)
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return text or "the command line cannot be read"


def _flags(what: Any) -> list[str]:
    """The flags of a command's options, without their dashes."""
    found = []
    for field in dataclasses.fields(what):
        if dataclasses.is_dataclass(field.default):
            leaves = list(flags.leaves(field.default))
        elif field.default is not dataclasses.MISSING:
            leaves = [(flags.dashed(field.name), field.default)]
        else:  # What must be given has no flag.
            leaves = []
        found += [one for leaf in leaves for one in flags.switches(*leaf)]
    return found


def not_known(unknown: Sequence[str], known: Iterable[str], where: str) -> str:
    """What is said of words that no option is for; of the first flag among them.

    >>> not_known(["--stps", "3"], ["steps", "seed"], "--help")
    'there is no option --stps, did you mean --steps? --help lists all'

    Args:
        unknown: the words.
        known: flags that there are, without their dashes; those that are meant more often first.
        where: all are listed.
    """
    flag = next((word for word in unknown if word.startswith("-")), None)
    if flag is None:
        return f"{unknown[0]!r} belongs to no option; {where} lists all"
    flag = flag.partition("=")[0]
    word, known = flags.dashed(flag.lstrip("-")), list(known)
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.75)
    # The end of a flag is what one remembers of it.
    ends = [one for one in known if one.endswith(f".{word}")]
    last = {one.rpartition(".")[2]: one for one in reversed(known)}
    alike = [last[end] for end in difflib.get_close_matches(word, last, n=2, cutoff=0.75)]
    found = list(dict.fromkeys([*ends, *near, *alike]))[:3]
    asked = f", did you mean {' or '.join(f'--{one}' for one in found)}?" if found else ";"
    return f"there is no option {flag}{asked} {where} lists all"
