import jax
import numpy as np
import pytest

from jaxgan.data.pipeline import Data, load
from jaxgan.data.prefetch import Prefetch
from jaxgan.data.stream import stream


class Counter:
    """Counts up to ``end``; fails once at each number in ``failures``."""

    def __init__(self, end=1000, failures=()):
        self.at, self.end, self.failures = 0, end, set(failures)

    def __next__(self):
        if self.at in self.failures:
            self.failures.remove(self.at)
            raise OSError(f"number {self.at}")
        if self.at == self.end:
            raise StopIteration
        self.at += 1
        return self.at - 1

    def get_state(self):
        return {"at": self.at}

    def set_state(self, state):
        self.at = state["at"]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_state_is_that_of_the_batch_handed_out_last(size):
    counter = Counter()
    batches = Prefetch(counter, lambda number: ("put", number), size)
    # Nothing is loaded before it is asked for.
    assert counter.at == 0
    assert batches.get_state() == {"at": 0}
    for number in range(20):
        assert next(batches) == ("put", number)
        assert batches.get_state() == {"at": number + 1}
        # And yet the iterator is ahead by all that is in flight.
        assert counter.at == number + size


@pytest.mark.parametrize("consumed", [0, 1, 6])
def test_resume_goes_on_with_the_next_batch(consumed):
    first = Prefetch(Counter(), lambda number: number, 3)
    for _ in range(consumed):
        next(first)
    state = first.get_state()
    second = Prefetch(Counter(), lambda number: number, 3)
    next(second)
    second.set_state(state)
    assert second.get_state() == state
    assert [next(second) for _ in range(4)] == [next(first) for _ in range(4)]
    # Going back drops what is in flight.
    second.set_state({"at": 1})
    assert next(second) == 1


def test_all_in_flight_are_put_before_the_first_is_handed_out():
    put = []
    batches = Prefetch(Counter(), put.append, 4)
    next(batches)
    assert put == [0, 1, 2, 3]
    next(batches)
    assert put == [0, 1, 2, 3, 4]


def test_the_end_comes_after_the_last_batch():
    batches = Prefetch(Counter(end=3), lambda number: number, 2)
    assert list(batches) == [0, 1, 2]
    assert batches.get_state() == {"at": 3}
    with pytest.raises(StopIteration):
        next(batches)
    empty = Prefetch(Counter(end=0), lambda number: number, 2)
    assert list(empty) == []


def test_an_error_comes_in_its_turn_and_is_tried_again():
    batches = Prefetch(Counter(failures=[2]), lambda number: number, 3)
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(OSError, match="number 2"):
        next(batches)
    assert batches.get_state() == {"at": 2}
    assert [next(batches), next(batches)] == [2, 3]


def test_a_failed_transfer_loses_no_batch():
    failures = {1}

    def put(number):
        if number in failures:
            failures.remove(number)
            raise RuntimeError("out of memory")
        return number

    batches = Prefetch(Counter(), put, 2)
    assert next(batches) == 0
    with pytest.raises(RuntimeError, match="out of memory"):
        next(batches)
    assert [next(batches), next(batches)] == [1, 2]


def test_setting_a_state_forgets_an_error():
    batches = Prefetch(Counter(failures=[1]), lambda number: number, 2)
    assert next(batches) == 0
    batches.set_state({"at": 5})
    assert next(batches) == 5


def test_size_out_of_range():
    with pytest.raises(ValueError, match=r"^0 batches cannot be kept in flight; at least 1 can\.$"):
        Prefetch(Counter(), lambda number: number, 0)


def test_over_a_stream_onto_devices():
    data = Data(threads=2, prefetch=2)
    split = load(data).train

    def fresh():
        return stream(split, seed=3, batch_size_global=32, data=data)

    plain, source = fresh(), fresh()
    wanted = [next(plain) for _ in range(8)]
    batches = Prefetch(source, jax.device_put, 2)
    for step in range(4):
        batch = next(batches)
        assert isinstance(batch["image"], jax.Array)
        np.testing.assert_array_equal(batch["image"], wanted[step]["image"])
    state = batches.get_state()
    assert state["step"] == 4
    resumed_source = fresh()
    resumed = Prefetch(resumed_source, jax.device_put, 2)
    resumed.set_state(state)
    for step in range(4, 8):
        for prefetched in (resumed, batches):
            np.testing.assert_array_equal(next(prefetched)["label"], wanted[step]["label"])
    for used in (plain, source, resumed_source):
        used.close()
