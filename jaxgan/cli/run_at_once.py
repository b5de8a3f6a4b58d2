"""What ``jaxgan run`` answers about a line that has ended; at once, for nothing is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxgan.study import plan

AGAIN = 75
"""Exit code of a line that is not finished and need only be run again (``EX_TEMPFAIL``)."""

VARIABLES = ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX")
"""Where SLURM's arrays and Kubernetes' indexed jobs say which line is meant."""


def index_of(environment: Mapping[str, str]) -> int:
    """The line that a scheduler's environment names.

    Raises:
        PlanError: it names none.
    """
    for name in VARIABLES:
        if text := environment.get(name):
            # Not `int`, which also reads "1_0", " 1" and other people's digits.
            if not (text.isascii() and text.isdigit()):
                raise plan.PlanError(f"{name} is {text!r}, which is no index of a plan")
            return int(text)
    raise plan.PlanError(
        f"which line? Say --index N, --all or --missing; or start it where {VARIABLES[0]} (SLURM"
        f" arrays) or {VARIABLES[1]} (Kubernetes' indexed jobs) is set"
    )


def answer(arguments: Sequence[str]) -> None:
    """Ends the process where the arguments name one line, and that has ended."""
    named = _named(arguments)
    if named is None:
        return
    try:
        line = plan.read_line(Path(named[0]), named[1])
    except plan.PlanError:
        return  # Whoever reads it next says so.
    status, why = plan.state(line)
    if status == "finished":
        print(f"index {line.index}: {line.told}: finished before")
        sys.exit(0)
    if status == "failed":
        print(f"index {line.index}: {line.told}: failed before: {why}", file=sys.stderr)
        sys.exit(1)


def _named(arguments: Sequence[str]) -> tuple[str, int] | None:
    """The plan and the index, where nothing else is said."""
    words = [
        part
        for word in arguments
        for part in (word.split("=", 1) if word.startswith("--") else [word])
    ]
    said = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or said.keys() - {"--plan", "--index"} or "--plan" not in said:
        return None
    try:
        index = said.get("--index")
        return said["--plan"], index_of({VARIABLES[0]: index} if index else os.environ)
    except plan.PlanError:
        return None
