"""All that can be found out about an experiment before its first step."""

from __future__ import annotations

import dataclasses
import functools

from jaxgan.config import ConfigError, Experiment, Parallel, config_errors
from jaxgan.data import splits
from jaxgan.data.order import check_budget
from jaxgan.data.pipeline import Data
from jaxgan.measurement import rehearsal, sizes
from jaxgan.program import Program, compile_program
from jaxgan.run import field_types


def prepared(experiment: Experiment, mode: Parallel) -> Program:
    """The program of an experiment that can be trained, measured and shown; checked once a process.

    Raises:
        ConfigError: the settings do not go together.
        DataError: the data is missing, damaged, or does not fit the settings.
        ParallelError: the devices cannot share the batch.
    """
    field_types.check(experiment)
    if not isinstance(experiment.data, Data):
        raise ConfigError(f"data = {type(experiment.data).__name__}: must be a Data")
    # The seed decides none of it, and the seeds of a study need be checked once only.
    return _prepared(dataclasses.replace(experiment, seed=0), mode)


@functools.lru_cache(maxsize=16)
def _prepared(experiment: Experiment, mode: Parallel) -> Program:
    sizes.check_batches(experiment)
    splits.open_data(experiment.data)
    check_budget(experiment.steps, experiment.images_per_step)
    program = compile_program(experiment, mode)
    with config_errors():
        rehearsal.check(experiment, program)
    return program
