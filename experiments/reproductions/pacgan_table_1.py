"""Modes that packed discriminators make a generator cover. Lin et al., PacGAN: The Power of Two
Samples in Generative Adversarial Networks, 2018, table 1.

    python experiments/reproductions/pacgan_table_1.py
    python experiments/reproductions/pacgan_table_1.py --trials 10 --epochs 400

The second command is the whole table: ring and grid, GAN and PacGAN2 to 4, ten trials of 400,000
steps each. The trials of a row are one population, side by side in one program; a row that has
ended is kept in ``--workdir`` and not trained again. A step of one trial takes 20 ms of processor
time with single points and 36 with packs of four (three trials side by side, 40 steps of the ring,
two busy cores), so the whole is about 250 hours of it, and for a GPU, where nothing has been
measured yet. The first command is what two idle cores should do in about 20 minutes: three trials
of three epochs, **a reduction, which says nothing of the published values**.

From the paper: 100,000 points; generator of four layers of 400 units with batch normalization,
discriminator of three layers of 200 maxout units of five pieces, first weights N(0, 0.02^2), codes
N(0, I) in two dimensions; batches of 100 packs, Adam with rate 1e-4 and beta1 0.8 for both players,
400 epochs. A sample is good less than 3 standard deviations from the nearest center, a mode covered
that has a good sample, and the divergence is that of the good samples' modes from equal shares, all
of 2,500 samples.

From its code, and not in its text, done here alike: both players move at once (`simultaneous.py`);
the packs are made once, their parts drawn with replacement from the points, so that an epoch has
1,000 steps with any pack, and PacGANm has m times the draws; each part of the packs is generated in
a pass of its own and normalized by itself; samples are normalized by running moments, which 50
batches of the trained generator have brought up to date; their codes are the same in all trials.

Different here: all trials have the same points and packs, and differ in first weights, order and
codes (that code draws points anew); running moments keep 0.9 a batch and average variances (0.95,
and standard deviations); epsilon is 1e-5 (1e-4); scales start from N(1, 0.02^2) (at 1). Left open:
what beta1 was, since the library of that code, Blocks, first took it for the share of the new
gradient (0.8 is then 0.2 as it is written today) and later for what is kept; and after which epoch
values were taken (here: the last).

A perfect sampler has 98.9% good samples and a divergence of 0.0014 (ring) or 0.0048 (grid).

The verdict is of the whole alone: all 24 numbers, and that packing covers more modes and has less
divergence, six times for each data set. Trial by trial, and as a table:
`experiments/results/reproductions/pacgan_table_1.json` and ``.md``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shelf
import tyro
from pacgan_training import METRICS, key_of, row_of

from jaxgan.cli.entry import guarded
from jaxgan.config import ConfigError
from jaxgan.evaluation.statistics.intervals import paired_interval
from jaxgan.machine.atomic import write_atomically

DataName = Literal["ring", "grid"]
PUBLISHED = {
    "ring": {
        1: ((6.3, 0.5), (98.2, 0.2), (0.45, 0.09)),
        2: ((7.9, 0.1), (95.6, 2.0), (0.07, 0.03)),
        3: ((7.8, 0.1), (97.7, 0.3), (0.10, 0.02)),
        4: ((7.8, 0.1), (95.9, 1.4), (0.07, 0.02)),
    },
    "grid": {
        1: ((17.3, 0.8), (94.8, 0.7), (0.70, 0.07)),
        2: ((23.8, 0.7), (91.3, 0.8), (0.13, 0.04)),
        3: ((24.6, 0.4), (94.2, 0.4), (0.06, 0.02)),
        4: ((24.8, 0.2), (93.6, 0.6), (0.04, 0.01)),
    },
}
"""By data and images a pack: means and standard errors over ten trials, as in `METRICS`."""
TRIALS, EPOCHS = 10, 400
"""Of the whole."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Train PacGAN's table 1, or a part of it."""

    trials: int = 3
    """Seeds of each row, side by side in one program; the paper: 10."""
    epochs: int = 3
    """Of 1,000 steps each; the paper: 400."""
    data: tuple[DataName, ...] = ("ring", "grid")
    """Data sets."""
    workdir: Path = Path("runs/pacgan_table_1")
    """Folder of the rows that have ended."""
    results: Path = shelf.RESULTS
    """Folder of the JSON and the table."""

    def check(self) -> None:
        """Raises ConfigError for what cannot be trained."""
        for name, least in (("trials", 2), ("epochs", 1)):
            if (value := getattr(self, name)) < least:
                raise ConfigError(f"--{name} {value}: must be at least {least}")
        if not self.data:
            raise ConfigError("--data names none: give ring, grid or both")

    def arguments(self) -> str:
        """What of the settings is not the default, as on the command line."""
        said = []
        for name in ("trials", "epochs", "data"):
            if (value := getattr(self, name)) != getattr(Options, name):
                said.append(f"--{name} {value if isinstance(value, int) else ' '.join(value)}")
        return " ".join(said)

    def reduction(self) -> str:
        """What there is less of than in the paper; empty: nothing."""
        less = [f"{self.trials} of {TRIALS} trials"] if self.trials < TRIALS else []
        if self.epochs != EPOCHS:
            less.append(f"{self.epochs} {'of' if self.epochs < EPOCHS else 'for'} {EPOCHS} epochs")
        less += [f"without the {name}" for name in PUBLISHED if name not in self.data]
        return ", ".join(less)


def name_of(data: str, pack: int, metric: int) -> str:
    """``ring, PacGAN2: modes``."""
    return f"{data}, {'GAN' if pack == 1 else f'PacGAN{pack}'}: {METRICS[metric]}"


def values_of(row: Mapping[str, Any], metric: int) -> list[float]:
    """One value a trial; NaN where there is none."""
    return [math.nan if run[metric] is None else float(run[metric]) for run in row["runs"]]


def difference(larger: Sequence[float], smaller: Sequence[float]) -> tuple[float, float]:
    """95% interval of the mean difference, trial by trial; NaN where a trial has no value."""
    if not np.isfinite([*larger, *smaller]).all():
        return math.nan, math.nan
    interval = paired_interval(larger, smaller)
    return interval.low, interval.high


def lines_of(rows: Sequence[Mapping[str, Any]]) -> tuple[list[shelf.Row], list[shelf.Order]]:
    """All numbers, and what packing does to modes and divergence."""
    lines, orders = [], []
    by_place = {(row["data"], row["pack"]): row for row in rows}
    for (data, pack), row in by_place.items():
        for metric, (published, error) in enumerate(PUBLISHED[data][pack]):
            mean, own = shelf.mean_and_error(values_of(row, metric))
            lines.append(shelf.Row(
                name_of(data, pack, metric), published, mean, error=own, published_error=error,
                headline=metric == 0 and pack < 3,
            ))  # fmt: skip
        if pack == 1:
            continue
        for metric, larger, smaller in ((0, pack, 1), (2, 1, pack)):
            low, high = difference(
                values_of(by_place[data, larger], metric),
                values_of(by_place[data, smaller], metric),
            )
            above, below = (name_of(data, one, metric) for one in (larger, smaller))
            orders.append(shelf.Order(above, below, low, high))
    return lines, orders


def reproduction(rows: Sequence[Mapping[str, Any]], settings: Options) -> shelf.Reproduction:
    """The rows as a reproduction: a reduction, or the whole."""
    lines, orders = lines_of(rows)
    runs = {name_of(row["data"], row["pack"], 0).split(":")[0]: row["runs"] for row in rows}
    return shelf.Reproduction(
        name="pacgan_table_1",
        paper="Lin et al., PacGAN: The Power of Two Samples in Generative Adversarial Networks,"
        " 2018, table 1",
        what="modes covered with packs of one to four",
        rows=tuple(lines),
        orders=tuple(orders),
        left_open="what beta1 meant in the authors' library, and after which epoch values are",
        settings={"trials": settings.trials, "epochs": settings.epochs, "runs": runs},
        reduction=settings.reduction(),
        arguments=settings.arguments(),
    )


def table(rows: Sequence[Mapping[str, Any]], settings: Options) -> str:
    """A row a discriminator, ours beside what is published; Markdown."""
    names = [name for name in PUBLISHED if name in settings.data]
    said = settings.reduction()
    head = [f"{name}: {metric}" for name in names for metric in METRICS]
    lines = [
        f"**PacGAN, table 1: ours (published), means and standard errors of {settings.trials}"
        f" trials of {settings.epochs} epochs**\n",
        *([f"A reduction ({said}): it says nothing of the published values.\n"] if said else []),
        f"| | {' | '.join(head)} |",
        f"|---|{'---:|' * len(head)}",
    ]
    by_place = {(row["data"], row["pack"]): row for row in rows}
    for pack in PUBLISHED["ring"]:
        cells = []
        for name in names:
            for metric, published in enumerate(PUBLISHED[name][pack]):
                ours = shelf.mean_and_error(values_of(by_place[name, pack], metric))
                cells.append(f"{shelf.number(*ours)} ({shelf.number(*published)})")
        lines.append(f"| {'GAN' if pack == 1 else f'PacGAN{pack}'} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Trains what has not been trained yet, prints and writes the table.

    Ends the process with exit code 1 if the whole misses, 2 if the request cannot work.
    """
    settings = tyro.cli(Options, description=__doc__, args=arguments)
    settings.check()
    path = settings.workdir / "rows.json"
    known = json.loads(path.read_text()) if path.exists() else []
    for folder in (settings.workdir, settings.results):
        folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for data in (name for name in PUBLISHED if name in settings.data):
        for pack in PUBLISHED[data]:
            key = key_of(data, pack, settings.trials, settings.epochs)
            there = next((one for one in known if key.items() <= one.items()), None)
            if there is None:
                there = row_of(**key)
                known.append(there)
                write_atomically(path, json.dumps(known, indent=1, allow_nan=False).encode())
            rows.append(there)
            print(f"{data}, packs of {pack}: {there['seconds']} seconds", flush=True)
    markdown = settings.results / "pacgan_table_1.md"
    write_atomically(markdown, table(rows, settings).encode())
    shelf.finish(reproduction(rows, settings), settings.results)


if __name__ == "__main__":
    guarded(main)
