"""The scripts of experiments/reproductions, as they are loaded by their tests."""

import json
from pathlib import Path

import pytest

from jaxgan.run import experiment_file

FOLDER = Path(__file__).parents[2] / "experiments" / "reproductions"


def script(name):
    return experiment_file.load_file(FOLDER / f"{name}.py")


def misses(found):
    """Lines that do not agree."""
    return [row.quantity for row in found.rows if not row.within] + [
        f"{order.larger} above {order.smaller}" for order in found.orders if not order.holds
    ]


def written(name):
    """What was committed of a script."""
    return json.loads((script("shelf").RESULTS / f"{name}.json").read_text())


def check_written(found):
    """The file is that of this script, and of these numbers where there is no chance in them."""
    document = written(found.name)
    assert document["holds"]
    rows = {row["quantity"]: row for row in document["rows"]}
    assert [*rows] == [row.quantity for row in found.rows]
    for row in found.rows:
        there = rows[row.quantity]
        assert there["published"] == pytest.approx(row.published, rel=1e-12)
        if not row.error:
            assert there["ours"] == pytest.approx(row.ours, rel=1e-6, abs=1e-9)
