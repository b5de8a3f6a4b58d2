"""Streaming: batches that the host loads while the device computes, resumable at any one of them.

Grain reads ahead with threads, and with processes where asked. The order is that of
`jaxgan.data.order`, so the batches are those of `jaxgan.data.pipeline.resident_batch`, bit for bit,
and the state of a stream is one number: the step whose batch comes next.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from jaxgan.data.domains import domains_of, join
from jaxgan.data.order import POSITION_LIMIT, domain_seed, epoch_position
from jaxgan.data.pipeline import Data
from jaxgan.data.reading import stack
from jaxgan.data.source import DataError, Split

HostBatch: TypeAlias = dict[str, np.ndarray]
"""Every field, such as ``image`` ``(local, height, width, channels)`` and ``label`` int32
``(local,)``, in memory."""

StreamState: TypeAlias = dict[str, int]
"""Where a stream is, as JSON takes it."""


@dataclass(frozen=True, eq=False)
class _Batches:
    """The batches of one process, by step: what Grain reads from."""

    split: Split
    seed: int
    batch_size_global: int
    process_index: int
    process_count: int
    start: int
    """The step of batch 0, since Grain counts from 0 whenever it starts."""

    def __len__(self) -> int:
        return POSITION_LIMIT // self.batch_size_global - self.start

    def __getitem__(self, index: int) -> HostBatch:
        local = self.batch_size_global // self.process_count
        first = (self.start + index) * self.batch_size_global + self.process_index * local
        places = np.arange(first, first + local)
        batch: HostBatch = {}
        for domain, part in domains_of(self.split).items():
            rows = epoch_position(places, len(part), domain_seed(self.seed, domain))
            fields = stack([part[int(row)] for row in rows])
            batch |= {join(domain, name): array for name, array in fields.items()}
        return batch


class Stream(Iterator[HostBatch]):
    """An endless iterator over batches, made by `stream`.

    A batch that cannot be loaded raises its error and is tried again by the next call.
    """

    def __init__(self, batches: _Batches, data: Data):
        self._batches = batches
        self._data = data
        self._step = batches.start
        self._iterator: Any = None

    def __next__(self) -> HostBatch:
        if self._iterator is None:
            self._iterator = self._open()
        try:
            batch = next(self._iterator)
        except BaseException:
            # Grain has dropped the failed batch and would go on with the one after it.
            self.close()
            raise
        self._step += 1
        return batch

    def get_state(self) -> StreamState:
        """The step whose batch comes next, and what the order depends on.

        Each domain has its size, under a name such as ``photo/size``.
        """
        domains = domains_of(self._batches.split)
        return {
            "step": self._step,
            "seed": self._batches.seed,
            "batch_size_global": self._batches.batch_size_global,
            **{join(domain, "size"): len(part) for domain, part in domains.items()},
        }

    def set_state(self, state: StreamState) -> None:
        """Goes to where another stream was when it returned ``state``.

        The processes may be more or fewer than those of that stream.

        Raises:
            DataError: that stream had another seed, batch size or number of examples, and so
                another order.
        """
        mine = self.get_state()
        for key in {**mine, **state}:
            if key != "step" and state.get(key) != mine.get(key):
                raise DataError(
                    f"the saved data position belongs to a stream with {_told(key, state)}; "
                    f"this one has {mine.get(key, 'none')}."
                )
        self.close()
        self._step = state["step"]

    def close(self) -> None:
        """Ends the threads and processes; the next batch starts them again."""
        if self._iterator is not None:
            self._iterator.close()
            self._iterator = None

    def _open(self) -> Any:
        # Imported here so that runs whose data stays on the device start without it.
        import grain
        from absl import flags

        data = self._data
        start = replace(self._batches, start=self._step)
        # Each element is a whole batch, so worker processes, which take turns at the elements,
        # leave their order alone.
        dataset = grain.MapDataset.source(start).to_iter_dataset(
            grain.ReadOptions(
                num_threads=data.threads, prefetch_buffer_size=max(data.prefetch, data.threads)
            )
        )
        if data.workers:
            # Grain passes its flags on to the workers, and absl insists that they be parsed before.
            if not flags.FLAGS.is_parsed():
                flags.FLAGS.mark_as_parsed()
            options = grain.MultiprocessingOptions(
                num_workers=data.workers,
                per_worker_buffer_size=max(data.prefetch // data.workers, 1),
            )
            dataset = dataset.mp_prefetch(options, partial(_worker, os.getpid()))
        return iter(dataset)


def _worker(parent: int, index: int, count: int) -> None:
    """What a worker process does first; it shall not outlive the process that started it.

    A parent that is killed closes nothing. Ctrl-C in a terminal reaches every process, and the
    parent's answer to it is the one that counts.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()


def _told(key: str, state: StreamState) -> str:
    return f"{key} {state[key]}" if key in state else f"no {key}"


def stream(
    split: Split,
    *,
    seed: int,
    batch_size_global: int,
    data: Data,
    process_index: int = 0,
    process_count: int = 1,
) -> Stream:
    """Streams the training batches of one process, without end.

    Process ``i`` loads only the rows ``i * local`` to ``(i + 1) * local`` of each global batch,
    ``local`` being ``batch_size_global / process_count``. The stream ends, by `StopIteration`, only
    when the places of a run are used up (`jaxgan.data.order.check_budget`).

    Args:
        split: what to stream. With ``data.workers``, it is pickled to the workers, and the program
            must keep its own start under ``if __name__ == "__main__"``.
        seed: of the order.
        batch_size_global: examples of one step in all processes.
        data: its ``threads``, ``workers`` and ``prefetch`` apply.
        process_index: which of the processes this is.
        process_count: how many there are.

    Returns:
        The stream, at step 0.

    Raises:
        DataError: the batch cannot be shared evenly.
    """
    if not all(map(len, domains_of(split).values())):
        raise DataError("an empty split cannot be streamed.")
    if batch_size_global < 1 or batch_size_global % process_count:
        raise DataError(
            f"a batch of {batch_size_global} cannot be shared evenly by {process_count} "
            f"process{'es' if process_count > 1 else ''}."
        )
    if not 0 <= process_index < process_count:
        raise DataError(f"there is no process {process_index} among {process_count}.")
    batches = _Batches(split, seed, batch_size_global, process_index, process_count, start=0)
    return Stream(batches, data)
