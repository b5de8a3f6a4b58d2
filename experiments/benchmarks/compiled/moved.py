"""What a compiled program moves: bytes by memory, padding, collectives, calls of the host.

Counted from the program's text. Every instruction reads its operands and writes its results whole;
one that is a fusion of several does so once. So a fusion that reads a few rows of an array counts
all of it, and what a loop does is counted as often as the compiler says that it runs (once where
it does not say). Of the branches of a condition the one that moves most counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from compiled.hlo import Buffer, Instruction, Module

FREE = {
    *("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "domain"),
    *("partition-id", "replica-id", "opt-barrier", "add-dependency"),
}
"""Operations that move nothing: names for what is there."""

COLLECTIVES = (
    *("all-reduce", "all-gather", "reduce-scatter", "collective-permute", "all-to-all"),
    *("collective-broadcast", "ragged-all-to-all"),
)
"""Operations in which chips exchange data."""

_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')


class Moved(NamedTuple):
    """Bytes that a program reads and writes, padding of tiles included.

    Attributes:
        main: to and from the main memory (HBM).
        on_chip: to and from memories on the chip (VMEM), which are some twenty times as fast.
        padding: those of both that are padding.
    """

    main: int = 0
    on_chip: int = 0
    padding: int = 0

    @property
    def all(self) -> int:
        """To and from any memory."""
        return self.main + self.on_chip

    def __add__(self, other: object) -> Moved:
        """Both together."""
        if not isinstance(other, Moved):
            return NotImplemented
        return Moved(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, count: int) -> Moved:
        """So many of these."""
        return Moved(*(count * number for number in self))


class Collective(NamedTuple):
    """An exchange between chips.

    Attributes:
        kind: one of `COLLECTIVES`.
        bytes: of what a chip has after it, without padding.
    """

    kind: str
    bytes: int


def moved(module: Module) -> Moved:
    """What one run of a program moves on one chip."""
    return _of(module, module.entry)


def _of(module: Module, name: str) -> Moved:
    instructions = module.computations[name]
    results = {one.name: one.buffers for one in instructions}
    total = Moved()
    for one in instructions:
        total += _of_one(module, one, results)
    return total


def _of_one(module: Module, one: Instruction, results: Mapping[str, tuple[Buffer, ...]]) -> Moved:
    if one.opcode in FREE or "AllocateBuffer" in one.attribute("custom_call_target"):
        return Moved()
    if one.opcode == "while":
        trips = _TRIPS.search(one.attributes)
        inner = [one.attribute(part).lstrip("%") for part in ("body", "condition")]
        both = _of(module, inner[0]) + _of(module, inner[1])
        return both.times(int(trips[1]) if trips else 1)
    if one.opcode == "conditional":
        return max((_of(module, branch) for branch in _branches(one)), key=lambda it: it.all)
    if one.opcode in ("call", "async-start"):
        called = one.attribute("to_apply") or one.attribute("calls")
        return _of(module, called.lstrip("%"))
    if one.opcode in ("async-update", "async-done", "copy-done"):
        return Moved()
    operands = [buffer for name in one.operands for buffer in results.get(name, ())]
    if one.opcode in ("copy", "copy-start"):
        ends = [*operands[:1], *one.buffers[:1]]
        outside = [end for end in ends if not end.space]
        return _sum(outside or ends)
    if one.opcode in ("slice", "dynamic-slice"):
        operands = [*one.buffers]
    elif one.opcode == "dynamic-update-slice":
        update = results.get(one.operands[1], ())
        return _sum([*update, *update])
    # What runs on beside others is read at its start, and written when it is done.
    read = [] if one.opcode.endswith("-done") else operands
    written = [] if one.opcode.endswith("-start") else one.buffers
    return _sum([*read, *written])


def _sum(buffers: list[Buffer]) -> Moved:
    main = sum(one.padded for one in buffers if not one.space)
    on_chip = sum(one.padded for one in buffers if one.space)
    return Moved(main, on_chip, main + on_chip - sum(one.bytes for one in buffers))


def _branches(one: Instruction) -> list[str]:
    several = one.attribute("branch_computations").strip("{}")
    names = several.split(",") if several else []
    names += [one.attribute(f"{word}_computation") for word in ("true", "false")]
    return [name.strip().lstrip("%") for name in names if name]


def everything(module: Module) -> Iterator[Instruction]:
    """All instructions of all computations."""
    for instructions in module.computations.values():
        yield from instructions


def collectives(module: Module) -> list[Collective]:
    """Exchanges between chips, each as often as it stands in the program."""
    found = []
    for one in everything(module):
        kind, wait = one.opcode.removesuffix("-done"), one.opcode.endswith("-start")
        # One that is started and waited for stands there twice; done, its result is the bare one.
        if kind in COLLECTIVES and not wait:
            found.append(Collective(kind, sum(buffer.bytes for buffer in one.buffers)))
    return found


def host_calls(module: Module) -> list[str]:
    """Operations that wait for the host in the middle of the program, such as callbacks."""
    found = []
    for one in everything(module):
        target = one.attribute("custom_call_target").strip('"')
        if one.opcode in ("infeed", "outfeed") or "callback" in target.lower():
            found.append(target or one.opcode)
        elif one.opcode in ("send", "recv") and one.attribute("is_host_transfer") == "true":
            found.append(one.opcode)
    return found
