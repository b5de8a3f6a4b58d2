"""All objectives of autoencoders on one network with one budget: samples, likelihoods, codes.

    python experiments/vae_objectives.py
    python experiments/vae_objectives.py --data fashion-mnist --only vae beta_vae --seeds 0 1

Every experiment of an autoencoder in this folder, and those of `VARIANTS`, is trained with three
seeds on digits and on Fashion-MNIST with the networks of vae.py (where its own are perceptrons),
codes of one length (convolutions are those of their experiments, on Fashion-MNIST narrower, see
`NARROWER`), and one likelihood, the discretized logistic, which is a probability of the
pixels: where an experiment allows no other than its own, the table says so. What is then the same
as an earlier row is left out, and so are those of `SKIPPED`. Rates, weights and whatever else an
objective has are its experiment's; nothing was tuned for the shared likelihood, so the order says
what these settings do and not what the objectives can do.

Samples are measured by fid, kid and prdc; the first held-out images, as many as the data set's
budget says, by their likelihood (importance sampling, so that it is a lower bound) in nats and,
where it is a probability of 8-bit pixels, in bits a dimension; their codes by the parts of the KL
(Hoffman and Johnson 2016) and by the active units (Burda et al. 2016); the ELBO is of all held-out
images. A dash: there is none.

Runs are under ``runs/vae_objectives``, each kept once it is finished, so that the same command goes
on with the rest; beside them a report for each data set. The numbers go to ``--results``, as JSON
and as a table, and one sheet of samples, a row an objective.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.cli import options
from jaxgan.cli.entry import guarded
from jaxgan.config import ConfigError, Experiment
from jaxgan.data import splits
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.evaluation.protocol import short_name
from jaxgan.machine.atomic import write_atomically
from jaxgan.measurement import available, held_out, runs
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.likelihoods import kind_of
from jaxgan.run import experiment_file, provenance, workdir
from jaxgan.study import runner
from jaxgan.study.comparison import Entry, Study
from jaxgan.visualization.grid import save_png

HERE = Path(__file__).parent
TABLE: Any = experiment_file.load_file(HERE / "vae_objectives_table.py")
FIRST = "vae"
VARIANTS = {"beta_vae": ("vae.py", "--beta.value 2")}
"""Objectives whose experiments have networks of another kind: a file, and what changes it."""
SKIPPED = {
    "conv_beta_vae": "beta_vae is the same objective on the network of the others",
    "cvae": "it is told the class of each image",
}
"""Experiments that are no rows, and why."""
NARROWER = {
    ("fashion-mnist", "vae_gan"): "--model.encoder.width 16 --model.decoder.width 16"
    " --model.discriminator.width 16",
    ("fashion-mnist", "vq_vae"): "--model.encoder.width 32 --model.decoder.width 32",
}
"""Convolutions on large images, which would take longer than all other rows together."""


class Budget(NamedTuple):
    """What every run on a data set gets."""

    width: int
    """Of the hidden layer of either network."""
    latent_size: int
    steps: int
    samples: int
    """Generated images that are measured."""
    held_out: int
    """Test images, the first ones, whose likelihood and codes are measured."""
    draws: int
    """Codes drawn for each of them where its likelihood is estimated."""


BATCH = 64
BUDGETS = {
    "digits": Budget(500, latent_size=10, steps=2000, samples=1500, held_out=297, draws=1000),
    "fashion-mnist": Budget(
        500, latent_size=20, steps=1000, samples=2000, held_out=1000, draws=100
    ),
}


def objectives() -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    """Names, files and arguments of what may be a row, `FIRST` first."""
    files = [HERE / f"{FIRST}.py", *sorted(HERE.glob("*.py"))]
    for file in dict.fromkeys(files):
        if file.stem in SKIPPED or "\nexperiment = Experiment(" not in file.read_text():
            continue
        if hasattr(experiment_file.load_experiment(file).model, "decoder"):
            yield file.stem, file, ()
        if file.stem == FIRST:
            for name, (base, words) in VARIANTS.items():
                yield name, HERE / base, tuple(words.split())


def entry_of(name: str, file: Path, own: Sequence[str], data: str, budget: Budget) -> Entry:
    """A row, with as much of what all share as its experiment takes.

    Raises:
        ConfigError: it does not even take the data set.
    """
    model = experiment_file.load_experiment(file).model
    words = f"--name {name} --dataset {data} --batch-size {BATCH}".split()
    words += [*own, "--evaluation.samples", str(budget.samples)]
    perceptrons = [
        ("encoder", MlpEncoder, f"--model.encoder.widths {budget.width}"),
        ("decoder", MlpDecoder, f"--model.decoder.widths {budget.width}"),
        ("latent_size", int, f"--model.latent-size {budget.latent_size}"),
    ]
    shared = [said for field, kind, said in perceptrons if type(getattr(model, field, 0)) is kind]
    # Those without a field of this name have codes of another kind, as have categories, of which
    # one dimension holds much less.
    categories = getattr(getattr(model, "posterior", None), "support", "") == "categories"
    shared = shared if hasattr(model, "latent_size") and not categories else shared[:2]
    for more in (["--likelihood discretized_logistic", *shared], shared, shared[:2], []):
        entry = Entry(str(file), (*words, *" ".join(more).split()))
        try:
            options.read_entry(entry)
        except ConfigError as error:
            refused = error
        else:
            return entry
    raise ConfigError(f"{name} does not go with {data}: {refused}")


def rows_of(data: str, budget: Budget, only: Sequence[str] = ()) -> dict[str, Entry]:
    """Rows by name: those that are not what an earlier one is already.

    Raises:
        ConfigError: there is none of a name that is wanted.
    """
    known = [*objectives()]
    names = [name for name, *_ in known]
    for wanted in only:
        if wanted not in names:
            raise ConfigError(f"there is no objective {wanted!r}; there are {', '.join(names)}")
    rows: dict[str, Entry] = {}
    seen: list[Experiment] = []
    for name, file, own in known:
        if only and name not in only:
            continue
        own = (*own, *NARROWER.get((data, name), "").split())
        entry = entry_of(name, file, own, data, budget)
        # Steps and samples are the study's.
        found = dataclasses.replace(options.read_entry(entry)[0], name="one", steps=budget.steps)
        if found not in seen:
            seen.append(found)
            rows[name] = entry
    return rows


def study_of(rows: Mapping[str, Entry], data: str, budget: Budget, seeds: Sequence[int]) -> Study:
    """All rows on one data set."""
    return Study(
        name="vae_objectives",
        title=f"Objectives of autoencoders on {data}",
        entries=tuple(rows.values()),
        seeds=tuple(seeds),
        images=budget.steps * BATCH,
        curve_points=0,
        metrics=("fid", "kid", "prdc"),
        tuning="none for the shared networks and likelihood: the order says what these settings do,"
        " not what the objectives can do.",
    )


def held_out_of(folder: Path, cache: Path, budget: Budget) -> dict[str, Any]:
    """Numbers of the first held-out images, and what kind of likelihood it is; what there is of it.

    They are measured once, and then read from ``cache``.
    """
    if cache.exists():
        return json.loads(cache.read_text())
    trained = runs.load(folder)
    program, state, experiment = trained.program, trained.state, trained.experiment
    size, there = experiment.evaluation.batch_size, available.has(program.algorithm)
    batches = splits.held_out_batches(experiment.data, "test", size)
    first = [batch for batch, _ in itertools.islice(batches, -(-budget.held_out // size))]
    model = held_out.model_of(program, state, experiment, first, budget.draws)
    # Some give bounds alone, which are of a kind as likelihoods are.
    likelihood = getattr(experiment.model, "likelihood", None)
    told: dict[str, Any] = {} if likelihood is None else {"kind": kind_of(likelihood)}
    for metric in (MODEL_METRICS[name] for name in ("likelihood", "surgery")):
        if metric.needs <= there:
            told |= {name: estimate.value for name, estimate in metric.compute(model).items()}
    cache.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(cache, json.dumps(told).encode())
    return told


def numbers_of(folder: Path, cache: Path, budget: Budget) -> dict[str, Any]:
    """What a run has come to."""
    result = workdir.read_result(folder)
    if result is None:
        return {"diverged": True}
    metrics = {short_name(name): value for name, value in result["metrics"].items()}
    found = metrics | held_out_of(folder, cache, budget)
    told = ("kind", *TABLE.SAMPLES, *TABLE.HELD_OUT, *TABLE.CODES)
    return {
        **{name: found[name] for name in told if name in found},
        "diverged": False,
        "alarms": [alarm["name"] for alarm in result["alarms"]],
        "seconds": result["seconds"]["training"] + result["seconds"]["evaluation"],
    }


def document_of(
    rows: Mapping[str, Entry], data: str, budget: Budget, seeds: Sequence[int], folder: Path
) -> dict[str, Any]:
    """All numbers of one data set as JSON."""

    def run_of(name: str, seed: int) -> dict[str, Any]:
        run = f"{name}-seed{seed}"
        cache = folder / "held_out" / f"{run}-{budget.held_out}-{budget.draws}.json"
        return {"seed": seed, **numbers_of(folder / "runs" / run, cache, budget)}

    def row_of(name: str, entry: Entry) -> dict[str, Any]:
        experiment = options.read_entry(entry)[0]
        return {
            "name": name,
            "objective": experiment.model.objective(),
            "encoder": type(getattr(experiment.model, "encoder", None)).__name__,
            "runs": [run_of(name, seed) for seed in seeds],
        }

    return {
        "data": data,
        **budget._asdict(),
        "batch_size": BATCH,
        "seeds": list(seeds),
        "versions": provenance.versions(),
        "hardware": provenance.hardware(),
        "rows": [row_of(name, entry) for name, entry in rows.items()],
    }


def study(arguments: Sequence[str] | None = None) -> None:
    """Trains what is not there yet, measures, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--data", nargs="+", default=[*BUDGETS], choices=[*BUDGETS])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    for name in Budget._fields:
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=int, help="default: the data set's budget")
    parser.add_argument("--workdir", type=Path, default=Path("runs/vae_objectives"))
    parser.add_argument("--results", type=Path, help="folder of the numbers; default: the workdir")
    chosen = parser.parse_args(arguments)
    started = time.perf_counter()
    for data in chosen.data:
        given = {k: v for k in Budget._fields if (v := getattr(chosen, k)) is not None}
        budget, folder = BUDGETS[data]._replace(**given), chosen.workdir / data
        rows = rows_of(data, budget, chosen.only)
        value = study_of(rows, data, budget, chosen.seeds)
        command = workdir.command_line()
        settings = runner.StudyOptions(workdir=str(folder))
        runner.run(value, settings, read=options.read_entry, command=command)
        document = document_of(rows, data, budget, chosen.seeds, folder)
        place = chosen.results or chosen.workdir
        place.mkdir(parents=True, exist_ok=True)
        path = TABLE.results_file(data, place)
        write_atomically(path, f"{json.dumps(document, indent=1)}\n".encode())
        write_atomically(path.with_suffix(".md"), TABLE.markdown(document).encode())
        picture = TABLE.sheet(folder, list(rows), chosen.seeds[0])
        if picture is not None:
            save_png(path.with_suffix(".png"), picture)
        print(f"{TABLE.markdown(document)}\n{path} after {time.perf_counter() - started:.0f} s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the study; errors become one line."""
    guarded(lambda: study(arguments))


if __name__ == "__main__":
    main()
