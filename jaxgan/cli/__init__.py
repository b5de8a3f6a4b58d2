"""The command line.

What it needs is imported when it is called: Ctrl-C must end those seconds as quietly as others.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxgan.cli import run_at_once, usage
from jaxgan.machine.interrupts import ending

if TYPE_CHECKING:
    from jaxgan.config import Experiment
    from jaxgan.study.comparison import Study

__all__ = ["main", "run_experiment", "run_study"]

_NOTHING = "stopped before anything was done"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `jaxgan`: see `jaxgan.cli.usage.answer` and `jaxgan.cli.entry.main`."""
    given = sys.argv[1:] if arguments is None else arguments
    # Schedulers are told by one code that a line of a plan is to be run again.
    code = run_at_once.AGAIN if given[:1] == ["run"] else None
    with ending(_NOTHING, code):
        # No `list()` here: that is the name of a module of this package.
        words = [*given]
        usage.answer(words)
        if words[0] == "run":
            run_at_once.answer(words[1:])

        from jaxgan.cli import entry

        entry.main(words)


def run_experiment(experiment: Experiment, file: str) -> None:
    """What an experiment's file does when it is run: see `jaxgan.cli.entry.run_experiment`."""
    with ending(_NOTHING):
        from jaxgan.cli import entry

        entry.run_experiment(experiment, file)


def run_study(value: Study) -> None:
    """What a study's file does when it is run: see `jaxgan.cli.entry.run_study`."""
    with ending(_NOTHING):
        from jaxgan.cli import entry

        entry.run_study(value)
