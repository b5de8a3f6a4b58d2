"""``jaxgan fit``: fits a sampler to a trained model's codes, and keeps it in the run's folder."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import tyro

from jaxgan.cli import reading, spelling
from jaxgan.config import config_errors
from jaxgan.machine import xla
from jaxgan.measurement import runs
from jaxgan.measurement.samplers import files, use
from jaxgan.measurement.samplers.kinds import SAMPLERS
from jaxgan.measurement.trained import Trained
from jaxgan.run.restore import digest
from jaxgan.run.trust import NOTHING, Trust


@dataclasses.dataclass(frozen=True)
class FitOptions:
    """Fit a sampler to the codes that a run's model gives to its training images.

    It is kept in the run's folder, in samplers/, and replaces one of the same name that is there;
    `jaxgan sample RUN --sampler NAME` and `jaxgan evaluate RUN --sampler NAME` draw by it. It
    belongs to one state: after more training it must be fitted again. Each sampler has settings of
    its own: `jaxgan fit RUN --sampler NAME --help-sampler` lists them.
    """

    run: tyro.conf.Positional[Path]
    """Folder of the run."""
    sampler: str = "gaussian_mixture"
    """gaussian_mixture (Ghosh et al. 2020) or two_stage (a second VAE, Dai and Wipf 2019)."""
    help_sampler: bool = False
    """List the settings of the sampler."""
    code: Annotated[Trust, tyro.conf.arg(name="")] = NOTHING


def fit(arguments: list[str]) -> None:
    """The command; prints where the sampler is.

    Raises:
        ConfigError: there is no such sampler or setting, or it cannot be fitted to the model.
        RunError: there is no such run, no checkpoint in it, or somebody else writes to it.
    """
    about = " ".join((FitOptions.__doc__ or "").split())
    options, rest = reading.read_known(FitOptions, arguments, "jaxgan fit", about)
    kind = kind_of(options.sampler)
    program = f"jaxgan fit RUN --sampler {kind.name}"
    with config_errors():
        settings = reading.read(kind, ["--help"] if options.help_sampler else rest, program)
    xla.set_flags([runs.experiment_of(options.run, options.code).precision])
    trained = runs.load(options.run, options.code)
    for note in trained.notes:
        print(note, file=sys.stderr)
    fitted = use.fit(trained, settings, lambda line: print(line, file=sys.stderr, flush=True))
    path = files.write(options.run, fitted)
    print(f"{kind.name} of step {fitted.step} is in {path}")


def kind_of(name: str) -> Any:
    """The class of a sampler.

    Raises:
        ConfigError: there is none of this name; says which there are.
    """
    return type(spelling.value_of("sampler", name, SAMPLERS))


def drawn_by(trained: Trained, folder: Path, name: str | None) -> Trained:
    """A run that draws by one of its samplers; None: as it is.

    Raises:
        ConfigError: there is no such sampler, or it does not go with the settings.
        RunError: it was not fitted, or to another state.
    """
    if name is None:
        return trained
    kind, own = kind_of(name), digest(trained.state)
    use.check(trained)
    return use.using(trained, files.read(folder, kind.name, digest=own, step=trained.step))
