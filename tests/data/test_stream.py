import json
import threading
import time
from dataclasses import replace
from itertools import chain

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.data.order import POSITION_LIMIT, epoch_position
from jaxgan.data.pipeline import Data, load, resident_batch
from jaxgan.data.reading import arrays
from jaxgan.data.source import ArraySplit, DataError
from jaxgan.data.stream import stream

DATA = Data(streaming="always", threads=2, prefetch=3)


def numbered(count=50):
    """A split whose images and labels are their own numbers."""
    images = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    return ArraySplit(images, np.arange(count, dtype=np.int32))


class Watched(ArraySplit):
    """Takes down which examples were read, and by which threads."""

    def __init__(self, images, labels):
        super().__init__(images, labels)
        object.__setattr__(self, "read", [])
        object.__setattr__(self, "readers", set())

    def __getitem__(self, index, /):
        self.readers.add(threading.get_ident())
        self.read.append(index)
        return super().__getitem__(index)


def take(batches, count):
    return [next(batches)["label"].tolist() for _ in range(count)]


def expected(steps, *, size=50, batch=16, seed=9):
    places = np.arange(steps.start * batch, steps.stop * batch)
    return epoch_position(places, size, seed).reshape(-1, batch).tolist()


@pytest.fixture
def opened():
    """Opens streams and closes them when the test is over."""
    streams = []

    def make(split=None, data=DATA, seed=9, batch_size_global=16, **sharding):
        split = numbered() if split is None else split
        made = stream(split, seed=seed, batch_size_global=batch_size_global, data=data, **sharding)
        streams.append(made)
        return made

    yield make
    for made in streams:
        made.close()


def test_follows_the_order_across_epochs(opened):
    assert take(opened(), 10) == expected(range(10))


def test_batches_equal_the_resident_ones(opened):
    split = load(replace(DATA, validation=100)).train
    resident = {name: jnp.asarray(array) for name, array in arrays(split).items()}
    batches = opened(split, seed=4, batch_size_global=64)

    @jax.jit
    def gather(step):
        return resident_batch(resident, step=step, seed=4, batch_size_global=64, local_count=64)

    # A little more than one epoch of 1,400.
    for step in range(24):
        host, device = next(batches), gather(step)
        assert host.keys() == device.keys()
        for name in host:
            assert host[name].dtype == device[name].dtype
            np.testing.assert_array_equal(host[name], device[name])


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_each_batch_in_contiguous_blocks(opened, processes):
    whole = expected(range(6))
    local = 16 // processes
    shares = []
    for index in range(processes):
        split = Watched(numbered().images, numbered().labels)
        # One thread and one batch ahead: with the five asked for, six are read.
        data = replace(DATA, threads=1, prefetch=1)
        shares.append(take(opened(split, data, process_index=index, process_count=processes), 5))
        # No example of another process' share is loaded.
        mine = {row for batch in whole for row in batch[index * local : (index + 1) * local]}
        assert set(split.read) <= mine
    joined = [list(chain.from_iterable(share[step] for share in shares)) for step in range(5)]
    assert joined == expected(range(5))


@pytest.mark.parametrize("consumed", [0, 1, 7])
def test_resumes_bit_for_bit(opened, consumed):
    first = opened()
    take(first, consumed)
    state = json.loads(json.dumps(first.get_state()))
    assert state == {"step": consumed, "seed": 9, "batch_size_global": 16, "size": 50}
    rest = take(first, 5)
    again = opened()
    take(again, 3)
    again.set_state(state)
    assert again.get_state() == state
    assert take(again, 5) == rest == expected(range(consumed, consumed + 5))
    # Going back works in the same stream, too.
    again.set_state(state)
    assert take(again, 5) == rest


def test_resumes_with_other_processes(opened):
    alone = opened()
    take(alone, 4)
    halves = [opened(process_index=i, process_count=2) for i in (0, 1)]
    for half in halves:
        half.set_state(alone.get_state())
    left, right = (take(half, 1)[0] for half in halves)
    assert left + right == take(alone, 1)[0]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"seed": 8}, "seed 9; this one has 8."),
        ({"batch_size_global": 8}, "batch_size_global 16; this one has 8."),
        ({"split": numbered(51)}, "size 50; this one has 51."),
    ],
)
def test_refuses_the_state_of_another_order(opened, changes, line, message):
    state = opened().get_state()
    other = opened(**changes)
    assert message(other.set_state, state) == (
        f"the saved data position belongs to a stream with {line}"
    )


def test_reads_ahead_with_threads(opened):
    split = Watched(numbered().images, numbered().labels)
    next(opened(split))
    # One batch was handed out, and three (DATA.prefetch) more are loaded with nobody asking.
    deadline = time.monotonic() + 60
    while len(split.read) < 4 * 16 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(split.read) == sorted(chain.from_iterable(expected(range(4))))
    assert threading.get_ident() not in split.readers


def test_a_failed_batch_is_raised_in_its_turn_and_tried_again(opened, message):
    victim = expected(range(3))[2][5]
    assert victim not in chain.from_iterable(expected(range(2)))
    broken = [True]

    class Flaky(ArraySplit):
        def __getitem__(self, index, /):
            if index == victim and broken[0]:
                raise DataError("img/7.png: the image is damaged.")
            return super().__getitem__(index)

    batches = opened(Flaky(numbered().images, numbered().labels))
    assert take(batches, 2) == expected(range(2))
    for _ in range(2):
        assert message(next, batches) == "img/7.png: the image is damaged."
        assert batches.get_state()["step"] == 2
    broken[0] = False
    assert take(batches, 3) == expected(range(2, 5))


def test_ends_with_the_places_of_a_run(opened):
    batches = opened(batch_size_global=2**16)
    last = POSITION_LIMIT // 2**16 - 1
    batches.set_state({**batches.get_state(), "step": last})
    places = np.arange(last * 2**16, POSITION_LIMIT)
    np.testing.assert_array_equal(next(batches)["label"], epoch_position(places, 50, 9))
    with pytest.raises(StopIteration):
        next(batches)


def test_arguments_out_of_range(message):
    def open_with(**changes):
        arguments = {"seed": 0, "batch_size_global": 16, "data": DATA, **changes}
        return stream(
            changes.pop("split", numbered()),
            **{name: value for name, value in arguments.items() if name != "split"},
        )

    assert message(open_with, process_count=3) == (
        "a batch of 16 cannot be shared evenly by 3 processes."
    )
    assert message(open_with, batch_size_global=0) == (
        "a batch of 0 cannot be shared evenly by 1 process."
    )
    assert message(open_with, process_index=2, process_count=2) == (
        "there is no process 2 among 2."
    )
    assert message(open_with, split=numbered(0)) == "an empty split cannot be streamed."


@pytest.mark.slow
def test_worker_processes_change_nothing(opened):
    data = replace(DATA, workers=2, threads=1)
    batches = opened(load(data).train, data, seed=9, batch_size_global=64)
    plain = opened(load(DATA).train, seed=9, batch_size_global=64)
    for _ in range(5):
        found, wanted = next(batches), next(plain)
        np.testing.assert_array_equal(found["image"], wanted["image"])
        np.testing.assert_array_equal(found["label"], wanted["label"])
    # And the position carries over from the one kind to the other.
    batches.set_state({**plain.get_state(), "step": 2})
    plain.set_state({**plain.get_state(), "step": 2})
    np.testing.assert_array_equal(next(batches)["label"], next(plain)["label"])
