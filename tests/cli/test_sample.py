"""`jaxgan sample`: what it writes where, and that it leaves all else alone."""

import os
import shutil

import numpy as np
import pytest
import tiny
from disk import largest_file
from PIL import Image
from untrained import write_run

import jaxgan
from jaxgan.cli import outputs
from jaxgan.cli.sample import sample
from jaxgan.config import ConfigError, Evaluation
from jaxgan.data.image_set import load_images
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.machine import memory


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run of batch-normalized convolutions, and one of points."""
    folder = tmp_path_factory.mktemp("sample")
    evaluation = Evaluation(batch_size=10, metrics=("kid",))
    write_run(folder / "run", tiny.dcgan(evaluation=evaluation))
    points = Data(source=Ring(), image_size=1, channels=2)
    write_run(folder / "points", tiny.gan(name="points", data=points, evaluation=evaluation))
    return folder


@pytest.fixture
def here(place, tmp_path, monkeypatch):
    """An empty folder beside the runs, in which commands are called."""
    for name in ("run", "points"):
        (tmp_path / name).symlink_to(place / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder):
    return sorted(path.name for path in folder.iterdir() if not path.is_symlink())


def tree(folder):
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_a_picture_in_the_current_folder_and_nothing_in_the_run(here, place, capsys):
    before = tree(place / "run")
    sample(["run", "-n", "6", "--seed", "3"])
    assert capsys.readouterr().out == "6 samples of step 1 are in tiny-step1-seed3.png\n"
    assert files(here) == ["tiny-step1-seed3.png"]
    assert tree(place / "run") == before
    grid = np.asarray(Image.open("tiny-step1-seed3.png"))
    images = jaxgan.load("run").sample(6, seed=3)
    # Two columns of three rows; every pixel is six by six; a white line between.
    assert grid.shape == (3 * 49 - 1, 2 * 49 - 1)
    np.testing.assert_array_equal(grid[0:48:6, 49:97:6], images[1, :, :, 0])
    np.testing.assert_array_equal(grid[49:97:6, 0:48:6], images[2, :, :, 0])


def test_what_is_there_is_only_replaced_when_asked(here):
    sample(["run", "-n", "2"])
    first = (here / "tiny-step1-seed0.png").read_bytes()
    with pytest.raises(ConfigError) as raised:
        sample(["run", "-n", "3"])
    assert str(raised.value) == (
        "--out tiny-step1-seed0.png: this file exists; --overwrite replaces it"
    )
    assert (here / "tiny-step1-seed0.png").read_bytes() == first
    sample(["run", "-n", "3", "--overwrite"])
    assert (here / "tiny-step1-seed0.png").read_bytes() != first
    assert files(here) == ["tiny-step1-seed0.png"]


def test_arrays_and_single_files_hold_the_same_images(here):
    images = jaxgan.load("run").sample(23, seed=1)
    sample(["run", "-n", "23", "--seed", "1", "--out", "x.npz"])
    with np.load("x.npz") as arrays:
        assert arrays.files == ["images"]
        assert arrays["images"].dtype == np.uint8
        np.testing.assert_array_equal(arrays["images"], images)
    sample(["run", "-n", "23", "--seed", "1", "--out", "single/"])
    assert files(here / "single") == [f"{number:06}.png" for number in range(23)]
    for number in (0, 11, 22):
        shown = np.asarray(Image.open(here / "single" / f"{number:06}.png"))
        np.testing.assert_array_equal(shown, images[number, :, :, 0])
    # They can be measured against each other.
    np.testing.assert_array_equal(load_images(here / "single").images, images)


@pytest.mark.parametrize(
    ("flags", "how"),
    [
        ("--weights raw", {"weights": "raw"}),
        ("--truncation 0.3", {"truncation": 0.3}),
        ("--threshold 0.3", {"threshold": 0.3}),
        ("--batch-norm batch", {"batch_norm": "batch"}),
        ("--batch-norm standing", {"batch_norm": "standing"}),
    ],
)
def test_how_samples_are_drawn(here, flags, how):
    sample(["run", "-n", "12", "--out", "x.npz", *flags.split()])
    run = jaxgan.load("run")
    found = np.load("x.npz")["images"]
    np.testing.assert_array_equal(found, run.sample(12, **how))
    assert not np.array_equal(found, run.sample(12))


def test_paths_as_a_grid_an_array_and_an_animation(here, capsys):
    paths = jaxgan.load("run").interpolate(3, 5, seed=2)
    sample(["run", "-n", "3", "--interpolate", "5", "--seed", "2"])
    name = "tiny-step1-seed2-interpolate5.png"
    assert capsys.readouterr().out == f"3 paths of 5 steps of step 1 are in {name}\n"
    grid = np.asarray(Image.open(name))
    assert grid.shape == (3 * 49 - 1, 5 * 49 - 1)
    np.testing.assert_array_equal(grid[49:97:6, 196:244:6], paths[1, 4, :, :, 0])
    sample(["run", "-n", "3", "--interpolate", "5", "--seed", "2", "--out", "x.npz"])
    np.testing.assert_array_equal(np.load("x.npz")["images"], paths.reshape(15, 8, 8, 1))
    sample(["run", "-n", "3", "--interpolate", "5", "--seed", "2", "--out", "x.gif"])
    with Image.open("x.gif") as moving:
        assert (moving.format, moving.info["loop"]) == ("GIF", 0)
        assert moving.n_frames == 8  # five there, three back
        for frame, step in ((0, 0), (4, 4), (6, 2)):
            moving.seek(frame)
            shown = np.asarray(moving.convert("L"))
            np.testing.assert_array_equal(shown[0:48:6, 0:48:6], paths[0, step, :, :, 0])


def test_points(here):
    sample(["points", "-n", "30", "--out", "x.npz"])
    assert np.load("x.npz")["images"].shape == (30, 1, 1, 2)
    sample(["points", "-n", "30"])
    assert Image.open("points-step1-seed0.png").size == (256, 256)
    with pytest.raises(ConfigError, match=r"^points draws points: they go to one \.npz"):
        sample(["points", "-n", "30", "--out", "single/"])
    assert files(here) == ["points-step1-seed0.png", "x.npz"]


@pytest.mark.parametrize("out", ["x.npz", "x.png", "single/"])
def test_a_full_disk_leaves_nothing(here, out):
    with largest_file(60), pytest.raises(OSError, match="File too large") as raised:
        sample(["run", "-n", "40", "--out", out])
    assert os.path.basename(raised.value.filename) in out
    assert files(here) == []


def test_what_does_not_fit_is_refused_before_anything_is_drawn(here, monkeypatch):
    run = "run --out x.npz -n"
    with pytest.raises(ConfigError) as raised:
        sample([*run.split(), str(10**15)])
    assert str(raised.value).startswith("--out x.npz: up to 64,000,000 GB are needed, and ")
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(ConfigError, match=r"^64 images need 4\.1e-06 GB of memory, and 1e-06 GB"):
        sample(["run"])
    sample([*run.split(), "64"])  # piece by piece
    assert files(here) == ["x.npz"]


def test_a_folder_that_cannot_be_written_to(here, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ConfigError, match=r"^--out x\.png: the folder \. cannot be written to$"):
        sample(["run", "--out", "x.png"])


def test_the_run_is_refused_as_a_place_even_by_another_name(here, place):
    shutil.copytree(place / "run", here / "copy")
    for out in ("copy/checkpoints/new.png", "copy/new/"):
        with pytest.raises(ConfigError, match="copy is the folder of a run"):
            sample(["copy", "--out", out])
    with pytest.raises(ConfigError, match="this is a folder; name a file"):
        outputs.check(here, overwrite=True)
    (here / "file").touch()
    with pytest.raises(ConfigError, match="this is a file; name a folder"):
        outputs.check(here / "file", overwrite=True, folder=True)
