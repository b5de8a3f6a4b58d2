"""What penalties cost: second derivatives in two ways, and lazy penalties within a train step.

    python experiments/benchmarks/penalties.py
    python experiments/benchmarks/penalties.py --only steps --rounds 20 --json penalties.json

slopes  gradient of R1 by a discriminator's parameters. ``double_ms`` differentiates a gradient;
        ``jvp_ms`` differentiates the derivative along the gradient, which is held fixed:
        ``2 jvp(D, x, v) - |v|^2`` with ``v = grad D(x)``. Values and gradients are the same up to
        rounding, which is checked.
steps   the train step that runs are made of, ``resident_steps``: DCGAN without a penalty, with R1
        in every step, and in one of 16. Of the last, ``due_ms`` is a step with the penalty.

64 images a batch, of one channel; width 64. ``plain`` is Flax's own ``nn.Conv``, the others are
jaxgan's networks. Programs take turns; each time is the best of all rounds, since whatever else
runs on the machine only adds to it. ``cpu`` is time of all cores together.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import measures
import numpy as np
from scaling_report import Row

from jaxgan.algorithms.gan import Gan
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.gan.slopes import squared_slopes
from jaxgan.objectives.gan.verdict import Verdict, verdict
from jaxgan.program import compile_program, example_batch

BATCH = 64
EVERY = 16


class Plain(nn.Module):
    """DCGAN's discriminator of Flax's own layers."""

    @nn.compact
    def __call__(self, images: Any, *, train: bool) -> Any:
        """One logit an image."""
        del train
        values, width = images, 64
        while values.shape[1] > 4:
            values = nn.leaky_relu(nn.Conv(width, (4, 4), (2, 2))(values), 0.2)
            width *= 2
        return nn.Dense(1)(values.reshape(len(values), -1))[:, 0]


class Timed(NamedTuple):
    """Milliseconds of one call."""

    wall: float
    cpu: float


def timed(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Timed]:
    """Each call's best of all rounds, in which they take turns."""
    found: dict[str, list[Timed]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.process_time()
            jax.block_until_ready(call())
            spent = time.perf_counter() - wall, time.process_time() - cpu
            found[name].append(Timed(*(1e3 * seconds for seconds in spent)))
    # The first round compiles.
    return {n: Timed(*(min(x) for x in zip(*times[1:], strict=True))) for n, times in found.items()}


def along_the_gradient(critic: Callable[[Any], Verdict], points: Any) -> Any:
    """`jaxgan.objectives.gan.slopes.squared_slopes` without a second backward pass."""
    gradients = jax.grad(lambda images: jnp.sum(critic(images).logits))(points)
    gradients = jax.lax.stop_gradient(gradients)
    _, slopes = jax.jvp(lambda images: critic(images).logits, (points,), (gradients,))
    return 2.0 * slopes - jnp.sum(jnp.square(gradients), axis=(1, 2, 3))


def penalty_gradient(slopes: Callable[..., Any], network: nn.Module) -> Callable[..., Any]:
    """Compiled: from a network's variables and images to R1's gradient by the variables."""

    def penalty(variables: Any, images: Any) -> Any:
        return jnp.mean(slopes(lambda x: verdict(network.apply(variables, x, train=False)), images))

    return jax.jit(jax.grad(penalty))


def of_slopes(rounds: int) -> list[Row]:
    """One row a network."""
    networks: dict[str, tuple[nn.Module, int]] = {
        "mlp 28 px": (MlpDiscriminator(), 28),
        "dcgan 28 px": (DcganDiscriminator(batch_norm=False), 28),
        "dcgan 32 px": (DcganDiscriminator(batch_norm=False), 32),
        "plain 32 px": (Plain(), 32),
    }
    ways = {"double": squared_slopes, "jvp": along_the_gradient}
    rows = []
    for name, (network, size) in networks.items():
        images = jax.random.normal(jax.random.key(1), (BATCH, size, size, 1))
        variables = network.init(jax.random.key(0), images, train=False)
        calls = {
            way: functools.partial(penalty_gradient(slopes, network), variables, images)
            for way, slopes in ways.items()
        }
        for one, other in zip(*(jax.tree.leaves(call()) for call in calls.values()), strict=True):
            assert np.allclose(one, other, rtol=1e-3, atol=1e-3 * float(jnp.abs(one).max()))
        row: Row = {"measure": "slopes", "network": name}
        for way, spent in timed(calls, rounds).items():
            row |= {f"{way}_ms": spent.wall, f"{way}_cpu_ms": spent.cpu}
        rows.append(row)
    return rows


class Training:
    """A run that can be asked for some more steps."""

    def __init__(self, experiment: Experiment) -> None:
        program = compile_program(experiment, "none")
        put = program.plan.replicate
        size = experiment.data.image_size
        images = np.random.default_rng(0).integers(0, 256, (1000, size, size, 1), np.uint8)
        self._steps = program.phases[0].resident_steps
        self._given = put({"image": images}), put(np.uint32(0))
        self._state = put(program.init(0, example_batch(experiment)))

    def steps(self, count: int) -> Any:
        """Metrics of so many steps."""
        self._state, metrics = self._steps(self._state, *self._given, np.int32(count))
        return metrics


def of_steps(rounds: int) -> list[Row]:
    """One row a network and schedule; milliseconds a step."""
    networks: dict[str, tuple[nn.Module, nn.Module, int]] = {
        "mlp 28 px": (MlpGenerator(), MlpDiscriminator(), 28),
        "dcgan 28 px": (DcganGenerator(), DcganDiscriminator(batch_norm=False), 28),
        "dcgan 32 px": (DcganGenerator(), DcganDiscriminator(batch_norm=False), 32),
    }
    schedules: dict[str, Any] = {"none": (), "r1": (R1(),), f"r1 / {EVERY}": (R1(every=EVERY),)}
    rows = []
    for name, (generator, discriminator, size) in networks.items():
        calls = {}
        for schedule, penalties in schedules.items():
            model = Gan(generator, discriminator, penalties=penalties)
            data = Data(image_size=size, resize="bilinear")
            run = Training(Experiment("penalties", model, data, steps=10_000, batch_size=BATCH))
            # The penalty is due in the first step of each round.
            calls[f"{schedule}: due"] = functools.partial(run.steps, 1)
            calls[schedule] = functools.partial(run.steps, EVERY - 1)
        times = timed(calls, rounds)
        for schedule in schedules:
            due, rest = times[f"{schedule}: due"], times[schedule]
            rows.append(
                {
                    "measure": "steps",
                    "network": name,
                    "penalty": schedule,
                    "step_ms": (due.wall + rest.wall) / EVERY,
                    "due_ms": due.wall,
                    "other_ms": rest.wall / (EVERY - 1),
                    "step_cpu_ms": (due.cpu + rest.cpu) / EVERY,
                    "due_cpu_ms": due.cpu,
                    "other_cpu_ms": rest.cpu / (EVERY - 1),
                }
            )
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Measures what is asked for."""
    names = {"slopes": of_slopes, "steps": of_steps}
    parser = measures.parser(__doc__, names)
    parser.add_argument("--rounds", type=int, default=10, help="of which the best counts")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        measures.fail(f"--rounds {options.rounds}: must be at least 1")
    measures.report(
        options, measures.chosen(options, names), lambda name: names[name](options.rounds)
    )


if __name__ == "__main__":
    main()
