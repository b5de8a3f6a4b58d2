"""All members of a population: those that have not ended yet, and how the others have."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import jax
import numpy as np
from jaxtyping import Array

from jaxgan.algorithms.state import State
from jaxgan.run.finite import NonFiniteError
from jaxgan.run.progress import Terminal
from jaxgan.training.blocks import of_all
from jaxgan.training.one_member import Ended, Member
from jaxgan.training.population import member

Held: TypeAlias = tuple[int, Sequence[Mapping[str, Array]]]
"""A step, and the metrics of each block's members, ``(block,)`` each."""


class Members:
    """Who has not ended, and what all of them do.

    Args:
        known: how those have ended that have, by place; more come in here.
        count: of all.
        terminal: where lines go; None: nowhere.

    Attributes:
        living: those that have not ended, by place.
        spent: seconds that each has been measured for on the way, ``(count,)``.
    """

    def __init__(self, known: dict[int, Ended], count: int, terminal: Terminal | None) -> None:
        self.living: dict[int, Member] = {}
        self.known = known
        self.spent = np.zeros(count)
        self._terminal = terminal

    def say(self, line: str) -> None:
        """Prints a line."""
        if self._terminal is not None:
            self._terminal.message(line)

    def share(self, place: int, seconds: float) -> float:
        """A member's time: its own measurements, and an equal share of all the rest.

        Args:
            place: of the member.
            seconds: spent in the loop.
        """
        rest = (seconds - float(self.spent.sum())) / len(self.spent)
        return rest + float(self.spent[place])

    def end(self, one: Member, how: Ended) -> None:
        """A member has ended."""
        del self.living[one.index]
        self.known[one.index] = how
        self.say(f"{one.folder}: {how.failed or 'done'}")

    def begin(self, step: int) -> None:
        """Rates are counted from a step on."""
        for one in self.living.values():
            one.recorder.pace.begin(step)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Time in which no steps are done."""
        with contextlib.ExitStack() as stack:
            for one in self.living.values():
                stack.enter_context(one.recorder.pace.paused())
            yield

    def tell(self, held: Sequence[Held], died: np.ndarray, states: State, seconds: float) -> None:
        """Hands all members their metrics of some steps; ends those that have diverged.

        Args:
            held: steps that follow each other, with the metrics of all blocks.
            died: as in `jaxgan.training.population.Steps`, after them.
            states: after them.
            seconds: spent in the loop.
        """
        parts = []
        # Phases may differ in what they report.
        for names, part in itertools.groupby(held, key=lambda one: tuple(one[1][0])):
            steps, rows = zip(*part, strict=True)
            host = [of_all(row) for row in jax.device_get(rows)]
            parts.append((steps, {name: np.stack([row[name] for row in host]) for name in names}))
        for one in list(self.living.values()):
            if step := int(died[one.index]):
                one.last_finite(states, step, self.share(one.index, seconds))
            try:
                for steps, found in parts:
                    own = {name: values[:, one.index] for name, values in found.items()}
                    one.recorder.add(steps[-1], own, len(steps))
                one.recorder.flush()
            except NonFiniteError as error:
                self.end(one, one.fail(str(error)))
        if self._terminal is not None and held:
            last = next(iter(self.living.values()), None)
            pace = None if last is None else last.recorder.pace.recent
            step = held[-1][0]
            self._terminal.update(step, 0, {"members": len(self.living)}, pace)

    def each(self, do: Callable[[Member], None]) -> list[int]:
        """Does something to all that have not ended; ends those of which numbers are not finite.

        Returns:
            Their places.
        """
        failed = []
        for one in list(self.living.values()):
            try:
                do(one)
            except NonFiniteError as error:
                self.end(one, one.fail(str(error)))
                failed.append(one.index)
        return failed

    def measure(self, states: State, step: int) -> list[int]:
        """Measures all that have not ended, on the way; returns whose numbers are not finite."""

        def timed(one: Member) -> None:
            started = time.perf_counter()
            try:
                one.measure(states, step)
            finally:
                self.spent[one.index] += time.perf_counter() - started

        return self.each(timed)

    def check(self, states: State, step: int) -> list[int]:
        """Ends those whose states are not finite; returns their places."""
        host = jax.device_get(states)

        def checked(one: Member) -> None:
            one.recorder.check(step, member(host, one.index))

        return self.each(checked)
