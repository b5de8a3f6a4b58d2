"""Makes the benchmarks' modules importable, as they are for a script that lies beside them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments" / "benchmarks"))


@pytest.fixture(autouse=True, scope="module")
def compile_quickly(quick_compilation):
    """For all modules of this folder, which compile much and run little."""
