"""What is saved is all there is: of runs that grow, or steer and average something.

They go on bit for bit, and their generators draw the same from a file. Each run is made once in one
piece, with a checkpoint at every step. Copies of its folder lose what came after one of them, and
are resumed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxgan
from jaxgan.algorithms.progan import ProGan
from jaxgan.algorithms.ramped_ema import RampedEma
from jaxgan.algorithms.stylegan2 import StyleGan2
from jaxgan.cli.snapshot import snapshot
from jaxgan.config import Evaluation, Experiment, Run
from jaxgan.data.pipeline import Data
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator
from jaxgan.networks.stylegan2 import StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import StyleGan2Discriminator
from jaxgan.objectives.gan.ada import Ada
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.gan.path_length import PathLength
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Normal
from jaxgan.program import compile_program, example_batch
from jaxgan.run import restore, workdir
from jaxgan.run.logs import read_jsonl
from jaxgan.training import loop

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BATCH = 4
FEW = Evaluation(samples=20, batch_size=20, backbone="pixels", metrics=("kid",))
# One level until step 4, the next fades in until step 7.
GROWING = Experiment(
    "growing",
    ProGan(
        ProganGenerator(width_base=8, width=4), ProganDiscriminator(width_base=8, width=4),
        prior=Normal(3), steady_kimg=0.012, fade_kimg=0.016,
    ),
    Data(), steps=9, batch_size=BATCH, evaluation=FEW,
)  # fmt: skip
# Three updates raise p by 0.12, whatever the logits are, for no mean of signs is below -1.
STEERED = Experiment(
    "steered",
    StyleGan2(
        StyleGan2Generator(width=4, units=4, mapping_layers=1, average_decay=0.5),
        StyleGan2Discriminator(width=4),
        prior=Normal(3),
        penalties=(R1(weight=0.1, every=3),),
        path_lengths=(PathLength(shrink=1, decay=0.1, every=2),),
        augmentations=(Ada(AdaPipe(color=1.0), target=-1.5, kimg=0.1, interval=3),),
        mixing=0.5,
        ema=RampedEma(decay=0.9, ramp=0.5),
    ),
    Data(), steps=8, batch_size=BATCH, evaluation=FEW,
)  # fmt: skip


def settings(folder):
    return Run(
        str(folder), checkpoint_every=1, keep=20, log_every=1, images_every=0, parallel="none",
        tensorboard=False, quiet=True,
    )  # fmt: skip


def in_one_piece(factory, experiment):
    folder = factory.mktemp(experiment.name) / "whole"
    return folder, loop.train(experiment, settings(folder))


@pytest.fixture(scope="module")
def growing(tmp_path_factory):
    return in_one_piece(tmp_path_factory, GROWING)


@pytest.fixture(scope="module")
def steered(tmp_path_factory):
    return in_one_piece(tmp_path_factory, STEERED)


def cut(whole, folder, step):
    """A copy as it was when this step had been saved, and the process was gone."""
    shutil.copytree(whole, folder)
    (folder / "result.json").unlink()
    for later in restore.steps_in(folder / "checkpoints"):
        if later > step:
            shutil.rmtree(folder / "checkpoints" / str(later))
    assert max(restore.steps_in(folder / "checkpoints")) == step


def saved(folder, experiment, step):
    like = jax.eval_shape(compile_program(experiment, "none").init, 0, example_batch(experiment))
    return restore.at(folder / "checkpoints", step, like)[0]


def resumed(folder, experiment):
    return loop.train(experiment, settings(folder), resume=True)


def resumed_by_another_process(folder):
    """As people do it; programs are compiled as in tests, and only once."""
    done = subprocess.run(
        [sys.executable, "-m", "jaxgan", "resume", str(folder)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
            "JAX_COMPILATION_CACHE_DIR": os.environ["JAXGAN_TESTS_PROGRAMS"],
        },
        capture_output=True, text=True, timeout=850, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return workdir.read_result(folder)


def logged(folder):
    left_out = {"time", "steps_per_second"}
    records = read_jsonl(folder / "metrics.jsonl")
    return [{k: v for k, v in one.items() if k not in left_out} for one in records]


def assert_same(folder, result, whole, expected):
    assert result["digest"] == expected["digest"]
    assert result["metrics"] == expected["metrics"]
    assert logged(folder) == logged(whole)


@pytest.mark.parametrize("step", [3, 4, 5, 7])
def test_growth_goes_on_before_on_and_behind_a_boundary(growing, tmp_path, step):
    whole, expected = growing
    levels = {3: 0.0, 4: 0.0, 5: 0.25, 7: 0.75}
    state = saved(whole, GROWING, step)
    found = state.players["generator"].model_state["growth"]["levels"]
    np.testing.assert_allclose(found, levels[step], atol=1e-6)
    cut(whole, tmp_path / "run", step)
    assert_same(tmp_path / "run", resumed(tmp_path / "run", GROWING), whole, expected)


def test_growth_goes_on_in_another_process(growing, tmp_path):
    whole, expected = growing
    cut(whole, tmp_path / "run", 4)
    assert_same(tmp_path / "run", resumed_by_another_process(tmp_path / "run"), whole, expected)


def test_what_is_steered_and_averaged_goes_on_in_another_process(steered, tmp_path):
    """Two updates after p has moved: the counters of the next move are in the state as well."""
    whole, expected = steered
    state = saved(whole, STEERED, 5)
    (ada,), (length,) = state.extras["augmentations"], state.extras["path_lengths"]
    np.testing.assert_allclose(ada["p"], 0.12, rtol=1e-5)
    assert all(np.any(leaf) for leaf in jax.tree.leaves(ada)), ada
    assert all(np.any(leaf) for leaf in jax.tree.leaves(length)), length
    for variables in (state.players["generator"].model_state, state.ema["generator"]):
        assert np.all(variables["average"]["w"])
    cut(whole, tmp_path / "run", 5)
    assert_same(tmp_path / "run", resumed_by_another_process(tmp_path / "run"), whole, expected)
    # What is compared would show it if any of them were lost.
    last = saved(whole, STEERED, 8)
    np.testing.assert_allclose(last.extras["augmentations"][0]["p"], 0.24, rtol=1e-5)


@pytest.mark.parametrize("lost", ["augmentations", "path_lengths", "average"])
def test_a_run_that_lost_a_part_of_it_would_end_elsewhere(steered, tmp_path, lost, monkeypatch):
    whole, expected = steered
    cut(whole, tmp_path / "run", 5)
    read = restore.read

    def forgetful(*arguments, **options):
        state, document = read(*arguments, **options)
        if lost == "average":
            generator = state.players["generator"]
            kept = {**generator.model_state, "average": zeros(generator.model_state["average"])}
            players = {**state.players, "generator": generator.replace(model_state=kept)}
            return state.replace(players=players), document
        return state.replace(extras={**state.extras, lost: zeros(state.extras[lost])}), document

    monkeypatch.setattr(restore, "read", forgetful)
    assert resumed(tmp_path / "run", STEERED)["digest"] != expected["digest"]


@pytest.mark.parametrize(("name", "step"), [("growing", 5), ("growing", 9), ("steered", 8)])
def test_a_generator_in_a_file_draws_the_images_of_its_run(request, tmp_path, name, step):
    """In a fade and in its full size; with the mean of w, noise maps and sheets of mixed styles."""
    cut(request.getfixturevalue(name)[0], tmp_path / "run", step)
    out = tmp_path / "x.safetensors"
    snapshot([str(tmp_path / "run"), "--out", str(out)])
    run, file = jaxgan.load(tmp_path / "run"), jaxgan.load(out)
    assert file.step == step
    for truncation in (1.0, 0.5):
        images = run.sample(20, seed=3, truncation=truncation)
        np.testing.assert_array_equal(file.sample(20, seed=3, truncation=truncation), images)
        assert images.std() > 1
    sheets = run.trained.program.algorithm.generation.sheets(jax.random.key(0))
    assert (name == "steered") == any("mix" in sheet for sheet in sheets)
    for sheet in sheets.values():
        of_run, of_file = (
            np.asarray(one.trained.program.generate(one.trained.state, sheet.latents))
            for one in (run, file)
        )
        np.testing.assert_array_equal(of_file, of_run)


def zeros(tree):
    return jax.tree.map(np.zeros_like, tree)
