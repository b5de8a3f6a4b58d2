"""``jaxgan resume``: goes on with a run that was stopped, or gives a run more steps."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jaxgan.cli import options
from jaxgan.machine import xla
from jaxgan.measurement import runs
from jaxgan.run import workdir
from jaxgan.run.trust import allowed
from jaxgan.training import loop

TRUST_HELP = """
A run that needs code which is not jaxgan's: --trust runs what it brings along, if that is
as it was at training; --file FILE reads another file in place of the experiment's."""


def resume(arguments: list[str]) -> None:
    """The command; a finished run is left as it is, unless it gets more ``--steps``.

    Raises:
        ConfigError: no run is named, or it has another configuration.
        RunError: there is no such run.
    """
    name, rest = options.split_target(arguments, "resume", "RUN", "a run's folder")
    folder = Path(name)
    # The other options follow from the experiment.
    trust, rest = allowed(rest)
    experiment = runs.experiment_of(folder, trust)
    # Unless told otherwise, on as many devices and with as many checkpoints as before; but the
    # folder may have been moved.
    before = dataclasses.replace(workdir.read_run(folder), workdir=name)
    try:
        parsed = options.parse(experiment, rest, program=f"jaxgan resume {name}", run=before)
    except SystemExit:  # after the help
        print(TRUST_HELP)
        raise
    extends = experiment if parsed.experiment.steps != experiment.steps else None
    if extends is None and workdir.read_result(folder) is not None:
        workdir.check_same(folder, parsed.experiment)
        print(f"{folder} is finished; its numbers are in {folder / workdir.RESULT}")
        return
    run = dataclasses.replace(parsed.run, workdir=name)
    xla.set_flags([parsed.experiment.precision])
    loop.train(parsed.experiment, run, resume=True, extends=extends)
