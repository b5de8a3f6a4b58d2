"""The loop: the only one there is, for every algorithm, data set and machine."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import jax

from jaxgan.algorithms import micro_batches
from jaxgan.algorithms.state import State
from jaxgan.config import Experiment, Run
from jaxgan.machine import parallel
from jaxgan.machine.interrupts import Interrupts, signal_of
from jaxgan.measurement import pictures
from jaxgan.program import Program, example_batch, on_one_device
from jaxgan.run import lock, workdir
from jaxgan.run.checkpoint import Best, Checkpoints
from jaxgan.run.config_json import to_json
from jaxgan.run.logs import Logger
from jaxgan.run.weights import Weights
from jaxgan.training import alarms, extension, initial
from jaxgan.training.feed import open_feed
from jaxgan.training.finish import finish, measure
from jaxgan.training.interrupted import Interrupted, while_measuring, while_training
from jaxgan.training.opening import opening
from jaxgan.training.periods import periods_of
from jaxgan.training.preparation import prepared
from jaxgan.training.rates import learning_rates
from jaxgan.training.recorder import Recorder
from jaxgan.training.start import Position, start

__all__ = ["Interrupted", "Position", "train"]


def train(
    experiment: Experiment,
    run: Run | None = None,
    *,
    resume: bool = False,
    extends: Experiment | None = None,
    file: str | None = None,
) -> dict[str, Any]:
    """Trains an experiment, or goes on with a run of it, and writes everything to its folder.

    Args:
        experiment: what to train.
        run: where and how.
        resume: go on with the run in the folder (from the start, if it has no checkpoint yet).
        extends: the experiment of the run to resume, where that has other steps so far.
        file: the experiment's file, written down so that `resume` finds classes defined there.

    Returns:
        The document of ``result.json``: metrics, digest of the final state, times.

    Raises:
        RunError: the folder holds a run already, or none when resuming, or is being written; or
            there is no run to start from, or that has changed since.
        ConfigError: the run to resume has another configuration, or the settings do not go
            together.
        DataError: the data is missing, damaged, or does not fit the settings.
        ParallelError: the devices cannot share the batch.
        NonFiniteError: a loss became NaN or infinite.
        CheckpointError: a checkpoint cannot be written, or none can be read.
        LogError: a log cannot be written.
        Interrupted: SIGINT, SIGTERM or SIGUSR1 came; a checkpoint has been saved.
    """
    run = run or Run()
    folder = Path(run.folder(experiment))
    if resume:
        so_far = experiment if extends is None else extends
        workdir.check_same(folder, dataclasses.replace(experiment, steps=so_far.steps))
    program = prepared(experiment, run.parallel)
    weights = None if resume else initial.asked_for(experiment, program)
    if not resume:
        parallel.on_main_process(lambda: workdir.check_new(folder))
    said: list[str] = []

    def written() -> None:
        if not resume:
            command = workdir.command_line()
            more = {} if weights is None else {"init_from": initial.record(experiment, weights)}
            workdir.create(folder, experiment, run, file=file, command=command, **more)
        if extends is not None:
            said.append(extension.extend(folder, extends, experiment))

    with lock.held(folder) as note:
        # Whoever held the lock until now may have finished it.
        if resume and extends is None and (result := workdir.read_result(folder)) is not None:
            return result
        parallel.on_main_process(written)
        return _write(experiment, run, folder, program, resume, weights, (note, *said))


def _write(
    experiment: Experiment,
    run: Run,
    folder: Path,
    program: Program,
    resume: bool,
    weights: Weights | None,
    said: tuple[str, ...],
) -> dict[str, Any]:
    """All that the one process that may does in a run's folder."""
    metric = experiment.early_stopping.metric
    best = Best(metric, experiment.early_stopping.mode) if metric else None
    with (
        Interrupts() as interrupts,
        Checkpoints(folder / workdir.CHECKPOINTS, keep=run.keep, best=best) as checkpoints,
    ):
        state, position, notes = start(experiment, program, checkpoints, folder, weights)
        logger = Logger(
            folder,
            total_steps=experiment.steps,
            resume_step=position.step if resume else None,
            enabled=parallel.is_main_process(),
            quiet=run.quiet,
            tensorboard=run.tensorboard,
            config=json.dumps(to_json(experiment), indent=2),
        )
        with logger:
            logger.message(opening(folder, experiment, program, state))
            for note in filter(None, (*said, *notes)):
                logger.message(note)
            more = micro_batches.warnings(experiment, state)
            for warning in (*experiment.model.warnings(), *more):
                logger.message(f"warning: {warning}")
            if resume:
                logger.message(f"going on with {folder} from step {position.step}")
            state, position = _loop(
                experiment, run, folder, program, state, position, checkpoints, logger, interrupts
            )
            checkpoints.wait()
            if position.stopped:
                logger.message(f"stopped early at step {position.step}: {position.why(metric)}")
            if position.best_step not in (0, position.step):
                like = jax.eval_shape(program.init, 0, example_batch(experiment))
                state = program.plan.replicate(checkpoints.at(position.best_step, like))
            # What has been trained is saved. Measuring may take as long, and can be done again.
            if signal := parallel.agreed_signal(interrupts.received, ask=True):
                raise while_measuring(folder, signal)
            interrupts.release()
            try:
                return finish(experiment, program, state, position, folder, logger)
            except KeyboardInterrupt as stop:
                raise while_measuring(folder, signal_of(stop)) from None


def _loop(
    experiment: Experiment,
    run: Run,
    folder: Path,
    program: Program,
    state: State,
    position: Position,
    checkpoints: Checkpoints,
    logger: Logger,
    interrupts: Interrupts,
) -> tuple[State, Position]:
    """Steps until the end, a signal, or early stopping."""
    feed = open_feed(experiment, run, program, position.data)
    recorder = Recorder(
        logger, experiment.images_per_step, checkpoints, learning_rates(experiment),
        alarms.so_far(folder),
    )  # fmt: skip
    periods = periods_of(experiment, run)
    stopping, started = experiment.early_stopping, time.perf_counter() - position.seconds
    compiled, saved = None, time.perf_counter()

    try:
        while position.step < experiment.steps and not position.stopped:
            phase = program.phase(position.step)
            if phase.enter is not None and position.step == phase.start:
                # Not saved before it: who resumes here enters once more, from the same state.
                state = phase.enter(state)
            state, metrics, count = feed.step(state, position.step)
            step = position.step + count
            position = position._replace(step=step)
            recorder.add(step, metrics, count)
            if phase is not compiled:
                # What comes from here on is time of steps, and not of a compiler.
                jax.block_until_ready(metrics)
                recorder.pace.begin(step)
                compiled = phase
            end, logged = step == experiment.steps, step % periods.log == 0
            signal = parallel.agreed_signal(interrupts.received, ask=logged)
            validation: dict[str, float] = {}

            if logged:
                recorder.log()
            if periods.images and (end or step % periods.images == 0):
                jax.block_until_ready(state)
                with recorder.pace.paused():
                    picture = pictures.sample_picture(program, on_one_device(state), experiment)
                    if picture is not None:
                        logger.image(step, "samples", picture)
            if periods.measure and (end or step % periods.measure == 0):
                recorder.flush()
                with recorder.pace.paused():
                    validation = measure(experiment, program, state, recorder, step, logger)
                if stopping.metric:
                    position = position.judged(validation[stopping.metric], stopping)
            improved = bool(validation) and bool(stopping.metric) and position.bad == 0
            due = step % periods.checkpoint == 0
            if logged and run.checkpoint_seconds:
                # On a line of the log, so that a resumption's lines are of the same steps.
                late = time.perf_counter() - saved > run.checkpoint_seconds
                due |= bool(parallel.largest(int(late)))
            if end or signal or improved or position.stopped or due:
                recorder.flush()  # Nothing that has diverged may be saved.
                with recorder.pace.paused():
                    recorder.check(step, state)
                    position = position._replace(
                        seconds=time.perf_counter() - started, data=feed.position()
                    )
                    document = {"position": position._asdict(), "experiment": to_json(experiment)}
                    # Only a checkpoint that beats all before it may displace the best one.
                    checkpoints.save(step, state, document, validation if improved else None)
                    saved = time.perf_counter()
            if signal and not end and not position.stopped:
                checkpoints.wait()
                raise while_training(position.step, experiment.steps, folder, signal)
    finally:
        feed.close()
    return state, position
