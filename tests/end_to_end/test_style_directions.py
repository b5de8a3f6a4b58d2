"""The script that scores directions in w on sprites: its reader, its scores, and its files."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from untrained import write_run

from jaxgan.evaluation.disentanglement.directions import Directions, random_directions
from jaxgan.run import experiment_file

SCRIPT = experiment_file.load_file(
    Path(__file__).parents[2] / "experiments" / "style_directions.py"
)


class Straight:
    """A space whose images are the latents themselves."""

    def images(self, w):
        return w


def read(w):
    """Shapes by the first number, scale, x and y by the next three, the others for nothing."""
    share = np.clip(0.5 + 0.5 * w[:, :1], 0, 1)
    rest = np.clip([0.75, 0.5, 0.5] + [0.08, 0.15, 0.15] * w[:, 1:4], [0.5, 0, 0], [1, 1, 1])
    return np.concatenate([share, 1 - share, np.zeros_like(share), rest], axis=1)


def test_directions_that_are_factors_score_above_those_that_are_turned():
    w = np.random.default_rng(0).normal(size=(900, 6))
    aligned, turned = (
        SCRIPT.scores(found, Straight(), w, read, 100)
        for found in (Directions(np.eye(6), np.ones(6)), random_directions(6, seed=3))
    )
    assert aligned["direction"] == [1, 2, 3, 4]
    assert aligned["leakage"] == [0.0] * 4
    # One standard deviation back and one on, of factors that are nearly straight lines.
    np.testing.assert_allclose(aligned["change"][1:], 2.0, atol=0.2)
    assert min(aligned["correlation"][1:]) > 0.97
    assert aligned["disentanglement of changes"] == 1.0
    names = [name for name, value in aligned.items() if isinstance(value, float)]
    assert len(names) == 7
    for name in names:
        # Of directions that stand for nothing, modularity sees chance alone.
        margin = 0.0 if name == "modularity" else 0.1
        assert aligned[name] > turned[name] + margin, name
    assert max(turned["leakage"]) > 0.2
    lines = SCRIPT.table({"a": aligned, "b": SCRIPT.averaged([turned, turned])}, "said").split("\n")
    shape = f"| a | {aligned['change'][0]:.2f} (no. 1), 0.00, {aligned['correlation'][0]:.2f} |"
    assert lines[4].startswith(shape)
    assert lines[5].startswith(f"| b | {turned['change'][0]:.2f}, {turned['leakage'][0]:.2f}, ")
    assert lines[9].split("|")[4].strip() == f"{aligned['MIG']:.3f}"


def test_values_are_those_of_the_images():
    """The middle of what is white, and how much, tell position and scale."""
    images, values = SCRIPT.sprites(60, seed=1)
    assert images.shape == (60, 16, 16, 1)
    white = images[..., 0].astype(float)
    grid = np.arange(16)
    for axis, place in ((1, 2), (2, 3)):
        middle = (white.sum(axis=axis) * grid).sum(axis=1) / white.sum(axis=(1, 2))
        assert np.corrcoef(middle, values[:, place])[0, 1] > 0.99
    assert np.corrcoef(np.sqrt(white.sum(axis=(1, 2))), values[:, 1])[0, 1] > 0.98
    assert set(values[:, 0]) == {0, 1, 2}


@pytest.mark.slow
def test_a_reader_learns_where_sprites_are():
    found = SCRIPT.reader(*SCRIPT.sprites(2000, seed=0), steps=150)
    assert min(found.explained[1:]) > 0.8
    assert found.read(np.zeros((3, 16, 16, 1), np.uint8)).shape == (3, 6)


@pytest.mark.slow
def test_a_run_that_is_there_is_read_and_scored(tmp_path):
    """Of a generator that nobody has trained."""
    write_run(tmp_path / "run", SCRIPT.experiment_of(1))
    words = f"--run {tmp_path}/run --results {tmp_path} --images 300 --reader-steps 2"
    SCRIPT.main([*words.split(), "--latents", "300", "--moved", "10"])
    document = json.loads((tmp_path / "style_directions.json").read_text())
    assert [*document["rows"]] == ["SeFa", "GANSpace", "random"]
    assert "step 1, one seed" in document["said"]
    table = (tmp_path / "style_directions.md").read_text()
    assert table.startswith(document["said"])
    # Three kinds side by side, seven images a row, three screen pixels a pixel.
    shown = np.asarray(Image.open(tmp_path / "style_directions.png"))
    assert shown.shape == (5 * 49 - 1, 3 * (7 * 49 - 1) + 2 * 12)
