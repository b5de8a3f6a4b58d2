"""`jaxgan project`: what it writes, and what it refuses."""

import numpy as np
import pytest
import tiny
from PIL import Image
from tiny_stylegan2 import EXPERIMENT
from untrained import write_run

from jaxgan.cli.project import project
from jaxgan.config import ConfigError, Run
from jaxgan.data.source import DataError
from jaxgan.data.splits import in_memory
from jaxgan.run import workdir


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with an untrained run, one of another model, and images."""
    folder = tmp_path_factory.mktemp("project")
    write_run(folder / "run", EXPERIMENT)
    other = folder / "other"
    workdir.create(other, tiny.gan(), Run(workdir=str(other)), file=None, command="")
    gray = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    Image.fromarray(gray).save(folder / "gray.png")
    Image.fromarray(np.stack([gray] * 3, axis=-1)).save(folder / "color.png")
    Image.fromarray(gray[:, :7]).save(folder / "narrow.png")
    np.savez(folder / "two.npz", images=np.stack([gray, gray.T])[..., None])
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def tree(folder):
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_images_of_all_kinds_are_projected(here, capsys):
    before = tree(here / "run")
    words = "run 7 gray.png color.png two.npz --steps 2 --distance pixels"
    project(words.split())
    out = here / "tiny-step1-projection"
    said = capsys.readouterr().out
    assert said.startswith("5 images in w of step 1: mean distance ")
    assert said.endswith("; in tiny-step1-projection/\n")
    assert tree(here / "run") == before
    names = ["distances.csv", "projection.npz", "projection.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    gray = np.asarray(Image.open("gray.png"))
    with np.load(out / "projection.npz") as arrays:
        found = dict(arrays)
    shapes = {"w": (5, 4), "by_step": (2, 5), "noise_up_8": (5, 8, 8), "images": (5, 8, 8, 1)}
    assert {name: found[name].shape for name in shapes} == shapes
    np.testing.assert_array_equal(
        found["targets"][0], in_memory(EXPERIMENT.data, "test")["image"][7]
    )
    for place, image in ((1, gray), (2, gray), (3, gray), (4, gray.T)):
        np.testing.assert_array_equal(found["targets"][place, ..., 0], image)
    lines = (out / "distances.csv").read_text().splitlines()
    assert lines[0] == "step,image 0,image 1,image 2,image 3,image 4"
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "1", "2"]
    row = [float(value) for value in lines[2].split(",")[1:]]
    np.testing.assert_allclose(row, found["by_step"][1], rtol=1e-4)
    last = np.asarray([float(value) for value in lines[3].split(",")[1:]])
    assert said.split("mean distance ")[1].split(",")[0] == f"{last.mean():.3g}"
    # Targets above what was found, six screen pixels a pixel and a line between.
    picture = np.asarray(Image.open(out / "projection.png"))
    assert picture.shape == (2 * 48 + 1, 5 * 49 - 1)
    np.testing.assert_array_equal(picture[0:48:6, 49:97:6], gray)
    np.testing.assert_array_equal(picture[49:97:6, 49:97:6], found["images"][1, ..., 0])
    with pytest.raises(ConfigError, match="this folder is not empty"):
        project(words.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("other 0", "jaxgan project needs the space w of StyleGAN2, and tiny is a Gan"),
        ("run", "what is to be projected"),
        ("run 999999", "999999: there are test images 0 to 296"),
        ("run narrow.png", "narrow.png has images of 8x7, and the run makes 8x8"),
        ("run 0 --steps 0", "steps = 0: must be at least 1"),
        ("run 0 --distance vgg", "there is no backbone 'vgg'"),
        ("run 0 --out run/found", "run is the folder of a run"),
    ],
)
def test_what_is_refused_at_once(here, words, message):
    with pytest.raises(ConfigError, match=message):
        project(words.split())


def test_files_that_are_not_there(here):
    for word in ("nothing.png", "nothing"):
        with pytest.raises(DataError, match=word):
            project(["run", word])
