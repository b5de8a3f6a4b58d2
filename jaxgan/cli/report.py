"""``jaxgan report``: compares runs that are finished, from their documents alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import tyro

from jaxgan.cli import reading
from jaxgan.cli.run import ranges
from jaxgan.config import ConfigError
from jaxgan.evaluation.protocol import short_name
from jaxgan.run import workdir
from jaxgan.run.workdir import RunError
from jaxgan.study import collected, finished, plan
from jaxgan.study.comparison import assemble
from jaxgan.study.floor import read_floor
from jaxgan.study.rows import Finished
from jaxgan.visualization.report.columns import COLUMNS
from jaxgan.visualization.report.data import Floor
from jaxgan.visualization.report.text import joined, shortened
from jaxgan.visualization.report.text_table import text_table
from jaxgan.visualization.report.write import write_report


@dataclasses.dataclass(frozen=True)
class ReportOptions:
    """Write a report that compares runs which are finished; nothing is trained or measured.

    Seeds of one experiment make one row. Only files of data are read: nothing of a run is executed
    or changed.
    """

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of runs, or of comparisons, which stand for all runs in them; or of a plan's runs, of
    which what is missing is named."""
    out: str = ""
    """Folder of the report; one that holds a report gets the new one. Empty: runs/report, or the
    folder of the plan's runs itself."""
    rank_by: str = ""
    """Short name of the metric that ranks, such as recall; empty: the plan's, or fid or, where no
    run has it, the first that all could be ranked by."""
    title: str = ""
    """Of the page; empty: the plan's, or the names of the rows."""


def report(arguments: list[str]) -> None:
    """The command; prints the table and the report's path.

    Raises:
        ConfigError: the runs cannot be compared, or ``--out`` holds something else.
        RunError: there is no such run, or it is damaged, or none is finished.
        LogError: a run's log is damaged.
    """
    options = reading.read(ReportOptions, arguments, "jaxgan report")
    if not options.runs:
        raise ConfigError("jaxgan report needs the folders of runs: jaxgan report RUNS...")
    first = options.runs[0]
    if len(options.runs) == 1 and (first / plan.NAME).exists():
        _of_plan(first, options)
        return
    out = Path(options.out or "runs/report")
    check_out(out)
    found = finished.read(options.runs)
    rows = finished.rows_of(found)
    title = options.title or shortened(" against ".join(row.subject.name for row in rows), 120)
    try:
        made = assemble(
            rows,
            title=title,
            command=workdir.command_line(),
            budget=finished.budget(rows),
            rank_by=_ranking(rows, options.rank_by),
            protocol={"Budget": finished.budget(rows)},
            folder=out,
            floor=_floor([one.folder for one in found]),
        )
    except ConfigError:
        raise
    except ValueError as error:  # Of a report's values, which documents have been written into.
        raise RunError(f"the documents of a run are damaged: {error}") from error
    write_report(out, made)
    print(text_table(made))
    for one in found:
        if one.result is None:
            print(f"not finished: {one.folder}")
    print(f"report: {out / 'index.html'}")


def _of_plan(folder: Path, options: ReportOptions) -> None:
    """The report of a plan's runs, whatever of them is finished."""
    file, out = folder / plan.NAME, Path(options.out or folder)
    lines = plan.read(file)
    if out.resolve() != folder.resolve():
        check_out(out)
    rank_by = options.rank_by or lines[0].study.rank_by
    found = collected.collect(lines, file, rank_by)
    if options.rank_by:
        _ranking(found.rows, rank_by)
    try:
        made = collected.report(
            lines, found, command=workdir.command_line(), folder=out, title=options.title,
            rank_by=rank_by,
        )  # fmt: skip
    except ConfigError:
        raise
    except ValueError as error:  # Of a report's values, which documents have been written into.
        raise RunError(f"the documents of a run are damaged: {error}") from error
    write_report(out, made)
    print(text_table(made))
    for index, why in found.failed:
        print(f"failed: index {index} ({lines[index].told}): {why}")
    if found.missing:
        print(f"not finished: index {ranges(found.missing)} of {file}")
    print(f"report: {out / 'index.html'}")


def check_out(folder: Path) -> None:
    """Refuses a folder in which a report would write over something else, or lie among it.

    Raises:
        ConfigError: it is a file, or is neither empty nor holds a report.
    """
    try:
        there = {path.name for path in folder.iterdir()} if folder.exists() else set()
        document = json.loads((folder / "results.json").read_bytes()) if there else None
    except (OSError, ValueError):
        document = None
        there = {"something"}
    a_report = isinstance(document, dict) and {"verdict", "rows", "rank_by"} <= document.keys()
    if there and not (a_report and "index.html" in there):
        raise ConfigError(
            f"{folder} is neither empty nor the folder of a report: choose another --out"
        )


def _ranking(rows: list[Finished], wanted: str) -> str:
    """The metric that ranks.

    Raises:
        ConfigError: no run has it, or neither of its directions is better.
    """
    results = [o.result for row in rows for o in row.outcomes if o.result is not None]
    measured = {short_name(name) for result in results for name in result["metrics"]}
    able = [
        column.name
        for column in COLUMNS
        if column.name in measured and column.lower_is_better is not None
    ]
    if not able:
        raise ConfigError("the runs have no metric that could rank them")
    if wanted and wanted not in able:
        raise ConfigError(f"nothing can be ranked by {wanted!r}; the runs have {joined(able)}")
    return wanted or able[0]


def _floor(folders: list[Path]) -> Floor | None:
    """The real images of the study that all runs are of, if they were measured."""
    studies = {folder.resolve().parent.parent for folder in folders}
    return read_floor(studies.pop()) if len(studies) == 1 else None
