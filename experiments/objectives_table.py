"""The README's table of adversarial losses, from their docstrings and the study's numbers.

    python experiments/objectives_table.py

Writes between the two marks in README.md what the code and ``experiments/results`` say now; the
numbers are those of ``experiments/gan_objectives.py``. A test fails where the README says other.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxgan.cli import names
from jaxgan.machine.atomic import write_atomically

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
DATA = ("digits", "fashion-mnist")
START, END = "<!-- objectives: start -->", "<!-- objectives: end -->"
"""What the table stands between."""
NONE = "–"

Document = Mapping[str, Any]


def results_file(data: str, folder: Path = RESULTS) -> Path:
    """Where the study's numbers of a data set are."""
    return folder / f"gan_objectives_{data.replace('-', '_')}.json"


def read_results() -> dict[str, Document]:
    """The numbers that are there, by data set."""
    files = {data: results_file(data) for data in DATA}
    return {data: json.loads(file.read_text()) for data, file in files.items() if file.exists()}


def what(loss: type) -> str:
    """The first sentence of a loss's docstring, without its formulas."""
    text = inspect.getdoc(loss) or ""
    first = re.split(r"(?<=[a-z)`\d])[.:](?:\s|$)", " ".join(text.split("\n\n")[0].split()))[0]
    return first.rstrip(".").replace("``", "`")


def paper(loss: type) -> str:
    """The first reference of a loss's docstring up to its year.

    >>> from jaxgan.objectives.gan.losses import LeastSquares
    >>> paper(LeastSquares)
    'Mao et al., Least Squares Generative Adversarial Networks, 2017'
    """
    _, found, references = (inspect.getdoc(loss) or "").partition("References:")
    cited = re.match(r"\s*(.*?\b(?:19|20)\d\d)\b", references, re.DOTALL)
    return " ".join(cited[1].split()) if found and cited else NONE


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The mean, and between brackets the lowest and the highest of several."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return NONE
    mean, low, high = sum(finite) / len(finite), min(finite), max(finite)
    told = f"{mean:.{digits}f}"
    return told if len(finite) == 1 else f"{told} ({low:.{digits}f} to {high:.{digits}f})"


def runs_of(document: Document | None, loss: str) -> list[Document]:
    """The runs of a loss; none where it was not trained."""
    rows = [] if document is None else document["rows"]
    return [run for row in rows if row["loss"] == loss for run in row["runs"]]


def collapsed(runs: Sequence[Document]) -> str:
    """``1 of 3``."""
    return f"{sum(run['collapsed'] for run in runs)} of {len(runs)}" if runs else NONE


def markdown(document: Document) -> str:
    """All numbers of one data set, the losses in the order of their Fréchet distances."""
    columns = {"fid": 2, "kid": 4, "precision": 3, "recall": 3, "density": 3, "coverage": 3}
    lines = [
        f"Adversarial losses on {document['data']}: DCGAN of width {document['width']},"
        f" {document['steps']:,} steps of {document['batch_size']} images, seeds"
        f" {', '.join(map(str, document['seeds']))}; {document['samples']:,} samples. Means over"
        " the runs that did not diverge, lowest and highest between brackets. Collapsed: diverged,"
        f" or recall or coverage below {document['collapsed_below']}.",
        "",
        f"| loss | networks | {' | '.join(columns)} | collapsed | alarms |",
        f"|---|---|{'---:|' * len(columns)}---:|---|",
    ]

    def order(row: Document) -> float:
        values = [run["fid"] for run in row["runs"] if "fid" in run]
        return sum(values) / len(values) if values else math.inf

    for row in sorted(document["rows"], key=order):
        cells = [
            spread([run[name] for run in row["runs"] if name in run], digits)
            for name, digits in columns.items()
        ]
        alarms = [f"{alarm} (seed {run['seed']})" for run in row["runs"] for alarm in run["alarms"]]
        lines.append(
            f"| `{row['loss']}` | {row['networks']} | {' | '.join(cells)} |"
            f" {collapsed(row['runs'])} | {', '.join(alarms) or NONE} |"
        )
    return "\n".join(lines) + "\n"


def table(results: Mapping[str, Document], losses: Mapping[str, Any] = names.LOSSES) -> str:
    """The README's table: one line for each loss that has a name.

    Args:
        results: numbers of the study, by data set.
        losses: by name.
    """
    lines = [
        f"| `--loss` | what | paper | {' | '.join(f'fid, {data}' for data in DATA)} | collapsed |",
        f"|---|---|---|{'---:|' * len(DATA)}---:|",
    ]
    for name, loss in losses.items():
        cls = loss if isinstance(loss, type) else type(loss)
        runs = {data: runs_of(results.get(data), name) for data in DATA}
        cells = [spread([run["fid"] for run in runs[data] if "fid" in run]) for data in DATA]
        every = [run for found in runs.values() for run in found]
        told = [what(cls), paper(cls), *cells, collapsed(every)]
        lines.append(
            f"| `{name}` | {' | '.join(text.replace('|', chr(92) + '|') for text in told)} |"
        )
    return "\n".join(lines) + "\n"


def section(text: str, marks: tuple[str, str] = (START, END)) -> str | None:
    """What stands between the marks of a README; None where they are not there.

    Raises:
        ValueError: there is only one of them, or one of them twice.
    """
    start, end = marks
    counts = text.count(start), text.count(end)
    if counts == (0, 0):
        return None
    if counts != (1, 1):
        raise ValueError(f"the README should have {start} and {end} once each")
    return text.partition(start)[2].partition(end)[0].strip("\n") + "\n"


def with_table(text: str, found: str, marks: tuple[str, str] = (START, END)) -> str:
    """A README whose table is ``found``.

    Raises:
        ValueError: the marks are not there, or not once each.
    """
    start, end = marks
    if section(text, marks) is None:
        raise ValueError(f"the README has no {start} and {end}: put them where the table goes")
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{found}{end}{rest.partition(end)[2]}"


def write_readme(path: Path = README) -> Path:
    """Writes the table into a README."""
    text = with_table(path.read_text(), table(read_results()))
    return write_atomically(path, text.encode())


def main() -> None:
    """Writes the table and says where."""
    print(write_readme())


if __name__ == "__main__":
    main()
