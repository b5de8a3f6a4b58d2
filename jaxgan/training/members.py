"""Populations whose members are runs: `train` for several experiments at once.

Members differ in seeds, names and numbers (`jaxgan.training.varied`) and are trained in one program
(`jaxgan.training.population`), on one device. Each has a folder like that of any run, which every
command reads, and ends in it with a result or, where it has diverged, with ``failed.json``.

This is a second loop beside `jaxgan.training.loop`, for what one of many runs lacks: it cannot stop
early, and there is one state, one clock and one checkpoint for all. While it trains, the states of
all members are in checkpoints beside the members' folders, in ``population-DIGEST``; a member's own
checkpoint is that of its end, and when all have one, the joint ones go. So a killed population
loses what came after its last checkpoint, and goes on bit for bit.

A member whose metrics are not finite stays as it was before, which is saved in its folder; the
others do not notice. Members are measured one after the other, at the end and wherever their
experiments ask for it on the way (``evaluation.every``): time for that is the measured member's
own. The time of training is shared by all members equally.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment, Run
from jaxgan.data import splits
from jaxgan.machine.interrupts import Interrupts, signal_of
from jaxgan.run import failure, field_types, lock, workdir
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.progress import Terminal
from jaxgan.training import grouping, interrupted, varied
from jaxgan.training.blocks import Blocks
from jaxgan.training.feed import most_steps_per_call, steps_per_call
from jaxgan.training.gathering import Begun, Together, document, start, trained
from jaxgan.training.interrupted import Interrupted
from jaxgan.training.membership import Members
from jaxgan.training.one_member import Ended, Member, ended, opened
from jaxgan.training.periods import periods_of
from jaxgan.training.population import compile_population, member
from jaxgan.training.preparation import prepared
from jaxgan.training.start import Position

__all__ = ["Ended", "Interrupted", "train"]


def train(
    experiments: Sequence[Experiment],
    runs: Sequence[Run],
    *,
    resume: bool = False,
    files: Sequence[str | None] = (),
) -> tuple[Ended, ...]:
    """Trains experiments in one program, or goes on with that; writes each to its own folder.

    Args:
        experiments: the members.
        runs: where each is written; how they are executed is the same for all. ``parallel`` plays
            no part: a population runs on one device.
        resume: go on with the runs in the folders; those that are not there yet are begun.
        files: the experiments' files, as for `jaxgan.training.loop.train`; none: not known.

    Returns:
        How each member has ended. One that has diverged is no error of the others.

    Raises:
        RunError: a folder holds a run already, or something else.
        Busy: another process writes one of them.
        ConfigError: the experiments cannot be members of one population, or a run to resume has
            another configuration.
        DataError: the data is missing, damaged, or does not fit the settings.
        CheckpointError: a checkpoint cannot be written, or none can be read.
        LogError: a log cannot be written.
        Interrupted: a signal came; what has been trained is saved.
    """
    folders = [Path(run.folder(one)) for one, run in zip(experiments, runs, strict=True)]
    paths = _checked(experiments, runs, folders)
    for one, folder in zip(experiments, folders, strict=True):
        if not resume:
            workdir.check_new(folder)
        elif (folder / workdir.CONFIG).exists():
            workdir.check_same(folder, one)
    home = home_of(folders)
    with contextlib.ExitStack() as stack:
        for folder in (home, *folders):
            stack.callback(_remove_empty, folder)
        notes = [stack.enter_context(lock.held(folder)) for folder in (home, *folders)]
        for index, (one, run, folder) in enumerate(zip(experiments, runs, folders, strict=True)):
            if not (folder / workdir.CONFIG).exists():
                file = files[index] if files else None
                workdir.create(folder, one, run, file=file, command=workdir.command_line())
        known = {place: end for place, folder in enumerate(folders) if (end := ended(folder))}
        if len(known) < len(folders):
            known = _write(experiments, runs, folders, paths, home, known, notes)
        shutil.rmtree(home, ignore_errors=True)
        return tuple(known[place] for place in range(len(folders)))


def home_of(folders: Sequence[Path]) -> Path:
    """Where the states of a population are while it trains, beside its first member's folder."""
    names = "\n".join(folder.name for folder in folders)
    return folders[0].parent / f"population-{hashlib.sha256(names.encode()).hexdigest()[:10]}"


def _remove_empty(folder: Path) -> None:
    """Nothing is left of a population that was refused before it had begun."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _checked(
    experiments: Sequence[Experiment], runs: Sequence[Run], folders: Sequence[Path]
) -> tuple[str, ...]:
    """Refuses what cannot be trained together; returns the numbers that differ."""
    if jax.process_count() > 1:
        raise ConfigError("a population is trained by one process, and here are several")
    if len(set(folders)) < len(folders):
        raise ConfigError("two members of a population have the same folder")
    if len({dataclasses.replace(run, workdir="") for run in runs}) > 1:
        raise ConfigError("the members of a population differ in how they are executed")
    for one in experiments:
        field_types.check(one)
    paths = grouping.check(experiments)
    # The others differ in nothing that it depends on.
    prepared(experiments[0], "none")
    return paths


def _write(
    experiments: Sequence[Experiment],
    runs: Sequence[Run],
    folders: Sequence[Path],
    paths: tuple[str, ...],
    home: Path,
    known: dict[int, Ended],
    notes: Sequence[str],
) -> dict[int, Ended]:
    """All that the one process that may does in the folders."""
    together = Together(
        tuple(experiments), tuple(runs), tuple(folders), home,
        compile_population(experiments[0], paths),
        jax.device_put(np.asarray([one.seed for one in experiments], np.uint32)),
        jax.device_put(varied.values_of(experiments, paths)),
    )  # fmt: skip
    with Interrupts() as interrupts, contextlib.ExitStack() as stack:
        terminal = (
            None
            if runs[0].quiet
            else stack.enter_context(contextlib.closing(Terminal(together.steps)))
        )
        members = Members(known, len(folders), terminal)
        for note in filter(None, notes):
            members.say(note)
        # Those of which each has been saved at its end need the others no more.
        if all(place in known or trained(together, place) for place in range(len(folders))):
            members.living.update(_opened(together, known, stack, together.steps))
        else:
            _train(together, members, stack, interrupts)
        shutil.rmtree(home / workdir.CHECKPOINTS, ignore_errors=True)
        done = f"{len(folders)} runs trained to the end and saved, but not all measured"
        if interrupts.received:
            raise interrupted.population(done, home.parent, interrupts.received)
        interrupts.release()
        try:
            for one in list(members.living.values()):
                members.end(one, one.finish())
        except KeyboardInterrupt as stop:
            raise interrupted.population(done, home.parent, signal_of(stop)) from None
        return known


def _opened(
    together: Together, known: Mapping[int, Ended], stack: contextlib.ExitStack, step: int
) -> dict[int, Member]:
    """Those that have not ended, from a step on."""
    every = zip(together.experiments, together.runs, together.folders, strict=True)
    return {
        place: opened(stack, place, one, run, folder, step)
        for place, (one, run, folder) in enumerate(every)
        if place not in known
    }


def _train(
    together: Together, members: Members, stack: contextlib.ExitStack, interrupts: Interrupts
) -> None:
    """All steps; each member is saved at its end."""
    keep = together.runs[0].keep
    with Checkpoints(together.home / workdir.CHECKPOINTS, keep=keep) as checkpoints:
        begun, skipped = start(together, checkpoints)
        members.spent[:] = begun.spent
        for place, why in begun.failed.items():
            if place not in members.known:
                failure.write(together.folders[place], why)
                members.known[place] = Ended(None, why)
        step = begun.position.step
        members.living.update(_opened(together, members.known, stack, step))
        paths = f"; they differ in {', '.join(together.values)}" if together.values else ""
        members.say(
            f"{together.home}: {len(together.folders)} runs of {together.steps:,} steps in one"
            f" program, from step {step:,}{paths}"
        )
        for note in skipped:
            members.say(note)
        states, position = _loop(together, members, begun, checkpoints, interrupts)
        checkpoints.wait()
        for one in members.living.values():
            one.save(member(states, one.index), members.share(one.index, position.seconds))


def _loop(
    together: Together,
    members: Members,
    begun: Begun,
    checkpoints: Checkpoints,
    interrupts: Interrupts,
) -> tuple[State, Position]:
    """Steps until the end, a signal, or until no member is left."""
    run, first = together.runs[0], together.experiments[0]
    arrays = jax.device_put(splits.in_memory(first.data, "train"))
    position = begun.position
    started = time.perf_counter() - position.seconds
    compiled, saved, held = None, time.perf_counter(), []
    most = most_steps_per_call(run, jax.default_backend())
    periods = periods_of(first, run)
    ends = [phase.until for phase in together.population.phases]

    own = (together.seeds, together.values, begun.died)
    with contextlib.closing(Blocks(begun.states, *own)) as blocks:
        while position.step < together.steps and members.living:
            phase = together.population.phase(position.step)
            if position.step == phase.start:
                # Not saved before it, as in the other loop.
                blocks.enter(phase)
            # Rates are counted from the first step on, with which it is compiled.
            here = 1 if phase is not compiled else most
            count = steps_per_call(position.step, most=here, periods=periods, ends=ends)
            metrics = blocks.steps(phase, arrays, count)
            step = position.step + count
            held += zip(range(position.step + 1, step + 1), metrics, strict=True)
            if phase is not compiled:
                jax.block_until_ready(metrics)
                members.begin(step)
                compiled = phase
            end, logged = step == together.steps, step % periods.log == 0
            signal, every = interrupts.received, periods.measure
            measured = every and (end or step % every == 0)
            late = run.checkpoint_seconds and time.perf_counter() - saved > run.checkpoint_seconds
            due = end or signal or step % periods.checkpoint == 0 or (logged and late)
            shown = periods.images and run.tensorboard and (end or step % periods.images == 0)
            position = position._replace(step=step)
            if not (logged or measured or due or shown):
                continue

            states = blocks.states
            if logged or measured or due:
                position = position._replace(seconds=time.perf_counter() - started)
                members.tell(held, blocks.died, states, position.seconds)
                held = []
            if shown:
                with members.paused():
                    for one in members.living.values():
                        one.show(states, step)
            failed: list[int] = []
            if measured:
                with members.paused():
                    failed += members.measure(states, step)
            if due:
                with members.paused():
                    failed += members.check(states, step)
            if failed:
                blocks.end(failed, step)
            if due:
                position = position._replace(seconds=time.perf_counter() - started)
                checkpoints.save(step, states, document(together, members, position, blocks.died))
                saved = time.perf_counter()
            if signal and not end:
                checkpoints.wait()
                done = f"{len(members.spent)} runs saved at step {step} of {together.steps}"
                raise interrupted.population(done, together.home.parent, signal)
        return blocks.states, position
