"""Steps of the experiments that ship, against numbers from before all algorithms had one state.

``recorded_numbers.json`` is what `written` returned at commit 9edbdf3 (where what it imports and
asks of states had other names), on an x86-64 CPU under JAX 0.10.2. Today's is printed by

    PYTHONPATH=tests/algorithms python -c "import test_recorded_numbers as t; print(t.written())"

Of each array it keeps a few sums. JAX 0.10 and 0.12, optimizing much or little, agree to a tenth of
the tolerances; another key, schedule, order of updates or share of the average is a hundred away.
"""

import dataclasses
import json
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxgan.algorithms.apply import quantized
from jaxgan.data.splits import in_memory
from jaxgan.objectives.priors import Uniform
from jaxgan.optim import Schedule
from jaxgan.program import compile_program, example_batch
from jaxgan.run.experiment_file import load_experiment

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "experiments"
SHIPPED = ("gan_mlp", "dcgan", "wgan", "wgan_gp", "vae", "conv_beta_vae")
CHANGED = ("dcgan, changed", "conv_beta_vae, changed")
STEPS, IMAGES, HELD_OUT = 4, 8, 32


def experiment_of(name):
    """What ships; or that with what none of it has, such as rates that fall."""
    file, *changed = name.split(", ")
    experiment = load_experiment(FOLDER / f"{file}.py")
    if not changed:
        return experiment
    model, data = experiment.model, experiment.data

    def falling(updates):
        """A line that would be at zero one update after the last, as schedules once were."""
        return Schedule("linear", final_fraction=1 / (updates - 1), warmup_steps=1)

    critic = {"discriminator_optimizer": 12}
    changes = {
        field: dataclasses.replace(value, schedule=falling(critic.get(field, 6)))
        for field, value in vars(model).items()
        if field.endswith("optimizer")
    }
    if file == "dcgan":
        # Digits of 8 pixels have no layer in which the discriminator normalizes.
        data = dataclasses.replace(data, image_size=16, resize="pad")
        changes |= {
            "generator": model.generator.clone(width=8),
            "discriminator": model.discriminator.clone(width=8),
            "prior": Uniform(model.prior.size),
            "n_critic": 2,
        }
    else:
        changes |= {
            "encoder": model.encoder.clone(batch_norm=True),
            "decoder": model.decoder.clone(batch_norm=True),
            "beta": dataclasses.replace(model.beta, warmup_steps=3),
        }
    model = dataclasses.replace(model, **changes)
    return dataclasses.replace(experiment, model=model, data=data, steps=6)


def sums(array):
    """The sum, that of squares, and one weighted by normal numbers, always the same."""
    values = np.asarray(array, np.float64).ravel()
    weights = np.random.default_rng(0).standard_normal(values.size)
    return [values.sum(), values @ values, values @ weights]


def by_leaf(prefix, tree, start):
    """Of each leaf its sums, and how far it has come since the start."""
    before = dict(jax.tree.leaves_with_path(start))
    return {
        f"{prefix}/{jax.tree_util.keystr(path, simple=True, separator='/')}": [
            *sums(leaf),
            np.linalg.norm(np.float64(leaf) - np.float64(before[path])),
        ]
        for path, leaf in jax.tree.leaves_with_path(tree)
    }


def by_image(images):
    """Of each image its sum and its weighted sum."""
    return [number for image in images for number in sums(image)[::2]]


def document(name):
    """Numbers by name: players, averages, metrics, samples, held-out sums, reconstructions."""
    experiment = experiment_of(name)
    program = compile_program(experiment, "none")
    train, test = (in_memory(experiment.data, split) for split in ("train", "test"))
    state, metrics = program.init(0, example_batch(experiment)), []
    start = {who: jax.device_get(player.variables) for who, player in state.players.items()}
    for _ in range(STEPS):
        state, found = program.phases[0].resident_step(state, train, np.uint32(0))
        metrics.append(found)

    @jax.jit
    def measured(state, batch, key):
        algorithm = program.algorithm
        pixels = algorithm.generation.pixels(state, algorithm.generation.prior(key, IMAGES))
        images = {"pixels": pixels, "bytes": quantized(pixels)}
        if algorithm.encoding is not None:
            images["reconstruction"] = algorithm.encoding.reconstruct(state, batch)
        return images, algorithm.evaluate(state, batch, key)

    batch = {field: values[:HELD_OUT] for field, values in test.items()}
    images, held_out = measured(state, batch, jax.random.key(1))
    numbers = {what: by_image(array[:IMAGES]) for what, array in jax.device_get(images).items()}
    numbers |= {f"held out/{k}": list(pair) for k, pair in held_out.items()}
    numbers |= {f"metrics/{k}": [found[k] for found in metrics] for k in metrics[0]}
    for who, player in state.players.items():
        numbers |= by_leaf(f"players/{who}", player.variables, start[who])
    for who, average in state.ema.items():
        numbers |= by_leaf(f"ema/{who}", average, start[who])
    return {k: [float(f"{v:.8g}") for v in numbers[k]] for k in sorted(numbers)}


def written():
    """The file; one line for each name."""
    parts = []
    for name in (*SHIPPED, *CHANGED):
        lines = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in document(name).items()]
        parts.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}"


def tolerances(name, recorded):
    """How much each number may differ; of weights, a thousandth of what training has changed."""
    match name.split("/")[0]:
        case "players" | "ema":
            _, squares, _, way = recorded
            length = squares**0.5
            allowed = 1e-3 * way + 3e-6 * length + 1e-9
            return np.array([allowed, (2 * length + allowed) * allowed, allowed, allowed])
        case "metrics" | "held out":
            return 5e-5 * np.abs(recorded) + 1e-6
        case "bytes":
            # A pixel between two bytes may become either.
            return np.full(len(recorded), 3.0)
        case _:
            return np.full(len(recorded), 2e-5)


def differences(name, found, recorded):
    """In units of what is allowed."""
    return np.abs(np.subtract(found, recorded)) / tolerances(name, recorded)


# A game at once, the others by CI.
FIRST = {"wgan"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in FIRST else pytest.mark.slow) for n in (*SHIPPED, *CHANGED)],
)
def test_numbers_stay(name):
    recorded = json.loads((HERE / "recorded_numbers.json").read_text())[name]
    found = document(name)
    # Norms of gradients have been added since; `test_algorithm_*.py` work them out by hand.
    assert {k for k in found if not k.endswith("_grad_norm")} == recorded.keys()
    worst = {k: differences(k, found[k], recorded[k]).max(initial=0.0) for k in recorded}
    assert not {k: round(v, 1) for k, v in worst.items() if not v <= 1.0}
