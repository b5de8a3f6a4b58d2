"""The script that scores objectives on sprites: its rows, and one run as short as can be."""

import re
from pathlib import Path

import pytest

from jaxgan.run import experiment_file

SCRIPT = experiment_file.load_file(Path(__file__).parents[2] / "experiments" / "sprite_scores.py")


def test_rows_differ_in_their_objective_alone():
    rows = {name: SCRIPT.experiment_of(name, 7, 100) for name in SCRIPT.ROWS}
    assert len({one.model.objective() for one in rows.values()}) == len(rows)
    for one in rows.values():
        assert one.steps == 7
        assert one.data.image_shape == (64, 64, 1)
        assert (one.model.encoder, one.model.decoder) == (
            rows["vae"].model.encoder,
            rows["vae"].model.decoder,
        )
    # The estimate is about the images that are trained on.
    (term,) = rows["beta_tcvae"].model.regularizers
    assert term.examples == 100


@pytest.mark.slow
def test_a_line_for_each_run(capsys):
    # Every position needs ten points to vote with.
    sizes = ["--steps", "60", "--images", "200", "--samples", "2000"]
    SCRIPT.main(["--rows", "beta_tcvae", "--seeds", "3", *sizes])
    number = r"\d\.\d{3} \((-?\d\.\d{3}|nan) to (\d\.\d{3}|nan)\)"
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(f"beta_tcvae, seed 3: mig {number}, factor_vae {number}", line)
