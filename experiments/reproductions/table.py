"""The README's table of the shelf, from the files that the reproductions wrote.

    python experiments/reproductions/table.py

Writes between the two marks in README.md what ``experiments/results/reproductions`` says now. A
test fails where the README says other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shelf

from jaxgan.machine.atomic import write_atomically
from jaxgan.run import experiment_file

HERE = Path(__file__).parent
OTHER: Any = experiment_file.load_file(HERE.parent / "objectives_table.py")
README = HERE.parents[1] / "README.md"
MARKS = ("<!-- shelf: start -->", "<!-- shelf: end -->")
"""What the table stands between."""
HEAD = "| paper | what | published | ours | verdict | command |\n|---|---|---|---|---|---|\n"

Document = Mapping[str, Any]


def read_results(folder: Path = shelf.RESULTS) -> list[Document]:
    """What the scripts found, by their names."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def verdict(document: Document) -> str:
    """The verdict, and of how many lines."""
    lines = [*document["rows"], *document["orders"]]
    agree = sum(line.get("within", line.get("holds")) for line in lines)
    return f"{document['verdict']} ({agree} of {len(lines)} lines)"


def line(document: Document) -> str:
    """One paper: the numbers that its script calls headlines."""
    shown = [row for row in document["rows"] if row.get("headline")]
    published = "; ".join(
        f"{row['quantity']} {shelf.number(row['published'], row.get('published_error', 0.0))}"
        for row in shown
    )
    ours = "; ".join(shelf.number(row["ours"], row.get("error", 0.0)) for row in shown)
    told = [document["paper"], document["what"], published, ours, verdict(document)]
    cells = [text.replace("|", "\\|") for text in told]
    return f"| {' | '.join(cells)} | `{document['command']}` |\n"


def table(documents: Sequence[Document]) -> str:
    """One line a paper."""
    return HEAD + "".join(map(line, documents))


def section(text: str) -> str | None:
    """What stands between the marks of a README; None where they are not there."""
    return OTHER.section(text, MARKS)


def write_readme(path: Path = README, folder: Path = shelf.RESULTS) -> Path:
    """Writes the table into a README.

    Raises:
        ValueError: the marks are not there, or not once each.
    """
    text = OTHER.with_table(path.read_text(), table(read_results(folder)), MARKS)
    return write_atomically(path, text.encode())


def main() -> None:
    """Writes the table and says where."""
    print(write_readme())


if __name__ == "__main__":
    main()
