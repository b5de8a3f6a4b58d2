"""Configurations as JSON: there and back, and what differs between two of them."""

import dataclasses
import json
from pathlib import Path

import pytest
import tiny

from jaxgan.algorithms.gan import Gan
from jaxgan.config import ConfigError, EarlyStopping, Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.idx import fashion_mnist
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.penalties import R1, GradientPenalty
from jaxgan.objectives.priors import Labelled, Normal, Uniform
from jaxgan.optim import Adam, Ema, RmsProp, Schedule
from jaxgan.run import experiment_file
from jaxgan.run.config_json import from_json, to_json, type_name, with_defaults
from jaxgan.run.workdir import difference

EXPERIMENTS = sorted(
    path
    for path in (Path(__file__).parent.parent / "experiments").glob("*.py")
    if "\nexperiment = Experiment(" in path.read_text()
)

NESTED = Experiment(
    name="nested",
    model=Gan(
        generator=DcganGenerator(width=8, init_std=None),
        discriminator=DcganDiscriminator(width=4, batch_norm=False),
        loss=NonSaturating(real_label=0.9),
        generator_optimizer=Adam(schedule=Schedule("cosine", final_fraction=0.1, warmup_steps=3)),
        discriminator_optimizer=RmsProp(clip_norm=1.0),
        constraints=(Clip(0.01),),
        penalties=(GradientPenalty(weight=2.5),),
        prior=Uniform(7),
        n_critic=5,
        ema=Ema(decay=0.5, warmup=False),
    ),
    data=Data(source=fashion_mnist(), image_size=32, resize="pad", validation=100),
    evaluation=Evaluation(every=10, samples=50),
    early_stopping=EarlyStopping(metric="fid", patience=2),
)

LABELLED = tiny.gan(
    model=dataclasses.replace(tiny.gan().model, prior=Labelled(Normal(3))), data=Data(classes=10)
)

FILE = '''
"""An experiment with classes of its own."""
import dataclasses
import flax.linen as nn
import jax.numpy as jnp
from jaxgan.algorithms.gan import Gan
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.penalties import R1, GradientPenalty
from jaxgan.objectives.priors import Labelled, Normal, Uniform

class Own(nn.Module):
    width: int = 3
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        return jnp.zeros((len(latent), *image_shape))

@dataclasses.dataclass(frozen=True)
class Scaled(NonSaturating):
    factor: float = 2.0

experiment = Experiment(
    name="own",
    model=Gan(generator=Own(width=7), discriminator=MlpDiscriminator(), loss=Scaled(factor=3.0)),
    data=Data(),
)
'''


def through_json(value, **classes):
    return from_json(json.loads(json.dumps(to_json(value))), **classes)


class TestJson:
    @pytest.mark.parametrize("experiment", [NESTED, tiny.gan(), tiny.vae(), LABELLED])
    def test_there_and_back(self, experiment):
        back = through_json(experiment)
        assert back == experiment
        assert hash(back) == hash(experiment)
        assert to_json(back) == to_json(experiment)

    @pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
    def test_every_experiment_goes_there_and_back(self, path):
        experiment = experiment_file.load_experiment(path)
        assert through_json(experiment) == experiment

    def test_there_are_experiments(self):
        assert len(EXPERIMENTS) >= 5

    def test_says_types_and_all_fields_and_no_bookkeeping(self):
        document = to_json(NESTED)
        assert document["type"] == "jaxgan.config:Experiment"
        assert document["name"] == "nested"
        assert document["model"]["generator"] == {
            "type": "jaxgan.networks.dcgan:DcganGenerator",
            "width": 8,
            "max_multiple": 8,
            "batch_norm": True,
            "init_std": None,
            "dtype": None,
            "norm": None,
            "weight_norm": None,
            "orthogonal_init": False,
        }
        assert document["model"]["generator_optimizer"]["schedule"] == {
            "type": "jaxgan.optim:Schedule",
            "kind": "cosine",
            "final_fraction": 0.1,
            "warmup_steps": 3,
        }

    def test_what_was_written_before_a_field_was_there_is_read(self):
        """Files without a precision and penalties, and with networks that name theirs."""
        document = to_json(NESTED)
        del document["precision"], document["model"]["penalties"]
        document["model"]["generator"]["dtype"] = "float32"
        own = NESTED.model.generator.copy(dtype="float32")
        expected = dataclasses.replace(NESTED.model, generator=own, penalties=())
        assert from_json(document) == dataclasses.replace(NESTED, model=expected)

    def test_tuples_stay_tuples(self):
        widths = through_json(tiny.gan()).model.generator.widths
        assert widths == (16,)
        assert isinstance(widths, tuple)

    def test_classes_of_a_file(self, tmp_path):
        path = tmp_path / "own.py"
        path.write_text(FILE)
        experiment = experiment_file.load_experiment(path)
        document = to_json(experiment)
        assert document["model"]["generator"] == {"type": "file:Own", "width": 7}
        assert document["model"]["loss"]["type"] == "file:Scaled"
        assert document["model"]["discriminator"]["type"] == "jaxgan.networks.mlp:MlpDiscriminator"
        module = experiment_file.load_file(path)
        classes = {"file:Own": module.Own, "file:Scaled": module.Scaled}
        assert through_json(experiment, classes=classes) == experiment
        with pytest.raises(ConfigError) as raised:
            from_json(document)
        assert str(raised.value) == "the configuration names file:Own, which cannot be found"

    def test_a_script_and_a_loaded_file_say_the_same(self):
        script = dataclasses.make_dataclass("Own", [("width", int)], frozen=True)
        script.__module__ = "__main__"
        assert type_name(script) == "file:Own"
        assert to_json(script(2)) == {"type": "file:Own", "width": 2}

    def test_a_function_has_no_json(self):
        with pytest.raises(ConfigError, match=r"^<function .*> of type function cannot be part of"):
            to_json(dataclasses.replace(tiny.gan(), data=lambda: 0))

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            (
                {"type": "jaxgan.config:Evaluation", "every": 1, "when": 2, "how": 3},
                "jaxgan.config:Evaluation has no field how, when in this version",
            ),
            (
                {"type": "jaxgan.config:Nothing"},
                "the configuration names jaxgan.config:Nothing, which cannot be found",
            ),
            (
                {"type": "no.such.module:Thing"},
                "the configuration names no.such.module:Thing, which cannot be found",
            ),
            (
                {"type": "jaxgan.config:describe"},
                "the configuration names jaxgan.config:describe, which cannot be found",
            ),
            ({"every": 1}, "the configuration names None, which cannot be found"),
            ({"type": ":x"}, "the configuration names :x, which cannot be found"),
            (
                {"type": "jaxgan.config:Evaluation", "every": -1},
                "every = -1: must be at least 0",
            ),
        ],
    )
    def test_what_cannot_be_read_is_named(self, document, message):
        with pytest.raises(ConfigError) as raised:
            from_json(document)
        assert str(raised.value) == message

    def test_a_missing_field_is_named(self):
        document = to_json(tiny.gan())
        del document["data"]
        with pytest.raises(
            ConfigError, match=r"of jaxgan.config:Experiment is incomplete: .*'data'"
        ):
            from_json(document)


class TestDifference:
    def test_of_equal_ones_there_is_none(self):
        assert difference(to_json(NESTED), json.loads(json.dumps(to_json(NESTED)))) == []

    def test_paths_and_both_values(self):
        changed = dataclasses.replace(
            NESTED,
            seed=3,
            precision="bfloat16",
            model=dataclasses.replace(
                NESTED.model,
                generator=DcganGenerator(width=16, init_std=None),
                generator_optimizer=Adam(schedule=Schedule("linear", 0.1, 3)),
                constraints=(),
                penalties=(GradientPenalty(weight=2.5), R1(every=16)),
            ),
        )
        assert difference(to_json(NESTED), to_json(changed)) == [
            "model.generator.width: 8 -> 16",
            "model.generator_optimizer.schedule.kind: cosine -> linear",
            "model.penalties.1: (absent) -> R1(weight=10.0, every=16)",
            "model.constraints.0: Clip(bound=0.01) -> (absent)",
            "seed: 0 -> 3",
            "precision: float32 -> bfloat16",
        ]

    def test_fields_of_one_side_only_are_absent_on_the_other(self):
        old, new = to_json(Adam()), to_json(RmsProp(learning_rate=2e-4))
        assert difference(old, new) == [
            "type: jaxgan.optim:Adam -> jaxgan.optim:RmsProp",
            "b1: 0.5 -> (absent)",
            "b2: 0.999 -> (absent)",
            "decay: (absent) -> 0.9",
        ]

    def test_lists_are_compared_as_wholes(self):
        a = dataclasses.replace(tiny.vae(), name="a")
        wide = dataclasses.replace(a.model, encoder=a.model.encoder.copy(widths=(16, 8)))
        lines = difference(to_json(a), to_json(dataclasses.replace(a, model=wide)))
        assert lines == ["model.encoder.widths: [16] -> [16, 8]"]


def test_fields_that_were_invented_later_have_their_defaults():
    experiment = tiny.gan(seed=4)
    written = to_json(experiment)
    older = json.loads(json.dumps(written))
    del older["init_from"], older["model"]["prior"]["size"], older["evaluation"]["every"]
    found = with_defaults(older, experiment)
    # The prior of that experiment is not of the default size, and its JSON must not say so.
    assert found["model"]["prior"].pop("size") == Normal().size != experiment.model.prior.size
    assert written["model"]["prior"].pop("size") == experiment.model.prior.size
    assert found == written
    # Another class has other fields.
    assert with_defaults({"type": "jaxgan.config:Run"}, experiment) == {"type": "jaxgan.config:Run"}
