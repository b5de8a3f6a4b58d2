"""MIG and FactorVAE scores of five objectives on sprites. Locatello et al., Challenging Common
Assumptions in the Unsupervised Learning of Disentangled Representations, 2019.

    python experiments/sprite_scores.py
    python experiments/sprite_scores.py --steps 20000 --seeds 0 1 2 3 4 --images 100000

The experiments of this folder by the same names, each on the same images of
`jaxgan.data.sources.sprites`, with one network for all: perceptrons with a hidden layer of 256
units, and codes of 10 numbers. All make as many updates; a FactorVAE's see twice as many images.

What differs from the paper: 50 seeds of 300,000 updates each with convolutions, and dSprites, on
737,280 images (--images draws so many of them). Its scores are published as figures. The paper
finds that seeds and weights decide more than the objective does, so that a row here says little.

Measured with --steps 1000 --images 10000, far from the end of training, seeds 0 and 1 (two cores of
an AMD EPYC, shared with other jobs; JAX 0.10.2):

    beta_vae:   MIG 0.005 and 0.036, FactorVAE's score 0.437 and 0.564
    beta_tcvae: MIG 0.010 and 0.072, FactorVAE's score 0.468 and 0.649
    factor_vae: MIG 0.024 and 0.028, FactorVAE's score 0.355 and 0.545
    dip_vae:    MIG 0.010 and 0.018, FactorVAE's score 0.472 and 0.401

The two seeds of a row differ by as much as rows do.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from jaxgan.cli import options
from jaxgan.cli.datasets import DATASETS
from jaxgan.cli.entry import guarded
from jaxgan.config import Experiment
from jaxgan.data.sources.sprites import Sprites
from jaxgan.evaluation.disentanglement.information import mig
from jaxgan.evaluation.disentanglement.interventions import pooled
from jaxgan.evaluation.disentanglement.samples import draw, draw_factors
from jaxgan.evaluation.disentanglement.votes import factor_vae_metric
from jaxgan.evaluation.statistics.intervals import Estimate
from jaxgan.program import Program, compile_program, example_batch
from jaxgan.run import experiment_file

HERE = Path(__file__).parent
ROWS: dict[str, tuple[str, ...]] = {
    "vae": ("vae.py",),
    "beta_vae": ("vae.py", "--model.beta.value", "4"),
    "beta_tcvae": ("beta_tcvae.py",),
    "factor_vae": ("factor_vae.py",),
    "dip_vae": ("dip_vae.py",),
}
# Hidden units of tanh, as the files have them, saturate on 4,096 pixels that are nearly all black:
# all codes then say the same, and that is where the sprite is from top to bottom.
NETWORKS = (
    *("--model.encoder.widths", "256", "--model.encoder.activation", "relu"),
    *("--model.decoder.widths", "256", "--model.decoder.activation", "relu"),
)
TOGETHER = 50
"""Steps a call."""


def experiment_of(name: str, steps: int, images: int) -> Experiment:
    """A row's experiment on sprites."""
    file, *arguments = ROWS[name]
    if name == "beta_tcvae":
        arguments += ["--regularizer.examples", str(images)]
    base = experiment_file.load_experiment(HERE / file)
    found = options.parse(base, [*arguments, *NETWORKS], program=file).experiment
    return dataclasses.replace(found, data=DATASETS["sprites"], steps=steps)


def train(program: Program, experiment: Experiment, seed: int, arrays: dict) -> object:
    """The state after all steps."""
    replicate = program.plan.replicate
    number = replicate(np.asarray(seed, np.uint32))
    arrays = replicate(arrays)
    state = replicate(program.init(seed, example_batch(experiment)))
    for done in range(0, experiment.steps, TOGETHER):
        count = replicate(np.asarray(min(TOGETHER, experiment.steps - done), np.int32))
        state, _ = program.phases[0].resident_steps(state, arrays, number, count)
    return state


def scores(program: Program, state: object, samples: int) -> dict[str, Estimate]:
    """Of posterior means: MIG of ``samples`` images, and votes that half as many others test."""
    encoding = program.algorithm.encoding
    assert encoding is not None
    assert encoding.codes is not None
    codes_of = jax.jit(encoding.codes)
    codes, factors = draw(
        lambda images: codes_of(state, {"image": images}), Sprites(), samples + samples // 2
    )
    first, rest = (codes[:samples], factors[:samples]), (codes[samples:], factors[samples:])
    return {"mig": mig(*first), "factor_vae": factor_vae_metric(pooled(*first), pooled(*rest))}


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and scores all rows; prints a line for each run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=[*ROWS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--images", type=int, default=20_000, help="sprites to train on")
    parser.add_argument("--samples", type=int, default=10_000, help="images to score with")
    given = parser.parse_args(arguments)
    sprites, generator = Sprites(), np.random.default_rng(0)
    factors = draw_factors(sprites.factor_sizes, given.images, generator)
    arrays = {"image": sprites.images(factors), "label": factors[:, 1].astype(np.int32)}
    for name in given.rows:
        experiment = experiment_of(name, given.steps, given.images)
        program = compile_program(experiment, "none")
        for seed in given.seeds:
            state = train(program, experiment, seed, arrays)
            found = scores(program, state, given.samples)
            told = (f"{k} {e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for k, e in found.items())
            print(f"{name}, seed {seed}: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    guarded(main)
