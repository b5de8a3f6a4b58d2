"""Rate-distortion curve of a VAE over beta. Alemi et al., Fixing a Broken ELBO, 2018.

    python experiments/rate_distortion.py
    python experiments/rate_distortion.py --seeds 0 1 2 --steps 3000
    python experiments/rate_distortion.py --dataset fashion-mnist --steps 2000

Trains the convolutional VAE once for every beta and seed, measures rate (KL) and distortion
(negative reconstruction term) of each test image, and writes ``curve.json`` and ``curve.svg``
beside the runs. Runs that are there already are used again, or gone on with. With several seeds, a
point is the mean over them; its interval covers the test images, ``seeds`` in the JSON the
training.

Measured on digits (3,000 steps, seed 0, 256 codes an image; nats on 297 test images):

    beta 0.25: rate 10.89, distortion 17.60, ELBO -28.49, log p(x) -26.14
    beta 0.5:  rate  6.90, distortion 18.94, ELBO -25.84, log p(x) -24.75
    beta 1:    rate  3.45, distortion 21.29, ELBO -24.74, log p(x) -24.40
    beta 2:    rate  1.03, distortion 24.66, ELBO -25.69, log p(x) -25.11
    beta 4:    rate  0.00, distortion 27.23, ELBO -27.23, log p(x) -27.13
    area under the hull 224.5 (221.6 to 227.1)
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import datasets
from jaxgan.cli.entry import guarded
from jaxgan.config import ConfigError, Evaluation, Experiment, Parallel, Run
from jaxgan.data import splits
from jaxgan.evaluation.likelihood.importance import PerImage, importance_log_likelihood
from jaxgan.evaluation.likelihood.rate_distortion import Curve, rate_distortion_curve
from jaxgan.evaluation.statistics.ranges import POSITIVE, REAL, over_seeds
from jaxgan.machine.atomic import write_atomically
from jaxgan.measurement import runs
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.run import experiment_file, provenance, workdir
from jaxgan.training import loop
from jaxgan.visualization.report.axes import Scale, linear
from jaxgan.visualization.report.markup import esc

FILE = Path(__file__).parent / "conv_beta_vae.py"
BETAS = (0.25, 0.5, 1.0, 2.0, 4.0)
WARMUP = 500


def experiment_of(base: Experiment, beta: float, seed: int, steps: int) -> Experiment:
    """One run of the study. The warm-up is over after a quarter of the steps at the latest."""
    if not isinstance(base.model, Vae):
        raise ConfigError(f"{base.name} has no encoder: a rate needs a VAE")
    weight = Beta(value=beta, warmup_steps=min(WARMUP, steps // 4))
    return dataclasses.replace(
        base,
        name=f"beta{beta:g}",
        model=dataclasses.replace(base.model, beta=weight),
        steps=steps,
        seed=seed,
        evaluation=Evaluation(metrics=("likelihood",)),
    )


def train(experiment: Experiment, folder: Path, parallel: Parallel) -> None:
    """Trains a run, goes on with it, or finds it finished."""
    started = (folder / workdir.CONFIG).exists()
    if started and workdir.read_result(folder) is not None:
        workdir.check_same(folder, experiment)
        return
    settings = Run(
        workdir=str(folder),
        checkpoint_every=experiment.steps,
        keep=1,
        images_every=0,
        parallel=parallel,
        tensorboard=False,
        quiet=True,
    )
    loop.train(experiment, settings, resume=started, file=str(FILE))


def held_out(experiment: Experiment) -> Iterator[dict[str, np.ndarray]]:
    """The test images, as many at a time as the evaluation takes."""
    size = experiment.evaluation.batch_size
    for batch, count in splits.held_out_batches(experiment.data, "test", size):
        yield {name: array[:count] for name, array in batch.items() if name != "mask"}


def measure(folder: Path, samples: int) -> PerImage:
    """Terms of the bound, and the log-likelihood, of every test image."""
    trained = runs.load(folder)
    posterior, log_likelihood = trained.program.posterior, trained.program.log_likelihood
    if posterior is None or log_likelihood is None:
        raise ConfigError(f"{folder} has no encoder: a rate needs a VAE")
    return importance_log_likelihood(
        functools.partial(posterior, trained.state),
        functools.partial(log_likelihood, trained.state),
        held_out(trained.experiment),
        samples=samples,
    ).per_image


def document(
    curve: Curve, found: dict[float, list[PerImage]], settings: dict[str, Any]
) -> dict[str, Any]:
    """All numbers as JSON, in nats an image."""

    def told(name: str, values: Sequence[float]) -> dict[str, Any]:
        mean, low, high = over_seeds(values, POSITIVE if name == "rate" else REAL)
        return {"mean": mean, "interval": [low, high] if math.isfinite(low) else None}

    points = []
    for point in curve.points:
        means = [
            {
                "rate": float(one.kl.mean()),
                "distortion": float(-one.reconstruction.mean()),
                "elbo": float(one.elbo.mean()),
                "log_likelihood": float(one.log_likelihood.mean()),
            }
            for one in found[point.beta]
        ]
        points.append(
            {
                "beta": point.beta,
                "on_hull": point.on_hull,
                "rate": point.rate._asdict(),
                "distortion": point.distortion._asdict(),
                "seeds": {name: told(name, [one[name] for one in means]) for name in means[0]},
                "runs": means,
            }
        )
    return {
        "unit": "nats/image",
        "settings": settings,
        "points": points,
        "hull": curve.hull.tolist(),
        "area": {**curve.area._asdict(), "from_rate": curve.low, "to_rate": curve.high},
    }


def chart(curve: Curve, title: str) -> str:
    """The curve as a drawing of its own: the hull as a line, models as dots with intervals."""
    width, height, left, top, right, bottom = 560, 380, 60, 40, 30, 50
    plot_width, plot_height = width - left - right, height - top - bottom

    def axis(estimates: Sequence[Any], ticks: int) -> Scale:
        ends = [end for one in estimates for end in one if np.isfinite(end)]
        room = 0.08 * (max(ends) - min(ends)) or 1.0
        return linear(min(ends) - room, max(ends) + room, ticks)

    x = axis([point.rate for point in curve.points], 7)
    y = axis([point.distortion for point in curve.points], 6)

    def at(rate: float, distortion: float) -> tuple[float, float]:
        return left + x(rate) * plot_width, top + (1 - y(distortion)) * plot_height

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        ' font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{esc(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="22" font-size="14" fill="#1b2027">{esc(title)}</text>',
    ]
    for tick in y.ticks:
        _, level = at(x.low, tick)
        parts.append(f'<path d="M{left} {level:.1f}h{plot_width}" stroke="#d8dde4"/>')
        parts.append(
            f'<text x="{left - 8}" y="{level + 4:.1f}" text-anchor="end" fill="#545d69">'
            f"{esc(y.label(tick))}</text>"
        )
    for tick in x.ticks:
        place, _ = at(tick, y.low)
        parts.append(
            f'<text x="{place:.1f}" y="{top + plot_height + 18}" text-anchor="middle"'
            f' fill="#545d69">{esc(x.label(tick))}</text>'
        )
    corners = "L".join("{:.1f} {:.1f}".format(*at(*corner)) for corner in curve.hull.tolist())
    parts.append(f'<path d="M{corners}" fill="none" stroke="#0079bd" stroke-width="2"/>')
    for point in curve.points:
        place, level = at(point.rate.value, point.distortion.value)
        whiskers = ""
        if np.isfinite([*point.rate, *point.distortion]).all():
            start, end = at(point.rate.low, y.low)[0], at(point.rate.high, y.low)[0]
            upper, lower = (
                at(x.low, value)[1] for value in (point.distortion.high, point.distortion.low)
            )
            whiskers = f"M{start:.1f} {level:.1f}H{end:.1f}M{place:.1f} {upper:.1f}V{lower:.1f}"
        fill = "#0079bd" if point.on_hull else "#ffffff"
        parts.append(
            f'<path d="{whiskers}" stroke="#7d8793"/>'
            f'<circle cx="{place:.1f}" cy="{level:.1f}" r="4" fill="{fill}" stroke="#0079bd"/>'
            f'<text x="{place + 8:.1f}" y="{level - 8:.1f}" fill="#1b2027">β {point.beta:g}</text>'
        )
    parts.append(
        f'<text x="{left + plot_width / 2:.1f}" y="{height - 12}" text-anchor="middle"'
        ' fill="#1b2027">rate: KL, nats an image</text>'
        f'<text transform="translate(16 {top + plot_height / 2:.1f}) rotate(-90)"'
        ' text-anchor="middle" fill="#1b2027">distortion, nats an image</text></svg>\n'
    )
    return "".join(parts)


def study(arguments: Sequence[str] | None) -> None:
    """Trains, measures, prints and writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--betas", type=float, nargs="+", default=list(BETAS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=3000, help="updates of each run")
    parser.add_argument("--samples", type=int, default=256, help="codes drawn for each test image")
    parser.add_argument("--dataset", default="digits", choices=["digits", "fashion-mnist"])
    parser.add_argument("--parallel", default="auto", choices=get_args(Parallel))
    parser.add_argument("--workdir", type=Path, default=Path("runs/rate_distortion"))
    chosen = parser.parse_args(arguments)
    if chosen.samples < 1:
        raise ConfigError(f"--samples {chosen.samples}: must be at least 1")
    for name, values in (("--betas", chosen.betas), ("--seeds", chosen.seeds)):
        if len(set(values)) < len(values):
            raise ConfigError(f"{name}: one of them is there twice")
    base = experiment_file.load_experiment(FILE)
    base = dataclasses.replace(base, data=datasets.DATASETS[chosen.dataset])

    print("beta  seed    rate  distortion     ELBO  log p(x)   (nats an image)", flush=True)
    found: dict[float, list[PerImage]] = {beta: [] for beta in chosen.betas}
    for beta in chosen.betas:
        for seed in chosen.seeds:
            folder = chosen.workdir / f"beta{beta:g}-seed{seed}"
            train(experiment_of(base, beta, seed, chosen.steps), folder, chosen.parallel)
            one = measure(folder, chosen.samples)
            found[beta].append(one)
            print(
                f"{beta:<5g} {seed:<4d} {one.kl.mean():8.3f} {-one.reconstruction.mean():10.3f}"
                f" {one.elbo.mean():9.3f} {one.log_likelihood.mean():9.3f}",
                flush=True,
            )
    curve = rate_distortion_curve(
        chosen.betas,
        np.stack([np.mean([one.kl for one in found[beta]], 0) for beta in chosen.betas]),
        np.stack([np.mean([-one.reconstruction for one in found[beta]], 0) for beta in found]),
    )
    settings = {
        name: value for name, value in vars(chosen).items() if name not in ("workdir", "parallel")
    }
    numbers = document(curve, found, {**settings, "versions": provenance.versions()})
    content = json.dumps(numbers, indent=2, allow_nan=False)
    write_atomically(chosen.workdir / "curve.json", content.encode())
    title = f"Rate and distortion of a VAE on {chosen.dataset}, {chosen.steps:,} steps"
    path = write_atomically(chosen.workdir / "curve.svg", chart(curve, title).encode())
    low, high = curve.area.low, curve.area.high
    print(
        f"area under the hull from rate {curve.low:.2f} to {curve.high:.2f}:"
        f" {curve.area.value:.2f} ({low:.2f} to {high:.2f})\n{path}, curve.json"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the study; errors become one line."""
    guarded(lambda: study(arguments))


if __name__ == "__main__":
    main()
