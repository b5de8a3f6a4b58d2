"""What is kept of a generator in a snapshot: all that its images depend on."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest
from laws import CASES

import jaxgan
from jaxgan.cli.snapshot import snapshot
from jaxgan.config import Evaluation, Run
from jaxgan.program import compile_program, example_batch
from jaxgan.run import workdir
from jaxgan.run.checkpoint import Checkpoints

# Spectral norms and batch statistics; a decoder with a codebook, whose codes another network draws;
# one that is trained by a game. Growth and styles: tests/training/test_long_runs.py.
KINDS = ("Gan-large", "VqVae", "VaeGan")


def written(folder: Path, kind: str) -> Path:
    """A run whose state has noise in every number, another one in averages than in weights."""
    evaluation = Evaluation(batch_size=6, batch_norm="running")
    experiment = dataclasses.replace(CASES[kind].experiment, evaluation=evaluation)
    run = Run(workdir=str(folder))
    workdir.create(folder, experiment, run, file=None, command="jaxgan train untrained.py")
    program = compile_program(experiment, "none")
    state = jax.device_get(program.init(experiment.seed, example_batch(experiment)))
    draws = np.random.default_rng(0)

    def noisy(leaf):
        if not np.issubdtype(leaf.dtype, np.floating):
            return leaf
        return np.asarray(leaf + 0.1 * draws.uniform(size=leaf.shape), leaf.dtype)

    with Checkpoints(folder / workdir.CHECKPOINTS) as checkpoints:
        checkpoints.save(1, jax.tree.map(noisy, state), {"position": {"step": 1}})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_draws_the_images_of_its_run_to_the_bit(tmp_path, kind):
    folder = written(tmp_path / "run", kind)
    snapshot([str(folder), "--out", str(tmp_path / "x.safetensors")])
    run, file = jaxgan.load(folder), jaxgan.load(tmp_path / "x.safetensors")
    images = run.sample(6, seed=3)
    np.testing.assert_array_equal(file.sample(6, seed=3), images)
    assert images.std() > 1
    algorithm = run.trained.program.algorithm
    for sheet in algorithm.generation.sheets(jax.random.key(0)).values():
        of_run, of_file = (
            np.asarray(one.trained.program.generate(one.trained.state, sheet.latents))
            for one in (run, file)
        )
        np.testing.assert_array_equal(of_file, of_run)
