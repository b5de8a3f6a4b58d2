"""The folder of a study: `runs/`, the report, and nothing that somebody else has put there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from jaxgan.config import ConfigError, Experiment
from jaxgan.run import workdir
from jaxgan.study import finished

RUNS = "runs"
REAL, REAL_PICTURE = "real.json", "real.png"
"""What real images score, measured before the first run, and a picture of some."""
_FIRST, _LAST = "results.csv", "results.json"
"""Of the files of a report, those written before the page, in their order."""


def run_folder(folder: Path, experiment: Experiment) -> Path:
    """Where a study keeps the run of an experiment."""
    return folder / RUNS / f"{experiment.name}-seed{experiment.seed}"


def check(folder: Path, experiments: Iterable[Experiment]) -> None:
    """Refuses a folder in which a study would be lost, or would write over something; changes none.

    Args:
        folder: of the study.
        experiments: all that it trains, one for each seed.

    Raises:
        ConfigError: it holds something else than a study, or a run in it has another configuration.
        RunError: a run in it is damaged.
    """
    workdir.check_folder(folder)
    try:
        there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"cannot read {folder}: {error.strerror or error}") from error
    begun = RUNS in there and there <= {RUNS, REAL, REAL_PICTURE, _FIRST}
    if there and not begun and not {RUNS, _LAST} <= there:
        raise ConfigError(
            f"{folder} exists and is neither empty nor the folder of a comparison: choose another"
            " --workdir"
        )
    for experiment in experiments:
        run = run_folder(folder, experiment)
        if (run / workdir.CONFIG).exists():
            workdir.check_same(run, experiment)
            finished.read_one(run)
        elif run.exists() and (not run.is_dir() or any(run.iterdir())):
            raise ConfigError(f"{run} exists and is not the folder of a run: move it away")


def make(folder: Path) -> None:
    """Makes the folder, and finds out before any training whether a report can be written there.

    Raises:
        ConfigError: it cannot.
    """
    try:
        (folder / RUNS).mkdir(parents=True, exist_ok=True)
        for needed in (folder, folder / RUNS):
            with tempfile.TemporaryFile(dir=needed):
                pass
    except OSError as error:
        raise ConfigError(f"cannot write to {folder}: {error.strerror or error}") from error
