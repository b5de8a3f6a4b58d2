"""Runs that start from another run's weights have exactly those, or are refused."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest
import tiny

from jaxgan.config import ConfigError, Evaluation, Run
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.optim import Adam
from jaxgan.program import compile_program, example_batch
from jaxgan.run import workdir
from jaxgan.run.checkpoint import CheckpointError, Checkpoints, digest
from jaxgan.run.weights import read_weights
from jaxgan.run.workdir import RunError
from jaxgan.training import initial, loop

FEW = Evaluation(samples=20, backbone="pixels")


def of(**changes):
    model = dataclasses.replace(
        tiny.gan().model,
        generator=MlpGenerator(widths=(16,), batch_norm=True),
        generator_optimizer=Adam(),
        **changes.pop("model", {}),
    )
    return tiny.gan(model=model, **{"steps": 4, "evaluation": FEW, **changes})


def run(folder):
    return Run(workdir=str(folder), parallel="none", quiet=True, tensorboard=False, images_every=0)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("initial")
    loop.train(of(), run(folder / "other"))
    return folder


def saved(experiment, folder, step):
    like = jax.eval_shape(compile_program(experiment, "none").init, 0, example_batch(experiment))
    with Checkpoints(folder / "checkpoints") as checkpoints:
        return checkpoints.at(step, like)


def fresh(experiment):
    return jax.device_get(
        compile_program(experiment, "none").init(experiment.seed, example_batch(experiment))
    )


def networks(state):
    return {name: player.variables for name, player in state.players.items()}


def test_weights_statistics_and_averages_are_those_of_the_other_run(place):
    trained = saved(of(), place / "other", 4)
    # Another loss, other optimizers, another seed: all that is no network may differ.
    experiment = of(seed=3, model={"loss": Hinge(), "discriminator_optimizer": Adam()})
    state = initial.with_weights(fresh(experiment), read_weights(place / "other"), "other")
    assert digest(networks(state)) == digest(networks(trained))
    assert digest(state.ema) == digest(trained.ema)
    # They are not those that it would have had, and averages are not the weights themselves.
    assert digest(networks(state)) != digest(networks(fresh(experiment)))
    assert digest(state.ema["generator"]) != digest(networks(state)["generator"])
    new = fresh(experiment)
    assert digest(state.replace(players=new.players, ema=new.ema)) == digest(new)
    for name, player in state.players.items():
        assert digest(player.opt_state) == digest(new.players[name].opt_state)
    assert state.step == 0


@pytest.mark.slow
def test_a_run_starts_from_them_and_says_so(place, tmp_path):
    # A rate of 0 leaves the weights where they were; statistics and averages move on.
    still = {"generator_optimizer": Adam(learning_rate=0.0)}
    model = dataclasses.replace(of().model, **still, discriminator_optimizer=Adam(0.0))
    experiment = of(init_from=str(place / "other"), steps=2)
    experiment = dataclasses.replace(experiment, model=model)
    folder = tmp_path / "new"
    result = loop.train(experiment, run(folder))
    assert result["steps"] == 2
    after, before = saved(experiment, folder, 2), saved(of(), place / "other", 4)
    assert digest(after.parameters) == digest(before.parameters)
    known = workdir.read_config(folder)["init_from"]
    weights = read_weights(place / "other")
    assert known == {"run": str(place / "other"), "step": 4, "digest": weights.digest}
    # Once it has a checkpoint, a resumption does not need the other run.
    (folder / "result.json").unlink()
    workdir.write_json(
        folder / "config.json",
        {**workdir.read_config(folder), "init_from": {**known, "run": "/gone"}},
    )
    assert loop.train(experiment, run(folder), resume=True)["digest"] == result["digest"]


def test_before_its_first_checkpoint_a_run_starts_over_from_the_same_weights(place, tmp_path):
    shutil.copytree(place / "other", tmp_path / "other")
    other, folder = tmp_path / "other", tmp_path / "new"
    experiment = of(init_from=str(other))
    weights = read_weights(other)
    workdir.create(
        folder, experiment, run(folder), file=None, command="",
        init_from=initial.record(experiment, weights),
    )  # fmt: skip
    assert initial.recorded(folder).digest == weights.digest
    # Another state under the same folder is noticed.
    loop.train(of(seed=1), run(tmp_path / "third"))
    shutil.rmtree(other / "checkpoints" / "4")
    shutil.copytree(tmp_path / "third" / "checkpoints" / "4", other / "checkpoints" / "4")
    now = read_weights(other)
    with pytest.raises(RunError) as raised:
        loop.train(experiment, run(folder), resume=True)
    assert str(raised.value) == (
        f"{folder} started from step 4 of {other}, whose weights have changed since (digest"
        f" {weights.digest[:12]} then, {now.digest[:12]} now): start a new run in another"
        " --workdir"
    )
    (other / "checkpoints" / "4").rename(other / "checkpoints" / "5")
    with pytest.raises(RunError, match=r"other has no checkpoint 4 any more$"):
        initial.recorded(folder)


def refused(experiment, folder, kind=ConfigError):
    with pytest.raises(kind) as raised:
        loop.train(experiment, run(folder))
    assert not folder.exists()
    (line,) = str(raised.value).splitlines()
    return line


def test_what_does_not_fit_is_named_with_both_shapes(place, tmp_path):
    other = str(place / "other")

    def with_(**model):
        return dataclasses.replace(
            of(init_from=other), model=dataclasses.replace(of().model, **model)
        )

    wide = with_(generator=MlpGenerator(widths=(20,), batch_norm=True))
    assert refused(wide, tmp_path / "a") == (
        f"init_from = {other}: generator/params/HiddenLayers_0/BatchNorm_0/bias is float32 (16,)"
        " there and float32 (20,) here; the networks must be the same"
    )
    more = with_(discriminator=MlpDiscriminator(widths=(16, 16), dropout=0.3))
    assert refused(more, tmp_path / "a") == (
        f"init_from = {other}: discriminator/params/HiddenLayers_0/Dense_1/bias is absent there"
        " and float32 (16,) here; the networks must be the same"
    )
    plain = with_(generator=MlpGenerator(widths=(16,)))
    assert refused(plain, tmp_path / "a").endswith(
        # A layer before batch normalization has no bias.
        "generator/params/HiddenLayers_0/Dense_0/bias is absent there and float32 (16,) here; the"
        " networks must be the same"
    )
    assert refused(tiny.vae(init_from=other), tmp_path / "a") == (
        f"init_from = {other}: it has no autoencoder, only discriminator, generator"
    )
    color = of(init_from=other, data=Data(channels=3, color="tile"))
    assert "is float32" in refused(color, tmp_path / "a")


def test_what_is_no_run_or_cannot_be_read_is_refused(place, tmp_path):
    nothing = of(init_from=str(tmp_path / "nothing"))
    assert refused(nothing, tmp_path / "a", RunError) == (
        f"{tmp_path}/nothing holds no run: there is no {tmp_path}/nothing/config.json"
    )
    broken = tmp_path / "broken"
    shutil.copytree(place / "other", broken)
    shutil.rmtree(broken / "checkpoints" / "4" / "state")
    line = refused(of(init_from=str(broken)), tmp_path / "a", CheckpointError)
    assert line.startswith(f"checkpoint 4 of {broken} cannot be read (")
    shutil.rmtree(broken / "checkpoints")
    assert refused(of(init_from=str(broken)), tmp_path / "a", RunError) == (
        f"{broken} has no checkpoint yet: `jaxgan resume {broken}`"
    )


def test_weights_that_nobody_takes_and_those_that_are_not_finite_are_refused(place):
    weights = read_weights(place / "other")
    more = jax.tree.map(np.copy, weights.players)
    more["discriminator"]["params"]["extra"] = np.zeros((2, 1), np.float32)
    with pytest.raises(ConfigError) as raised:
        initial.with_weights(fresh(of()), weights._replace(players=more), "other")
    assert str(raised.value) == (
        "init_from = other: discriminator/params/extra is float32 (2, 1) there and absent here; the"
        " networks must be the same"
    )
    bad = jax.tree.map(np.copy, weights.players)
    bad["generator"]["params"]["pixels"]["bias"][3] = np.nan
    with pytest.raises(ConfigError) as raised:
        initial.with_weights(fresh(of()), weights._replace(players=bad), "other")
    assert str(raised.value) == (
        "init_from = other: generator/params/pixels/bias is not finite there"
    )


def test_the_best_step_is_taken_and_nothing_is_changed(place, tmp_path):
    """As where validation selects: the newest checkpoint names the best one."""
    folder = tmp_path / "run"
    shutil.copytree(place / "other", folder)
    older, newer = fresh(of(seed=5)), fresh(of(seed=6))
    shutil.rmtree(folder / "checkpoints")
    with Checkpoints(folder / "checkpoints", keep=2) as checkpoints:
        checkpoints.save(2, older, {"position": {"best_step": 2}})
        checkpoints.save(4, newer, {"position": {"best_step": 2}})
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    weights = read_weights(folder)
    assert weights.step == 2
    assert digest(weights.players) == digest(
        {name: dict(variables) for name, variables in networks(older).items()}
    )
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_the_code_of_the_other_run_is_not_needed(place, tmp_path):
    """Its settings may name classes of a file that has gone."""
    folder = tmp_path / "run"
    shutil.copytree(place / "other", folder)
    document = json.loads((folder / "config.json").read_text())
    document["experiment"]["model"]["generator"]["type"] = "file:Gone"
    (folder / "config.json").write_text(json.dumps(document))
    assert read_weights(folder).digest == read_weights(place / "other").digest
