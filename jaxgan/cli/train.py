"""``jaxgan train``: trains the experiment that a Python file defines."""

from __future__ import annotations

from jaxgan.cli import options
from jaxgan.machine import xla
from jaxgan.run import experiment_file
from jaxgan.training import loop


def train(arguments: list[str]) -> None:
    """The command.

    Raises:
        ConfigError: no file is named, or the experiment cannot work.
    """
    file, rest = options.split_target(arguments, "train", "FILE", "an experiment's Python file")
    experiment = experiment_file.load_experiment(file)
    parsed = options.parse(experiment, rest, program=f"jaxgan train {file}")
    xla.set_flags([parsed.experiment.precision])
    loop.train(parsed.experiment, parsed.run, resume=parsed.resume, file=file)
