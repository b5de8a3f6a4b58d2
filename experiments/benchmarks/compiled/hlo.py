"""The text of a compiled program (XLA's HLO), read into plain values.

What is read is the form that ``compiled.as_text()`` has: computations, each with one instruction a
line, whose results say how they lie in memory. On TPUs ``f32[64,28,28,64]{3,0,2,1:T(8,128)S(1)}``
is an array whose last axis varies fastest, then the first one, in tiles of 8 by 128 elements; where
an axis does not fill its tiles, the rest is padding. ``S(0)``, or nothing, is the device's main
memory (HBM); the other numbers are memories on the chip (`ON_CHIP`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

BITS: Mapping[str, int] = {
    **{"pred": 8, "s4": 4, "u4": 4, "s8": 8, "u8": 8, "s16": 16, "u16": 16, "s32": 32, "u32": 32},
    **{"s64": 64, "u64": 64, "bf16": 16, "f16": 16, "f32": 32, "f64": 64, "c64": 64, "c128": 128},
    **{"f8e4m3fn": 8, "f8e5m2": 8, "token": 0, "opaque": 0},
}
"""Of one element, by its type."""

ON_CHIP = "beside the main memory"
"""What spaces other than 0 are: on a TPU 1 is the vector memory (VMEM), 2 semaphores, 6 scalars."""

_BUFFER = re.compile(r"(\w+)\[([\d,<=]*)\](?:\{([^{}]*)\})?")
_TILES = re.compile(r"T((?:\([\d,*]+\))+)")
_HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\) -> .*\{$")
_LINE = re.compile(r"^\s+(?:ROOT )?%([\w.\-]+) = (.*)$")


class Buffer(NamedTuple):
    """An array in memory.

    Attributes:
        dtype: as XLA calls it, such as ``f32``.
        dims: sizes of its axes.
        order: its axes, the one that varies fastest first; empty: as they are written, last first.
        tiles: sizes of tiles along the axes that vary fastest (the last entry: along the fastest),
            then of tiles within these; None: sizes that are not told.
        space: number of the memory that it lies in.
    """

    dtype: str
    dims: tuple[int, ...]
    order: tuple[int, ...] = ()
    tiles: tuple[tuple[int, ...], ...] | None = ()
    space: int = 0

    @property
    def bytes(self) -> int:
        """Of its elements."""
        return _bytes(self.dtype, self.dims)

    @property
    def padded(self) -> int:
        """Bytes that it takes, with the rest of tiles that it does not fill.

        >>> Buffer("f32", (3, 64), (1, 0), ((8, 128),)).padded == 4 * 8 * 128
        True
        """
        if not self.tiles:
            return self.bytes
        order = self.order or tuple(reversed(range(len(self.dims))))
        rows = [self.dims[axis] for axis in reversed(order)]
        for tile in _whole(self.tiles):
            missing = len(tile) - len(rows)
            rows = [1] * missing + rows
            first = len(rows) - len(tile)
            rows[first:] = [
                -(-size // step) * step for size, step in zip(rows[first:], tile, strict=True)
            ]
        return _bytes(self.dtype, rows)


class Instruction(NamedTuple):
    """One operation.

    Attributes:
        name: which no other of its module has.
        opcode: such as ``fusion``.
        buffers: of its result; several where that is a tuple.
        operands: names of the instructions whose results it takes.
        attributes: the rest of its line.
    """

    name: str
    opcode: str
    buffers: tuple[Buffer, ...]
    operands: tuple[str, ...]
    attributes: str

    def attribute(self, name: str) -> str:
        """What stands behind ``name=``, up to the next comma outside of braces; empty: nothing."""
        found = re.search(rf"(?:^|[ ,]){re.escape(name)}=", self.attributes)
        return next(_parts(self.attributes[found.end() :])) if found else ""


class Module(NamedTuple):
    """A program.

    Attributes:
        computations: instructions in their order, by the computation's name.
        entry: name of the computation that is run.
    """

    computations: Mapping[str, tuple[Instruction, ...]]
    entry: str


def read(text: str) -> Module:
    """The module that a text describes.

    Raises:
        ValueError: there is no entry computation, or a line that cannot be read.
    """
    computations: dict[str, tuple[Instruction, ...]] = {}
    name, entry, lines = "", "", []
    for line in text.splitlines():
        if head := _HEAD.match(line):
            name, lines = head[2], []
            entry = name if head[1] else entry
        elif line == "}" and name:
            computations[name], name = tuple(lines), ""
        elif name and (found := _LINE.match(line)):
            lines.append(_instruction(found[1], found[2]))
    if not entry:
        raise ValueError("the text has no line that begins with ENTRY: it is no HLO module")
    return Module(computations, entry)


def buffers(text: str) -> tuple[Buffer, ...]:
    """The arrays of a type, in their order: one, or those of a tuple.

    >>> buffers("(f32[2,3]{1,0}, u32[])")[1]
    Buffer(dtype='u32', dims=(), order=(), tiles=(), space=0)
    """
    return tuple(_buffer(*found.groups("")) for found in _BUFFER.finditer(text))


def _buffer(dtype: str, dims: str, layout: str) -> Buffer:
    if dtype not in BITS:
        raise ValueError(f"{dtype}[{dims}]: the size of {dtype} is not known")
    order, _, rest = layout.partition(":")
    tiles: tuple[tuple[int, ...], ...] | None = ()
    if found := _TILES.search(rest):
        groups = re.findall(r"\(([^)]*)\)", found[1])
        tiles = None if "*" in found[1] else tuple(_numbers(group) for group in groups)
    space = re.search(r"S\((\d+)\)", rest)
    return Buffer(dtype, _numbers(dims), _numbers(order), tiles, int(space[1]) if space else 0)


def _instruction(name: str, rest: str) -> Instruction:
    rest = re.sub(r"/\*.*?\*/", "", rest)
    end = _closing(rest) if rest.startswith("(") else rest.index(" ")
    kind, rest = rest[:end], rest[end:].lstrip()
    opcode, bracket, _ = rest.partition("(")
    if not bracket:
        raise ValueError(f"%{name} = {kind} {rest[:60]}: no operation is named")
    end = len(opcode) + _closing(rest[len(opcode) :])
    operands = tuple(re.findall(r"%([\w.\-]+)", rest[len(opcode) : end]))
    if opcode in ("constant", "parameter"):
        operands = ()
    return Instruction(name, opcode, buffers(kind), operands, rest[end:].lstrip(", "))


def _closing(text: str) -> int:
    """The place behind the bracket that closes the one at the start."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if not depth:
            return place + 1
    raise ValueError(f"{text[:60]}: a bracket is not closed")


def _parts(text: str) -> Iterator[str]:
    """What stands between commas that are in no braces."""
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "{[(") - (letter in "}])")
        if letter == "," and not depth:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word.lstrip("<=")) for word in text.split(",") if word)


def _whole(tiles: tuple[tuple[int, ...], ...]) -> list[tuple[int, ...]]:
    """Tiles that the tiles within them fill."""
    grown = list(tiles[0])
    for inner in tiles[1:]:
        first = max(len(grown) - len(inner), 0)
        steps = inner[len(inner) - len(grown) + first :]
        grown[first:] = [
            -(-size // step) * step for size, step in zip(grown[first:], steps, strict=True)
        ]
    return [tuple(grown)]


def _bytes(dtype: str, dims: tuple[int, ...] | list[int]) -> int:
    return -(-math.prod(dims) * BITS[dtype] // 8)
