"""Domains: sets of examples that do not belong together, each with its own length and order.

A field called ``photo/image`` belongs to the domain ``photo``, one called ``image`` to none, which
is written as the empty name. A split of examples of one kind is the split of that one domain, so
whoever reads domains reads everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from jaxgan.data.source import Example, Split

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Domains:
    """A split of several domains, unpaired.

    Readers take one domain at a time; as a `Split`, example ``i`` is what stands there in every
    domain that is long enough.
    """

    splits: Mapping[str, Split]
    """By the name of the domain; the names of their examples' parts go without it."""

    def domain(self, name: str) -> Split:
        """The split of one domain."""
        return self.splits[name]

    def __len__(self) -> int:
        return max(map(len, self.splits.values()))

    def __getitem__(self, index: int, /) -> Example:
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} of a split of {len(self)} examples")
        return {
            join(domain, name): value
            for domain, split in self.splits.items()
            if index < len(split)
            for name, value in split[index].items()
        }


def domains_of(split: Split) -> Mapping[str, Split]:
    """The split of every domain."""
    return split.splits if isinstance(split, Domains) else {"": split}


def map_domains(split: Split, change: Callable[[str, Split], Split]) -> Split:
    """A split of the same domains, each changed by a function of its name and its split."""
    if isinstance(split, Domains):
        return Domains({name: change(name, part) for name, part in split.splits.items()})
    return change("", split)


def domain_of(name: str) -> str:
    """The domain that a field's name says.

    >>> domain_of("photo/image"), domain_of("image")
    ('photo', '')
    """
    return name.rpartition("/")[0]


def join(domain: str, name: str) -> str:
    """The full name of a part of a domain's examples.

    >>> join("photo", "image"), join("", "image")
    ('photo/image', 'image')
    """
    return f"{domain}/{name}" if domain else name


def within(domain: str, named: Mapping[str, T]) -> dict[str, T]:
    """What belongs to a domain, under names without it."""
    return {
        name.rpartition("/")[2]: value for name, value in named.items() if domain_of(name) == domain
    }
