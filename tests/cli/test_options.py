"""Experiments from files, and every field of them from the command line."""

import dataclasses
import os
import re
import sys

import pytest
import tiny

from jaxgan.cli import options
from jaxgan.config import ConfigError, Evaluation, Run, config_fields
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


def refused(capsys, arguments):
    """What a person sees who is refused by the parser, on one line, and the exit code."""
    with pytest.raises(SystemExit) as stopped:
        parse(arguments)
    seen = capsys.readouterr()
    assert seen.out == ""
    return " ".join(re.sub(r"[╭╮╰╯│─]|---+", " ", seen.err).split()), stopped.value.code


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
        for name in options.DATASETS:
            parsed = parse(f"--dataset {name}{named.get(name, '')}")
            assert parsed.experiment.data == options.DATASETS[name]

    def test_unknown_ones_are_refused_with_the_known_ones(self, capsys):
        message, code = refused(capsys, "--dataset mnist")
        assert code == 2
        assert "invalid choice 'mnist' for argument '--dataset'" in message
        for name in options.DATASETS:
            assert f"'{name}'" in message


class TestMistakes:
    @pytest.mark.parametrize(
        ("wrong", "meant"),
        [
            ("--step", "--steps INT"),
            ("--batchsize", "--batch-size INT"),
            ("--model.n-critics", "--model.n-critic INT"),
            ("--learning-rate", "--model.generator-optimizer.learning-rate FLOAT"),
            ("--data.source.folder", "--data.color"),
        ],
    )
    def test_a_field_that_does_not_exist_names_close_ones(self, capsys, wrong, meant):
        message, code = refused(capsys, f"{wrong} 3")
        assert code == 2
        assert f"Unrecognized options: {wrong}, 3" in message
        if wrong != "--data.source.folder":  # digits have no folder, and nothing like it
            assert "Perhaps you meant:" in message
            assert meant in message

    def test_a_value_of_the_wrong_type_names_the_flag(self, capsys):
        message, code = refused(capsys, "--steps three")
        assert code == 2
        assert "Error parsing --steps: invalid literal for int() with base 10: 'three'" in message

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ("--model.n-critic 0", "n_critic = 0: must be at least 1"),
            ("--evaluation.samples 1", "samples = 1: distances need at least 2"),
            (
                "--model.generator-optimizer.learning-rate -1",
                "learning_rate = -1.0: must be at least 0 and finite",
            ),
            ("--model.discriminator.dropout 1.5", "dropout = 1.5: a probability"),
        ],
    )
    def test_a_value_that_a_part_refuses_is_explained(self, capsys, arguments, complaint):
        message, code = refused(capsys, arguments)
        assert code == 2
        assert complaint in message

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ("--steps 0", "steps = 0: must be at least 1"),
            ("--early-stopping.metric fid", "early_stopping.metric is set, but nothing is"),
        ],
    )
    def test_so_is_one_that_the_experiment_refuses(self, arguments, complaint):
        with pytest.raises(ConfigError) as raised:
            parse(arguments)
        assert str(raised.value).startswith(complaint)


PARTS = ("penalties", "constraints", "auxiliaries", "augmentations")
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
        tiny.vae(data=options.DATASETS["fashion-mnist"]),
    ],
)
def test_help_lists_every_field_with_its_default(capsys, monkeypatch, experiment):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        parse("--help", experiment=experiment)
    assert stopped.value.code == 0
    found, name = {}, ""
    for line in re.sub(r"[│╭╮╰╯─]", "", capsys.readouterr().out).splitlines():
        if started := re.match(r"--([\w.-]+)", line.strip()):
            name = started[1]
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
