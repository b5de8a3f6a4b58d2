"""Many images as files: what is in them, and that they are whole or not there."""

import numpy as np
import pytest
from disk import largest_file
from PIL import Image

from jaxgan.visualization.image_files import write_gif, write_npz, write_pngs


def noise(count, channels=3):
    return np.random.default_rng(0).integers(0, 256, (count, 5, 4, channels), np.uint8)


def test_an_array_is_written_piece_by_piece(tmp_path):
    images = noise(7)
    held = []

    def pieces():
        for start in (0, 3, 6):
            held.append(start)
            yield images[start : start + 3]

    write_npz(tmp_path / "x.npz", pieces(), images.shape)
    assert held == [0, 3, 6]
    np.testing.assert_array_equal(np.load(tmp_path / "x.npz")["images"], images)
    assert np.load(tmp_path / "x.npz").files == ["images"]
    write_npz(tmp_path / "y.npz", pieces(), images.shape, np.arange(7, dtype=np.int32))
    np.testing.assert_array_equal(np.load(tmp_path / "y.npz")["images"], images)
    assert np.load(tmp_path / "y.npz")["labels"].tolist() == [*range(7)]
    points = np.random.default_rng(0).normal(size=(5, 1, 1, 2)).astype(np.float32)
    write_npz(tmp_path / "x.npz", iter([points[:4], points[4:]]), points.shape)
    found = np.load(tmp_path / "x.npz")["images"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, points)


def test_single_pictures_have_names_in_their_order(tmp_path):
    images = noise(3)
    write_pngs(tmp_path / "out", iter([images[:2], images[2:]]), 3)
    paths = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in paths] == ["000000.png", "000001.png", "000002.png"]
    for path, image in zip(paths, images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), image)
    write_pngs(tmp_path / "many", iter([images]), 10_000_001)
    assert (tmp_path / "many" / "00000002.png").is_file()


def test_an_animation_goes_there_and_back(tmp_path):
    frames = [np.full((4, 6, 1), gray, np.uint8) for gray in (10, 80, 200)]
    write_gif(tmp_path / "x.gif", frames)
    with Image.open(tmp_path / "x.gif") as moving:
        assert (moving.size, moving.n_frames) == ((6, 4), 4)
        seen = []
        for frame in range(4):
            moving.seek(frame)
            assert moving.info["duration"] == 100
            seen.append(int(np.asarray(moving.convert("L"))[0, 0]))
    assert seen == [10, 80, 200, 80]


def broken():
    yield noise(2)
    raise RuntimeError("the model fails")


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write_npz(folder / "x.npz", broken(), (4, 5, 4, 3)),
        lambda folder: write_pngs(folder / "out", broken(), 4),
    ],
)
def test_what_fails_midway_leaves_nothing(tmp_path, write):
    with pytest.raises(RuntimeError, match="the model fails"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"old")
    with largest_file(100), pytest.raises(OSError, match="File too large") as raised:
        write_npz(tmp_path / "x.npz", iter([noise(500)]), (500, 5, 4, 3))
    assert raised.value.filename == str(tmp_path / "x.npz")
    assert (tmp_path / "x.npz").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1
