"""The loop: early stopping, and states that must not be saved. Killing and resuming: end_to_end."""

import dataclasses
import math
import os
import shutil
import signal
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan.algorithms.gan import Gan
from jaxgan.config import ConfigError, EarlyStopping, Evaluation, Model, Run
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.evaluation.protocol import parse, short_name
from jaxgan.machine.interrupts import raising
from jaxgan.measurement import sampling, scoring
from jaxgan.program import compile_program, example_batch
from jaxgan.run import workdir
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.logs import read_jsonl
from jaxgan.run.restore import digest, steps_in
from jaxgan.training import loop
from jaxgan.training.finish import validated
from jaxgan.training.recorder import Recorder
from jaxgan.training.start import Position

FEW = Evaluation(samples=20, backbone="pixels")


def run(folder, **changes):
    settings = {"workdir": str(folder), "parallel": "none", "quiet": True, "tensorboard": False}
    return Run(**{**settings, **changes})


def test_patience_is_counted_in_evaluations():
    stopping = EarlyStopping(metric="fid", patience=2)
    position = Position()
    for value, bad, stopped in ((3.0, 0, False), (2.0, 0, False), (2.0, 1, False), (5.0, 2, True)):
        position = position.judged(value, stopping)
        assert (position.bad, position.stopped) == (bad, stopped)
    assert position.best == 2.0
    # A better value starts the count again.
    once = Position(best=2.0, bad=1).judged(1.0, stopping)
    assert (once.best, once.bad, once.stopped) == (1.0, 0, False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "steps"), [("min", 6), pytest.param("max", 20, marks=pytest.mark.slow)]
)
def test_early_stopping_ends_a_run_and_keeps_the_best_checkpoint(tmp_path, mode, steps):
    # The ELBO of a VAE rises at first, so "min" sees its best value at the first evaluation.
    experiment = tiny.vae(
        data=Data(validation=50),
        steps=20,
        evaluation=Evaluation(samples=50, every=2),
        early_stopping=EarlyStopping(metric="elbo", patience=2, mode=mode),
    )
    result = loop.train(experiment, run(tmp_path / "run", checkpoint_every=20, keep=1))
    assert result["steps"] == steps
    assert result["stopped_early"] is (mode == "min")
    log = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    (name,) = {key for record in log for key in record if key.startswith("elbo[validation50")}
    values = {record["step"]: record[name] for record in log if name in record}
    assert sorted(values) == list(range(2, steps + 1, 2))
    best = (min if mode == "min" else max)(values, key=values.get)
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        assert checkpoints.steps() == sorted({best, steps})
    # The best state is what is reported, and on images that did not choose it.
    assert result["measured_step"] == best
    like = jax.eval_shape(compile_program(experiment, "none").init, 0, example_batch(experiment))
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        assert result["digest"] == digest(checkpoints.at(best, like))
    assert {parse(name).fields["split"] for name in result["metrics"]} == {"test"}
    assert result["validation"]["elbo"] == values[best]
    # Its result goes missing: the run is finished again from its last state.
    (tmp_path / "run" / "result.json").unlink()
    again = loop.train(experiment, run(tmp_path / "run"), resume=True)
    for key in ("digest", "metrics", "steps", "stopped_early", "validation"):
        assert again[key] == result[key]


@pytest.mark.parametrize("numbers", [(math.nan, math.inf), (math.nan, 3.0, math.nan, 4.0)])
def test_numbers_that_are_none_do_not_select(tmp_path, monkeypatch, capsys, numbers):
    """A first NaN would be the best for ever: nothing is smaller."""
    values = iter(numbers)
    monkeypatch.setattr(loop, "measure", lambda *_: {"elbo": next(values)})
    experiment = tiny.vae(
        data=Data(validation=50),
        steps=20,
        evaluation=Evaluation(samples=50, every=2),
        early_stopping=EarlyStopping(metric="elbo", patience=2, mode="min"),
    )
    result = loop.train(
        experiment, dataclasses.replace(run(tmp_path / "run", checkpoint_every=20), quiet=False)
    )
    assert result["stopped_early"]
    said = capsys.readouterr().out
    if 3.0 in numbers:
        assert (result["steps"], result["measured_step"]) == (8, 4)
        assert "elbo was 3 at best, and no better in the last 2 evaluations" in said
    else:
        assert (result["steps"], result["measured_step"]) == (4, 4)
        assert "elbo was NaN or infinite in all 2 evaluations" in said


def test_no_image_both_selects_and_reports(tmp_path, monkeypatch):
    experiment = tiny.vae(
        steps=4,
        data=Data(validation=50),
        evaluation=Evaluation(samples=20, every=2, split="train"),
        early_stopping=EarlyStopping(metric="elbo", mode="max"),
    )
    measure, measured, seeds = scoring.measure, [], []

    def recorded(*arguments, **options):
        measured.append((options["distances"], options["held_out_split"]))
        found = measure(*arguments, **options)
        seeds.append({document["seed"] for document in found.protocols.values()})
        return found

    monkeypatch.setattr(scoring, "measure", recorded)
    result = loop.train(experiment, run(tmp_path / "run"))
    assert measured == [("validation", "validation")] * 2 + [("test", "test")]
    # Nor do latents: the best of many would be lucky with them.
    assert seeds == [{sampling.SELECTION_SEED}] * 2 + [{sampling.SEED}]
    assert sampling.SELECTION_SEED != sampling.SEED

    def images(name):
        rows = splits.in_memory(experiment.data, name)["image"]
        return {row.tobytes() for row in rows}

    train, validation, test = (images(name) for name in ("train", "validation", "test"))
    assert (len(train | validation), len(train), len(validation)) == (1500, 1450, 50)
    assert not validation & test
    assert not train & test
    digests = {document["real_digest"] for document in result["protocols"].values()}
    seen = [scoring.reference(experiment.data, "digits-cnn", s) for s in ("train", "validation")]
    assert not digests & {reference.protocol.real_digest for reference in seen}


def test_a_metric_that_nobody_measures_is_named_with_those_there_are(tmp_path):
    experiment = tiny.vae(
        data=Data(validation=50),
        evaluation=Evaluation(samples=50, every=1),
        early_stopping=EarlyStopping(metric="fit"),
    )
    with pytest.raises(ConfigError) as raised:
        loop.train(experiment, run(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    assert str(raised.value) == (
        "early_stopping.metric = 'fit' is not measured; there are"
        " elbo, fid, kid, kid_se, kl, reconstruction"
    )


@dataclasses.dataclass(frozen=True)
class Spoiled(Model):
    """Its weights become NaN in step 5, while the loss of that step is still finite."""

    body: Model = tiny.vae().model

    def build(self, experiment, *, axis_name=None):
        algorithm = self.body.build(experiment, axis_name=axis_name)

        (phase,) = algorithm.phases

        def train_step(state, batch, key):
            state, metrics = phase.train_step(state, batch, key)
            average = jax.tree.map(
                lambda leaf: jnp.where(state.step == 5, jnp.nan, leaf), state.ema["autoencoder"]
            )
            return state.replace(ema={"autoencoder": average}), metrics

        return algorithm._replace(phases=(phase._replace(train_step=train_step),))


def test_a_spoiled_state_is_not_saved(tmp_path):
    experiment = tiny.vae(model=Spoiled(), steps=10)
    with pytest.raises(NonFiniteError) as raised:
        loop.train(experiment, run(tmp_path / "run", checkpoint_every=1, images_every=0))
    assert str(raised.value).startswith(
        "ema/autoencoder/params/decoder/HiddenLayers_0/Dense_0/bias is nan at step 5: training has"
        " diverged; the last good checkpoint is step 4."
    )
    like = jax.eval_shape(compile_program(experiment, "none").init, 0, example_batch(experiment))
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        restored = checkpoints.restore(like)
    assert restored.step == 4
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(restored.state.ema))


@pytest.mark.parametrize(
    # A call that has begun is finished: four steps of resident data, or one of a stream.
    ("number", "streaming", "saved"),
    [
        (signal.SIGINT, "never", 25),
        pytest.param(signal.SIGTERM, "always", 22, marks=pytest.mark.slow),
    ],
)
def test_a_signal_saves_and_the_rest_is_as_if_nothing_had_been(
    tmp_path, monkeypatch, number, streaming, saved
):
    experiment = tiny.vae(steps=42, data=Data(streaming=streaming), evaluation=FEW)
    how = {"log_every": 7, "steps_per_dispatch": 4, "images_every": 0}
    log, logged = Recorder.log, []

    def log_and_send(self):
        log(self)
        logged.append(1)
        if len(logged) == 3:  # step 21
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "log", log_and_send)
        with pytest.raises(loop.Interrupted) as stopped:
            loop.train(experiment, run(tmp_path / "run", **how))
    assert str(stopped.value) == (
        f"{number.name}: saved at step {saved} of 42; go on by `jaxgan resume {tmp_path}/run`"
    )
    assert stopped.value.signal_number == number
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        assert checkpoints.steps() == [saved]
    assert workdir.read_result(tmp_path / "run") is None

    result = loop.train(experiment, run(tmp_path / "run", **how), resume=True)
    other = loop.train(experiment, run(tmp_path / "other", **how))
    assert result["digest"] == other["digest"]
    assert result["metrics"] == other["metrics"]
    *steps, last = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert [record["step"] for record in steps] == [7, 14, 21, saved, 28, 35, 42]
    final = {f"final/{name}": value for name, value in result["metrics"].items()}
    assert {**last, "time": 0} == {"step": 42, "images_seen": 672, "time": 0, **final}


@pytest.mark.parametrize(("seconds", "saved"), [(1e-9, [7, 14, 20]), (1e9, [20])])
def test_checkpoints_are_due_after_a_time_with_a_line_of_the_log(tmp_path, seconds, saved):
    experiment = tiny.vae(steps=20, evaluation=FEW)
    how = {"log_every": 7, "images_every": 0, "keep": 9}
    loop.train(experiment, run(tmp_path / "run", checkpoint_seconds=seconds, **how))
    with Checkpoints(tmp_path / "run" / "checkpoints", keep=9) as checkpoints:
        assert checkpoints.steps() == saved
    # No line of the log is there because of them.
    steps = [record["step"] for record in read_jsonl(tmp_path / "run" / "metrics.jsonl")]
    assert steps == [7, 14, 20, 20]


def test_a_run_that_another_process_has_finished_meanwhile_is_found(tmp_path, monkeypatch):
    experiment = tiny.vae(steps=2, evaluation=FEW)
    result = loop.train(experiment, run(tmp_path / "run"))
    monkeypatch.setattr(loop, "_write", None)
    assert loop.train(experiment, run(tmp_path / "run"), resume=True) == result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["last step", "evaluation"])
def test_a_signal_after_the_training_leaves_what_resume_measures(
    tmp_path, monkeypatch, number, when
):
    experiment = tiny.vae(evaluation=FEW)

    def during_the_last_step(self, step, state):
        os.kill(os.getpid(), number)  # is remembered

    def while_measuring(*arguments, **others):
        os.kill(os.getpid(), number)
        time.sleep(10)  # cut short by the signal
        raise AssertionError("the signal was held back")

    with monkeypatch.context() as patch:
        if when == "last step":
            patch.setattr(Recorder, "check", during_the_last_step)
        else:
            patch.setattr(scoring, "measure", while_measuring)
        with raising(), pytest.raises(loop.Interrupted) as stopped:
            loop.train(experiment, run(tmp_path / "run", log_every=6))
    assert str(stopped.value) == (
        f"{number.name}: trained to the end and saved, but not measured; `jaxgan resume"
        f" {tmp_path}/run` measures it"
    )
    assert stopped.value.signal_number == number
    assert workdir.read_result(tmp_path / "run") is None
    assert not list(tmp_path.rglob("*.tmp"))
    with Checkpoints(tmp_path / "run" / "checkpoints") as checkpoints:
        assert checkpoints.steps() == [6]
    result = loop.train(experiment, run(tmp_path / "run"), resume=True)
    assert result["steps"] == 6
    assert workdir.read_result(tmp_path / "run") == result


def test_intervals_in_images_are_those_in_steps(tmp_path):
    """A step has two batches of 16; and a run that was resumed by the other kind is the same."""
    data, more = Data(validation=50), {"images_every": 0, "keep": 9}
    result = {}
    for name, (measure, log, save) in {
        "steps": (4, 2, 3), "images": ("0.128kimg", "0.064kimg", "0.096kimg")
    }.items():  # fmt: skip
        experiment = tiny.gan(
            steps=8, data=data, evaluation=dataclasses.replace(FEW, every=measure)
        )
        settings = run(tmp_path / name, log_every=log, checkpoint_every=save, **more)
        result[name] = loop.train(experiment, settings)
        assert steps_in(tmp_path / name / "checkpoints") == [3, 6, 8]
        log = read_jsonl(tmp_path / name / "metrics.jsonl")
        measured = [one["step"] for one in log if any(key.startswith("fid[") for key in one)]
        lines = [one["step"] for one in log if "loss/generator" in one]
        # What is saved is logged before.
        assert (measured, lines) == ([4, 8], [2, 3, 4, 6, 8])
        assert {one["images_seen"] / one["step"] for one in log} == {32}
    assert result["steps"]["digest"] == result["images"]["digest"]
    assert result["steps"]["metrics"] == result["images"]["metrics"]
    assert workdir.read_run(tmp_path / "images").checkpoint_every == "0.096kimg"
    for step in (6, 8):
        shutil.rmtree(tmp_path / "images" / "checkpoints" / str(step))
    (tmp_path / "images" / "result.json").unlink()
    settings = run(tmp_path / "images", log_every=2, checkpoint_every=4, **more)
    again = loop.train(experiment, settings, resume=True)
    assert again["digest"] == result["steps"]["digest"]
    assert steps_in(tmp_path / "images" / "checkpoints") == [3, 4, 8]


def test_what_a_run_says_of_itself(tmp_path, capsys, monkeypatch):
    """First what is trained on what, and warnings of the model, then what is measured; the log has
    what the line has not."""
    monkeypatch.setattr(Gan, "warnings", lambda model: (f"beware of {model.n_critic} updates",))
    experiment = tiny.gan(
        steps=4, data=Data(validation=50), evaluation=Evaluation(samples=20, every=2)
    )
    settings = run(tmp_path / "run", quiet=False, log_every=2, images_every=0)
    result = loop.train(experiment, settings)
    first, *lines = capsys.readouterr().out.splitlines()
    # 8 x 16 + 16 + 16 x 64 + 64, and 64 x 16 + 16 + 16 + 1; two batches of 16 a step.
    assert first == (
        f"{tmp_path}/run: 4 steps of 32 of the 1,450 images of digits (8x8x1); parameters:"
        " discriminator 1,057, generator 1,232; on 1 x cpu"
    )
    assert lines[0] == "warning: beware of 2 updates"
    assert lines.count("measuring fid, kid: 20 samples") == 3
    assert not [line for line in lines if "grad_norm" in line or "learning_rate" in line]
    # Steps in a few milliseconds have no rate.
    assert not [line for line in lines if "steps/s" in line and " 0:" not in line]
    log = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert [record["step"] for record in log] == [2, 2, 4, 4, 4]
    trained = log[0]
    assert trained["generator_learning_rate"] == trained["discriminator_learning_rate"] == 0.05
    for player in ("generator", "discriminator"):
        assert trained[f"{player}_grad_norm"] > 0.0
    for name, value in result["metrics"].items():
        assert log[-1][f"final/{name}"] == value
    # Of the last step on the validation split, not of the test split, nor of a step before.
    validation = {key: value for key, value in log[3].items() if "[" in key}
    assert result["validation"] == {short_name(key): value for key, value in validation.items()}
    assert {"fid", "kid", "discriminator_accuracy_real"} < result["validation"].keys()
    assert all("validation50" in key for key in validation)


@pytest.mark.slow
def test_rates_are_of_steps_that_were_done(tmp_path, monkeypatch):
    """Neither compiling nor measuring counts: here the one takes seconds, the other half of one."""
    monkeypatch.setattr(loop, "measure", lambda *_: time.sleep(0.5))
    experiment = tiny.vae(steps=60, evaluation=dataclasses.replace(FEW, every=20))
    feed = loop.open_feed

    def slow(*arguments):
        opened = feed(*arguments)

        def step(state, done):
            state, metrics, count = opened.step(state, done)
            time.sleep(0.02 * count)
            return state, metrics, count

        return opened._replace(step=step)

    monkeypatch.setattr(loop, "open_feed", slow)
    loop.train(experiment, run(tmp_path / "run", log_every=10, images_every=0))
    log = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    rates = [record["steps_per_second"] for record in log if "steps_per_second" in record]
    # At most 50 steps a second, whatever a busy machine adds; 10 where measuring counted.
    assert rates
    assert 15.0 < max(rates) <= 52.0


def test_a_run_without_a_validation_split_says_nothing_of_one(tmp_path):
    experiment = tiny.gan(steps=2, evaluation=Evaluation(samples=20, every=2))
    result = loop.train(experiment, run(tmp_path / "run", log_every=2, images_every=0))
    assert "validation" not in result
    log = tmp_path / "run" / "metrics.jsonl"
    more = '"fid[a,validation5,gen5,q8,ema]": 1.5, "kid[a,validation5,gen5,q8,ema]": "nan"'
    own = '"mine[a]": 1, "final/fid[a,validation5,gen5,q8,ema]": 3'
    for step in (2, 3):
        with log.open("a") as file:
            file.write(f'{{"step": {step}, "images_seen": 1, "time": 1, {more}, {own}}}\n')
        more = more.replace("1.5", "2.5")
    assert validated(log.parent, 2) == {"fid": 1.5}
    assert validated(log.parent, 3) == {"fid": 2.5}
    assert validated(tmp_path, 2) == {}
