"""R3GAN's losses on toys. Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline,
2024.

    python experiments/reproductions/r3gan_losses.py
    python experiments/reproductions/r3gan_losses.py --steps 20000

Relativistic pairs over softplus, with R1 and R2 in every step, in every 8th (eight times as heavy
there), and with R1 alone, on a line, a circle and 25 Gaussians. The claim: where the penalties come
in every 8th step only, training fails on all of these. (That R1 alone diverges is said of stacked
digits, so that here it is looked at and not judged.)

Perceptrons of 3 x 64 units in both players, Adam 1e-3 with betas 0 and 0.99, batches of 128, and
weights of 0.1 and 1 for the penalties: all seeds with both weights are one population. The first
command makes 1,000 steps, **a reduction**. Nothing was tuned: the rate and the weight of 0.1 are
those of `mode_coverage.py`.

Measured five times in the last half of training, of the weights themselves and not of averages,
which would hide what goes in circles: modes with a good sample (of curves: 40 pieces, and a sample
within 0.1 of the middle of one is good), share of good samples, KL of the shares of modes. A run
fails if on average it covers less than half of the modes; what has diverged covers none.

Found after 20,000 steps, three seeds, each with both weights: **nothing fails**, neither with lazy
penalties nor with R1 alone, and the good samples of lazy and other runs do not differ (medians 51%
and 57% on the 25 Gaussians, where no run covers less than nine of ten modes on average).
What the paper's toys and networks were is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import numpy as np
import shelf

from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.state import State
from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.data.source import IMAGE_AND_LABEL, ArraySplit, Field, Info, check_split_name
from jaxgan.data.sources.gaussians import Grid
from jaxgan.evaluation.manifolds.mixtures import mixture_scores
from jaxgan.evaluation.statistics.intervals import paired_interval
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.penalties import R1, R2, Penalty
from jaxgan.objectives.gan.relativistic import RelativisticSoftplus
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam
from jaxgan.program import example_batch
from jaxgan.training.population import compile_population, member

GAMMAS, LAZY = (0.1, 1.0), 8
SAMPLES, PIECES, REACH = 2500, 40, 0.1
LOOKS = 5
"""How often the last half of training is looked at."""


@dataclass(frozen=True)
class Curve:
    """Points that lie evenly on the unit circle, or on the line from (-1, 0) to (1, 0)."""

    fields: ClassVar[Mapping[str, Field]] = IMAGE_AND_LABEL

    is_closed: bool
    """The circle."""

    @property
    def dtype(self) -> Literal["float32"]:
        """Points are floats."""
        return "float32"

    def at(self, share: np.ndarray) -> np.ndarray:
        """The points ``(n, 2)`` so far along, from 0 to 1."""
        if self.is_closed:
            return np.stack([np.cos(2 * np.pi * share), np.sin(2 * np.pi * share)], axis=1)
        return np.stack([2 * share - 1, np.zeros_like(share)], axis=1)

    @property
    def modes(self) -> np.ndarray:
        """The middles of pieces of one length."""
        return self.at((np.arange(PIECES) + 0.5) / PIECES)

    @property
    def std(self) -> float:
        """A third of the distance from the nearest middle up to which a sample is a good one."""
        return REACH / 3

    def info(self) -> Info:
        """Describes the curve."""
        name = "circle" if self.is_closed else "line"
        return Info(name, (1, 1, 2), 2, "float32", 1, {"train": 100_000, "test": 10_000})

    def load(self, split: str) -> ArraySplit:
        """Draws one split, always the same.

        Raises:
            DataError: there is no such split.
        """
        info = self.info()
        check_split_name(info.name, split)
        count = info.counts[split]
        share = np.random.RandomState(100 + (split == "test")).random_sample(count)
        images = self.at(share).astype(np.float32).reshape(count, 1, 1, 2)
        return ArraySplit(images, np.zeros(count, np.int32))


SOURCES: dict[str, Any] = {
    "line": Curve(is_closed=False),
    "circle": Curve(is_closed=True),
    "25 Gaussians": Grid(),
}
EVERY, EIGHTH = "penalties in every step", "in every 8th"
METHODS: dict[str, tuple[Penalty, ...]] = {
    EVERY: (R1(), R2()),
    EIGHTH: (R1(every=LAZY), R2(every=LAZY)),
    "R1 alone, in every step": (R1(),),
}
"""Their weights are the members' own."""


def experiment_of(source: Any, penalties: tuple[Penalty, ...], steps: int) -> Experiment:
    """One toy under one set of penalties."""
    optimizer = Adam(learning_rate=1e-3, b1=0.0, b2=0.99)
    model = Gan(
        generator=MlpGenerator(widths=(64,) * 3, bounded=False),
        discriminator=MlpDiscriminator(widths=(64,) * 3),
        loss=RelativisticSoftplus(),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        prior=Normal(2),
        penalties=penalties,
    )
    data = Data(source=source, image_size=1, channels=2)
    return Experiment(name="r3gan_losses", model=model, data=data, steps=steps, batch_size=128)


class Look(NamedTuple):
    """How well a generator's present weights cover the data."""

    modes: float
    """Share of modes, or pieces of a curve, that a good sample belongs to."""
    good: float
    """Share of good samples."""
    kl: float
    """Of the shares of modes from equal ones, in nats; NaN without a good sample."""


def look(source: Any, images: np.ndarray) -> Look:
    """Scores samples; what is not finite is no good sample."""
    modes, good, kl = mixture_scores(images, source.modes, source.std)
    return Look(modes / len(source.modes), good, kl)


def looks(experiment: Experiment, seeds: Sequence[int]) -> list[list[Look]]:
    """All looks at each run: every seed with every weight, side by side in one program."""
    source, model = experiment.data.source, experiment.model
    assert isinstance(model, Gan)
    varies = tuple(f"model.penalties.{place}.weight" for place in range(len(model.penalties)))
    population, generation = compile_population(experiment, varies), build(experiment).generation
    assert generation is not None
    members = [(gamma, seed) for gamma in GAMMAS for seed in seeds]
    values = {path: np.array([gamma for gamma, _ in members], np.float32) for path in varies}
    numbers = np.array([seed for _, seed in members], np.uint32)
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    latents = generation.prior(jax.random.key(1), SAMPLES)
    pixels = jax.jit(generation.pixels)
    (phase,) = population.phases

    @jax.jit
    def until(states: State, end: Any) -> State:
        def step(now: State) -> State:
            return phase.step(now, arrays, numbers, values)[0]

        return jax.lax.while_loop(lambda now: now.step < end, step, states)

    states = population.init(numbers, example_batch(experiment), values)
    found: list[list[Look]] = [[] for _ in members]
    for number in range(LOOKS):
        states = until(states, round(experiment.steps * (1 + (number + 1) / LOOKS) / 2))
        for index, one in enumerate(found):
            # Averaged weights would hide what goes in circles.
            images = pixels(member(states, index).raw, latents)
            one.append(look(source, np.asarray(images)))
    return found


def failed(run: Sequence[Look]) -> bool:
    """Whether a run covers less than half of the data on average; what has diverged covers none."""
    return float(np.mean([one.modes for one in run])) < 0.5


def good(run: Sequence[Look]) -> float:
    """The share of good samples, on average over the last half."""
    return float(np.mean([one.good for one in run]))


def reproduce(steps: int = 1000, seeds: int = 3) -> shelf.Reproduction:
    """All lines."""
    found: dict[str, dict[str, list[list[Look]]]] = {name: {} for name in SOURCES}
    for name, source in SOURCES.items():
        for how, penalties in METHODS.items():
            found[name][how] = looks(experiment_of(source, penalties, steps), range(seeds))
            covered = [f"{100 * one[-1].modes:.0f} %" for one in found[name][how]]
            print(f"{name}, {how}: covered {', '.join(covered)}", flush=True)
    total = len(SOURCES) * len(GAMMAS) * seeds
    fails = {how: sum(failed(run) for by in found.values() for run in by[how]) for how in METHODS}
    rows = (
        shelf.Row(f"runs of {total} that train, {EVERY}", total, total - fails[EVERY],
                  headline=True),
        shelf.Row(f"runs of {total} that fail, {EIGHTH}", total, fails[EIGHTH], headline=True),
    )  # fmt: skip
    orders = []
    for name, by in found.items():
        between = paired_interval(
            [good(run) for run in by[EVERY]], [good(run) for run in by[EIGHTH]]
        )
        orders.append(
            shelf.Order(f"{name}: good samples, {EVERY}", EIGHTH, between.low, between.high)
        )
    return shelf.Reproduction(
        name="r3gan_losses",
        paper="Huang et al., The GAN is dead; long live the GAN!, 2024",
        what="relativistic pairs with R1 and R2 in every step, and in every 8th",
        rows=rows,
        orders=tuple(orders),
        left_open="networks, optimizer, weight of the penalties, and what failing means",
        arguments=f"--steps {steps} --seeds {seeds}",
        settings={
            "steps": steps,
            "seeds": seeds,
            "gamma": list(GAMMAS),
            "failed": fails,
            "measured": {
                name: {how: [told(run) for run in runs] for how, runs in by.items()}
                for name, by in found.items()
            },
        },
    )


def told(run: Sequence[Look]) -> dict[str, list[float | None]]:
    """A run's looks, rounded; what is no number is null."""
    return {
        field: [round(v, 3) if np.isfinite(v := float(getattr(one, field))) else None
                for one in run]
        for field in Look._fields
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table."""
    shelf.run(
        reproduce, __doc__, arguments, steps=(1000, "updates of each player"),
        seeds=(3, "runs of each kind"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
