"""Signals: the first is a question, the second acts."""

import os
import signal
import threading

import pytest

from jaxgan.machine.interrupts import Interrupts


@pytest.fixture
def seen():
    """SIGTERM recorded instead of ending the tests; handlers as they were afterwards."""
    calls = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield calls
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_remembered(seen, number):
    with Interrupts() as interrupts:
        assert interrupts.received is None
        os.kill(os.getpid(), number)
        assert interrupts.received is number
    assert interrupts.received is number
    assert seen == []


def test_a_second_ctrl_c_acts_as_ever(seen):
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.received is signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_second_sigterm_goes_to_whoever_had_it_before(seen):
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.received is signal.SIGINT
    assert seen == [signal.SIGTERM]


def test_handlers_are_given_back(seen):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    with pytest.raises(RuntimeError, match="inside"), Interrupts():
        raise RuntimeError("inside")
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_other_threads_change_nothing(seen):
    before = signal.getsignal(signal.SIGTERM)
    found = []

    def other():
        with Interrupts() as interrupts:
            found.append((signal.getsignal(signal.SIGTERM), interrupts.received))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [(before, None)]
