"""The table and the samples of the study of autoencoders' objectives, vae_objectives.py.

    python experiments/vae_objectives_table.py

Writes the tables beside the numbers that are in ``experiments/results`` once more.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jaxgan.machine.atomic import write_atomically
from jaxgan.run import experiment_file, workdir

GAN_TABLE: Any = experiment_file.load_file(Path(__file__).parent / "objectives_table.py")
RESULTS = Path(__file__).parent / "results"
DATA = ("digits", "fashion-mnist")
SAMPLES = ("fid", "kid", "precision", "recall", "density", "coverage")
HELD_OUT = ("likelihood", "bits_per_dim", "elbo")
CODES = ("mutual_information", "total_correlation", "dimension_wise_kl", "active_units")
DIGITS = {"fid": 2, "kid": 4, "likelihood": 1, "elbo": 1, "mutual_information": 2,
          "total_correlation": 2, "dimension_wise_kl": 2, "active_units": 1}  # fmt: skip
"""Of each number in the table; 3 where it is not there."""


def results_file(data: str, folder: Path = RESULTS) -> Path:
    """Where the numbers of a data set are."""
    return folder / f"vae_objectives_{data.replace('-', '_')}.json"


def markdown(document: Mapping[str, Any]) -> str:
    """All numbers of one data set, the objectives in the order of their Fréchet distances.

    Likelihoods of several kinds are not put in an order, and stand beside the name of their kind.
    """
    columns = (*SAMPLES, *HELD_OUT, *CODES)
    lines = [
        f"Objectives of autoencoders on {document['data']}: perceptrons of {document['width']}"
        f" units, codes of {document['latent_size']}, {document['steps']:,} steps of"
        f" {document['batch_size']} images, seeds {', '.join(map(str, document['seeds']))};"
        f" {document['samples']:,} samples; {document['held_out']:,} held-out images, and"
        f" {document['draws']:,} codes of each for likelihoods; of so many, images and codes share"
        f" {math.log(document['held_out']):.2f} nats at most."
        " Means over the runs that did not diverge, lowest and highest between brackets."
        " Likelihoods of two kinds cannot be compared. Encoders other than MlpEncoder are named.",
        "",
        f"| objective | {' | '.join(columns)} | likelihood of | diverged |",
        f"|---|{'---:|' * len(columns)}---|---:|",
    ]

    def order(row: Mapping[str, Any]) -> float:
        values = [run["fid"] for run in row["runs"] if "fid" in run]
        return sum(values) / len(values) if values else math.inf

    for row in sorted(document["rows"], key=order):
        cells = [
            GAN_TABLE.spread([run[name] for run in row["runs"] if name in run], DIGITS.get(name, 3))
            for name in columns
        ]
        kinds = sorted({run["kind"] for run in row["runs"] if "kind" in run})
        networks = "" if row["encoder"] == "MlpEncoder" else f" ({row['encoder']})"
        diverged = f"{sum(run['diverged'] for run in row['runs'])} of {len(row['runs'])}"
        lines.append(
            f"| `{row['name']}`{networks} | {' | '.join(cells)} |"
            f" {', '.join(kinds) or GAN_TABLE.NONE} | {diverged} |"
        )
    return "\n".join(lines) + "\n"


def sheet(folder: Path, names: Sequence[str], seed: int) -> np.ndarray | None:
    """The first samples of each row, one below the other; None where there are none."""
    strips = []
    for name in names:
        path = folder / "runs" / f"{name}-seed{seed}" / workdir.PICTURES / "samples.png"
        if path.exists():
            image = np.asarray(Image.open(path).convert("L"))
            # Eight in a row, of which there are as many as in a column.
            strips.append(image[: image.shape[0] // 8])
    return np.concatenate(strips)[..., None] if strips else None


def main() -> None:
    """Writes the tables, and says where."""
    for path in filter(Path.exists, map(results_file, DATA)):
        document = json.loads(path.read_text())
        print(write_atomically(path.with_suffix(".md"), markdown(document).encode()))


if __name__ == "__main__":
    main()
