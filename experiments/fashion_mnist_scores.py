"""DCGAN, WGAN and a convolutional VAE on Fashion-MNIST under the full protocol, three seeds each.

    python experiments/fashion_mnist_scores.py
    python experiments/fashion_mnist_scores.py --images 960000 --seeds 0 1 2 3 4

Every run sees the same number of real images. A run that its folder holds already is gone on with,
or taken as it is. Writes ``scores.json``, a list of the documents that ``jaxgan evaluate`` prints,
and ``scores.md``, means over the seeds with their 95% intervals, which stay where a metric can be.
"""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import tyro

from jaxgan.cli import options
from jaxgan.cli.entry import guarded
from jaxgan.config import ConfigError, Experiment, Run
from jaxgan.evaluation.ranges import range_of
from jaxgan.evaluation.statistics.ranges import Range, over_seeds
from jaxgan.machine.atomic import write_atomically
from jaxgan.measurement import runs
from jaxgan.run import experiment_file, workdir
from jaxgan.training import loop

HERE = Path(__file__).parent
ROWS: dict[str, tuple[str, ...]] = {
    "dcgan": ("dcgan.py",),
    "wgan": ("wgan.py",),
    "conv_vae": ("conv_beta_vae.py", "--name", "conv_vae", "--model.beta.value", "1"),
}
METRICS = ("fid", "fid_inf", "kid", "is", "prdc", "memorization", "swd", "ms_ssim")
OF_MODELS = ("likelihood", "surgery")
"""For rows that have an encoder and a likelihood."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Train and score three models on Fashion-MNIST."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """Training seeds."""
    images: int = 96_000
    """Real images that each run sees."""
    draws: int = 50
    """Codes drawn for each test image where a likelihood is estimated."""
    workdir: Path = Path("runs/fashion_mnist_scores")
    """Folder of the runs and of the scores."""


def planned(name: str, settings: Options) -> list[tuple[Experiment, Path]]:
    """The experiments of a row, one a seed, and their folders."""
    file, *words = ROWS[name]
    base = experiment_file.load_experiment(HERE / file)
    words += ["--dataset", "fashion-mnist"]
    experiment = options.parse(base, words, program=f"python {file}").experiment
    steps = settings.images // experiment.images_per_step
    if not steps:
        raise ConfigError(f"--images {settings.images}: less than one step of {name}")
    return [
        (
            dataclasses.replace(experiment, steps=steps, seed=seed),
            settings.workdir / f"{name}-seed{seed}",
        )
        for seed in settings.seeds
    ]


def score(experiment: Experiment, folder: Path, settings: Options) -> dict[str, Any]:
    """Trains a run as far as it has not been, and measures it."""
    started = (folder / workdir.CONFIG).exists()
    if not started or workdir.read_result(folder) is None:
        run = Run(workdir=str(folder), keep=1, images_every=0, quiet=True)
        loop.train(experiment, run, resume=started)
    trained = runs.load(folder)
    has_likelihood = trained.program.log_likelihood is not None
    names = METRICS + (OF_MODELS if has_likelihood else ())
    return {
        "seed": experiment.seed,
        "images": experiment.steps * experiment.images_per_step,
        **runs.evaluate(trained, names, draws=settings.draws),
    }


def table(documents: list[dict[str, Any]]) -> str:
    """A metric a row, a model a column; Markdown."""
    models = list(dict.fromkeys(document["name"] for document in documents))
    metrics = list(dict.fromkeys(m for document in documents for m in document["metrics"]))
    lines = [f"| metric | {' | '.join(models)} |", f"|---|{'---:|' * len(models)}"]
    for metric in metrics:
        cells = []
        for model in models:
            mine = [d["metrics"] for d in documents if d["name"] == model]
            values = [found[metric] for found in mine if metric in found]
            cells.append(cell(values, range_of(metric)) if values else "–")
        lines.append(f"| `{metric}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(values: list[float], inside: Range) -> str:
    """The mean and its interval; the values where they have none: two, or all alike."""
    mean, low, high = over_seeds(values, inside)
    if math.isfinite(low):
        return f"{mean:.4g} ({low:.3g} to {high:.3g})"
    return ", ".join(f"{value:.4g}" for value in dict.fromkeys(values))


def main() -> None:
    """Trains, measures, writes and prints the table."""
    settings = tyro.cli(Options, description=__doc__)
    documents = []
    for name in ROWS:
        for experiment, folder in planned(name, settings):
            print(f"{name}, seed {experiment.seed} ...", flush=True)
            documents.append(score(experiment, folder, settings))
    settings.workdir.mkdir(parents=True, exist_ok=True)
    text = table(documents)
    write_atomically(
        settings.workdir / "scores.json", (json.dumps(documents, indent=1) + "\n").encode()
    )
    write_atomically(settings.workdir / "scores.md", text.encode())
    print(f"\n{text}\nscores are in {settings.workdir}")


if __name__ == "__main__":
    guarded(main)
