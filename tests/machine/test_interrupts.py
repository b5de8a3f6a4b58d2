"""Signals: the first is a question, the second acts."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from jaxgan.machine.interrupts import Interrupts, Stopped, raising, signal_of

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


@pytest.fixture
def seen():
    """SIGTERM recorded instead of ending the tests; handlers as they were afterwards."""
    calls = []
    before = {number: signal.getsignal(number) for number in ALL}
    signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield calls
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ALL)
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
    before = [signal.getsignal(number) for number in ALL]
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(n) for n in ALL] == before
    with pytest.raises(RuntimeError, match="inside"), Interrupts():
        raise RuntimeError("inside")
    assert [signal.getsignal(n) for n in ALL] == before


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


@pytest.mark.parametrize("number", ALL)
def test_signals_raise_once_and_then_end_the_process(seen, number):
    with pytest.raises(KeyboardInterrupt) as stopped, raising():
        os.kill(os.getpid(), number)
    assert isinstance(stopped.value, Stopped)
    assert signal_of(stopped.value) is number
    for one in ALL:
        assert signal.getsignal(one) is signal.SIG_DFL


def test_without_a_signal_handlers_are_given_back(seen):
    before = [signal.getsignal(number) for number in ALL]
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), raising():
            raise error
    assert [signal.getsignal(n) for n in ALL] == before
    assert signal_of(KeyboardInterrupt()) is signal.SIGINT


def test_what_was_remembered_raises_when_it_comes_again(seen):
    with raising(), Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.received is signal.SIGTERM
        with pytest.raises(Stopped, match="SIGINT"):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("number", "more", "expected"),
    [
        (signal.SIGINT, "", 130),
        (signal.SIGTERM, "", 143),
        (signal.SIGUSR1, "", 138),
        (signal.SIGUSR1, ", 75", 75),
    ],
)
def test_imports_end_at_once_with_one_line(number, more, expected):
    code = (
        "import os\nfrom jaxgan.machine.interrupts import ending\n"
        f"with ending('stopped early'{more}):\n"
        f"    try:\n        os.kill(os.getpid(), {int(number)})\n"
        "    except BaseException:\n        print('caught')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (expected, "")
    assert done.stderr == f"{number.name}: stopped early\n"
