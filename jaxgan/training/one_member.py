"""One member of a population: a run with a folder of its own, like that of any other."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan.algorithms.state import State
from jaxgan.config import Experiment, Run
from jaxgan.measurement import pictures
from jaxgan.program import Program, compile_program, example_batch
from jaxgan.run import failure, restore, workdir
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.config_json import to_json
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.logs import Logger
from jaxgan.training import alarms
from jaxgan.training.finish import finish, measure
from jaxgan.training.population import member
from jaxgan.training.rates import learning_rates
from jaxgan.training.recorder import Recorder
from jaxgan.training.start import Position


class Ended(NamedTuple):
    """How a member has ended.

    Attributes:
        result: the document of its ``result.json``; None: it has failed.
        failed: why, on one line, as in its ``failed.json``; empty: it has not.
    """

    result: dict[str, Any] | None
    failed: str = ""


def ended(folder: Path) -> Ended | None:
    """How a run has ended that may have been a member; None: it has not.

    Raises:
        RunError: its result cannot be read.
    """
    if (result := workdir.read_result(folder)) is not None:
        return Ended(result)
    why = failure.read(folder)
    return None if why is None else Ended(None, why)


@dataclasses.dataclass
class Member:
    """A member that has not ended yet.

    Attributes:
        index: its place among all members.
        experiment: what it trains.
        folder: where.
        program: of the experiment alone, which measures and shows it.
        checkpoints: in the folder; the only one is of its end.
        logger: to the folder; prints nothing.
        recorder: of its own metrics.
    """

    index: int
    experiment: Experiment
    folder: Path
    program: Program
    checkpoints: Checkpoints
    logger: Logger
    recorder: Recorder

    def state(self, states: State) -> State:
        """Its own part of the states of all, on the device."""
        return jax.device_put(member(states, self.index))

    def save(self, own: State, seconds: float) -> None:
        """Writes a checkpoint of its own state, unless there is one, and waits for it.

        Args:
            own: NumPy arrays.
            seconds: its share of the time spent in training.

        Raises:
            CheckpointError: it cannot be written.
        """
        step = int(own.step)
        if step not in self.checkpoints.steps():
            position = Position(step=step, seconds=seconds)._asdict()
            document = {"position": position, "experiment": to_json(self.experiment)}
            self.checkpoints.save(step, own, document)
            self.checkpoints.wait()

    def fail(self, why: str) -> Ended:
        """Says in the folder that it has diverged."""
        failure.write(self.folder, why)
        return Ended(None, why)

    def last_finite(self, states: State, died: int, seconds: float) -> None:
        """Saves the state that it has kept since its metrics were not finite.

        Args:
            states: of all members.
            died: the step of these metrics.
            seconds: as in `save`.
        """
        own = member(states, self.index)
        own = own.replace(step=np.asarray(died - 1, own.step.dtype))
        # An update may have spoiled it before any metric saw that.
        with contextlib.suppress(NonFiniteError):
            self.recorder.check(died - 1, own)
            if died > 1:
                self.save(own, seconds)

    def measure(self, states: State, step: int) -> None:
        """Logs what is measured on the way.

        Raises:
            NonFiniteError: samples or a metric are not finite.
        """
        self.recorder.flush()
        measure(self.experiment, self.program, self.state(states), self.recorder, step, self.logger)

    def show(self, states: State, step: int) -> None:
        """Logs a picture of samples."""
        own = self.state(states)
        picture = pictures.sample_picture(self.program, own, self.experiment)
        if picture is not None:
            self.logger.image(step, "samples", picture)

    def finish(self) -> Ended:
        """Measures the state in its last checkpoint, and writes the result.

        Raises:
            CheckpointError: it cannot be read.
        """
        like = jax.eval_shape(self.program.init, 0, example_batch(self.experiment))
        where, last = self.folder / workdir.CHECKPOINTS, self.experiment.steps
        own, document = restore.at(where, last, like, to_json(self.experiment))
        position = Position(**document["position"])
        state = self.program.plan.replicate(own)
        try:
            return Ended(
                finish(self.experiment, self.program, state, position, self.folder, self.logger)
            )
        except NonFiniteError as error:
            return self.fail(str(error))


def opened(
    stack: contextlib.ExitStack,
    index: int,
    experiment: Experiment,
    run: Run,
    folder: Path,
    resume_step: int,
) -> Member:
    """A member whose folder is there, from a step on; what was logged later is dropped.

    Args:
        stack: closes its log and its checkpoints.
        index: see `Member`, as are ``experiment`` and ``folder``.
        experiment: to be trained.
        run: how.
        folder: of the run.
        resume_step: steps done.

    Raises:
        LogError: the log cannot be written, or is damaged.
        CheckpointError: the folder of checkpoints cannot be written.
    """
    checkpoints = stack.enter_context(Checkpoints(folder / workdir.CHECKPOINTS, keep=run.keep))
    logger = stack.enter_context(
        Logger(
            folder,
            total_steps=experiment.steps,
            resume_step=resume_step,
            quiet=True,
            tensorboard=run.tensorboard,
            config=json.dumps(to_json(experiment), indent=2),
        )
    )
    recorder = Recorder(
        logger, experiment.images_per_step, checkpoints, learning_rates(experiment),
        alarms.so_far(folder),
    )  # fmt: skip
    program = compile_program(experiment, "none")
    return Member(index, experiment, folder, program, checkpoints, logger, recorder)
