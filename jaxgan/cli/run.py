"""``jaxgan run``: does a line of a study's plan, or all of them; says which are missing."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from jaxgan.cli import options as experiments
from jaxgan.cli import reading
from jaxgan.cli.run_at_once import AGAIN, index_of
from jaxgan.config import ConfigError, Parallel
from jaxgan.machine import interrupts, xla
from jaxgan.run import lock
from jaxgan.study import plan, worker
from jaxgan.study.plan import Line
from jaxgan.study.worker import Ended
from jaxgan.training.interrupted import Interrupted

CODES = {"finished": 0, "failed": 1, "missing": AGAIN}

HELP = """
Exit codes: 0 finished, at once if it was before; 1 failed; 2 the request cannot work;
75 not finished: a signal (SIGINT, SIGTERM, SIGUSR1) has saved it, or another process
is at it. The same line, run again, goes on where it was.

SLURM, with notice two minutes before the limit and what is unfinished queued again:

  sbatch --array=$(jaxgan run --plan plan.jsonl --missing)%8 --requeue --signal=USR1@120
    --wrap 'srun jaxgan run --plan plan.jsonl; code=$?; test $code != 75 ||
      scontrol requeue ${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}; exit $code'

  A batch script that ends in `exec jaxgan run --plan plan.jsonl` wants --signal=B:USR1@120.

Kubernetes: a Job with completionMode: Indexed, and completions: the lines of the plan.

  command: ["jaxgan", "run", "--plan", "/shared/plan.jsonl"]

On one machine, two at a time:

  seq 0 23 | xargs -P 2 -I{} jaxgan run --plan plan.jsonl --index {}
  parallel -j 2 jaxgan run --plan plan.jsonl --index {} ::: {0..23}
  for i in {0..23}; do jaxgan run --plan plan.jsonl --index $i; done
"""


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """Do a line of a plan (`jaxgan plan`): train it, go on with it, or find it ended.

    Any number of processes may share a plan, on machines that share its folder; two never do the
    same line.
    """

    plan: str = ""
    """The plan's file. It names experiments' files, which are run."""
    index: int | None = None
    """Number of the line, from 0; None: what SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX says."""
    all: bool = False
    """Do all lines in this process, one after the other; those that others are at come again at the
    end."""
    missing: bool = False
    """Train nothing: say which lines are missing, in work, or failed. Standard output gets those
    that wait for somebody, such as 3,7-9 for sbatch --array; with --retry the failed ones, too."""
    retry: bool = False
    """Train again what has failed for good, such as a run that has diverged."""
    changed_files: bool = False
    """Train what the experiments' files say now, though they have changed since the plan was
    drawn."""
    parallel: Parallel = "auto"
    """auto: pmap when there are several devices, else none."""


def run(arguments: list[str]) -> None:
    """The command; ends the process with code 1 or 75 where not all is finished.

    Raises:
        PlanError: there is no such plan or line, or it is damaged.
        ConfigError: options do not go together, a file has changed since the plan was drawn, or an
            experiment cannot work.
        DataError: the data is missing or damaged.
    """
    try:
        options = reading.read(RunOptions, arguments, "jaxgan run")
    except SystemExit:  # after the help
        print(HELP)
        raise
    if not options.plan:
        raise ConfigError("name the plan: jaxgan run --plan FILE --index N")
    asked = {"index": options.index is not None, "all": options.all, "missing": options.missing}
    said = [name for name, is_said in asked.items() if is_said]
    if len(said) > 1:
        raise ConfigError(f"--{said[0]} and --{said[1]} do not go together")
    path = Path(options.plan)
    if options.missing:
        _missing(plan.read(path), retry=options.retry)
        return
    try:
        code = _all(plan.read(path), options) if options.all else _line(path, options)
    except Interrupted as stop:
        print(f"{stop}, or run the line again", file=sys.stderr)
        code = AGAIN
    except KeyboardInterrupt as stop:
        name = interrupts.signal_of(stop).name
        print(f"{name}: stopped between runs; run the line again", file=sys.stderr)
        code = AGAIN
    if code:
        sys.exit(code)


def _line(path: Path, options: RunOptions) -> int:
    """One line; the exit code."""
    index = index_of(os.environ) if options.index is None else options.index
    line = plan.read_line(path, index)
    ended = _work(line, options)
    print(
        f"index {line.index}: {line.told}: {ended.told}",
        file=sys.stderr if ended.status == "failed" else sys.stdout,
        flush=True,
    )
    return CODES[ended.status]


def _work(line: Line, options: RunOptions) -> Ended:
    return worker.work(
        line,
        read=experiments.read_entry,
        parallel=options.parallel,
        retry=options.retry,
        changed_files=options.changed_files,
    )


def _all(lines: Sequence[Line], options: RunOptions) -> int:
    """All lines in this process; the exit code."""
    left = [line for line in lines if plan.state(line)[0] != "finished"]
    xla.set_flags(precision for line in left for precision in line.study.precisions)
    worker.check(left, experiments.read_entry, changed_files=options.changed_files)
    failed, waiting = 0, []
    for turn, these in enumerate((lines, waiting)):
        # What others are at comes once more, at the end.
        for line in list(these):
            ended = _work(line, options)
            failed += ended.status == "failed"
            if ended.status == "missing" and not turn:
                waiting.append(line)
            left = [one for one in left if one is not line or ended.status == "missing"]
            print(f"[{line.index + 1}/{len(lines)}] {line.told}: {ended.told}", flush=True)
    return 1 if failed else AGAIN if left else 0


def _missing(lines: Sequence[Line], *, retry: bool) -> None:
    """Says what is not finished; prints the list for a scheduler."""
    wanted = []
    counts = dict.fromkeys(("finished", "in work", "missing", "failed"), 0)
    for line in lines:
        status, why = plan.state(line)
        shown: str = status
        holders = [lock.holder(line.folder(one)) for one in line.members]
        if status == "missing" and (who := next(filter(None, holders), None)) is not None:
            shown, why = "in work", who.described()
        elif status == "missing" or (status == "failed" and retry):
            wanted.append(line.index)
        counts[shown] += 1
        if shown != "finished":
            begun = any(line.folder(one).exists() for one in line.members)
            why = why or ("begun" if begun else "not begun")
            print(f"index {line.index}: {line.told}: {shown} ({why})", file=sys.stderr)
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    print(f"{len(lines)} lines: {told}", file=sys.stderr)
    if wanted:
        print(ranges(wanted))


def ranges(indices: Sequence[int]) -> str:
    """Numbers in their order as SLURM wants them.

    >>> ranges([3, 7, 8, 9, 11, 12])
    '3,7-9,11-12'
    """
    parts: list[list[int]] = []
    for index in indices:
        if parts and parts[-1][-1] == index - 1:
            parts[-1][1:] = [index]
        else:
            parts.append([index])
    return ",".join("-".join(map(str, part)) for part in parts)
