"""Reading splits into memory, whole or in part, with every field that their examples have."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer

from jaxgan.data.domains import domains_of, join
from jaxgan.data.source import Example, Split

# Examples that a thread reads at a time.
_BLOCK = 64


@dataclass(frozen=True, eq=False)
class Subset:
    """Some examples of a split."""

    split: Split
    rows: Integer[np.ndarray, " rows"]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self.rows):
            raise IndexError(f"index {index} of a split of {len(self.rows)} examples")
        return self.split[int(self.rows[index])]


def arrays(split: Split, rows: slice = slice(None)) -> dict[str, np.ndarray]:
    """Reads a split, or some of it, into memory, with several threads.

    Args:
        split: each field of one shape, such as ``image``: ``(height, width, channels)``.
        rows: which examples, without a step; of each domain those that it has.

    Returns:
        Every field under its full name, with the examples of its domain as axis 0, such as
        ``image`` in the split's type and ``label``: int32 ``(n,)``. All integers are int32 but
        those of images.

    Raises:
        DataError: an example is damaged, or not as the source says.
    """
    return {
        join(domain, name): array
        for domain, part in domains_of(split).items()
        for name, array in _read(part, range(len(part))[rows]).items()
    }


def _read(split: Split, rows: range) -> dict[str, np.ndarray]:
    """The fields of some examples."""
    # Where a domain has none of the rows, some example still tells shapes and types.
    blank = stack([split[rows[0] if rows else 0]])
    found = {name: np.empty((len(rows), *a.shape[1:]), a.dtype) for name, a in blank.items()}

    def fill(start: int) -> None:
        for place in range(start, min(start + _BLOCK, len(rows))):
            for name, value in split[rows[place]].items():
                found[name][place] = value

    with ThreadPoolExecutor() as pool:
        # The results are dropped as they come; the first error is raised.
        for _ in pool.map(fill, range(0, len(rows), _BLOCK)):
            pass
    return found


def stack(examples: Sequence[Example]) -> dict[str, np.ndarray]:
    """Examples of one domain as arrays; labels, which are Python's integers, become int32."""
    found = {name: np.stack([example[name] for example in examples]) for name in examples[0]}
    return {
        name: array.astype(np.int32) if array.dtype == np.int64 else array
        for name, array in found.items()
    }
