"""A ring of 8 Gaussians: plain, unrolled, gradient-regularized. Nagarajan and Kolter, Gradient
Descent GAN Optimization is Locally Stable, 2017; Metz et al., Unrolled Generative Adversarial
Networks, 2017.

    python experiments/reproductions/ring_of_8.py
    python experiments/reproductions/ring_of_8.py --steps 100001

All three play for the value ``V = E log D(x) + E log(1 - D(G(z)))`` itself: the generator minimizes
V; or V against the discriminator as it will be after 15 more updates of Adam, which are
differentiated through; or ``V + 0.5 |grad_D V|^2``. The claim: without either the generator hops
from mode to mode, and with either it covers all eight. (It is made in pictures; that it is so is
remembered and was not looked up.)

Settings are those of Nagarajan's code: circle of radius 2, deviation 0.02, 512 points a batch, 256
normal latents, ReLU of 2 x 128 in the generator and 1 x 128 in the discriminator, which sees a
quarter of the points' coordinates, orthogonal first weights times 0.8, Adam 1e-4 with b1 0.5 for
both. Metz's own are others (tanh, two layers in D, 25,000 steps). All seeds of a method are trained
side by side in one program. The code makes 100,001 steps; the first command makes 1,000, **a
reduction**, of which nothing is claimed.

Measured of the weights themselves at ten times, evenly spaced: modes with a good sample (less than
3 deviations from the center) of 2,500, their share, KL of the shares of modes. A generator that
hops has many modes behind it and few at any time, so that methods are compared by their means over
the last half.

Figure (``ring_of_8.png`` beside the JSON): methods from above in that order, times from the left;
seed 0.

Seen after 1,000 steps, three seeds, 150 seconds of the processor
(`experiments/results/reproductions/ring_of_8.json`): in the figure the plain generator is one
cloud that wanders, the others have spread over the whole ring after 300 (unrolled) and 800 steps,
and stay there. They have not found the modes yet: fewer than 1% of their samples are good ones, so
that the modes counted (2 to 6 in the end, 0 or 1 of the plain ones) are those that wide clouds
happen to touch.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import shelf

from jaxgan.algorithms.base import build
from jaxgan.algorithms.gan import Gan
from jaxgan.algorithms.state import State
from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.evaluation.manifolds.mixtures import mixture_scores
from jaxgan.evaluation.statistics.intervals import paired_interval
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.game_gradients import GradientRegularization
from jaxgan.objectives.gan.zero_sum import ZeroSum
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam
from jaxgan.program import example_batch
from jaxgan.training.population import compile_population, member
from jaxgan.typing import Logits, Pixels
from jaxgan.visualization.grid import image_grid, scatter

STEPS, BATCH, LATENTS, GAIN = 100_001, 512, 256, 0.8
RING = Ring(radius=2.0, std=0.02)
SAMPLES, LOOKS, EDGE = 2500, 10, 80
"""Samples of a look, how many looks, pixels of a picture's edge."""
PLAIN, UNROLLED, REGULARIZED = "plain", "unrolled 15 steps", "gradient-regularized"
METHODS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    UNROLLED: {"unrolled_steps": 15},
    REGULARIZED: {"generator_penalties": (GradientRegularization(0.5),)},
}


class OfQuarter(nn.Module):
    """A discriminator that sees a quarter of the points' coordinates."""

    body: MlpDiscriminator

    def __call__(self, images: Pixels, *, train: bool, axis_name: str | None = None) -> Logits:
        """One logit a point."""
        return self.body(images / 4.0, train=train, axis_name=axis_name)


def experiment_of(method: str, steps: int) -> Experiment:
    """One method, of any seed."""
    adam = Adam(learning_rate=1e-4, b1=0.5)
    critic = MlpDiscriminator(widths=(128,), slope=0.0, orthogonal_init=True)
    model = Gan(
        generator=MlpGenerator(widths=(128,) * 2, bounded=False, orthogonal_init=True),
        discriminator=OfQuarter(critic),
        loss=ZeroSum(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        prior=Normal(LATENTS),
        **METHODS[method],
    )
    data = Data(source=RING, image_size=1, channels=2)
    return Experiment(name="ring_of_8", model=model, data=data, steps=steps, batch_size=BATCH)


def begun(states: State) -> State:
    """First states with weights of the authors' gain; biases are 0."""

    def scaled(path: Any, leaf: Any) -> Any:
        return GAIN * leaf if jax.tree_util.keystr(path).endswith("['kernel']") else leaf

    return states.replace(
        players={
            name: player.replace(params=jax.tree_util.tree_map_with_path(scaled, player.params))
            for name, player in states.players.items()
        }
    )


class Look(NamedTuple):
    """How a generator's present weights cover the ring."""

    modes: int
    """Modes with a good sample."""
    good: float
    """Share of good samples."""
    kl: float
    """Of the shares of modes from equal ones, in nats; NaN without a good sample."""


def looks(experiment: Experiment, seeds: Sequence[int]) -> tuple[list[list[Look]], np.ndarray]:
    """All looks at each seed, and the points of the first seed, ``(LOOKS, SAMPLES, 2)``."""
    population, generation = compile_population(experiment), build(experiment).generation
    assert generation is not None
    numbers = np.array(seeds, np.uint32)
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    latents = generation.prior(jax.random.key(1), SAMPLES)
    pixels = jax.jit(generation.pixels)
    (phase,) = population.phases

    @functools.partial(jax.jit, donate_argnums=0)
    def until(states: State, end: Any) -> State:
        def step(now: State) -> State:
            return phase.step(now, arrays, numbers)[0]

        return jax.lax.while_loop(lambda now: now.step < end, step, states)

    states = begun(population.init(numbers, example_batch(experiment)))
    found: list[list[Look]] = [[] for _ in seeds]
    shown = []
    for number in range(LOOKS):
        states = until(states, round(experiment.steps * (number + 1) / LOOKS))
        for index, one in enumerate(found):
            # Averaged weights would hide what hops.
            points = np.asarray(pixels(member(states, index).raw, latents))
            one.append(Look(*mixture_scores(points, RING.modes, RING.std)))
            if index == 0:
                shown.append(points[:, 0, 0])
    return found, np.stack(shown)


def covered(run: Sequence[Look]) -> float:
    """Modes, on average over the last half."""
    return float(np.mean([one.modes for one in run[len(run) // 2 :]]))


def picture(shown: dict[str, np.ndarray]) -> np.ndarray:
    """Points of one seed: a method a row, a time a column."""
    tiles = [
        scatter(points, RING.modes, size=EDGE, radius=0.6)
        for times in shown.values() for points in times
    ]  # fmt: skip
    return image_grid(np.stack(tiles), columns=LOOKS, padding=2, background=128)


def reproduce(steps: int = 1000, seeds: int = 3) -> shelf.Reproduction:
    """All lines and the figure."""
    found, shown = {}, {}
    for method in METHODS:
        found[method], shown[method] = looks(experiment_of(method, steps), range(seeds))
        modes = [[one.modes for one in run] for run in found[method]]
        print(f"{method}: modes {modes}", flush=True)
    rows, orders = [], []
    for method in (UNROLLED, REGULARIZED):
        ours, error = shelf.mean_and_error([run[-1].modes for run in found[method]])
        rows.append(shelf.Row(f"modes at the end, {method}", 8, ours, 0.0, error, headline=True))
        over, plain = (list(map(covered, found[one])) for one in (method, PLAIN))
        between = paired_interval(over, plain)
        orders.append(
            shelf.Order(f"modes over the last half, {method}", PLAIN, between.low, between.high)
        )
    return shelf.Reproduction(
        name="ring_of_8",
        paper="Nagarajan and Kolter, Gradient Descent GAN Optimization is Locally Stable, 2017;"
        " Metz et al., Unrolled Generative Adversarial Networks, 2017",
        what="ring of 8 Gaussians: unrolled and gradient-regularized beside plain",
        rows=tuple(rows),
        orders=tuple(orders),
        left_open="whether both players move at once (here the discriminator is first)",
        settings={
            "steps": steps,
            "seeds": seeds,
            "measured": {
                method: [told(run) for run in runs] for method, runs in found.items()
            },
        },
        picture=picture(shown),
        reduction=f"{steps:,} of {STEPS:,} steps" if steps < STEPS else "",
        arguments=f"--steps {steps} --seeds {seeds}",
    )  # fmt: skip


def told(run: Sequence[Look]) -> dict[str, list[float | None]]:
    """A run's looks, rounded; what is no number is null."""
    return {
        field: [round(v, 3) if np.isfinite(v := float(getattr(one, field))) else None
                for one in run]
        for field in Look._fields
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table and the figure."""
    shelf.run(
        reproduce, __doc__, arguments, seeds=(3, "runs of each method"),
        steps=(1000, f"updates of each player; {STEPS:,} in the paper's code"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
