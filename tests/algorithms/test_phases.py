"""Training in phases, through the real loop: what comes between them comes once."""

import dataclasses
import functools
import os
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from two_phases import TwoPhases, two_phases

from jaxgan.algorithms.base import Phase, build
from jaxgan.config import ConfigError, Run
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.measurement import rehearsal
from jaxgan.program import compile_program, example_batch
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.logs import read_jsonl
from jaxgan.run.restore import digest
from jaxgan.training import loop

BORDER, STEPS = 7, 12
RESIDENT = two_phases()
STREAMED = two_phases(data=Data(streaming="always"))
EXPERIMENTS = pytest.mark.parametrize(
    "experiment", [RESIDENT, STREAMED], ids=["resident", "streamed"]
)


def run(folder, most, **changes):
    settings = {
        "workdir": str(folder), "parallel": "none", "quiet": True, "tensorboard": False,
        "images_every": 0, "steps_per_dispatch": most,
    }  # fmt: skip
    return Run(**{**settings, **changes})


class Watched:
    """What a run calls, and a signal that ends it after a step.

    Attributes:
        ends: steps done after each call.
        entered: steps done at each entry to a phase.
        stop: steps after which a signal comes; None: it never does.
    """

    def __init__(self, monkeypatch):
        self.ends, self.entered, self.stop = [], [], None
        original = loop.prepared

        def watched(experiment, mode):
            program = original(experiment, mode)
            return program._replace(phases=tuple(map(self.watch, program.phases)))

        monkeypatch.setattr(loop, "prepared", watched)

    def watch(self, phase):
        def enter(state):
            self.entered.append(int(state.step))
            return phase.enter(state)

        def called(step):
            def call(state, *rest):
                state, metrics = step(state, *rest)
                self.ends.append(int(state.step))
                if self.ends[-1] == self.stop:
                    os.kill(os.getpid(), signal.SIGINT)
                return state, metrics

            return call

        return phase._replace(
            enter=phase.enter and enter,
            resident_steps=called(phase.resident_steps),
            streaming_step=called(phase.streaming_step),
        )


@pytest.fixture
def watched(monkeypatch):
    return Watched(monkeypatch)


@functools.cache
def by_hand(experiment, enter=True):
    """The state that training should end with, one step after the other without the loop."""
    program = compile_program(experiment, "none")
    state = jax.device_get(program.init(experiment.seed, example_batch(experiment)))
    state = program.plan.replicate(state)
    arrays, seed = splits.in_memory(experiment.data, "train"), np.uint32(experiment.seed)
    first, second = program.phases
    assert (first.start, first.until, second.start, second.until) == (0, BORDER, BORDER, STEPS)
    assert first.enter is None
    for step in range(STEPS):
        if step == BORDER and enter:
            state = second.enter(state)
        one = first if step < BORDER else second
        state, _ = one.resident_steps(state, arrays, seed, np.int32(1))
    return jax.device_get(state)


def test_the_second_phase_trains_the_decoder_alone_with_a_new_optimizer():
    """Adam's counts say how many updates there were, and since when."""
    state, without = by_hand(RESIDENT), by_hand(RESIDENT, enter=False)
    assert counts(state) == {"encoder": {BORDER}, "decoder": {STEPS - BORDER}}
    assert counts(without) == {"encoder": {BORDER}, "decoder": {STEPS}}
    np.testing.assert_array_equal(
        state.parameters["encoder"]["w"], without.parameters["encoder"]["w"]
    )
    assert np.any(state.parameters["decoder"]["w"] != without.parameters["decoder"]["w"])


def counts(state):
    return {
        name: {
            int(leaf)
            for leaf in jax.tree.leaves(player.opt_state)
            if leaf.shape == () and leaf.dtype == np.int32
        }
        for name, player in state.players.items()
    }


@EXPERIMENTS
@pytest.mark.parametrize("most", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_a_run_of_one_piece(tmp_path, watched, experiment, most):
    result = loop.train(experiment, run(tmp_path, most))
    assert result["digest"] == digest(by_hand(experiment))
    assert watched.entered == [BORDER]
    streamed = experiment.data.streaming == "always"
    assert watched.ends == ([*range(1, 13)] if streamed or most == 1 else [5, BORDER, STEPS])
    # Each phase reports what it has.
    records = read_jsonl(tmp_path / "metrics.jsonl")[:-1]  # the last is the end's
    assert [record["step"] for record in records] == [STEPS]
    assert "noise" in records[0]


@EXPERIMENTS
@pytest.mark.parametrize(
    ("most", "stop"),
    [
        (1, 7),
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in ((1, 4), (1, 9), (5, 5), (5, 7))),
    ],
)
def test_a_run_that_was_interrupted_ends_where_one_of_one_piece_does(
    tmp_path, watched, experiment, most, stop
):
    """Before the border, exactly on it, and behind it; the second phase is entered once in all."""
    watched.stop = stop
    with pytest.raises(loop.Interrupted, match=f"saved at step {stop} of {STEPS}"):
        loop.train(experiment, run(tmp_path, most))
    # A run that ends on the border has not yet crossed it.
    assert watched.entered == ([BORDER] if stop > BORDER else [])
    like = jax.eval_shape(compile_program(experiment, "none").init, 0, example_batch(experiment))
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        saved = checkpoints.at(stop, like)
    assert counts(saved)["decoder"] == {stop if stop <= BORDER else stop - BORDER}
    watched.stop = None
    result = loop.train(experiment, run(tmp_path, 6 - most), resume=True)
    assert result["digest"] == digest(by_hand(experiment))
    assert watched.entered == [BORDER]
    assert BORDER in watched.ends


def test_records_of_a_period_with_two_phases_in_it(tmp_path):
    """Metrics that only one of them has are means over its own steps."""
    loop.train(RESIDENT, run(tmp_path / "each", 1, log_every=1))
    loop.train(RESIDENT, run(tmp_path / "four", 5, log_every=4))
    each, four = (
        {record["step"]: record for record in read_jsonl(tmp_path / name / "metrics.jsonl")[:-1]}
        for name in ("each", "four")
    )
    assert [step for step in each if "noise" in each[step]] == [*range(BORDER + 1, STEPS + 1)]
    assert "noise" not in four[4]
    for start, end in ((0, 4), (4, 8), (8, 12)):
        for name in {"loss", "noise"} & four[end].keys():
            own = [each[s][name] for s in range(start + 1, end + 1) if name in each[s]]
            assert four[end][name] == pytest.approx(np.mean(own), rel=1e-6)


@dataclasses.dataclass(frozen=True)
class Changing(TwoPhases):
    """Changes the state in one of four ways that no run can bear."""

    how: str = "a step's shape"

    def build(self, experiment, *, axis_name=None):
        algorithm = super().build(experiment, axis_name=axis_name)
        first, second = algorithm.phases

        def spoil(state):
            if "structure" in self.how:
                return state.replace(extras={"more": jnp.zeros(())})
            return state.replace(ema={"decoder": {"params": {"w": jnp.zeros((2, 64))}}})

        def train_step(state, batch, key):
            state, metrics = second.train_step(state, batch, key)
            return spoil(state), metrics

        if "step" in self.how:
            return algorithm._replace(phases=(first, second._replace(train_step=train_step)))
        return algorithm._replace(
            phases=(first, second._replace(enter=lambda state: spoil(second.enter(state))))
        )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("a step's shape", "a step of phase 2 changes ema/decoder/params/w from (3, 64) float32 to"
         " (2, 64) float32"),
        ("a step's structure", "a step of phase 2 changes the structure of the state, which must"
         " stay as it is"),
        ("an entry's shape", "entering phase 2 changes ema/decoder/params/w from (3, 64) float32 to"
         " (2, 64) float32"),
        ("an entry's structure", "entering phase 2 changes the structure of the state, which must"
         " stay as it is"),
    ],
)  # fmt: skip
def test_a_state_that_would_change_is_refused_before_training(tmp_path, how, message):
    experiment = two_phases(Changing(how=how))
    with pytest.raises(ConfigError) as raised:
        rehearsal.check(experiment, compile_program(experiment, "none"))
    assert str(raised.value) == message
    with pytest.raises(ConfigError):
        loop.train(experiment, run(tmp_path / "run", 1))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("ends", [(7, 7), (8, 7), (12, 12), (7, 11), (7, 13), (0, 12), (-1, 12)])
def test_phases_whose_ends_do_not_rise_to_the_end_of_training_are_refused(ends):
    with pytest.raises(ConfigError) as raised:
        build(two_phases(TwoPhases(ends=ends)))
    assert str(raised.value) == (
        f"the phases of TwoPhases end at steps {[*ends]}: they must rise, and the last one must end"
        " with the training, at 12"
    )


def test_no_phase_at_all_is_refused():
    @dataclasses.dataclass(frozen=True)
    class Idle(TwoPhases):
        def build(self, experiment, *, axis_name=None):
            algorithm = super().build(experiment, axis_name=axis_name)
            return algorithm._replace(phases=())

    with pytest.raises(ConfigError, match=r"the phases of Idle end at steps \[\]"):
        build(two_phases(Idle()))
    assert isinstance(build(two_phases()).phases[1], Phase)
