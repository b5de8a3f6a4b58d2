"""Experiments from files, and every field of them from the command line."""

import dataclasses
import os
import re
import sys

import pytest
import tiny

from jaxgan.cli import options
from jaxgan.cli.datasets import DATASETS
from jaxgan.config import ConfigError, EarlyStopping, Evaluation, Run, config_fields
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Grid, Ring
from jaxgan.data.sources.idx import Idx, fashion_mnist
from jaxgan.data.sources.sprites import Sprites
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.penalties import R1, GradientPenalty
from jaxgan.objectives.priors import Normal
from jaxgan.run import experiment_file


def parse(arguments="", experiment=None, run=None):
    return options.parse(
        experiment or tiny.gan(), arguments.split(), program="jaxgan train x.py", run=run
    )


def refused(arguments):
    """What a person sees who is refused: one line."""
    with pytest.raises(ConfigError) as raised:
        parse(arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


class TestFlags:
    def test_none_change_nothing(self):
        parsed = parse()
        assert parsed.experiment == tiny.gan()
        assert parsed.run == Run()
        assert not parsed.resume

    def test_of_the_top_level_have_no_prefix(self):
        parsed = parse(
            "--steps 7 --batch-size 24 --seed 3 --name big --workdir here "
            "--checkpoint-every 5 --keep 4 --log-every 2 --images-every 0 "
            "--parallel shard_map --no-tensorboard --quiet --resume"
        )
        assert parsed.experiment == tiny.gan(steps=7, batch_size=24, seed=3, name="big")
        assert parsed.run == Run(
            workdir="here",
            checkpoint_every=5,
            keep=4,
            log_every=2,
            images_every=0,
            parallel="shard_map",
            tensorboard=False,
            quiet=True,
        )
        assert parsed.resume

    def test_of_nested_parts(self):
        parsed = parse(
            "--model.generator.widths 8 16 --model.prior.size 5 "
            "--model.generator-optimizer.learning-rate 0.5 "
            "--model.generator-optimizer.schedule.kind cosine --model.ema.no-warmup "
            "--model.discriminator.dropout 0 --data.streaming always "
            "--evaluation.samples 7 --evaluation.split test"
        )
        model = parsed.experiment.model
        assert model.generator == tiny.gan().model.generator.copy(widths=(8, 16))
        assert model.prior == Normal(5)
        assert model.generator_optimizer.learning_rate == 0.5
        assert model.generator_optimizer.schedule.kind == "cosine"
        assert model.ema.warmup is False
        assert model.discriminator.dropout == 0.0
        assert parsed.experiment.data == Data(streaming="always")
        assert parsed.experiment.evaluation == Evaluation(samples=7, split="test")
        # What is not named stays.
        assert model.discriminator_optimizer == tiny.gan().model.discriminator_optimizer
        assert model.n_critic == 2

    def test_of_parts_go_by_their_place(self):
        penalized = tiny.gan(model=PENALIZED)
        model = parse("--model.penalties.1.every 4", experiment=penalized).experiment.model
        assert model.penalties == (GradientPenalty(), R1(every=4))
        assert model.constraints == (Clip(),)

    def test_start_from_the_run_that_is_given(self):
        before = Run(keep=9, parallel="none")
        assert parse("--keep 3", run=before).run == Run(keep=3, parallel="none")

    def test_may_be_written_with_underscores_and_equals(self):
        assert parse("--batch_size=8").experiment.batch_size == 8


class TestDataset:
    def test_replaces_all_of_the_data(self):
        data = parse("--dataset fashion-mnist").experiment.data
        assert data == Data(source=fashion_mnist(), image_size=28, classes=10)
        assert parse("--dataset=ring").experiment.data.source == Ring()
        assert parse("--dataset grid").experiment.data.source == Grid()
        assert parse("--dataset sprites").experiment.data == Data(
            Sprites(), image_size=64, classes=3
        )
        streamed = tiny.gan(data=Data(streaming="always"))
        assert parse("--dataset digits", experiment=streamed).experiment.data == Data(classes=10)

    def test_goes_together_with_flags_of_its_fields(self):
        parsed = parse("--data.source.folder /there --dataset fashion-mnist --data.image-size 32")
        assert parsed.experiment.data == Data(
            source=Idx("/there", name="fashion-mnist"), image_size=32, classes=10
        )

    def test_all_names_parse(self):
        named = {"folder": " --data.source.path images", "tfds": " --data.source.name=cifar10"}
        named |= {"idx": " --data.source.folder idx"}
        named |= {"stacked-idx": " --data.source.source.folder=idx"}
        for name in DATASETS:
            parsed = parse(f"--dataset {name}{named.get(name, '')}")
            assert parsed.experiment.data == DATASETS[name]

    def test_unknown_ones_are_refused_with_the_known_ones(self):
        assert refused("--dataset mnist") == (
            "there is no dataset 'mnist', did you mean fashion-mnist? There are digits,"
            " fashion-mnist, ring, grid, swiss-roll, binarized-digits, binarized-fashion-mnist,"
            " stacked, stacked-fashion-mnist, stacked-idx, sprites, triangles, lucic-triangles,"
            " idx, folder and tfds"
        )

    def test_may_be_completed_by_other_flags(self):
        """What the data set alone would not allow is not looked at before all is said."""
        selected = tiny.gan(
            data=Data(validation=100),
            evaluation=Evaluation(samples=100, every=2),
            early_stopping=EarlyStopping("fid"),
        )
        parsed = parse("--dataset ring --data.validation 50", experiment=selected).experiment
        assert parsed.data == dataclasses.replace(DATASETS["ring"], validation=50)


class TestMistakes:
    @pytest.mark.parametrize(
        ("wrong", "meant"),
        [
            ("--step", "--steps"),
            ("--step=3", "--steps"),
            ("--batchsize", "--batch-size"),
            ("--model.n-critics", "--model.n-critic"),
            ("--n-critic", "--model.n-critic"),
            ("--los", "--loss"),
            ("--model.ema.no-warmp", "--model.ema.no-warmup or --model.ema.warmup"),
            (
                "--learning-rate",
                "--optimizer.learning-rate or --generator-optimizer.learning-rate"
                " or --discriminator-optimizer.learning-rate",
            ),
        ],
    )
    def test_a_field_that_does_not_exist_names_close_ones(self, wrong, meant):
        assert refused(f"--seed 4 {wrong} 3 --steps 7") == (
            f"there is no option {wrong.removesuffix('=3')}, did you mean {meant}?"
            " --help-all lists all"
        )

    def test_one_that_is_like_nothing_is_refused_as_well(self):
        # Digits have no folder, and nothing like it.
        assert refused("--data.source.folder x") == (
            "there is no option --data.source.folder; --help-all lists all"
        )

    @pytest.mark.parametrize("words", ["--resume False", "--model.n-critic 2 False", "False"])
    def test_words_that_no_option_takes_are_refused(self, words):
        assert refused(words) == "'False' belongs to no option; --help-all lists all"

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ("--steps three", "--steps: 'three' is no whole number"),
            ("--steps", "--steps needs a value"),
            ("--model.ema.decay much", "--model.ema.decay: 'much' is no number"),
            (
                "--model.generator.widths 8 x",
                "--model.generator.widths: '8', 'x' cannot be its values",
            ),
            ("--precision float8", "--precision: 'float8' is none of 'float32', 'bfloat16'"),
            (
                "--model.generator-optimizer.clip-norm x",
                "--model.generator-optimizer.clip-norm: 'x' is no number, nor None",
            ),
        ],
    )
    def test_a_value_of_the_wrong_type_names_the_flag(self, arguments, complaint):
        assert refused(arguments) == complaint

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ("--model.n-critic 0", "model: n_critic = 0: must be at least 1"),
            ("--evaluation.samples 1", "evaluation: samples = 1: distances need at least 2"),
            (
                "--model.generator-optimizer.learning-rate -1",
                "model.generator-optimizer: learning_rate = -1.0: must be at least 0 and finite",
            ),
            (
                "--model.discriminator.dropout 1.5",
                "model.discriminator: MlpDiscriminator.dropout = 1.5: ",
            ),
        ],
    )
    def test_a_value_that_a_part_refuses_is_explained(self, arguments, complaint):
        assert refused(arguments).startswith(complaint)

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ("--steps 0", "steps = 0: must be at least 1"),
            ("--early-stopping.metric fid", "early_stopping.metric is set, but nothing is"),
        ],
    )
    def test_so_is_one_that_the_experiment_refuses(self, arguments, complaint):
        assert refused(arguments).startswith(complaint)


PARTS = (
    *("penalties", "generator_penalties", "constraints", "auxiliaries", "augmentations"),
    "regularizers",
)
"""Tuples of parts of a model: those that are there have flags, by their place."""
PENALIZED = dataclasses.replace(
    tiny.gan().model, penalties=(GradientPenalty(), R1(every=16)), constraints=(Clip(),)
)


def leaves(value, path=""):
    """Flag and value of every field of a dataclass, and of those within it."""
    for field in config_fields(value):
        name = f"{path}{field.name.replace('_', '-')}"
        current = getattr(value, field.name)
        if dataclasses.is_dataclass(current):
            yield from leaves(current, f"{name}.")
        elif field.name in PARTS:
            for place, part in enumerate(current):
                yield from leaves(part, f"{name}.{place}.")
        else:
            yield name, current


def shown(value):
    """How a help text writes a default."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "''" if value == "" else str(value)


@pytest.mark.parametrize(
    "experiment",
    [
        tiny.gan(),
        tiny.gan(model=PENALIZED),
        tiny.vae(steps=123, seed=77),
        tiny.vae(data=DATASETS["fashion-mnist"]),
    ],
)
def test_the_whole_help_lists_every_field_with_its_default(capsys, monkeypatch, experiment):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        parse("--help-all", experiment=experiment)
    assert stopped.value.code == 0
    found, name, before = {}, "", ""
    for line in re.sub(r"[│╭╮╰╯─]", "", capsys.readouterr().out).splitlines():
        started = re.match(r"--([\w.-]+)", line.strip())
        # The second flag of a switch may be on a line of its own.
        if started and not before.rstrip().endswith(","):
            name = started[1]
        before = line
        found[name] = f"{found.get(name, '')} {line.strip()}"
    defaults = {
        name: default[1]
        for name, text in found.items()
        if (default := re.search(r"\(default: (.*?)\)", text))
    }
    fields = [*leaves(experiment), *leaves(Run())]
    assert len(fields) > 40
    assert {name: defaults.get(name) for name, _ in fields} == {
        name: shown(value) for name, value in fields
    }


class TestFiles:
    def test_are_loaded_once(self, tmp_path):
        path = tmp_path / "own.py"
        path.write_text("import tiny\nexperiment = tiny.gan(seed=9)\n")
        assert experiment_file.load_experiment(path) == tiny.gan(seed=9)
        assert experiment_file.load_file(path) is experiment_file.load_file(str(path))

    def test_of_one_name_in_two_folders_are_two(self, tmp_path):
        for name in "ab":
            (tmp_path / name).mkdir()
            (tmp_path / name / "x.py").write_text(f"value = {name!r}\n")
        a, b = (experiment_file.load_file(tmp_path / name / "x.py") for name in "ab")
        assert (a.value, b.value) == ("a", "b")

    def test_may_import_those_beside_them(self, tmp_path):
        (tmp_path / "beside_it.py").write_text("value = 3\n")
        (tmp_path / "main_one.py").write_text("from beside_it import value\n")
        before = list(sys.path)
        assert experiment_file.load_file(tmp_path / "main_one.py").value == 3
        assert sys.path == before

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("x = 1\n", "PATH defines no `experiment = Experiment(...)`"),
            ("experiment = 1\n", "PATH defines no `experiment = Experiment(...)`"),
            ("x = (\n", "PATH fails: SyntaxError: '(' was never closed (wrong.py, line 1)"),
            ("x = 1\n1 / 0\n", "PATH fails in line 2: ZeroDivisionError: division by zero"),
            (
                "import nosuch\n",
                "PATH fails in line 1: ModuleNotFoundError: No module named 'nosuch'",
            ),
            ("raise ValueError('a\\n  b')\n", "PATH fails in line 1: ValueError: a b"),
            ("assert False\n", "PATH fails in line 1: AssertionError"),
            (
                "import sys\nsys.exit(0)\n",
                "PATH fails in line 2: it ends the process by sys.exit(0) before there is an"
                " experiment",
            ),
        ],
    )
    def test_that_are_wrong_are_named(self, tmp_path, content, message):
        path = tmp_path / "wrong.py"
        path.write_text(content)
        for _ in range(2):  # a file that failed is not taken for loaded
            with pytest.raises(ConfigError) as raised:
                experiment_file.load_experiment(path)
            assert str(raised.value) == message.replace("PATH", str(path))

    def test_that_are_no_text_are_named(self, tmp_path):
        (tmp_path / "binary.py").write_bytes(b"\x7fELF\0\xff\xfe")
        with pytest.raises(ConfigError, match=r"binary\.py fails: \w+Error: .*(null byte|utf-8)"):
            experiment_file.load_experiment(tmp_path / "binary.py")

    def test_a_run_in_place_of_a_file_is_gone_on_with(self, tmp_path):
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(ConfigError, match="it is a run's folder: `jaxgan resume "):
            experiment_file.load_experiment(tmp_path)

    def test_may_have_names_that_are_not_utf_8(self, tmp_path):
        path = tmp_path / os.fsdecode(b"caf\xe9.py")
        path.write_text("import tiny\nexperiment = tiny.gan(seed=9)\n")
        assert experiment_file.load_experiment(path) == tiny.gan(seed=9)

    @pytest.mark.parametrize("name", ["missing.py", "folder", "notes.txt"])
    def test_that_are_none_are_named(self, tmp_path, name):
        (tmp_path / "folder").mkdir()
        (tmp_path / "notes.txt").write_text("experiment = 1\n")
        with pytest.raises(ConfigError) as raised:
            experiment_file.load_experiment(tmp_path / name)
        assert str(raised.value) == (
            f"{tmp_path}/{name} is no Python file: name an experiment such as dcgan.py"
        )
