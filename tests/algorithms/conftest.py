"""Settings of the algorithms' tests, which compile much and run little."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def compile_quickly(quick_compilation):
    """For all modules of this folder."""
