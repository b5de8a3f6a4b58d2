"""Metrics on their way to the log, and the end of a run that diverges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.run.finite import NonFiniteError
from jaxgan.run.logs import Logger, read_jsonl
from jaxgan.training import recorder as module
from jaxgan.training.recorder import Recorder

ADVICE = " Try a smaller learning rate, or gradient clipping (clip_norm of the optimizers)."


class Saved:
    """Stands in for the checkpoints of a run."""

    def __init__(self, *steps):
        self._steps = list(steps)

    def steps(self):
        return self._steps


@pytest.fixture
def logger(tmp_path):
    with Logger(tmp_path, total_steps=100, quiet=True, tensorboard=False) as log:
        yield log


def records(tmp_path):
    return [
        {name: value for name, value in record.items() if name != "time"}
        for record in read_jsonl(tmp_path / "metrics.jsonl")
    ]


def test_the_mean_since_the_last_flush_is_logged_under_the_last_step(tmp_path, logger):
    recorder = Recorder(logger, images_per_step=128, checkpoints=Saved())
    for step, loss in ((1, 1.0), (2, 2.0), (3, 6.0)):
        recorder.add(step, {"loss": jnp.float32(loss), "other": jnp.float32(-loss)})
    recorder.flush()
    recorder.add(4, {"loss": jnp.float32(10.0), "other": jnp.float32(0.0)})
    recorder.flush()
    recorder.flush()  # nothing is held: nothing is written
    assert records(tmp_path) == [
        {"step": 3, "images_seen": 384, "loss": 3.0, "other": -3.0},
        {"step": 4, "images_seen": 512, "loss": 10.0, "other": 0.0},
    ]


def test_an_interval_is_logged_once_it_is_computed_and_nobody_waits_before(
    tmp_path, logger, monkeypatch
):
    computed = False
    monkeypatch.setattr(module, "_is_computed", lambda metrics: computed)
    recorder = Recorder(logger, images_per_step=1, checkpoints=Saved())

    def add(step):
        recorder.add(step, {"loss": jnp.float32(step)})

    def logged():
        return [(record["step"], record["loss"]) for record in records(tmp_path)]

    add(1)
    add(3)
    recorder.log()
    add(4)
    assert logged() == []
    computed = True
    add(5)  # finds the first interval computed; 4 and 5 belong to the next
    assert logged() == [(3, 2.0)]
    computed = False
    recorder.log()
    add(6)
    assert logged() == [(3, 2.0)]
    recorder.log()  # at most one interval is owed
    assert logged() == [(3, 2.0), (5, 4.5)]
    add(7)
    recorder.flush()
    assert logged() == [(3, 2.0), (5, 4.5), (6, 6.0), (7, 7.0)]


def test_logging_does_not_wait_for_the_device(logger):
    slow = jax.jit(lambda x: jax.lax.fori_loop(0, 40, lambda _, y: jnp.tanh(y @ y), x).sum())
    x = jnp.ones((700, 700))
    slow(x).block_until_ready()
    recorder = Recorder(logger, 1, Saved())
    loss = slow(x)
    recorder.add(1, {"loss": loss})
    recorder.log()
    recorder.add(2, {"loss": loss})
    assert not loss.is_ready()  # it takes a hundred times as long as these calls
    recorder.flush()
    assert loss.is_ready()


@pytest.mark.parametrize("end", ["add", "log", "flush"])
def test_whatever_reads_a_diverged_interval_says_so(logger, end):
    recorder = Recorder(logger, 1, Saved())
    loss = jnp.float32(np.nan).block_until_ready()
    recorder.add(1, {"loss": loss})
    recorder.log()
    arguments = (2, {"loss": jnp.float32(0.0)}) if end == "add" else ()
    with pytest.raises(NonFiniteError, match="loss is nan at step 1:"):
        getattr(recorder, end)(*arguments)


def test_numbers_of_the_host_are_logged_as_they_are(tmp_path, logger):
    Recorder(logger, 10, Saved()).record(7, {"fid": 1.5})
    assert records(tmp_path) == [{"step": 7, "images_seen": 70, "fid": 1.5}]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_with_its_step_and_the_last_checkpoint(tmp_path, logger, value):
    recorder = Recorder(logger, 64, Saved(10, 20))
    for step in range(21, 31):
        recorder.add(
            step,
            {
                "loss/generator": jnp.float32(1.0),
                # The first bad value counts, though later steps have more of them.
                "loss/discriminator": jnp.float32(value if step >= 25 else 1.0),
                "logits/real": jnp.float32(value if step >= 27 else 1.0),
            },
        )
    with pytest.raises(NonFiniteError) as raised:
        recorder.flush()
    assert str(raised.value) == (
        f"loss/discriminator is {value} at step 25: training has diverged;"
        f" the last good checkpoint is step 20.{ADVICE}"
    )
    assert records(tmp_path) == []
    recorder.flush()  # the window has been dropped


def test_without_a_checkpoint_the_message_says_so(logger):
    recorder = Recorder(logger, 64, Saved())
    recorder.add(1, {"loss": jnp.float32(np.nan)})
    with pytest.raises(NonFiniteError, match=r"at step 1: .*; there is no checkpoint yet\."):
        recorder.flush()


def test_a_mean_of_large_numbers_does_not_overflow(tmp_path, logger):
    recorder = Recorder(logger, 1, Saved())
    for step in (1, 2):
        recorder.add(step, {"loss": jnp.float32(3e38)})
    recorder.flush()
    (record,) = records(tmp_path)
    assert record["loss"] == pytest.approx(3e38, rel=1e-6)


def test_a_spoiled_state_is_found_before_it_is_saved(logger):
    recorder = Recorder(logger, 64, Saved(10))
    good = {
        "step": jnp.int32(5),
        "net": {"kernel": jnp.ones((2, 2)), "half": jnp.ones(2, "bfloat16")},
    }
    recorder.check(11, good)
    for name, value in (
        ("kernel", jnp.array([1.0, np.inf])),
        ("half", jnp.array([np.nan], "bfloat16")),
    ):
        with pytest.raises(NonFiniteError) as raised:
            recorder.check(11, {**good, "net": {**good["net"], name: value}})
        found = "inf" if name == "kernel" else "nan"
        assert str(raised.value).startswith(
            f"net/{name} is {found} at step 11: training has diverged; the last good checkpoint is"
            " step 10."
        )


def test_steps_that_come_together_are_steps_one_by_one(tmp_path, logger):
    recorder = Recorder(logger, 10, Saved())
    recorder.add(4, {"loss": jnp.array([1.0, 2.0, 3.0])}, 3)
    recorder.add(5, {"loss": jnp.float32(10.0)})
    recorder.flush()
    assert records(tmp_path) == [{"step": 5, "images_seen": 50, "loss": 4.0}]
    recorder.add(8, {"loss": jnp.zeros(3), "other": jnp.array([0.0, np.inf, np.nan])}, 3)
    with pytest.raises(NonFiniteError, match="other is inf at step 7:"):
        recorder.flush()


def test_a_mean_is_over_the_steps_that_reported_the_name(tmp_path, logger):
    recorder = Recorder(logger, 1, Saved())
    recorder.add(1, {"loss": jnp.float32(1.0), "warmup": jnp.float32(8.0)})
    recorder.add(3, {"loss": jnp.array([2.0, 3.0])}, 2)  # warmup goes away
    recorder.add(5, {"loss": jnp.array([4.0, 5.0]), "penalty": jnp.array([10.0, 30.0])}, 2)
    recorder.add(6, {"penalty": jnp.float32(50.0), "warmup": jnp.float32(2.0)})  # and comes back
    recorder.flush()
    recorder.add(8, {"penalty": jnp.array([1.0, 2.0])}, 2)
    recorder.add(9, {})
    recorder.flush()
    assert records(tmp_path) == [
        {"step": 6, "images_seen": 6, "loss": 3.0, "warmup": 5.0, "penalty": 30.0},
        {"step": 9, "images_seen": 9, "penalty": 1.5},
    ]


def test_only_the_first_numbers_of_a_call_are_of_its_steps(tmp_path, logger):
    recorder = Recorder(logger, 1, Saved())
    # Blanks that the call did not fill; even infinity there means nothing.
    recorder.add(2, {"loss": jnp.array([1.0, 2.0, np.inf, 0.0])}, 2)
    recorder.add(3, {"loss": jnp.array([6.0, 1.0, 2.0, 0.0])})
    recorder.flush()
    assert records(tmp_path) == [{"step": 3, "images_seen": 3, "loss": 3.0}]


@pytest.mark.parametrize(
    ("late", "early", "named"),
    [
        # A name that only some steps reported is looked at as well; the first bad step counts.
        (np.nan, 1.0, "penalty is nan at step 7:"),
        (np.nan, np.inf, "loss is inf at step 5:"),
        (1.0, np.nan, "loss is nan at step 5:"),
    ],
)
def test_what_is_not_finite_is_found_in_names_that_come_late(logger, late, early, named):
    recorder = Recorder(logger, 1, Saved())
    recorder.add(1, {"loss": jnp.float32(1.0)})
    recorder.add(4, {"loss": jnp.ones(3)}, 3)
    recorder.add(7, {"penalty": jnp.array([1.0, 1.0, late]), "loss": jnp.array([early, 1, 1])}, 3)
    recorder.add(8, {"loss": jnp.float32(1.0)})
    with pytest.raises(NonFiniteError, match=named):
        recorder.flush()


def test_of_one_step_the_loss_is_named_and_not_its_gradients(logger):
    recorder = Recorder(logger, images_per_step=1, checkpoints=Saved())
    nan = jnp.float32(np.nan)
    recorder.add(3, {"autoencoder_grad_norm": nan, "elbo": nan})
    with pytest.raises(NonFiniteError, match=r"^elbo is nan at step 3: "):
        recorder.flush()
