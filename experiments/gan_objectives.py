"""All adversarial losses on one network with one budget: which learn, how well, which collapse.

    python experiments/gan_objectives.py
    python experiments/gan_objectives.py --data fashion-mnist --only hinge minimax --seeds 0 1

Every loss that has a name (`jaxgan.cli.names.LOSSES`) trains the networks of DCGAN with three
seeds, on digits and on Fashion-MNIST. A loss that reads more than one logit an image is given the
discriminator of the first experiment in `NETWORKS` that it goes with, of the same width. Everything
else is the same for all: Adam with learning rate 2e-4 and beta1 = 0.5, one update of either player
a step, no penalty, no constraint. Nothing was tuned for any row, so the order says what these
settings do and not what the losses can do: a Wasserstein loss, say, is made for a critic that is
kept Lipschitz.

A run has collapsed if a number of it became infinite, or if recall (Kynkäänniemi et al. 2019) or
coverage (Naeem et al. 2020) of its samples is below 0.02: fewer than one in fifty real images has
samples about it. What a run's log says of itself (`jaxgan.training.alarms`) is listed as well.

Runs are under ``runs/gan_objectives``, each kept once it is finished, so that the same command goes
on with the rest; beside them a report for each data set. The numbers go to ``--results``, as JSON
and as a table; ``experiments/objectives_table.py`` makes the README's of them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.cli import names, options, spelling
from jaxgan.cli.entry import guarded
from jaxgan.config import ConfigError
from jaxgan.evaluation.protocol import short_name
from jaxgan.machine.atomic import write_atomically
from jaxgan.run import experiment_file, provenance, workdir
from jaxgan.study import runner
from jaxgan.study.comparison import Entry, Study
from jaxgan.study.folder import REAL

HERE = Path(__file__).parent
TABLE: Any = experiment_file.load_file(HERE / "objectives_table.py")
NETWORKS = ("dcgan.py", "feature_matching.py", "ebgan.py", "mmd_gan.py")
"""Experiments whose networks are tried, the first that a loss goes with being taken: one logit an
image, hidden features beside it, an autoencoder whose error is the logit, an embedding."""
METRICS = ("fid", "kid", "precision", "recall", "density", "coverage")
COVERED = 0.02
"""Recall or coverage below which a run has collapsed."""


class Budget(NamedTuple):
    """What every run on a data set gets."""

    width: int
    """Of both networks."""
    steps: int
    samples: int
    """Generated images that are measured."""


BATCH = 64
BUDGETS = {
    "digits": Budget(width=64, steps=2000, samples=1500),
    "fashion-mnist": Budget(width=16, steps=500, samples=2000),
}


def arguments_of(loss: str, data: str, budget: Budget) -> tuple[str, ...]:
    """The command line of a row, but for its seed."""
    words = f"--name {loss} --dataset {data} --loss {loss} --batch-size {BATCH}"
    words += " --optimizer adam --optimizer.learning-rate 2e-4 --optimizer.b1 0.5"
    words += " --prior normal --prior.size 100 --penalty none --constraint none --auxiliary none"
    words += f" --model.generator.width {budget.width} --model.discriminator.width {budget.width}"
    words += f" --model.n-critic 1 --model.diagnostics --evaluation.samples {budget.samples}"
    return tuple(words.split())


def entry_of(loss: str, data: str, budget: Budget) -> Entry:
    """A row: the loss with the first networks that it goes with.

    Raises:
        ConfigError: there are none.
    """
    refused = []
    for file in NETWORKS:
        if not (HERE / file).exists():
            continue
        entry = Entry(str(HERE / file), arguments_of(loss, data, budget))
        try:
            options.read_entry(entry)
        except ConfigError as error:
            refused.append(f"{file}: {error}")
        else:
            return entry
    raise ConfigError(f"loss {loss} goes with no network of NETWORKS: {'; '.join(refused)}")


def study_of(losses: Sequence[str], data: str, budget: Budget, seeds: Sequence[int]) -> Study:
    """All rows on one data set."""
    return Study(
        name="gan_objectives",
        title=f"Adversarial losses on {data}",
        entries=tuple(entry_of(loss, data, budget) for loss in losses),
        seeds=tuple(seeds),
        images=budget.steps * BATCH,
        curve_points=0,
        metrics=("fid", "kid", "prdc"),
        tuning="none: all rows have DCGAN's rates. The order says what these settings do, not what"
        " the losses can do.",
    )


def numbers_of(folder: Path) -> dict[str, Any]:
    """What a run has come to: its metrics, whether it has collapsed, and its alarms."""
    result = workdir.read_result(folder)
    if result is None:
        return {"collapsed": True, "diverged": True, "alarms": []}
    metrics = {short_name(name): value for name, value in result["metrics"].items()}
    return {
        **{name: metrics[name] for name in METRICS},
        "collapsed": min(metrics["recall"], metrics["coverage"]) < COVERED,
        "diverged": False,
        "alarms": [alarm["name"] for alarm in result["alarms"]],
        "seconds": result["seconds"]["training"] + result["seconds"]["evaluation"],
    }


def document_of(study: Study, data: str, budget: Budget, folder: Path) -> dict[str, Any]:
    """All numbers of one data set as JSON."""
    rows = [
        {
            "loss": entry.arguments[entry.arguments.index("--loss") + 1],
            "networks": Path(entry.file).stem,
            "runs": [
                {"seed": seed, **numbers_of(folder / "runs" / f"{entry.arguments[1]}-seed{seed}")}
                for seed in study.seeds
            ],
        }
        for entry in study.entries
    ]
    return {
        "data": data,
        **budget._asdict(),
        "batch_size": BATCH,
        "seeds": list(study.seeds),
        "collapsed_below": COVERED,
        "versions": provenance.versions(),
        "hardware": provenance.hardware(),
        "real": _real(folder),
        "rows": rows,
    }


def _real(folder: Path) -> dict[str, float]:
    """What real images score in place of samples, which the report measures."""
    path = folder / REAL
    return json.loads(path.read_text())["metrics"] if path.exists() else {}


def study(arguments: Sequence[str] | None = None) -> None:
    """Trains what is not there yet, measures, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[*names.LOSSES], metavar="LOSS")
    parser.add_argument("--data", nargs="+", default=[*BUDGETS], choices=[*BUDGETS])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="of every run; default: the data set's budget")
    parser.add_argument("--width", type=int, help="of all networks; default: the budget's")
    parser.add_argument("--workdir", type=Path, default=Path("runs/gan_objectives"))
    parser.add_argument("--results", type=Path, help="folder of the numbers; default: the workdir")
    chosen = parser.parse_args(arguments)
    for name in chosen.only:
        spelling.value_of("loss", name, names.LOSSES)
    started = time.perf_counter()
    for data in chosen.data:
        changes = {name: getattr(chosen, name) for name in ("steps", "width")}
        given = {name: value for name, value in changes.items() if value is not None}
        budget = BUDGETS[data]._replace(**given)
        folder = chosen.workdir / data
        value = study_of(chosen.only, data, budget, chosen.seeds)
        command = workdir.command_line()
        settings = runner.StudyOptions(workdir=str(folder))
        runner.run(value, settings, read=options.read_entry, command=command)
        document = document_of(value, data, budget, folder)
        place = chosen.results or chosen.workdir
        place.mkdir(parents=True, exist_ok=True)
        path = TABLE.results_file(data, place)
        write_atomically(path, f"{json.dumps(document, indent=1)}\n".encode())
        write_atomically(path.with_suffix(".md"), TABLE.markdown(document).encode())
        print(f"{TABLE.markdown(document)}\n{path} after {time.perf_counter() - started:.0f} s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the study; errors become one line."""
    guarded(lambda: study(arguments))


if __name__ == "__main__":
    main()
