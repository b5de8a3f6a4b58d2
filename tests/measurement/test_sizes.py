"""Settings that no memory holds, refused from shapes alone; bytes are counted by hand."""

import dataclasses

import pytest
import tiny

from jaxgan.config import ConfigError, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.machine import memory
from jaxgan.measurement import sizes
from jaxgan.training.preparation import prepared

GIB = 2**30


@pytest.fixture
def machine(monkeypatch):
    """A machine with one GiB of memory."""
    monkeypatch.setattr(memory, "total", lambda: GIB)


def vae(**changes):
    experiment = tiny.vae()
    return dataclasses.replace(experiment, model=dataclasses.replace(experiment.model, **changes))


@pytest.mark.parametrize(
    # An example of digits is 64 bytes and a label of 4.
    ("fits", "too_large", "message"),
    [
        (
            {"batch_size": GIB // 68},
            {"batch_size": GIB // 68 + 1},
            "a batch of 15790321 (batch_size) needs 1.0 GiB at least, and this machine has 1.0 GiB"
            " of memory: make it smaller",
        ),
        (
            {"data": Data(image_size=2**11, resize="crop")},
            {"data": Data(image_size=2**17, resize="crop")},
            "one example (data.image_size) needs 16.0 GiB at least, and this machine has 1.0 GiB of"
            " memory: make it smaller",
        ),
        (
            {"evaluation": Evaluation(samples=GIB // 64)},
            {"evaluation": Evaluation(samples=GIB // 64 * 3)},
            "evaluation.samples = 50331648 needs 3.0 GiB at least, and this machine has 1.0 GiB of"
            " memory: make it smaller",
        ),
        (
            {"evaluation": Evaluation(batch_size=GIB // 64)},
            {"evaluation": Evaluation(batch_size=10**25)},
            "evaluation.batch_size = 10000000000000000000000000 needs 596,046,447,753,906,250 GiB"
            " at least, and this machine has 1.0 GiB of memory: make it smaller",
        ),
    ],
)
def test_what_is_as_large_as_the_settings_say(machine, fits, too_large, message):
    sizes.check_batches(tiny.vae(**fits))
    with pytest.raises(ConfigError) as raised:
        sizes.check_batches(tiny.vae(**too_large))
    assert str(raised.value) == message


def test_a_critic_takes_several_batches_a_step(machine):
    sizes.check_batches(tiny.vae(batch_size=GIB // 68))
    with pytest.raises(ConfigError, match=r"^a batch of 31580640 \(batch_size\) needs 2\.0 GiB"):
        sizes.check_batches(tiny.gan(batch_size=GIB // 68))


def test_networks_are_counted_before_they_are_made(machine):
    widths = (2**24,)
    decoder = dataclasses.replace(tiny.vae().model.decoder, widths=widths)
    with pytest.raises(ConfigError, match=r"^the state \(.*\) needs (\d+\.\d) GiB") as raised:
        prepared(vae(decoder=decoder), "none")
    # Two layers, from 4 codes to 2^24 units and on to 64 pixels, in float32, once trained and once
    # averaged: 8.6 GiB. Plain gradient descent keeps nothing else.
    wanted = 2 * 4 * ((4 + 1) * 2**24 + (2**24 + 1) * 64) / GIB
    assert float(str(raised.value).split(" GiB")[0].split()[-1]) == pytest.approx(wanted, abs=0.06)


def test_a_machine_that_does_not_say_refuses_nothing(monkeypatch):
    monkeypatch.setattr(memory, "total", lambda: 0)
    sizes.check_batches(tiny.vae(batch_size=10**15))
