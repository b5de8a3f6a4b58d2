"""Code that a run brings along, and that runs only if the person who reads the run allows it.

A configuration names classes. Those of jaxgan are loaded by their names. Any other (of the
experiment's file, of a module beside it, of a package) is code from wherever the run comes from:
it is loaded where the person says `--trust`, and only if every file still has the digest that was
written down at training, or names the experiment's file by hand.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import keyword
import sys
from collections.abc import Iterable
from itertools import filterfalse
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.config import ConfigError
from jaxgan.run import experiment_file
from jaxgan.run.config_json import FILE, JSON, is_own, shortened, type_names


class TrustError(ConfigError):
    """A run needs code that nobody has allowed. The message is one line for people."""


@dataclasses.dataclass(frozen=True)
class Trust:
    """Whose code may run while a run is read."""

    trust: bool = False
    """Run the code that the run brings along: its experiment's file and the modules it names, if
    they are as they were at training. Only for runs from people you trust."""
    file: Path | None = None
    """The experiment's Python file, for a run that needs it: read instead of the one that the run
    names, whatever has changed in it."""


NOTHING = Trust()
"""Only jaxgan's own classes."""


class Code(NamedTuple):
    """A file that a run's classes come from.

    Attributes:
        name: the module, or `FILE` for the experiment's file.
        path: of the file when the run was started; empty if it was none.
        sha256: of its bytes then; empty if they were not written down.
    """

    name: str
    path: str
    sha256: str

    def state(self) -> str:
        """Whether the file is as it was, in words."""
        if not self.path:
            return "not a file"
        found = digest_of(Path(self.path))
        if found is None:
            return "missing"
        if not self.sha256:
            return f"sha256 {found[:12]}, none written down at training"
        if found != self.sha256:
            return f"sha256 {found[:12]}, changed since training: {self.sha256[:12]}"
        return f"sha256 {found[:12]}, as at training"

    def is_unchanged(self) -> bool:
        """Whether the file has the digest that was written down."""
        return bool(self.sha256) and digest_of(Path(self.path)) == self.sha256


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none, or something else that may have no end."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    except (OSError, ValueError):
        return None


def written_down(experiment: JSON, file: str | None) -> dict[str, dict[str, str]]:
    """What a new run writes down of the code that reading it will need.

    Args:
        experiment: its configuration, as `jaxgan.run.config_json.to_json` gives it.
        file: the experiment's file.

    Returns:
        ``path`` and ``sha256`` of the file, and of each module that is not jaxgan's, by name.
    """
    found: dict[str, dict[str, str]] = {}
    modules = [FILE, *_foreign(experiment)] if file else _foreign(experiment)
    for module in modules:
        path = file if module == FILE else getattr(sys.modules.get(module), "__file__", None)
        whole = str(Path(path).resolve()) if path else ""
        found[module] = {"path": whole, "sha256": (whole and digest_of(Path(whole))) or ""}
    return found


def classes_of(folder: Path, document: dict[str, Any], trust: Trust) -> dict[str, type]:
    """The classes of a run's configuration that are not jaxgan's, loaded if that is allowed.

    Args:
        folder: of the run, for messages.
        document: what is in its ``config.json``.
        trust: what the person allows.

    Raises:
        TrustError: it is not allowed, or a file is not what it was at training; says which.
        ConfigError: there is no such file or class, or the file fails.
    """
    modules = _foreign(document["experiment"])
    codes = [_code(m, document) for m in dict.fromkeys([FILE, *modules])]
    if not (modules and codes[0].path) and FILE not in modules:
        codes = codes[1:]  # There is no file.
    if modules and trust == NOTHING:
        listed = "; ".join(f"{_called(code)} ({code.state()})" for code in codes)
        raise TrustError(
            f"{folder} needs code that is not jaxgan's: {listed}. Reading it would run that code:"
            " if you trust it, say --trust, or name the experiment's file yourself, --file FILE"
        )
    scope: dict[str, Any] = {}
    if trust.file is not None:
        scope = vars(experiment_file.load_file(trust.file))
    elif modules:
        for code in codes:
            _check(folder, code)
        if codes[0].name == FILE:
            scope = vars(experiment_file.load_file(codes[0].path))
    found = {}
    for name in filterfalse(is_own, type_names(document["experiment"])):
        module, _, attribute = name.partition(":")
        found[name] = _class(name, scope if module == FILE else _imported(module, trust), attribute)
    return found


def notes(document: dict[str, Any], trust: Trust) -> tuple[str, ...]:
    """Lines about a file named by hand that is not the one that the run was trained with."""
    if trust.file is None or FILE not in _foreign(document["experiment"]):
        return ()
    code = _code(FILE, document)
    if digest_of(trust.file) == code.sha256:
        return ()
    return (f"{trust.file} is not the file that the run was trained with ({_called(code)})",)


def _foreign(experiment: JSON) -> list[str]:
    """Modules that are not jaxgan's, each once.

    Raises:
        ConfigError: what is named is no class of a module.
    """
    found: dict[str, None] = {}
    for name in filterfalse(is_own, type_names(experiment)):
        module, _, attribute = name.partition(":")
        if not (attribute.isidentifier() and (module == FILE or _is_module(module))):
            raise ConfigError(f"the configuration names {shortened(name)}, which cannot be found")
        found[module] = None
    return [*found]


def _code(module: str, document: dict[str, Any]) -> Code:
    """What is written down of a module; little, in a file that somebody has changed."""
    written = document.get("code")
    one = written.get(module) if isinstance(written, dict) else None
    one = one if isinstance(one, dict) else {}
    path, sha256 = one.get("path"), one.get("sha256")
    if module == FILE and not isinstance(path, str):
        path = document.get("file")
    return Code(
        module, path if isinstance(path, str) else "", sha256 if isinstance(sha256, str) else ""
    )


def _called(code: Code) -> str:
    if code.name == FILE:
        return (
            shortened(code.path, 300)
            if code.path
            else "the experiment's file, which it does not name"
        )
    return f"module {code.name}" + (f", {shortened(code.path, 300)}" if code.path else "")


def _check(folder: Path, code: Code) -> None:
    # A module of a package that is installed elsewhere here has no file to be held against.
    if code.name != FILE and not (code.path and Path(code.path).exists()):
        return
    if not code.is_unchanged():
        raise TrustError(
            f"{folder} was trained with other code: {_called(code)} ({code.state()}). If you"
            " trust it as it is, name the experiment's file yourself: --file FILE"
        )


def _is_module(name: str) -> bool:
    """Whether a name may be that of a module of somebody else's."""
    parts = name.split(".")
    ordinary = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return ordinary and "__main__" not in parts and parts[0] != "jaxgan"


def _imported(module: str, trust: Trust) -> dict[str, Any]:
    """The names in a module: one that the experiment's file has imported, or with ``trust`` one
    that can be."""
    if module in sys.modules:
        return vars(sys.modules[module])
    if trust.file is not None:
        return {}
    try:
        return vars(importlib.import_module(module))
    except Exception as error:
        raise ConfigError(
            f"the configuration names module {module}, which cannot be imported"
            f" ({type(error).__name__}: {error})"
        ) from error


def _class(name: str, scope: dict[str, Any], attribute: str) -> type:
    found = scope.get(attribute)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ConfigError(f"the configuration names {shortened(name)}, which cannot be found")
    return found


def allowed(words: Iterable[str]) -> tuple[Trust, list[str]]:
    """What a command line allows, and its other words.

    For commands whose other options follow from the run, and so from what may be loaded.

    Raises:
        ConfigError: ``--file`` without a file.
    """
    left, rest = [*words], []
    found = NOTHING
    while left:
        word = left.pop(0)
        if word == "--trust":
            found = dataclasses.replace(found, trust=True)
        elif word == "--file" or word.startswith("--file="):
            value = word.partition("=")[2] if "=" in word else (left.pop(0) if left else "")
            if not value:
                raise ConfigError("--file: name the experiment's Python file")
            found = dataclasses.replace(found, file=Path(value))
        else:
            rest.append(word)
    return found, rest
