"""Batches on their way to the device, and a position that ignores how far ahead they run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

BatchT = TypeVar("BatchT")


@runtime_checkable
class Resumable(Protocol):
    """An iterator with a position, such as `jaxgan.data.stream.Stream`."""

    def __next__(self) -> Any: ...

    def get_state(self) -> Any:
        """The position: what comes next."""
        ...

    def set_state(self, state: Any) -> None:
        """Goes to a position."""
        ...


class Prefetch(Iterator[BatchT], Generic[BatchT]):
    """Puts batches on the device before they are asked for.

    Up to ``size`` batches are on the device or on their way there, while the state is always that
    of the batch handed out last: a checkpoint written after step n goes on with the batch of step
    n + 1, however many have been loaded. An error in loading is raised in the place of its batch,
    after those before it.

    Args:
        iterator: where batches come from; nobody else may use it from now on.
        put: starts the transfer of one batch, and returns it as the device has it. Transfers by
            `jax.device_put` overlap with computation.
        size: how many batches to keep in flight, at least 1.
    """

    def __init__(self, iterator: Resumable, put: Callable[[Any], BatchT], size: int = 2):
        if size < 1:
            raise ValueError(f"{size} batches cannot be kept in flight; at least 1 can.")
        self._iterator = iterator
        self._put = put
        self._size = size
        # Each batch in flight lies beside the state that the iterator had after it.
        self._flying: deque[tuple[BatchT, Any]] = deque()
        self._error: Exception | None = None
        self._state = iterator.get_state()

    def __next__(self) -> BatchT:
        while self._error is None and len(self._flying) < self._size:
            before = self._iterator.get_state()
            try:
                batch = self._put(next(self._iterator))
            except Exception as error:  # StopIteration among them
                self._error = error
                # If it was the transfer that failed, the batch must not be lost.
                self._iterator.set_state(before)
            else:
                self._flying.append((batch, self._iterator.get_state()))
        if self._flying:
            batch, self._state = self._flying.popleft()
            return batch
        # Raised once; the next call tries again.
        error, self._error = self._error, None
        assert error is not None
        raise error

    def get_state(self) -> Any:
        """The position after the batch that was handed out last."""
        return self._state

    def set_state(self, state: Any) -> None:
        """Goes to a position; batches in flight are dropped."""
        self._flying.clear()
        self._error = None
        self._iterator.set_state(state)
        self._state = state
