"""Directions in StyleGAN2's space w, found without labels and scored on sprites. Shen and Zhou,
Closed-Form Factorization of Latent Semantics in GANs, 2021 (SeFa); Haerkoenen et al., GANSpace:
Discovering Interpretable GAN Controls, 2020.

    python experiments/style_directions.py
    python experiments/style_directions.py --run runs/mine --steps 6000 --results .

The networks of ``stylegan2.py`` learn sprites of 16 pixels (`jaxgan.data.sources.sprites`, scaled
down). A classifier learns, from real sprites, to read off an image what shape it has, how large it
is and where it lies. Latents are then moved along the first ten directions of each kind, by one
standard deviation of w along the direction either way, and what is read changes: re-scoring. Random
orthogonal directions are the floor. Orientation is not read: that of a square is the same four
times a turn, that of an ellipse twice.

Moreover the coordinates of w along all directions of a kind count as a code of its image, and what
is read off that as its factors, for the scores that VAEs get (MIG, SAP, DCI, modularity).

The papers move faces and the like, and look at predictors of attributes or ask people. The run is
kept in ``--run``, so that ``jaxgan sample`` and ``jaxgan project`` work on it; if it is there
already, it is read and not trained.

Measured with one seed (`results/style_directions.md`; 12 minutes on two cores beside other work, of
which reading and scoring take two): GANSpace's directions move scale, x and y by 1.2 to 1.5 of
their standard deviations, SeFa's by 0.8 to 1.4, random ones by 0.4 to 0.6. None moves one factor
alone: shape goes with size and place. (A reader of 600 steps was tried first; it knew no shapes.)
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan.cli.entry import guarded
from jaxgan.config import Experiment, Run
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.sprites import SHAPES, Sprites, values_of
from jaxgan.data.transforms import resize_image
from jaxgan.evaluation.disentanglement import directions
from jaxgan.evaluation.disentanglement.dci import dci
from jaxgan.evaluation.disentanglement.directions import Directions
from jaxgan.evaluation.disentanglement.information import mig, modularity
from jaxgan.evaluation.disentanglement.rescoring import Rescoring, rescore
from jaxgan.evaluation.disentanglement.samples import draw_factors
from jaxgan.evaluation.disentanglement.sap import sap, squared_correlation
from jaxgan.evaluation.features.load import Classifier
from jaxgan.machine.atomic import write_atomically
from jaxgan.measurement import runs
from jaxgan.measurement.styles import Styles, styles
from jaxgan.program import compile_program, example_batch
from jaxgan.run import experiment_file, provenance, workdir
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.visualization.grid import encode_png, image_grid

HERE = Path(__file__).parent
SIZE, TOGETHER, SAVED = 16, 50, 100
"""Pixels a side, steps a call, steps from one checkpoint to the next."""

FACTORS = ("shape", "scale", "x", "y")
SHOWN, LEADING, BASES = 5, 10, 3
"""Directions of a picture, directions that are scored, and random bases that are averaged over."""


class Reader(NamedTuple):
    """What reads factors off images, and how well it does on sprites that it has not seen."""

    read: Callable[[np.ndarray], np.ndarray]
    """From uint8 images to probabilities of the shapes, scale, x and y: ``(n, 6)``."""
    accuracy: float
    """Of the shape."""
    explained: list[float]
    """Share of the variance of scale, x and y."""


def sprites(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images scaled down, and their factors' values: shape from 0, scale, x and y."""
    source = Sprites()
    factors = draw_factors(source.factor_sizes, count, np.random.default_rng(seed))
    small = [resize_image(image, (SIZE, SIZE), "bilinear") for image in source.images(factors)]
    return np.stack(small), values_of(factors)[:, [1, 2, 4, 5]] - [1, 0, 0, 0]


def experiment_of(steps: int) -> Experiment:
    """Networks and settings of ``stylegan2.py``, on sprites."""
    base = experiment_file.load_experiment(HERE / "stylegan2.py")
    data = Data(source=Sprites(), image_size=SIZE, resize="bilinear")
    return dataclasses.replace(base, name="style_directions", data=data, steps=steps)


def train(experiment: Experiment, folder: Path, images: np.ndarray, seed: int) -> None:
    """Trains on these images alone, and keeps states as a run that can be read back."""
    program = compile_program(experiment, "none")
    replicate = program.plan.replicate
    number = replicate(np.asarray(seed, np.uint32))
    arrays = replicate({"image": images, "label": np.zeros(len(images), np.int32)})
    state = replicate(program.init(seed, example_batch(experiment)))
    run = Run(workdir=str(folder))
    workdir.create(folder, experiment, run, file=None, command="style_directions.py")
    with Checkpoints(folder / workdir.CHECKPOINTS) as checkpoints:
        for done in range(0, experiment.steps, TOGETHER):
            count = min(TOGETHER, experiment.steps - done)
            state, metrics = program.phases[0].resident_steps(
                state, arrays, number, replicate(np.asarray(count, np.int32))
            )
            step = done + count
            if step % SAVED == 0 or step == experiment.steps:
                losses = {k: float(v[count - 1]) for k, v in metrics.items() if "loss/" in k}
                print(f"step {step}: {losses}", flush=True)
                checkpoints.save(step, jax.device_get(state), {"position": {"step": step}})


def reader(images: np.ndarray, values: np.ndarray, steps: int, seed: int = 0) -> Reader:
    """A classifier and regression in one network, with Adam; the last tenth of images tests it."""
    network = Classifier((16, 32, 32), (1, 2, 2), classes=len(SHAPES) + 3)
    kept = len(images) - len(images) // 10
    mean, spread = values[:kept, 1:].mean(axis=0), values[:kept, 1:].std(axis=0)
    wanted = (values[:, 1:] - mean) / spread
    optimizer = optax.adam(optax.cosine_decay_schedule(3e-3, steps))
    variables: Any = network.init(jax.random.key(seed), jnp.asarray(images[:1]))

    def outputs(variables: Any, batch: Any) -> tuple[Any, Any]:
        found: Any = network.apply(variables, batch)
        return found[1][:, : len(SHAPES)], found[1][:, len(SHAPES) :]

    def loss(variables: Any, batch: Any, shape: Any, numbers: Any) -> Any:
        logits, guesses = outputs(variables, batch)
        terms = optax.softmax_cross_entropy_with_integer_labels(logits, shape)
        return jnp.mean(terms + jnp.sum(jnp.square(guesses - numbers), axis=1))

    @jax.jit
    def step(variables: Any, state: Any, *batch: Any) -> tuple[Any, Any]:
        updates, state = optimizer.update(jax.grad(loss)(variables, *batch), state)
        return optax.apply_updates(variables, updates), state

    generator, state = np.random.default_rng(seed), optimizer.init(variables)
    for _ in range(steps):
        rows = generator.integers(kept, size=128)
        shape = values[rows, 0].astype(np.int32)
        variables, state = step(variables, state, images[rows], shape, wanted[rows])

    @jax.jit
    def together(batch: Any) -> Any:
        logits, guesses = outputs(variables, batch)
        return jnp.concatenate([jax.nn.softmax(logits), guesses * spread + mean], axis=1)

    def read(images: np.ndarray) -> np.ndarray:
        padded = np.resize(images, (-(-len(images) // 500) * 500, *images.shape[1:]))
        parts = [np.asarray(together(part)) for part in padded.reshape(-1, 500, *images.shape[1:])]
        return np.concatenate(parts)[: len(images)]

    found = read(images[kept:])
    accuracy = float(np.mean(found[:, :3].argmax(axis=1) == values[kept:, 0]))
    errors = np.square(found[:, 3:] - values[kept:, 1:]).mean(axis=0)
    return Reader(read, accuracy, [float(one) for one in 1 - errors / spread**2])


def of_factors(changes: Rescoring) -> Rescoring:
    """Those of `FACTORS`: of the three shapes' probabilities the one that changes most."""
    most = changes.absolute[:, :3].argmax(axis=1)
    rows = np.arange(len(most))
    return Rescoring(*(np.column_stack([part[rows, most], part[:, 3:]]) for part in changes))


def scores(
    found: Directions, space: Styles, w: np.ndarray, read: Callable, moved: int
) -> dict[str, Any]:
    """All scores of one kind of directions.

    Args:
        found: the directions.
        space: of the trained generator.
        w: mapped latents.
        read: from images to what `Reader.read` gives.
        moved: of the latents, how many are moved.
    """
    steps = found.vectors * directions.spreads(found.vectors, w)[:, None]
    changes = of_factors(rescore(lambda one: read(space.images(one)), w[:moved], steps[:LEADING]))
    best = changes.absolute.argmax(axis=0)
    codes, seen = (w - w.mean(axis=0)) @ found.vectors.T, read(space.images(w))
    factors = np.column_stack(
        [seen[:, :3].argmax(axis=1), np.rint((seen[:, 3].clip(0.5, 1) - 0.5) * 10)]
        + [np.floor(seen[:, place].clip(0, 0.999) * 8) for place in (4, 5)]
    )
    half = len(w) * 2 // 3
    tree = dci((codes[:half], factors[:half]), (codes[half:], factors[half:]), replicates=2)
    correlation = np.sqrt(squared_correlation(codes, seen.astype(np.float64))).max(axis=0)
    return {
        "change": changes.absolute[best, np.arange(4)].tolist(),
        "direction": (best + 1).tolist(),
        "leakage": changes.leakage.tolist(),
        "correlation": [float(correlation[:3].max()), *map(float, correlation[3:])],
        "disentanglement of changes": changes.disentanglement,
        "completeness of changes": changes.completeness,
        "MIG": mig(codes, factors, replicates=2).value,
        "SAP": sap(codes, factors, replicates=2).value,
        "DCI disentanglement": tree.disentanglement.value,
        "DCI completeness": tree.completeness.value,
        "modularity": modularity(codes, factors, replicates=2).value,
    }


def averaged(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of several bases' scores; directions' numbers mean nothing then."""
    means = {name: np.mean([one[name] for one in found], axis=0).tolist() for name in found[0]}
    return {**means, "direction": None}


def table(rows: dict[str, dict[str, Any]], said: str) -> str:
    """Markdown: factors by kinds of directions, and the scores of all factors together."""
    head = ["directions", *FACTORS]
    lines = [said, "", f"| {' | '.join(head)} |", f"|---|{'---:|' * len(FACTORS)}"]
    for name, row in rows.items():
        numbers = row["direction"] or [None] * len(FACTORS)
        cells = [
            f"{change:.2f}{'' if number is None else f' (no. {number})'}, {leak:.2f}, {r:.2f}"
            for change, number, leak, r in zip(
                row["change"], numbers, row["leakage"], row["correlation"], strict=True
            )
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    names = [name for name, value in next(iter(rows.values())).items() if isinstance(value, float)]
    lines += ["", f"| directions | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(f'{row[one]:.3f}' for one in names)} |")
    return "\n".join(lines) + "\n"


def picture(kinds: Sequence[Directions], space: Styles, w: np.ndarray) -> np.ndarray:
    """Kinds side by side, a row a direction, from three standard deviations back to three on."""
    blocks = []
    for found in kinds:
        vectors = found.vectors[:SHOWN]
        steps = vectors * directions.spreads(vectors, w)[:, None]
        lines = directions.traversals(w.mean(axis=0), steps, 3.0, 7)
        images = space.images(lines.reshape(-1, w.shape[1]))
        blocks += [image_grid(images, columns=7, scale=3)]
        blocks += [np.full((len(blocks[-1]), 12, 1), 255, np.uint8)]
    return np.concatenate(blocks[:-1], axis=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains unless the run is there, scores, and writes table, numbers and picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--run", type=Path, default=Path("runs/style_directions"))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=20_000, help="sprites to learn from")
    parser.add_argument("--reader-steps", type=int, default=4000)
    parser.add_argument("--latents", type=int, default=1500, help="whose images are read")
    parser.add_argument("--moved", type=int, default=250, help="latents that are moved")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    given = parser.parse_args(arguments)
    images, values = sprites(given.images, seed=0)
    if not (given.run / workdir.CONFIG).exists():
        train(experiment_of(given.steps), given.run, images, given.seed)
    trained = runs.load(given.run)
    space = styles(trained)
    known = reader(images, values, given.reader_steps)
    w = space.mapped(given.latents).astype(np.float64)
    bases = [directions.random_directions(w.shape[1], seed) for seed in range(BASES)]
    kinds = {
        "SeFa": directions.sefa([*space.affines.values()]),
        "GANSpace": directions.ganspace(space.mapped(50_000, seed=1)),
    }

    def scored(found: Directions) -> dict[str, Any]:
        return scores(found, space, w, known.read, given.moved)

    rows = {name: scored(found) for name, found in kinds.items()}
    rows["random"] = averaged([scored(one) for one in bases])
    explained = ", ".join(f"{one:.2f}" for one in known.explained)
    said = (
        f"StyleGAN2 in small on sprites of {SIZE} pixels, step {trained.step:,}, one seed. The"
        f" reader has the shape right for {known.accuracy:.0%} of sprites that it has not seen, and"
        f" explains {explained} of the variance of scale, x and y. Of each factor: the largest"
        f" change by any of {LEADING} directions, in the factor's standard deviations; as a share"
        " of it, the largest change of another factor along the same direction; and the largest"
        " correlation of the factor with w along any direction."
    )
    document = {"versions": provenance.versions(), "said": said, "rows": rows}
    content = json.dumps(document, indent=1) + "\n"
    for suffix, made in (
        (".json", content.encode()),
        (".md", table(rows, said).encode()),
        (".png", encode_png(picture([*kinds.values(), bases[0]], space, w))),
    ):
        write_atomically(given.results / f"style_directions{suffix}", made)
    print(table(rows, said))


if __name__ == "__main__":
    guarded(main)
