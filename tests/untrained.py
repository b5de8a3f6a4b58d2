"""Runs on disk that nobody trained, for tests of what reads them."""

from pathlib import Path

import jax

from jaxgan.config import Run
from jaxgan.program import compile_program, example_batch
from jaxgan.run import workdir
from jaxgan.run.checkpoint import Checkpoints

RESULT = {
    "name": "tiny",
    "seed": 0,
    "steps": 5,
    "digest": "abcd",
    "seconds": {"training": 75.0, "evaluation": 1.0},
    "metrics": {"kid[a]": 0.25, "fid[a]": 3.5, "elbo[b]": -80.0},
    "intervals": {"fid[a]": [3.0, 4.25]},
    "protocols": {"a": {"digest": "0123"}, "b": {"digest": "4567"}},
}
"""What a finished run might have reported."""


def write_run(folder, experiment, step=1, file=None):
    """A run whose one checkpoint holds the state before training, with eightfold averages."""
    folder = Path(folder)
    run = Run(workdir=str(folder))
    workdir.create(folder, experiment, run, file=file, command="jaxgan train untrained.py")
    program = compile_program(experiment, "none")
    state = jax.device_get(program.init(experiment.seed, example_batch(experiment)))
    state = state.replace(ema=jax.tree.map(lambda leaf: leaf * 8.0, state.ema))
    with Checkpoints(folder / workdir.CHECKPOINTS) as checkpoints:
        checkpoints.save(step, state, {"position": {"step": step}})
    return folder
