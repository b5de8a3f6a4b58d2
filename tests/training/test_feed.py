"""Several steps in one call are the same steps, and what is due comes between two calls."""

import dataclasses
import functools
import itertools
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan.algorithms.vae import Vae
from jaxgan.config import ConfigError, Evaluation, Run
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.program import (
    STEPS_IN_A_CALL,
    Program,
    compile_program,
    example_batch,
    on_one_device,
)
from jaxgan.run import experiment_file
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.logs import read_jsonl
from jaxgan.run.restore import digest
from jaxgan.training import feed, loop

CHEAP = Evaluation(samples=50, backbone="pixels")
EXPERIMENTS = {"dcgan": tiny.dcgan, "gan": tiny.gan, "vae": tiny.vae}


def run(folder, **changes):
    settings = {
        "workdir": str(folder), "parallel": "none", "quiet": True, "tensorboard": False,
        "images_every": 0,
    }  # fmt: skip
    return Run(**{**settings, **changes})


def logged(folder):
    return [
        {k: v for k, v in record.items() if k not in ("time", "steps_per_second")}
        for record in read_jsonl(folder / "metrics.jsonl")
    ]


def cuts(steps, most, periods, ends=(), start=0):
    """Where the calls of a run end."""
    ended, done = [], start
    while done < steps:
        done += feed.steps_per_call(done, most=most, periods=periods, ends=(*ends, steps))
        ended.append(done)
    return ended


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((12, 5, (100, 0, 100, 0)), [5, 10, 12]),
        ((12, 5, (4, 0, 100, 0)), [4, 8, 12]),
        ((20, 5, (7, 0, 10, 0)), [5, 7, 10, 14, 19, 20]),
        ((20, 16, (7, 3, 10, 11)), [3, 6, 7, 9, 10, 11, 12, 14, 15, 18, 20]),
        ((3, 5, (1, 2, 3, 0)), [1, 2, 3]),
        ((4, 1, (50, 0, 50, 0)), [1, 2, 3, 4]),
        # Phases end where their calls end; those that have passed do not count.
        ((20, 8, (50, 0, 50, 0), (3, 13)), [3, 11, 13, 20]),
        # A resumption may begin anywhere.
        ((20, 5, (10, 0, 50, 0), (13,), 8), [10, 13, 18, 20]),
    ],
)
def test_what_is_due_comes_at_the_end_of_a_call(arguments, expected):
    assert cuts(*arguments) == expected


def test_no_call_goes_beyond_what_is_due_and_none_is_shorter_than_it_must_be():
    for most, *periods in itertools.product((1, 5, 16), (1, 4, 7, 50), (0, 3), (6, 10), (0, 8)):
        for done in range(40):
            count = feed.steps_per_call(done, most=most, periods=periods, ends=(9, 40))
            passed = range(done + 1, done + count)
            assert 1 <= count <= most
            due = [any(p and step % p == 0 for p in periods) or step in (9, 40) for step in passed]
            assert not any(due)
            after = done + count
            assert count == most or after in (9, 40) or any(p and after % p == 0 for p in periods)


@pytest.mark.parametrize(
    ("platform", "wanted", "expected"),
    [("cpu", 0, 5), ("gpu", 0, 16), ("tpu", 0, 16), ("cpu", 3, 3), ("gpu", 99, STEPS_IN_A_CALL)],
)
def test_the_number_depends_on_the_platform(platform, wanted, expected):
    assert feed.most_steps_per_call(Run(steps_per_dispatch=wanted), platform) == expected


def test_fewer_steps_than_none_are_refused():
    with pytest.raises(ConfigError, match="steps_per_dispatch = -1: must be at least 0"):
        Run(steps_per_dispatch=-1)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("gan", "none"),
        ("vae", "pmap"),
        *(
            pytest.param(*pair, marks=pytest.mark.slow)
            for pair in (("dcgan", "none"), ("vae", "none"), ("gan", "shard_map"))
        ),
    ],
)
def test_several_steps_a_call_are_the_steps_of_several_calls(name, mode):
    experiment = EXPERIMENTS[name](seed=2, steps=12)
    program = compile_program(experiment, mode)
    replicate = program.plan.replicate
    arrays = replicate(splits.in_memory(experiment.data, "train"))

    def done(counts):
        state = replicate(jax.device_get(program.init(2, example_batch(experiment))))
        given, found = state, []
        for count in counts:
            state, metrics = program.phase(0).resident_steps(
                state, arrays, replicate(np.uint32(2)), replicate(np.int32(count))
            )
            assert {numbers.shape for numbers in metrics.values()} == {(STEPS_IN_A_CALL,)}
            chunk = jax.device_get(metrics)
            found.append(jax.tree.map(lambda numbers, n=count: numbers[:n], chunk))
        # The state given is used up.
        assert all(leaf.is_deleted() for leaf in jax.tree.leaves(given))
        stacked = jax.tree.map(lambda *chunks: np.concatenate(chunks), *found)
        return jax.device_get(on_one_device(state)), stacked

    several, metrics = done((4, 1, 7))
    jax.tree.map(np.testing.assert_array_equal, (several, metrics), done([1] * 12))
    # The step by itself is another program: the same but for the last bits.
    expected, each = tiny.train(experiment, mode, 12)
    close = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6)
    jax.tree.map(close, several, expected)
    jax.tree.map(lambda numbers, *alone: close(numbers, np.array(alone)), metrics, *each)


@pytest.fixture
def calls(monkeypatch):
    """How many steps each call did, and how often what was called was compiled."""
    made, compiled = [], []
    original = loop.prepared

    def counted(experiment, mode):
        program: Program = original(experiment, mode)
        (only,) = program.phases

        def steps(state, arrays, seed, count):
            made.append(int(count))
            found = only.resident_steps(state, arrays, seed, count)
            compiled.append(only.resident_steps._cache_size())
            return found

        return program._replace(phases=(only._replace(resident_steps=steps),))

    monkeypatch.setattr(loop, "prepared", counted)
    return made, compiled


def test_a_run_is_the_same_however_many_steps_a_call(tmp_path, calls):
    made, compiled = calls
    experiment = tiny.gan(steps=22, evaluation=dataclasses.replace(CHEAP, every=8))
    settings = {"log_every": 4, "checkpoint_every": 12}
    one = run(tmp_path / "one", steps_per_dispatch=1, **settings)
    expected = loop.train(experiment, one)
    assert made == [1] * 22
    made.clear()
    result = loop.train(experiment, run(tmp_path / "three", steps_per_dispatch=3, **settings))
    assert made == [3, 1] * 5 + [2]
    assert set(compiled) == {1}
    for key in ("digest", "metrics", "steps"):
        assert result[key] == expected[key]
    assert logged(tmp_path / "three") == logged(tmp_path / "one")
    like = jax.eval_shape(compile_program(experiment, "none").init, 0, example_batch(experiment))
    restored = []
    for name in ("one", "three"):
        with Checkpoints(tmp_path / name / "checkpoints") as checkpoints:
            assert checkpoints.steps() == [12, 22]
            restored.append(checkpoints.restore(like))
    assert restored[0].document["digest"] == restored[1].document["digest"]


def shipped(name):
    """An experiment of ours with few steps of few images; it is as deep and wide as it is."""
    file = Path(__file__).parents[2] / "experiments" / f"{name}.py"
    experiment = experiment_file.load_file(str(file)).experiment
    return dataclasses.replace(experiment, steps=20, batch_size=4, evaluation=CHEAP)


# XLA gives the steps of these other last bits in a loop than outside of one.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv_beta_vae", "wgan_gp"])
def test_nothing_that_a_run_may_change_changes_a_bit(tmp_path, name):
    experiment = shipped(name)

    def ends(folder, *, resume=False, **settings):
        settings = run(tmp_path / folder, checkpoint_every=10, **settings)
        return loop.train(experiment, settings, resume=resume)["digest"]

    digests = {
        "one": ends("one", steps_per_dispatch=1),
        "five": ends("five", steps_per_dispatch=5),
        "odd": ends("odd", log_every=7),
    }
    # Killed after step 10 and resumed with other periods.
    shutil.rmtree(tmp_path / "odd" / "checkpoints" / "20")
    (tmp_path / "odd" / "result.json").unlink()
    digests["resumed"] = ends("odd", resume=True, log_every=5, steps_per_dispatch=3)
    assert set(digests.values()) == {digests["one"]}, digests


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_nor_do_calls_on_several_devices(mode):
    experiment = dataclasses.replace(shipped("conv_beta_vae"), batch_size=8)
    program = compile_program(experiment, mode)
    replicate = program.plan.replicate
    start = jax.device_get(program.init(0, example_batch(experiment)))
    arrays = replicate(splits.in_memory(experiment.data, "train"))
    digests = set()
    for counts in ([1] * 10, [5, 5], [3, 6, 1], [10]):
        state = replicate(start)
        for count in counts:
            state, _ = program.phase(0).resident_steps(
                state, arrays, replicate(np.uint32(0)), replicate(np.int32(count))
            )
        digests.add(digest(on_one_device(state)))
    assert len(digests) == 1


EIGHTEEN = tiny.vae(steps=18, evaluation=CHEAP)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The result of a run of 18 steps, one a call."""
    settings = run(tmp_path_factory.mktemp("other"), log_every=4, steps_per_dispatch=1)
    return loop.train(EIGHTEEN, settings)


@pytest.mark.slow
@pytest.mark.parametrize("kept", [7, 8])
def test_a_run_goes_on_from_anywhere(tmp_path, undisturbed, calls, kept):
    made, _ = calls
    experiment = EIGHTEEN
    # Not only where calls of four steps would end.
    shorter = dataclasses.replace(experiment, steps=kept)
    loop.train(shorter, run(tmp_path / "run", log_every=1))
    made.clear()
    again = run(tmp_path / "run", log_every=4, checkpoint_every=4, steps_per_dispatch=4)
    result = loop.train(experiment, again, resume=True, extends=shorter)
    assert made == [1] * (8 - kept) + [4, 4] + [2]
    assert result["digest"] == undisturbed["digest"]


@pytest.mark.slow
def test_streamed_steps_come_one_by_one(tmp_path):
    results_of = {}
    for streaming in ("always", "never"):
        experiment = tiny.vae(steps=8, data=Data(streaming=streaming), evaluation=CHEAP)
        settings = run(tmp_path / streaming, log_every=4, checkpoint_every=4, steps_per_dispatch=4)
        results_of[streaming] = loop.train(experiment, settings)["digest"]
    assert results_of["always"] == results_of["never"]


@dataclasses.dataclass(frozen=True)
class Diverging(Vae):
    """Reports a loss of NaN in step 7."""

    def build(self, experiment, *, axis_name=None):
        algorithm = super().build(experiment, axis_name=axis_name)
        (phase,) = algorithm.phases

        def train_step(state, batch, key):
            state, metrics = phase.train_step(state, batch, key)
            return state, {**metrics, "loss": jnp.where(state.step == 7, jnp.nan, 1.0)}

        return algorithm._replace(phases=(phase._replace(train_step=train_step),))


def test_the_step_that_diverges_is_named_within_a_call(tmp_path):
    model = tiny.vae().model
    settings = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    experiment = tiny.vae(model=Diverging(**settings), steps=12, evaluation=CHEAP)
    settings = run(tmp_path / "run", log_every=4, checkpoint_every=4, steps_per_dispatch=4)
    with pytest.raises(NonFiniteError) as raised:
        loop.train(experiment, settings)
    assert str(raised.value).startswith(
        "loss is nan at step 7: training has diverged; the last good checkpoint is step 4."
    )
