"""A source of two domains that do not belong together, small enough to be written down."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from jaxgan.data.domains import Domains
from jaxgan.data.source import ArraySplit, Field, Info

COUNTS = {"train": {"a": 7, "b": 12}, "test": {"a": 5, "b": 2}}
"""Examples of each domain."""


def pixels(domain, rows):
    """The images of some rows, ``(n, 2, 3, 1)``: every level tells domain, row and place."""
    base = {"a": 0, "b": 100}[domain]
    levels = base + 6 * np.asarray(rows)[:, None] + np.arange(6)
    return levels.astype(np.uint8).reshape(-1, 2, 3, 1)


@dataclass(frozen=True)
class Unpaired:
    """Images without labels in ``a``, with labels in ``b``: row ``i`` is of class ``i % 3``."""

    fields: ClassVar = {
        "a/image": Field("image"),
        "b/image": Field("image"),
        "b/label": Field("label"),
    }

    def info(self):
        counts = {name: max(domains.values()) for name, domains in COUNTS.items()}
        return Info("unpaired", (2, 3, 1), 1, "uint8", 3, counts)

    def load(self, split):
        # The labels of a are named by no field, so nobody may look at them.
        domains = COUNTS[split].items()
        return Domains(
            {
                name: ArraySplit(
                    pixels(name, range(count)),
                    np.arange(count) % 3 if name == "b" else -np.ones(count),
                )
                for name, count in domains
            }
        )
