"""Every file in experiments/ still loads, fits the data sets, and does what its docstring says."""

import ast
import dataclasses
import json
import re
import shlex
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from jaxgan.algorithms.base import build
from jaxgan.cli import options
from jaxgan.cli.datasets import DATASETS
from jaxgan.program import example_batch
from jaxgan.run import experiment_file
from jaxgan.run.config_json import from_json, to_json
from jaxgan.run.workdir import difference
from jaxgan.study.comparison import Study

NAMES = ("digits", "fashion-mnist")
FOLDER = Path(__file__).parents[2] / "experiments"


def defining(name: str) -> list[Path]:
    """Files that assign ``name`` at their top level."""
    return [
        path
        for path in sorted(FOLDER.glob("*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name
    ]


def commands(path: Path) -> list[list[str]]:
    """The arguments of every command in a file's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    text = text.replace("\\\n", " ")
    return [
        shlex.split(arguments)
        for arguments in re.findall(rf"^ *python experiments/{path.name}(.*)$", text, re.MULTILINE)
    ]


EXPERIMENTS, STUDIES = defining("experiment"), defining("study")
EVERY = pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
CORE = {
    *("acgan", "cgan_projection", "conv_beta_vae", "cvae", "dcgan", "vae", "wgan_gp"),
}
"""Those that between them have every kind of network; CI has the others too."""
SOME_SLOW = pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in CORE else pytest.mark.slow)
        for path in EXPERIMENTS
    ],
)
EVERY_STUDY = pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)


def test_files_are_found():
    assert {path.stem for path in EXPERIMENTS} >= {"gan_mlp", "dcgan", "wgan", "vae"}
    assert {path.stem for path in STUDIES} >= {"compare_digits"}
    assert not set(EXPERIMENTS) & set(STUDIES)


@SOME_SLOW
def test_trains_in_outline(path):
    """Initial state, train step, samples and evaluation fit together on each data set."""
    experiment = experiment_file.load_experiment(path)
    shapes = {data: data.image_shape for data in (experiment.data, *map(DATASETS.get, NAMES))}
    assert {(8, 8, 1), (28, 28, 1)} <= set(shapes.values())
    for data in shapes:
        outline(dataclasses.replace(experiment, data=data))


@pytest.mark.slow
@EVERY
def test_trains_in_parts_of_its_batch(path):
    """As the whole batch does, in outline; one half of the networks' rows at a time."""
    experiment = experiment_file.load_experiment(path)
    experiment = dataclasses.replace(
        experiment, data=DATASETS["digits"], batch_size=8, micro_batches=2
    )
    algorithm, key = build(experiment), jax.random.key(0)
    state = jax.eval_shape(algorithm.init, key, example_batch(experiment))
    batch = {
        name: jax.ShapeDtypeStruct((experiment.images_per_step, *shape), dtype)
        for name, (shape, dtype) in experiment.data.specs.items()
    }
    for phase in algorithm.phases[:2]:
        after, _ = jax.eval_shape(phase.train_step, state, batch, key)
        same = jax.tree.map(lambda a, b: (a.shape, a.dtype) == (b.shape, b.dtype), state, after)
        assert all(jax.tree.leaves(same))


def outline(experiment):
    data, rows = experiment.data, experiment.images_per_step
    algorithm = build(experiment)
    key = jax.random.key(0)
    batch = {
        name: jax.ShapeDtypeStruct((rows, *shape), dtype)
        for name, (shape, dtype) in data.specs.items()
    }
    state = jax.eval_shape(algorithm.init, key, example_batch(experiment))
    after, metrics = jax.eval_shape(algorithm.phases[0].train_step, state, batch, key)
    same = jax.tree.map(lambda a, b: (a.shape, a.dtype) == (b.shape, b.dtype), state, after)
    assert all(jax.tree.leaves(same))
    assert all(metric.shape == () for metric in metrics.values())
    latents = jax.eval_shape(lambda k: algorithm.generation.prior(k, 3), key)
    samples = jax.eval_shape(algorithm.generation.pixels, state, latents)
    assert (samples.shape, samples.dtype) == ((3, *data.image_shape), jnp.float32)
    sums = jax.eval_shape(algorithm.evaluate, state, batch, key)
    assert all(leaf.shape == () for leaf in jax.tree.leaves(sums))


@EVERY
def test_is_a_plain_value(path):
    """It hashes, compares, prints, and comes back from JSON as it was."""
    experiment = experiment_file.load_experiment(path)
    document = to_json(experiment)
    back = from_json(json.loads(json.dumps(document)))
    assert back == experiment
    assert hash(back) == hash(experiment)
    assert repr(back) == repr(experiment)
    other = dataclasses.replace(experiment, batch_size=experiment.batch_size + 1)
    assert other != experiment
    size = experiment.batch_size
    assert difference(document, to_json(other)) == [f"batch_size: {size} -> {size + 1}"]


@EVERY
def test_is_called_like_its_file(path):
    assert experiment_file.load_experiment(path).name == path.stem


@EVERY
def test_says_where_it_comes_from(path):
    """The first paragraph names the paper, with its year and without a line too long."""
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
    authors = r"([A-Z]\w+ (et al\.|and [A-Z]\w+)|[A-Z][a-z]+-[A-Z][a-z]+)"
    assert re.search(rf"{authors}, .+(19|20)\d\d\.$", first, re.DOTALL)


@EVERY
def test_commands_of_the_docstring_work(path):
    experiment = experiment_file.load_experiment(path)
    every = commands(path)
    assert [] in every, "the docstring gives the plain command"
    for arguments in every:
        parsed = options.parse(experiment, arguments, program=path.name)
        # Each of them changes something, or is the plain one.
        assert (parsed.experiment == experiment) == (arguments == [])


@EVERY_STUDY
def test_studies_name_experiments_that_exist(path):
    """Every row loads, its arguments parse, and the budget is at least one step."""
    study = experiment_file.load_file(path).study
    assert isinstance(study, Study)
    assert study.name == path.stem
    assert [] in commands(path)
    names, data = [], set()
    for entry in study.entries:
        experiment = experiment_file.load_experiment(entry.file)
        parsed = options.parse(experiment, entry.arguments, program=entry.file).experiment
        assert (parsed == experiment) == (entry.arguments == ())
        assert study.images >= parsed.images_per_step
        names.append(parsed.name)
        data.add(parsed.data)
    assert len(set(names)) == len(names) >= 2
    assert len(data) == 1
    assert len(set(study.seeds)) == len(study.seeds) >= 1


@pytest.mark.parametrize(
    "path", sorted(set(FOLDER.glob("*.py")) - {*EXPERIMENTS, *STUDIES}), ids=lambda path: path.stem
)
def test_other_files_are_scripts(path):
    """What is neither an experiment nor a study can be imported, and runs only when asked to."""
    assert callable(experiment_file.load_file(path).main)
    assert ast.get_docstring(ast.parse(path.read_text()))
