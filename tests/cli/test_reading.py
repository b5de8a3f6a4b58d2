"""Options of commands: what is wrong is said on one line, with what would be right."""

import dataclasses
import io
from pathlib import Path
from typing import Literal

import pytest
import tyro

from jaxgan.cli import flags, reading
from jaxgan.cli.compare import CompareOptions
from jaxgan.cli.evaluate import EvaluateOptions
from jaxgan.cli.list import ListOptions
from jaxgan.cli.plan import PlanOptions
from jaxgan.cli.project import ProjectOptions
from jaxgan.cli.run import RunOptions
from jaxgan.cli.sample import SampleOptions
from jaxgan.cli.show import ShowOptions
from jaxgan.config import ConfigError
from jaxgan.objectives.gan.penalties import R1, Penalty
from jaxgan.study.runner import StudyOptions


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is wanted of a command whose description is so long that it does not fit on one line.

    Nor on two.
    """

    run: tyro.conf.Positional[Path]
    """Folder."""
    count: int | None = None
    """How many."""
    rate: float = 0.5
    """How fast."""
    kind: Literal["fast", "slow"] = "fast"
    """How."""
    seeds: tuple[int, ...] = ()
    """Which."""
    quiet: bool = False
    """Whether."""


def read(line):
    return reading.read(Wanted, line.split(), "jaxgan wanted")


def test_what_is_right_is_read():
    assert read("here --count 3 --no-quiet --seeds 1 2 --rate=-2") == Wanted(
        Path("here"), 3, -2.0, seeds=(1, 2)
    )


SEE = "; see jaxgan wanted --help"
ALL = " jaxgan wanted --help lists all"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", f"PATH is missing: Folder{SEE}"),
        ("here --count x", f"--count: 'x' is no whole number, nor None{SEE}"),
        ("here --rate x", f"--rate: 'x' is no number{SEE}"),
        ("here --kind x", f"--kind: 'x' is none of 'fast', 'slow'{SEE}"),
        ("here --seeds 1 x", f"--seeds: '1', 'x' cannot be its values{SEE}"),
        ("here --rate", f"--rate needs a value{SEE}"),
        ("here there", f"'there' belongs to no option;{ALL}"),
        ("here --quiet False", f"'False' belongs to no option;{ALL}"),
        ("here --sed 3", f"there is no option --sed, did you mean --seeds?{ALL}"),
        ("here --sed=3", f"there is no option --sed, did you mean --seeds?{ALL}"),
        ("here --no-quit", f"there is no option --no-quit, did you mean --no-quiet?{ALL}"),
        ("here --zzz", f"there is no option --zzz;{ALL}"),
        ("here -x", f"there is no option -x;{ALL}"),
    ],
)
def test_what_is_wrong_is_one_line(monkeypatch, encoding, line, complaint):
    """Whatever lines tyro draws around it, which depends on where the output goes."""
    output = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr("sys.stdout", output)
    monkeypatch.setattr("sys.stderr", output)
    with pytest.raises(ConfigError) as raised:
        read(line)
    assert str(raised.value) == complaint
    output.flush()
    assert output.buffer.getvalue() == b""


COMMANDS = (
    *(SampleOptions, EvaluateOptions, CompareOptions, ListOptions, ShowOptions),
    *(PlanOptions, ProjectOptions, RunOptions),
)


@pytest.mark.parametrize("what", [Wanted, *COMMANDS])
def test_help_keeps_to_eighty_columns(capsys, monkeypatch, what):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        reading.read(what, ["--help"], "jaxgan it")
    assert stopped.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("usage: jaxgan it [-h] ")


def test_options_of_several_commands_have_one_name():
    """A word that two commands know means one type in both."""
    types: dict[str, set[str]] = {}
    for what in (*COMMANDS, StudyOptions):
        for field in dataclasses.fields(what):
            types.setdefault(field.name, set()).add(str(field.type))
    # Where samples go is a name with an ending that says what they are, or a folder's.
    assert types.pop("out") == {"str | None", "Path | None"}
    assert {name: found for name, found in types.items() if len(found) > 1} == {}
    assert {"weights", "truncation", "batch_norm"} <= types.keys()


class TestFlags:
    def test_of_empty_tuples_go_by_their_type(self):
        @dataclasses.dataclass(frozen=True)
        class Two:
            seeds: tuple[int, ...] = ()
            penalties: tuple[Penalty, ...] = ()

        assert list(flags.leaves(Two())) == [("seeds", ())]
        parts = dict(flags.leaves(Two(seeds=(3,), penalties=(R1(every=4),)), "m."))
        assert parts == {"m.seeds": (3,), "m.penalties.0.weight": 10.0, "m.penalties.0.every": 4}

    def test_of_switches_are_two(self):
        assert flags.switches("ema.warmup", False) == ("ema.warmup", "ema.no-warmup")
        assert flags.switches("quiet", True) == ("quiet", "no-quiet")
        assert flags.switches("steps", 1) == ("steps",)
