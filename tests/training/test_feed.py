"""Several steps in one call are the same steps, and what is due comes between two calls."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan.config import ConfigError, Evaluation, Run
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.program import Program, compile_program, example_batch, on_one_device
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.logs import read_jsonl
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
        {name: value for name, value in record.items() if name != "time"}
        for record in read_jsonl(folder / "metrics.jsonl")
    ]


@pytest.mark.parametrize(
    ("periods", "wanted", "expected"),
    [
        # log, pictures, checkpoints, evaluations; 10 is the largest divisor of 50 up to 16.
        ((50, 500, 1000, 0), 16, 10),
        ((50, 500, 1000, 0), 50, 50),
        ((50, 500, 1000, 0), 49, 25),
        ((48, 0, 96, 0), 16, 16),
        ((48, 0, 96, 36), 16, 12),
        ((48, 0, 96, 35), 16, 1),
        ((1, 500, 1000, 0), 16, 1),
        ((50, 500, 1000, 0), 1, 1),
    ],
)
def test_what_is_due_comes_at_the_end_of_a_call(tmp_path, periods, wanted, expected):
    log, pictures, checkpoints, evaluations = periods
    experiment = tiny.vae(evaluation=Evaluation(every=evaluations))
    settings = run(
        tmp_path, log_every=log, images_every=pictures, checkpoint_every=checkpoints,
        steps_per_dispatch=wanted,
    )  # fmt: skip
    for platform in ("cpu", "gpu", "tpu"):
        assert feed.together(experiment, settings, platform) == expected


def test_the_number_depends_on_the_platform():
    chosen = {name: feed.together(tiny.vae(), Run(), name) for name in ("cpu", "gpu", "tpu")}
    assert chosen == {"cpu": 5, "gpu": 10, "tpu": 10}
    with pytest.raises(ConfigError, match="steps_per_dispatch = -1: must be at least 0"):
        Run(steps_per_dispatch=-1)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("dcgan", "none"), ("gan", "none"), ("vae", "none"), ("vae", "pmap"), ("gan", "shard_map")],
)
def test_several_steps_a_call_are_the_steps_of_several_calls(name, mode):
    experiment = EXPERIMENTS[name](seed=2, steps=12)
    expected, each = tiny.train(experiment, mode, 12)
    program = compile_program(experiment, mode)
    replicate = program.plan.replicate
    state = replicate(jax.device_get(program.init(2, example_batch(experiment))))
    arrays = replicate(splits.in_memory(experiment.data, "train"))
    given, found = state, []
    for _ in range(3):
        state, metrics = program.resident_steps(4)(state, arrays, replicate(np.uint32(2)))
        found.append(jax.device_get(metrics))
    state = jax.device_get(on_one_device(state))
    jax.tree.map(np.testing.assert_array_equal, state, expected)
    stacked = jax.tree.map(lambda *chunks: np.concatenate(chunks), *found)
    jax.tree.map(
        np.testing.assert_array_equal, stacked, jax.tree.map(lambda *one: np.stack(one), *each)
    )
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(given))


@pytest.fixture
def calls(monkeypatch):
    """How many steps each call of a resident step did, and how often one was compiled."""
    made, compiled = [], []
    original = loop.compile_program

    def counted(experiment, mode):
        program: Program = original(experiment, mode)

        def one(*arguments):
            made.append(1)
            return program.resident_step(*arguments)

        def several(count):
            function = program.resident_steps(count)

            def steps(*arguments):
                made.append(count)
                found = function(*arguments)
                compiled.append(function._cache_size())
                return found

            return steps

        return program._replace(resident_step=one, resident_steps=several)

    monkeypatch.setattr(loop, "compile_program", counted)
    return made, compiled


def test_a_run_is_the_same_however_many_steps_a_call(tmp_path, calls):
    made, compiled = calls
    experiment = tiny.gan(steps=22, evaluation=dataclasses.replace(CHEAP, every=8))
    settings = {"log_every": 4, "checkpoint_every": 12}
    one = run(tmp_path / "one", steps_per_dispatch=1, **settings)
    expected = loop.train(experiment, one)
    assert made == [1] * 22
    made.clear()
    result = loop.train(experiment, run(tmp_path / "four", steps_per_dispatch=5, **settings))
    # 4 is the largest divisor of 4, 8 and 12 up to 5; the last two steps are not four.
    assert made == [4] * 5 + [1] * 2
    assert set(compiled) == {1}
    for key in ("digest", "metrics", "steps"):
        assert result[key] == expected[key]
    assert logged(tmp_path / "four") == logged(tmp_path / "one")
    like = jax.eval_shape(compile_program(experiment, "none").init, 0, example_batch(experiment))
    restored = []
    for name in ("one", "four"):
        with Checkpoints(tmp_path / name / "checkpoints") as checkpoints:
            assert checkpoints.steps() == [12, 22]
            restored.append(checkpoints.restore(like))
    assert restored[0].document["digest"] == restored[1].document["digest"]


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
    # A checkpoint between two multiples of four: saved while steps were done one by one.
    loop.train(dataclasses.replace(experiment, steps=kept), run(tmp_path / "run", log_every=1))
    config = tmp_path / "run" / "config.json"
    document = json.loads(config.read_text())
    document["experiment"]["steps"] = 18
    config.write_text(json.dumps(document))
    made.clear()
    again = run(tmp_path / "run", log_every=4, checkpoint_every=4, steps_per_dispatch=4)
    result = loop.train(experiment, again, resume=True)
    assert made == [1] * (8 - kept) + [4, 4] + [1, 1]
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
class Diverging(tiny.Regression):
    """Reports a loss of NaN in step 7."""

    def build(self, experiment, *, axis_name=None):
        algorithm = super().build(experiment, axis_name=axis_name)

        def train_step(state, batch, key):
            state, metrics = algorithm.train_step(state, batch, key)
            return state, {"loss": jnp.where(state.step == 7, jnp.nan, metrics["loss"])}

        return algorithm._replace(train_step=train_step)


def test_the_step_that_diverges_is_named_within_a_call(tmp_path):
    experiment = tiny.gan(model=Diverging(rate=0.01), steps=12)
    settings = run(tmp_path / "run", log_every=4, checkpoint_every=4, steps_per_dispatch=4)
    with pytest.raises(NonFiniteError) as raised:
        loop.train(experiment, settings)
    assert str(raised.value).startswith(
        "loss is nan at step 7: training has diverged; the last good checkpoint is step 4."
    )
