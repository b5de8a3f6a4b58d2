"""What the house lacks is added beside it: a file a part, and nothing in the package changes.

The parts are imported by experiment files beside them, and known again by later commands, which
start with nothing but the folder of a run.
"""

import importlib
import json
import shutil
import sys
import textwrap

import numpy as np
import pytest

from jaxgan.evaluation import metrics
from jaxgan.run import workdir

PARTS = {
    # A loss is a frozen dataclass with three methods on logits.
    "paired_loss": """
        import dataclasses
        import jax

        @dataclasses.dataclass(frozen=True)
        class Paired:
            def discriminator(self, *, real, fake):
                return jax.nn.softplus(fake - real)

            def generator(self, *, real, fake):
                return jax.nn.softplus(real - fake)

            def correct(self, *, real, fake):
                return {"pairs": (real > fake).astype(real.dtype)}
    """,
    # A penalty says its name, and whether it holds for each example by itself.
    "drift_penalty": """
        import dataclasses
        from typing import ClassVar
        import jax.numpy as jnp

        @dataclasses.dataclass(frozen=True)
        class Drift:
            name: ClassVar[str] = "drift"
            per_example: ClassVar[bool] = False
            weight: float = 0.001
            every: int = 1

            def init(self):
                return ()

            def __call__(self, view, state):
                return self.weight * jnp.square(view.critic(view.real).logits), state
    """,
    # A prior draws the latents of one example.
    "sphere_prior": """
        import dataclasses
        from typing import ClassVar
        import jax
        import jax.numpy as jnp
        from jaxgan.objectives.interpolation import slerp

        def on_sphere(latents):
            return latents / jnp.linalg.norm(latents, axis=-1, keepdims=True)

        @dataclasses.dataclass(frozen=True)
        class Sphere:
            conditional: ClassVar[bool] = False
            truncates: ClassVar[bool] = False
            size: int = 4

            def draw(self, key, classes):
                return on_sphere(jax.random.normal(key, (self.size,)))

            def truncate(self, latents, psi):
                raise ValueError("a sphere has no tails")

            def project(self, latents):
                return on_sphere(latents)

            def between(self, a, b, t):
                return slerp(a, b, t)
    """,
    # A network is a linen module that takes what its role is called with.
    "wave_network": """
        import math
        import flax.linen as nn
        import jax.numpy as jnp

        class WaveGenerator(nn.Module):
            width: int = 8

            @nn.compact
            def __call__(self, latents, *, image_shape, train, axis_name=None):
                waves = jnp.sin(nn.Dense(self.width)(latents))
                return jnp.tanh(nn.Dense(math.prod(image_shape))(waves)).reshape(-1, *image_shape)
    """,
    # A metric is an entry in the dictionary of metrics.
    "brightness_metric": """
        import numpy as np
        from jaxgan.evaluation.metrics import SAMPLE_METRICS, SampleMetric, estimated

        def brightness(measured):
            real, made = measured.reference.images, measured.generated.images
            return {"brightness": estimated(np.mean(made) - np.mean(real))}

        SAMPLE_METRICS["brightness"] = SampleMetric(brightness, ("brightness",), pixels=True)
    """,
    # A source describes itself, and opens its splits.
    "stripes_source": """
        import dataclasses
        import numpy as np
        from jaxgan.data.source import ArraySplit, Info, check_split_name

        @dataclasses.dataclass(frozen=True)
        class Stripes:
            count: int = 40

            def info(self):
                counts = {"train": self.count, "test": self.count}
                return Info("stripes", (8, 8, 1), 1, "uint8", 2, counts)

            def load(self, split):
                check_split_name("stripes", split)
                draws = np.random.default_rng(split == "test")
                labels = draws.integers(0, 2, self.count)
                rows = draws.integers(0, 256, (self.count, 8, 1, 1), np.uint8)
                images = np.broadcast_to(rows, (self.count, 8, 8, 1))
                turned = labels[:, None, None, None] == 1
                images = np.where(turned, images.swapaxes(1, 2), images)
                return ArraySplit(np.ascontiguousarray(images), labels)
    """,
    # An algorithm is a model that builds pure functions.
    "blur_algorithm": """
        import dataclasses
        import jax
        import jax.numpy as jnp
        import optax
        from jaxgan import rng
        from jaxgan.algorithms import apply
        from jaxgan.algorithms.base import Algorithm, Generation, Phase, Sheet
        from jaxgan.algorithms.state import new_player, new_state
        from jaxgan.config import Model
        from jaxgan.objectives.priors import Normal

        @dataclasses.dataclass(frozen=True)
        class Blur(Model):
            '''Gray values around the mean image.'''

            rate: float = 0.5
            spread: float = 0.1

            def build(self, experiment, *, axis_name=None):
                optimizer, over = optax.sgd(self.rate), apply.reduce(axis_name)
                shape, prior = experiment.data.image_shape, Normal(1)

                def init(key, batch):
                    variables = {"params": {"mean": jnp.zeros(shape)}}
                    return new_state({"image": new_player(variables, optimizer)})

                def train_step(state, batch, key):
                    real, player = batch["image"] / 255.0, state.players["image"]

                    def loss(params):
                        return jnp.mean(jnp.square(real - params["mean"]))

                    value, slopes = over.mean(jax.value_and_grad(loss)(player.params))
                    players = {"image": player.update(optimizer, slopes, {})}
                    return state.replace(step=state.step + 1, players=players), {"loss": value}

                def draw(key, count):
                    return rng.per_example(lambda k: prior.draw(k, 0), key, count)

                def pixels(state, latents):
                    mean = state.evaluated("image")["params"]["mean"]
                    return jnp.clip(mean + self.spread * latents[:, :, None, None], 0.0, 1.0)

                def evaluate(state, batch, key):
                    return {}

                phases = (Phase(experiment.steps, train_step),)
                def sheets(key):
                    return {"shades": Sheet(jnp.linspace(-2.0, 2.0, 8)[:, None], 8)}

                made = Generation(draw, pixels, sheets=sheets)
                return Algorithm(init, phases, evaluate, made)
    """,
}

# The algorithm keeps no averages, and what is compared is measured under the same kind of weights.
EXPERIMENTS = {
    "stripes_gan": """
        '''A GAN made of parts from elsewhere.'''
        import brightness_metric
        from drift_penalty import Drift
        from paired_loss import Paired
        from sphere_prior import Sphere
        from stripes_source import Stripes
        from wave_network import WaveGenerator
        from jaxgan.algorithms.gan import Gan
        from jaxgan.config import Evaluation, Experiment
        from jaxgan.data.pipeline import Data
        from jaxgan.networks.mlp import MlpDiscriminator

        experiment = Experiment(
            name="stripes_gan",
            model=Gan(
                WaveGenerator(), MlpDiscriminator((8,)), loss=Paired(), prior=Sphere(),
                penalties=(Drift(),),
            ),
            data=Data(source=Stripes()),
            steps=4, batch_size=8,
            evaluation=Evaluation(
                samples=20, backbone="pixels", metrics=("fid", "brightness"), weights="raw"
            ),
        )
    """,
    "stripes_blur": """
        '''An algorithm from elsewhere.'''
        import brightness_metric
        from blur_algorithm import Blur
        from stripes_source import Stripes
        from jaxgan.config import Evaluation, Experiment
        from jaxgan.data.pipeline import Data

        experiment = Experiment(
            name="stripes_blur",
            model=Blur(),
            data=Data(source=Stripes()),
            steps=4, batch_size=8,
            evaluation=Evaluation(
                samples=20, backbone="pixels", metrics=("fid", "brightness"), weights="raw"
            ),
        )
    """,
}
RUN = [
    *("--parallel", "none", "--quiet", "--no-tensorboard", "--images-every", "0"),
    *("--checkpoint-every", "2"),
]


def forget():
    """As in a new process, where nothing has been imported from beside an experiment."""
    for name in [*sys.modules]:
        if name in PARTS or name.startswith("jaxgan_experiment_"):
            del sys.modules[name]
    metrics.SAMPLE_METRICS.pop("brightness", None)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def folder(tmp_path):
    """The files, and nothing else."""
    before = [*metrics.SAMPLE_METRICS]
    for name, text in {**PARTS, **EXPERIMENTS}.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text).lstrip())
    yield tmp_path
    forget()
    assert [*metrics.SAMPLE_METRICS] == before


def command(name, *words):
    forget()
    getattr(importlib.import_module(f"jaxgan.cli.{name}"), name)([*map(str, words)])


@pytest.mark.slow
def test_parts_from_elsewhere_are_trained_sampled_measured_compared_and_resumed(folder, capsys):
    for name in EXPERIMENTS:
        run = folder / name
        command("train", folder / f"{name}.py", "--workdir", run, *RUN)
        result = json.loads((run / workdir.RESULT).read_text())
        assert {key.partition("[")[0] for key in result["metrics"]} >= {"fid", "brightness"}
        types = json.dumps(workdir.read_config(run)["experiment"])
        assert "stripes_source:Stripes" in types

        command("sample", run, "--trust", "-n", "6", "--out", folder / f"{name}.npz")
        images = np.load(folder / f"{name}.npz")["images"]
        assert (images.shape, images.dtype) == ((6, 8, 8, 1), np.uint8)

        capsys.readouterr()
        command("evaluate", run, "--trust", "--json")
        again = json.loads(capsys.readouterr().out)
        assert again["metrics"] == pytest.approx(result["metrics"], rel=1e-5)
        command("evaluate", run, "--trust", "--json", "--metrics", "brightness")
        asked = json.loads(capsys.readouterr().out)["metrics"]
        short = {key.partition("[")[0] for key in asked}
        assert "brightness" in short
        assert "fid" not in short

        # As if it had been killed after two steps.
        shutil.rmtree(run / workdir.CHECKPOINTS / "4")
        (run / workdir.RESULT).unlink()
        command("resume", run, "--trust")
        resumed = json.loads((run / workdir.RESULT).read_text())
        assert resumed["digest"] == result["digest"]
        assert resumed["metrics"] == result["metrics"]

    command(
        "compare", *(folder / f"{name}.py" for name in EXPERIMENTS), "--images", "32",
        "--seeds", "0", "1", "--workdir", folder / "compared", "--parallel", "none",
    )  # fmt: skip
    said = capsys.readouterr().out
    assert "[4/4] stripes_blur, seed 1" in said
    report = json.loads((folder / "compared" / "results.json").read_text())
    assert {row["name"] for row in report["rows"]} == {*EXPERIMENTS}
    for row in report["rows"]:
        assert set(row["metrics"]) >= {"fid", "brightness"}
    assert "<h3>Shades</h3>" in (folder / "compared" / "index.html").read_text()
    assert "failed" not in said
