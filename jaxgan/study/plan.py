"""The plan of a study: a file of one JSON line for each line of work, drawn before the first run.

    {"plan": 1, "workdir": "runs/sweep", "study": {"title": ...}, "members": [{"row": "vae", ...}]}

A line stands alone: it says what is trained, where that is written, and what a report has to know
of the study. It has one member or, where several small models are trained in one program, several.
Paths are relative to the file's folder, so that a plan may be moved together with what it names.

This is read by processes that find their line finished and end: nothing heavy is imported.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jaxgan.machine.atomic import write_atomically
from jaxgan.run import failure

VERSION = 1
NAME = "plan.jsonl"
"""Of the copy in the folder of the runs, by which a report knows what is missing."""
RESULT = "result.json"

State = Literal["finished", "failed", "missing"]


class PlanError(ValueError):
    """A plan that cannot be used as asked. The message is one line for people."""


class Trial(NamedTuple):
    """One run of a study, as it was planned."""

    row: str
    """Name of the experiment: the trials of one method share it."""
    file: Path
    """The experiment's file."""
    sha256: str
    """Of the file when the plan was drawn."""
    arguments: tuple[str, ...]
    """All that the file's command line needs but for the seed: of the row, of the setting, and the
    study's budget."""
    seed: int
    folder: str
    """Of the run within the study's, ``runs/NAME-DIGEST``: of what its configuration says."""
    setting: int | None = None
    """Number of the setting that was drawn for it; None: the study searches none."""
    subject: Mapping[str, Any] = {}
    """The fields of `jaxgan.study.subject.Subject`."""
    description: str = ""
    """The first line of what the experiment's file says of itself."""

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments of the file's command line."""
        return (*self.arguments, "--seed", str(self.seed))


class Budget(NamedTuple):
    """What all trials of a study share, and a report says of it."""

    name: str
    title: str
    rank_by: str
    tuning: str
    images: int
    """Real images that each run sees."""
    metrics: tuple[str, ...]
    """All that any row is measured by; real images are, too."""
    precisions: tuple[str, ...]
    """All that any row has: a process sets XLA's flags once."""
    trials: int = 0
    """Settings of each row that are searched."""
    search_seed: int = 0


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of work."""

    index: int
    """Its place in the plan, from 0."""
    workdir: Path
    """Folder of the study."""
    study: Budget
    members: tuple[Trial, ...]

    def folder(self, trial: Trial) -> Path:
        """Where a member is written."""
        return self.workdir / trial.folder

    @property
    def told(self) -> str:
        """What it trains, in words: ``gan, seed 0``."""
        first, *others = self.members
        setting = "" if first.setting is None else f", setting {first.setting}"
        more = f" and {len(others)} more" if others else ""
        return f"{first.row}{setting}, seed {first.seed}{more}"


def state(line: Line) -> tuple[State, str]:
    """How far a line is, by the documents of its runs; and why, where it has failed for good."""
    found = [_state(line.folder(trial)) for trial in line.members]
    if any(one == "missing" for one, _ in found):
        return "missing", ""
    why = list(dict.fromkeys(text for one, text in found if one == "failed"))
    return ("failed", "; ".join(why)) if why else ("finished", "")


def _state(folder: Path) -> tuple[State, str]:
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        why = failure.read(folder)
        return ("missing", "") if why is None else ("failed", why)
    except (OSError, ValueError, RecursionError):
        result = None
    if isinstance(result, dict) and isinstance(result.get("metrics"), dict):
        return "finished", ""
    return "failed", f"{folder / RESULT} is damaged: delete it and run the line again"


def write(path: Path, lines: Iterable[Line]) -> None:
    """Writes a plan, as a whole or not at all.

    Raises:
        OSError: it cannot be written; the file is as it was before.
    """
    write_atomically(path, text(lines, path.resolve().parent).encode())


def text(lines: Iterable[Line], folder: Path) -> str:
    """What a plan file says that lies in a folder."""
    return "".join(f"{json.dumps(_document(line, folder))}\n" for line in lines)


def _document(line: Line, folder: Path) -> dict[str, Any]:
    def relative(path: Path) -> str:
        return Path(os.path.relpath(path.resolve(), folder)).as_posix()

    members = [trial._asdict() | {"file": relative(trial.file)} for trial in line.members]
    study = line.study._asdict()
    return {
        "plan": VERSION, "workdir": relative(line.workdir), "study": study, "members": members,
    }  # fmt: skip


def read(path: Path) -> tuple[Line, ...]:
    """All lines of a plan.

    Raises:
        PlanError: there is no such file, or a line is damaged; says which.
    """
    folder = path.resolve().parent
    lines = tuple(_line(path, folder, index, content) for index, content in enumerate(_rows(path)))
    if not lines:
        raise PlanError(f"{path} is empty: draw a plan by `jaxgan plan STUDY.py --out {path}`")
    return lines


def read_line(path: Path, index: int) -> Line:
    """One line of a plan; the others are not looked at.

    Raises:
        PlanError: there is no such file or line, or it is damaged.
    """
    count = 0
    for place, content in enumerate(_rows(path)):
        if place == index:
            return _line(path, path.resolve().parent, index, content)
        count = place + 1
    there = f"0 to {count - 1}" if count else "none"
    raise PlanError(f"{path} has no index {index}; there are {there}")


def _rows(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield from file
    except OSError as error:
        raise PlanError(f"cannot read the plan {path}: {error.strerror or error}") from error


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


_OF_STUDY = {
    **dict.fromkeys(("name", "title", "rank_by", "tuning"), _text),
    **dict.fromkeys(("images", "trials", "search_seed"), _count),
    **dict.fromkeys(("metrics", "precisions"), _texts),
}
_OF_MEMBER = {
    **dict.fromkeys(("row", "file", "sha256", "description"), _text),
    "arguments": _texts,
    "seed": _count,
    "setting": lambda value: value is None or _count(value),
    # Within the study's own folder, whatever somebody has written there.
    "folder": lambda value: _text(value) and bool(re.fullmatch(r"runs/[^/\\.\0][^/\\\0]*", value)),
    "subject": lambda value: isinstance(value, dict),
}
_TOLD = ("name", "objective", "family", "likelihood", "mark", "data", "weights", "selection")
_OF_SUBJECT = {**dict.fromkeys(_TOLD, _text), "steps": _count}


def _line(path: Path, folder: Path, index: int, content: bytes) -> Line:
    try:
        document = json.loads(content)
        if not isinstance(document, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise PlanError(f"{path}, index {index}: this is no line of a plan") from None
    where = f"{path}, index {index}"
    if document.get("plan") != VERSION:
        raise PlanError(f"{where}: this is no plan of this version of jaxgan: draw it again")
    members = document.get("members")
    if not (_text(document.get("workdir")) and isinstance(members, list) and members):
        raise PlanError(f"{where} is damaged: it does not say what is trained, and where")
    study: Any = _checked(document.get("study"), _OF_STUDY, f"{where}: study")
    for place, member in enumerate(members):
        _checked(member, _OF_MEMBER, f"{where}: member {place}")
        _checked(member["subject"], _OF_SUBJECT, f"{where}: subject of member {place}")
    study |= {name: tuple(study[name]) for name in ("metrics", "precisions")}
    budget = Budget(**study)
    trials = tuple(
        Trial(**{**one, "file": _path(folder, one["file"]), "arguments": tuple(one["arguments"])})
        for one in members
    )
    return Line(index, _path(folder, document["workdir"]), budget, trials)


def _path(folder: Path, told: str) -> Path:
    """A path of the file's, as short as it can be said from here."""
    whole = Path(os.path.normpath(folder / told))
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole


def _checked(record: Any, fields: Mapping[str, Callable[[Any], bool]], where: str) -> Any:
    if not isinstance(record, dict):
        raise PlanError(f"{where} is damaged")
    wrong = [name for name, fits in fields.items() if not fits(record.get(name))]
    wrong += sorted(str(name)[:60] for name in record.keys() - fields.keys())
    if wrong:
        raise PlanError(f"{where} is damaged: {wrong[0]} is missing, unknown, or of another kind")
    return record
