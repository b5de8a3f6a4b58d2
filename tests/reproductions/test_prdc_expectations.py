"""The table of precision, recall, density and coverage, and the mistakes that it has to show."""

import numpy as np
import pytest
from scripts import misses, script

prdc = script("prdc_expectations")


def test_copies_and_expectations_are_exact_and_wrong_ones_are_not(monkeypatch):
    """The lines without chance; ``1 - 1/2^5`` and ``1 - 1/2^3`` up to terms of 1/N."""
    monkeypatch.setattr(prdc, "authors_example", lambda *_: [])
    monkeypatch.setattr(prdc, "equal_laws", lambda *_: [])
    monkeypatch.setattr(prdc, "outliers", lambda *_: [])
    found = prdc.reproduce()
    assert len(found.rows) == 6
    assert not misses(found)
    np.testing.assert_allclose([row.ours for row in found.rows[:2]], [31 / 32, 7 / 8], atol=5e-4)

    def forgot_to_divide(real, generated, k):
        values = prdc.measured(real, generated, k)
        return {**values, "density": k * values["density"]}

    assert misses(prdc.reproduce(measure=forgot_to_divide)) == ["density of a set and itself"]


@pytest.mark.slow
def test_the_lines_of_outliers_and_fakes_radii():
    """Coverage by the balls of the fakes jumps with an outlier among them."""
    assert all(row.within for row in prdc.outliers(2, prdc.measured))

    def by_balls_of_fakes(real, generated, k):
        values = prdc.measured(real, generated, k)
        return {**values, "coverage": values["recall"]}

    rows = {row.quantity: row for row in prdc.outliers(2, by_balls_of_fakes)}
    assert not rows["coverage with an outlier among the generated"].within


@pytest.mark.slow
def test_the_lines_of_equal_laws_and_a_point_that_is_its_own_neighbor(monkeypatch):
    """With itself for the first neighbor, coverage is ``1 - 1/2^4``, 0.938."""
    monkeypatch.setattr(prdc, "EQUAL", {64: prdc.EQUAL[64]})
    assert all(row.within for row in prdc.equal_laws(4, prdc.measured))

    def own_neighbor(real, generated, k):
        return prdc.measured(real, generated, k - 1)

    rows = {row.quantity: row for row in prdc.equal_laws(4, own_neighbor)}
    row = rows["mean coverage, 64 dimensions"]
    assert not row.within
    assert row.ours == pytest.approx(0.938, abs=0.01)
