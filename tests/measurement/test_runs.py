"""Runs on disk: resumed experiments, samples and measurements of the newest checkpoint."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan import rng
from jaxgan.config import ConfigError, Run
from jaxgan.measurement import drawing, runs
from jaxgan.program import example_batch
from jaxgan.run import experiment_file, workdir
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.restore import CheckpointError, digest
from jaxgan.run.trust import Trust, TrustError
from jaxgan.run.workdir import RunError
from jaxgan.training import loop

FILE = '''
import dataclasses
import tiny
from jaxgan.objectives.vae.bounds import Beta

@dataclasses.dataclass(frozen=True)
class Fixed(Beta):
    """A weight with another name."""

experiment = tiny.vae()
experiment = dataclasses.replace(
    experiment, model=dataclasses.replace(experiment.model, beta=Fixed(value=2.0))
)
'''


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A VAE of six steps with two checkpoints, and its result."""
    folder = tmp_path_factory.mktemp("runs") / "vae"
    run = Run(
        workdir=str(folder), checkpoint_every=4, parallel="none", quiet=True, tensorboard=False
    )
    return folder, loop.train(tiny.vae(), run)


@pytest.fixture
def copied(finished, tmp_path):
    """The same, to be damaged."""
    return shutil.copytree(finished[0], tmp_path / "run")


def test_the_newest_checkpoint_is_loaded(finished):
    folder, result = finished
    trained = runs.load(folder)
    assert trained.experiment == tiny.vae()
    assert trained.step == 6
    assert int(trained.state.step) == 6
    assert trained.notes == ()
    assert digest(trained.state) == result["digest"]
    for leaf in jax.tree.leaves(trained.state):
        assert leaf.devices() == {jax.devices()[0]}


def test_measuring_again_gives_the_numbers_of_the_run(finished):
    folder, result = finished
    document = runs.evaluate(runs.load(folder))
    again = {key: result[key] for key in ("metrics", "intervals", "protocols", "warnings")}
    assert document == {"name": "tiny", "step": 6, **again}
    assert workdir.read_result(folder)["metrics"] == result["metrics"]


def test_samples_depend_on_the_seed_and_not_on_how_many_there_are(finished):
    trained = runs.load(finished[0])
    few, many, other = (drawing.sample(trained, n, seed) for n, seed in ((5, 0), (501, 0), (5, 1)))
    assert few.shape == (5, 8, 8, 1)
    assert many.shape == (501, 8, 8, 1)
    assert few.dtype == np.uint8
    np.testing.assert_array_equal(few, many[:5])
    assert np.abs(few.astype(int) - other).max() > 10
    assert len(np.unique(many.reshape(501, -1), axis=0)) > 490


def test_samples_are_decoded_latents_under_averaged_weights(finished):
    trained = runs.load(finished[0])
    key = rng.role_key(rng.base_key(3), "samples")
    latents = np.stack(
        [np.asarray(jax.random.normal(jax.random.fold_in(key, i), (4,))) for i in range(7)]
    )
    params = trained.state.ema["autoencoder"]["params"]["decoder"]
    logits = trained.experiment.model.decoder.apply(
        {"params": params}, jnp.asarray(latents), image_shape=(8, 8, 1), train=False
    )
    expected = 255.0 / (1.0 + np.exp(-np.asarray(logits, np.float64)))
    assert np.abs(drawing.sample(trained, 7, 3) - expected).max() <= 0.5 + 1e-3


def test_a_damaged_newest_checkpoint_gives_way(copied):
    shutil.rmtree(copied / "checkpoints" / "6" / "state")
    trained = runs.load(copied)
    assert trained.step == 4
    assert len(trained.notes) == 1
    assert trained.notes[0].startswith("checkpoint 6 cannot be read (")


def test_if_none_can_be_read_the_error_says_so(copied):
    for step in (4, 6):
        shutil.rmtree(copied / "checkpoints" / str(step) / "state")
    with pytest.raises(CheckpointError, match=r"^no checkpoint in .*/checkpoints can be read: "):
        runs.load(copied)


@pytest.mark.parametrize("empty", [True, False])
def test_a_run_without_a_checkpoint(tmp_path, empty):
    workdir.create(tmp_path / "run", tiny.vae(), Run(), file=None, command="")
    if empty:
        (tmp_path / "run" / "checkpoints").mkdir()
    with pytest.raises(RunError) as raised:
        runs.load(tmp_path / "run")
    assert str(raised.value) == (
        f"{tmp_path}/run has no checkpoint yet: `jaxgan resume {tmp_path}/run`"
    )


def test_no_run(tmp_path):
    with pytest.raises(RunError, match=r"holds no run: there is no .*/config.json"):
        runs.load(tmp_path)


def test_classes_of_the_file_are_found_again(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(FILE)
    experiment = experiment_file.load_experiment(file)
    workdir.create(tmp_path / "run", experiment, Run(), file=str(file), command="")
    assert runs.experiment_of(tmp_path / "run", Trust(trust=True)) == experiment
    found = runs.experiment_of(tmp_path / "run", Trust(file=file))
    assert type(found.model.beta).__name__ == "Fixed"

    file.rename(tmp_path / "moved.py")
    sys.modules.pop(type(experiment.model.beta).__module__)
    with pytest.raises(TrustError, match=r"trained with other code: .*own.py \(missing\)"):
        runs.experiment_of(tmp_path / "run", Trust(trust=True))
    with pytest.raises(ConfigError, match=r"own.py is no Python file"):
        runs.experiment_of(tmp_path / "run", Trust(file=file))
    moved = runs.experiment_of(tmp_path / "run", Trust(file=tmp_path / "moved.py"))
    assert type(moved.model.beta).__name__ == "Fixed"


def test_a_file_that_is_not_needed_need_not_be_there(tmp_path):
    workdir.create(tmp_path / "run", tiny.gan(), Run(), file="gone.py", command="")
    assert runs.experiment_of(tmp_path / "run") == tiny.gan()


@pytest.mark.parametrize(
    ("path", "value", "error", "message"),
    [
        (
            ("model", "beta"),
            {"type": "jaxgan.objectives.vae.bounds:Gamma"},
            ConfigError,
            "the configuration names jaxgan.objectives.vae.bounds:Gamma, which cannot be found",
        ),
        (("steps",), 0, ConfigError, "steps = 0: must be at least 1"),
        (
            ("model", "optimizer", "learning_rate"),
            -1.0,
            ConfigError,
            "learning_rate = -1.0: must be at least 0 and finite",
        ),
        (
            ("model", "optimizer", "learning_rate"),
            "fast",
            ConfigError,
            "the configuration of jaxgan.optim:Sgd cannot be used: learning_rate = 'fast': must be"
            " a number",
        ),
        (
            ("model",),
            [1, 2],
            ConfigError,
            "the configuration of jaxgan.config:Experiment cannot be used: model = (1, 2): must be"
            " a Model",
        ),
        (("data",), None, RunError, "FOLDER/config.json is damaged: its data are no data set"),
        (
            ("data", "source"),
            "digits",
            RunError,
            "FOLDER/config.json is damaged: its data are no data set",
        ),
        (
            ("model", "beta", "type"),
            ".foo:Bar",
            ConfigError,
            "the configuration names .foo:Bar, which cannot be found",
        ),
        (
            ("model", "beta", "type"),
            "jaxgan.__main__:Bar",
            ConfigError,
            "the configuration names jaxgan.__main__:Bar, which cannot be found",
        ),
        (
            ("type",),
            "jaxgan.config:Nothing",
            ConfigError,
            "the configuration names jaxgan.config:Nothing, which cannot be found",
        ),
    ],
)
def test_a_configuration_that_was_tampered_with(copied, path, value, error, message):
    document = json.loads((copied / "config.json").read_text())
    part = document["experiment"]
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    (copied / "config.json").write_text(json.dumps(document))
    with pytest.raises(error) as raised:
        runs.experiment_of(copied)
    assert str(raised.value) == message.replace("FOLDER", str(copied))


def test_a_configuration_that_is_too_deep(copied):
    for deep in ("[" * 60 + "]" * 60, "[" * 100_000 + "]" * 100_000):
        text = f'{{"experiment": {{"type": "jaxgan.config:Experiment", "name": {deep}}}}}'
        (copied / "config.json").write_text(text)
        with pytest.raises((ConfigError, RunError)) as raised:
            runs.experiment_of(copied)
        assert "\n" not in str(raised.value)


def test_a_configuration_whose_parts_do_not_go_together(copied):
    document = json.loads((copied / "config.json").read_text())
    document["experiment"]["model"] = {"type": "jaxgan.config:Model"}
    (copied / "config.json").write_text(json.dumps(document))
    with pytest.raises(RunError, match=r"config.json does not work: .*Model does not define build"):
        runs.load(copied)


def entries(folder):
    return {p: p.stat().st_mtime_ns for p in sorted(folder.rglob("*")) if p.is_file()}


def test_reading_changes_nothing(copied):
    """Not even where a checkpoint is damaged, or another process is in the middle of a save."""
    shutil.rmtree(copied / "checkpoints" / "6" / "state")
    saving = copied / "checkpoints" / "8.orbax-checkpoint-tmp-1"
    shutil.copytree(copied / "checkpoints" / "4", saving)
    before = entries(copied)
    trained = runs.load(copied)
    assert trained.step == 4
    drawing.sample(trained, 3, 0)
    assert entries(copied) == before


@pytest.mark.parametrize("how", ["another seed", "another step"])
def test_a_foreign_checkpoint_is_not_taken(finished, copied, tmp_path, how):
    if how == "another seed":
        run = Run(workdir=str(tmp_path / "b"), parallel="none", quiet=True, tensorboard=False)
        loop.train(tiny.vae(seed=1), run)
        shutil.rmtree(copied / "checkpoints" / "6")
        shutil.copytree(tmp_path / "b" / "checkpoints" / "6", copied / "checkpoints" / "6")
        reason = "it is of another run: seed: 1 -> 0"
    else:
        (copied / "checkpoints" / "6").rename(copied / "checkpoints" / "7")
        reason = "it is of step 6"
    step = 6 if how == "another seed" else 7
    trained = runs.load(copied)
    assert trained.step == 4
    assert trained.notes == (f"checkpoint {step} cannot be read ({reason})",)
    # Whoever goes on takes the one before as well, and ends where it would have ended.
    (copied / "result.json").unlink()
    run = Run(workdir=str(copied), parallel="none", quiet=True, tensorboard=False)
    assert loop.train(tiny.vae(), run, resume=True)["digest"] == finished[1]["digest"]
    assert (copied / "damaged" / str(step)).is_dir()


def test_a_state_of_another_shape_is_no_match(copied):
    experiment = tiny.vae()
    wide = dataclasses.replace(
        experiment, model=dataclasses.replace(experiment.model, latent_size=5)
    )
    (copied / "config.json").unlink()
    checkpoints = copied / "checkpoints"
    checkpoints.rename(copied.parent / "kept")
    copied.rename(copied.parent / "old")
    workdir.create(copied, wide, Run(), file=None, command="")
    (copied.parent / "kept").rename(checkpoints)
    with pytest.raises(CheckpointError, match=r"^no checkpoint in .* can be read"):
        runs.load(copied)


def test_a_checkpoint_can_be_read_without_the_loop(finished):
    program = runs.load(finished[0]).program
    like = jax.eval_shape(program.init, 0, example_batch(tiny.vae()))
    with Checkpoints(Path(finished[0]) / "checkpoints") as checkpoints:
        assert checkpoints.steps() == [4, 6]
        restored = checkpoints.restore(like)
    assert restored.document["position"]["step"] == 6
    assert restored.document["experiment"]["name"] == "tiny"
