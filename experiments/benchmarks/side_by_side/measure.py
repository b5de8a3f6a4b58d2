"""Times the implementations of one step in one precision, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from side_by_side.agreement import compare
from side_by_side.process import Task, Worker, WorkerError
from side_by_side.steps import IMPLEMENTATIONS, REFERENCE, Size, step_flops

OPTIONAL = ("torch_compile",)
"""Implementations that may fail on a machine; their row is left out then."""

BUSY = 0.05
"""Cores kept busy by other processes above which times are not to be trusted."""


class Row(NamedTuple):
    """One line of the results; the keys of the JSON file."""

    step: str
    precision: str
    implementation: str
    ms_per_step: float
    images_per_s: float
    peak_mb: float | None


class Group(NamedTuple):
    """All that was measured of one step in one precision.

    Attributes:
        rows: one an implementation.
        flops: operations of one step (`side_by_side.steps.step_flops`).
        matrix_rate: operations a second of a matrix product in this precision, the median of one
            measurement a round.
        rounds: milliseconds a step of each round, by implementation.
        steps: timed steps a round, by implementation.
        answers: what each worker said of itself and of the checked steps.
        notes: what was left out, and why; and whether other processes kept the machine busy.
    """

    rows: list[Row]
    flops: int
    matrix_rate: float
    rounds: dict[str, list[float]]
    steps: dict[str, int]
    answers: dict[str, dict[str, Any]]
    notes: list[str]


class Plan(NamedTuple):
    """How to measure.

    Attributes:
        rounds: times that every implementation has its turn.
        seconds: least duration of one turn.
        pythons: interpreter by implementation.
        say: called with a line about what is going on.
    """

    rounds: int
    seconds: float
    pythons: dict[str, str]
    say: Callable[[str], None]


def measure(
    step: str, precision: str, implementations: Sequence[str], size: Size, plan: Plan
) -> Group:
    """Starts one process an implementation, checks that all do the same, and times them.

    The reference is started even if it is not to be timed, because the others are checked on it.

    Raises:
        Mismatch: the implementations differ.
        WorkerError: one failed that must not.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="train_step-")))

        def start(name: str) -> Worker:
            plan.say(f"{step} {precision}: preparing {name}")
            task = Task(name, step, precision, size, folder / "reference.npz")
            worker = Worker(task, plan.pythons[name], folder / f"{name}.log")
            stack.callback(worker.close)
            return worker

        reference = start(REFERENCE)
        answers = {REFERENCE: _ask(reference, "make")}
        workers, notes = {REFERENCE: reference}, []
        for name in [n for n in IMPLEMENTATIONS if n in implementations and n != REFERENCE]:
            worker = start(name)
            try:
                answer = worker.ask("make")
            except WorkerError as error:
                worker.close()
                if name not in OPTIONAL:
                    raise WorkerError(_failed(worker, error)) from error
                notes.append(f"left out: {_failed(worker, error)}")
                plan.say(notes[-1])
                continue
            compare(step, precision, name, answers[REFERENCE], answer)
            workers[name], answers[name] = worker, answer
        if REFERENCE not in implementations:
            workers.pop(REFERENCE).close()
        return _timed(step, precision, size, plan, workers, answers, notes)


def _timed(
    step: str,
    precision: str,
    size: Size,
    plan: Plan,
    workers: dict[str, Worker],
    answers: dict[str, dict[str, Any]],
    notes: list[str],
) -> Group:
    flops = step_flops(step, answers[REFERENCE]["layers"])
    if not workers:
        return Group([], flops, 0.0, {}, {}, answers, notes)
    plan.say(f"{step} {precision}: timing {', '.join(workers)}")
    names = list(workers)
    steps = {name: _ask(w, "warm", seconds=plan.seconds)["steps"] for name, w in workers.items()}
    forgotten = {name: _ask(w, "forget")["forgotten"] for name, w in workers.items()}
    rounds: dict[str, list[float]] = {name: [] for name in names}
    total, others = 0.0, 0.0
    for number in range(plan.rounds):
        # Everyone comes after everyone else.
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            turn = _ask(workers[name], "run", steps=steps[name])
            rounds[name].append(1000.0 * turn["seconds"] / steps[name])
            total += turn["seconds"]
            others += turn["others"] or 0.0
    peaks = {name: _ask(w, "peak")["peak_mb"] for name, w in workers.items()}
    # After the peaks, because its matrices need memory themselves.
    rates = [_ask(workers[names[0]], "rate")["flops"] for _ in range(plan.rounds)]
    if others > BUSY * total:
        notes = [*notes, _busy_note(step, precision, others / total)]
        plan.say(notes[-1])
    rows = [
        Row(
            step,
            precision,
            name,
            median(times),
            1000.0 * size.batch / median(times),
            peaks[name] if forgotten[name] else None,
        )
        for name, times in rounds.items()
    ]
    return Group(rows, flops, median(rates), rounds, steps, answers, notes)


def _busy_note(step: str, precision: str, cores: float) -> str:
    return (
        f"{step} in {precision}: other processes used {cores:.1f} cores meanwhile, so the times are"
        " not to be trusted; PyTorch, whose threads wait for one another, suffers most from that"
    )


def _ask(worker: Worker, do: str, **arguments: Any) -> dict[str, Any]:
    try:
        return worker.ask(do, **arguments)
    except WorkerError as error:
        raise WorkerError(_failed(worker, error)) from error


def _failed(worker: Worker, error: WorkerError) -> str:
    task = worker.task
    return f"{task.implementation} of {task.step} in {task.precision} failed: {error}"
