"""Which modes are covered: adversarial losses, plain, packed (PacGAN) and with R1 + R2.

    python experiments/mode_coverage.py
    python experiments/mode_coverage.py --data ring --losses hinge minimax --seeds 0 1 2 3 4

On the ring and the grid of Gaussians, and on stacked digits (three digits as channels: 1,000 modes
that the shipped classifier tells apart), each loss trains the same small perceptrons for the same
number of steps, all seeds of a cell side by side in one program. **Nothing is tuned for a row or a
column**: one learning rate, one weight of R1 and R2, packs of two.

Measured of the averaged generator: modes with at least one good sample, the share of good ones
(less than 3 standard deviations from a center; stacked digits have no such thing) and the KL
divergence of the shares of modes from equal ones, in nats. A run has collapsed if it covers fewer
than half of the modes, or is not finite.

Writes ``mode_coverage.json`` and ``mode_coverage.md`` beside each other after every cell; cells
that the JSON has already, with the same settings, are not trained again.

The scores are those of PacGAN (Lin et al. 2018, table 1), the protocol is not: its networks are
wider (400 with batch normalization, 200 maxout units of five pieces), its rate is 1e-4, and it
trains for 400,000 steps. `pacgan.py` has those networks. Its numbers and these do not compare.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
import tyro

from jaxgan.algorithms.base import Algorithm, build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.state import State
from jaxgan.cli.datasets import DATASETS
from jaxgan.cli.entry import guarded
from jaxgan.cli.names import LOSSES
from jaxgan.config import ConfigError, Experiment
from jaxgan.data import splits
from jaxgan.evaluation.features.extraction import extract
from jaxgan.evaluation.features.load import load_backbone
from jaxgan.evaluation.manifolds.mixtures import mixture_scores
from jaxgan.evaluation.manifolds.stacks import mode_kl
from jaxgan.machine.atomic import write_atomically
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.penalties import R1, R2
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam
from jaxgan.program import example_batch
from jaxgan.run import provenance
from jaxgan.training.population import compile_population, member

DataName = Literal["ring", "grid", "stacked"]
COMPARED = (
    "minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic_softplus",
)  # fmt: skip
GAMMA = 0.1
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "packed": {"pack": 2},
    "R1 + R2": {"penalties": (R1(GAMMA), R2(GAMMA))},
}
SAMPLES = {"ring": 2500, "grid": 2500, "stacked": 10_000}
CALL = 250
"""Steps in one call of the compiled program."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Count the modes that GANs cover."""

    data: tuple[DataName, ...] = ("ring", "grid", "stacked")
    """Data sets."""
    losses: tuple[str, ...] = COMPARED
    """Losses, by their names on the command line."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """Of each loss: plain, packed, R1 + R2."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Training seeds."""
    steps: int = 4000
    """Updates of each player."""
    workdir: Path = Path("runs/mode_coverage")
    """Folder of the tables."""


def experiment_of(data: str, loss: str, variant: str, steps: int) -> Experiment:
    """One cell of the study."""
    if loss not in LOSSES or variant not in VARIANTS:
        raise ConfigError(f"there is no {loss!r} with {variant!r}: losses are {', '.join(LOSSES)}")
    points = data != "stacked"
    model = Gan(
        generator=MlpGenerator(widths=(128,) * 3, bounded=not points),
        discriminator=MlpDiscriminator(widths=(128,) * 3),
        loss=LOSSES[loss](),
        generator_optimizer=Adam(learning_rate=1e-3),
        discriminator_optimizer=Adam(learning_rate=1e-3),
        prior=Normal(2 if points else 64),
        **VARIANTS[variant],
    )
    return Experiment(
        name="mode_coverage", model=model, data=DATASETS[data], steps=steps, batch_size=128
    )


def trained(experiment: Experiment, seeds: tuple[int, ...]) -> list[State]:
    """The states of all seeds after the last step."""
    population = compile_population(experiment)
    numbers = np.asarray(seeds, np.uint32)
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    (phase,) = population.phases

    @jax.jit
    def several(states: State, count: Any) -> State:
        return jax.lax.fori_loop(
            0, count, lambda _, state: phase.step(state, arrays, numbers)[0], states
        )

    states, done = population.init(numbers, example_batch(experiment)), 0
    while done < experiment.steps:
        count = min(CALL, experiment.steps - done)
        states, done = several(states, count), done + count
    return [member(states, index) for index in range(len(seeds))]


def scores(data: str, experiment: Experiment, algorithm: Algorithm, state: State) -> dict[str, Any]:
    """Modes, share of good samples, KL of the shares of modes, whether the run has collapsed."""
    generation = algorithm.generation
    assert generation is not None
    latents = generation.prior(jax.random.key(1), SAMPLES[data])
    images = np.asarray(jax.jit(generation.pixels)(state, latents))
    source: Any = experiment.data.source
    found: dict[str, Any]
    if data == "stacked":
        total, finite = 1000, bool(np.isfinite(images).all())
        eight = np.round(255 * np.nan_to_num(images)).astype(np.uint8)
        classes = load_backbone("digits-cnn", (8, 8, 1))
        digits = [
            extract(classes, [eight[..., c : c + 1]], logits=True).logits.argmax(axis=1)  # pyright: ignore
            for c in range(3)
        ]
        counts = np.bincount(np.ravel_multi_index(digits, (10, 10, 10)), minlength=total)
        found = {"modes": int(np.count_nonzero(counts)), "good": None, "kl": mode_kl(counts)}
    else:
        total, finite = len(source.modes), bool(np.isfinite(images).all())
        modes, good, kl = mixture_scores(images, source.modes, source.std)
        found = {"modes": modes, "good": good, "kl": kl if math.isfinite(kl) else None}
    return {**found, "collapsed": not finite or found["modes"] < total / 2}


def row(data: str, loss: str, variant: str, settings: Options) -> dict[str, Any]:
    """One cell: every seed trained and scored."""
    experiment = experiment_of(data, loss, variant, settings.steps)
    begin = time.monotonic()
    states = trained(experiment, settings.seeds)
    seconds = time.monotonic() - begin
    algorithm = build(experiment)
    runs = [
        {"seed": seed, **scores(data, experiment, algorithm, state)}
        for seed, state in zip(settings.seeds, states, strict=True)
    ]
    return {**key_of(data, loss, variant, settings), "runs": runs, "seconds": round(seconds, 1)}


def key_of(data: str, loss: str, variant: str, settings: Options) -> dict[str, Any]:
    """What tells a cell from others."""
    return {
        "data": data, "loss": loss, "variant": variant, "steps": settings.steps,
        "seeds": list(settings.seeds),
    }  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    """A data set a table, a loss a row, a variant a column; Markdown."""
    parts = []
    for data in dict.fromkeys(row["data"] for row in rows):
        mine = [row for row in rows if row["data"] == data]
        variants = list(dict.fromkeys(row["variant"] for row in mine))
        total = {"ring": 8, "grid": 25, "stacked": 1000}[data]
        good = "" if data == "stacked" else ", share of good samples"
        steps = " or ".join(f"{n:,}" for n in dict.fromkeys(row["steps"] for row in mine))
        seeds = max(len(row["runs"]) for row in mine)
        head = f"{data}: modes of {total}{good}, KL; means of {seeds} seeds, {steps} steps"
        parts += [f"\n**{head}**\n", f"| loss | {' | '.join(variants)} |"]
        parts.append(f"|---|{'---:|' * len(variants)}")
        for loss in dict.fromkeys(row["loss"] for row in mine):
            found = {row["variant"]: row["runs"] for row in mine if row["loss"] == loss}
            cells = [cell(found[name]) if name in found else "–" for name in variants]
            parts.append(f"| {loss} | {' | '.join(cells)} |")
    return "\n".join(parts).lstrip("\n") + "\n"


def cell(runs: list[dict[str, Any]]) -> str:
    """``7.7, 93 %, 0.05; 1 of 3 collapsed``. A KL is a mean of those runs that have one."""

    def mean(name: str) -> float:
        values = [run[name] for run in runs if run[name] is not None]
        return float(np.mean(values)) if values else math.nan

    told = [f"{mean('modes'):.4g}"]
    if any(run["good"] is not None for run in runs):
        told.append(f"{100 * mean('good'):.0f} %")
    told.append(f"{mean('kl'):.2f}" if math.isfinite(mean("kl")) else "no KL")
    gone = sum(run["collapsed"] for run in runs)
    return ", ".join(told) + (f"; {gone} of {len(runs)} collapsed" if gone else "")


def main(arguments: list[str] | None = None) -> None:
    """Trains, measures, writes and prints the tables."""
    settings = tyro.cli(Options, description=__doc__, args=arguments)
    path = settings.workdir / "mode_coverage.json"
    known = json.loads(path.read_text())["rows"] if path.exists() else []
    rows: list[dict[str, Any]] = []
    settings.workdir.mkdir(parents=True, exist_ok=True)
    for data in settings.data:
        for loss in settings.losses:
            for variant in settings.variants:
                key = key_of(data, loss, variant, settings)
                there = [one for one in known if key.items() <= one.items()]
                rows.append(there[0] if there else row(data, loss, variant, settings))
                print(f"{data}, {loss}, {variant}: {cell(rows[-1]['runs'])}", flush=True)
                # Rows of other calls stay.
                others = [one for one in known if not any(one == mine for mine in rows)]
                document = {"versions": provenance.versions(), "rows": [*rows, *others]}
                content = json.dumps(document, indent=1, allow_nan=False) + "\n"
                write_atomically(path, content.encode())
                write_atomically(path.with_suffix(".md"), table(rows).encode())
    print(f"\n{table(rows)}\n{path}, {path.with_suffix('.md').name}")


if __name__ == "__main__":
    guarded(main)
