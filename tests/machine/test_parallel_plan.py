"""Plans: which devices, which batches, compiled once; and processes that are alone."""

import dataclasses

import jax
import numpy as np
import pytest
import tiny

from jaxgan.config import Model
from jaxgan.data import splits
from jaxgan.machine import parallel
from jaxgan.machine.parallel import ParallelError, plan
from jaxgan.program import compile_program, example_batch

MODES = ("none", "pmap", "shard_map")


@dataclasses.dataclass(frozen=True)
class Untouchable(Model):
    """Fails when anything is made of it."""

    def build(self, experiment, *, axis_name=None):
        raise AssertionError("built")


@pytest.mark.parametrize(
    ("size", "advice"), [(12, "8 or 16"), (5, "8"), (63, "56 or 64"), (1, "8")]
)
@pytest.mark.parametrize("mode", ["auto", "pmap", "shard_map"])
def test_a_batch_that_cannot_be_shared_is_refused_before_anything_is_made(mode, size, advice):
    with pytest.raises(ParallelError) as raised:
        compile_program(tiny.gan(model=Untouchable(), batch_size=size), mode)
    assert str(raised.value) == (
        f"batch_size {size} cannot be shared evenly by 8 devices: use --batch-size {advice}, or"
        " --parallel none for one device"
    )


def test_one_device_takes_any_batch():
    state, _ = tiny.train(tiny.gan(model=tiny.Regression(), batch_size=3), "none", 1)
    assert int(state.step) == 1


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_compiled_twice(mode):
    traces = []

    @dataclasses.dataclass(frozen=True)
    class Counted(tiny.Regression):
        def build(self, experiment, *, axis_name=None):
            algorithm = super().build(experiment, axis_name=axis_name)
            (phase,) = algorithm.phases

            def train_step(*arguments):
                traces.append(axis_name)
                return phase.train_step(*arguments)

            return algorithm._replace(phases=(phase._replace(train_step=train_step),))

    for seed in (0, 1):
        # Seeds and names share the program; so would any number of steps.
        tiny.train(tiny.gan(model=Counted(), seed=seed, name=str(seed)), mode, 3)
    assert traces == [None if mode == "none" else parallel.AXIS]


@pytest.mark.parametrize("mode", MODES)
def test_the_state_given_is_used_up(mode):
    experiment = tiny.gan(model=tiny.Regression())
    program = compile_program(experiment, mode)
    state = program.plan.replicate(jax.device_get(program.init(0, example_batch(experiment))))
    arrays = program.plan.replicate(splits.in_memory(experiment.data, "train"))
    program.phases[0].resident_step(state, arrays, program.plan.replicate(np.uint32(0)))
    assert state.players["weights"].params.is_deleted()
    assert not arrays["image"].is_deleted()


def test_plans():
    assert plan("none").axis_name is None
    assert (plan("none").devices, plan("none").local_devices) == (1, 1)
    assert plan("auto").mode == "pmap"
    for mode in ("auto", "pmap", "shard_map"):
        assert (plan(mode).devices, plan(mode).local_devices) == (8, 8)
        assert plan(mode).axis_name == parallel.AXIS
    replicated = plan("pmap").replicate({"a": np.arange(3)})["a"]
    assert replicated.is_fully_replicated
    assert len(replicated.sharding.device_set) == 8


def test_alone_there_is_nobody_to_wait_for(monkeypatch):
    parallel.barrier("anything")
    assert parallel.is_main_process()
    assert parallel.largest(3) == 3
    calls = []
    parallel.on_main_process(lambda: calls.append(1))
    assert calls == [1]
    with pytest.raises(ZeroDivisionError):
        parallel.on_main_process(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"JAX_COORDINATOR_ADDRESS": "host:1"}, []),
        (
            {
                "JAX_COORDINATOR_ADDRESS": "host:1",
                "JAX_NUM_PROCESSES": "4",
                "JAX_PROCESS_ID": "0",
            },
            [("host:1", 4, 0)],
        ),
        ({"JAX_DISTRIBUTED": "auto"}, [()]),
    ],
)
def test_the_environment_says_whether_there_is_a_cluster(monkeypatch, environment, expected):
    names = ("ADDRESS", "NUM_PROCESSES", "PROCESS_ID")
    for name in ("JAX_COORDINATOR_ADDRESS", *(f"JAX_{n}" for n in names), "JAX_DISTRIBUTED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    calls = []
    monkeypatch.setattr(jax.distributed, "initialize", lambda *arguments: calls.append(arguments))
    parallel.initialize()
    assert calls == expected
