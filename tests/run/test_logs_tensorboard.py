"""The log for TensorBoard, as TensorBoard itself reads it."""

import io
import math
import os

import numpy as np
import pytest
from disk import largest_file
from logs import events, points
from PIL import Image

from jaxgan.run.logs import LogError
from jaxgan.run.tensorboard import TensorBoard


class TestTensorBoard:
    def test_scalars_and_images_read_back(self, tmp_path):
        picture = np.random.default_rng(0).integers(0, 256, (5, 8, 3), np.uint8)
        gray = picture[:3, :, :1]
        writer = TensorBoard(tmp_path)
        writer.scalars(3, 1000.5, {"d loss [x]": 0.25, "g_loss": -2.0})
        writer.scalars(6, 1001.5, {"g_loss": math.inf})
        writer.image(6, 1001.5, "samples", picture)
        writer.image(6, 1001.5, "gray", gray)
        writer.close()
        found = events(tmp_path)
        assert points(found, "d loss [x]") == [(3, 0.25)]
        assert points(found, "g_loss") == [(3, -2.0), (6, math.inf)]
        assert found.Scalars("g_loss")[0].wall_time == 1000.5
        (image,) = found.Images("samples")
        assert (image.step, image.width, image.height) == (6, 8, 5)
        decoded = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
        np.testing.assert_array_equal(decoded, picture)
        (image,) = found.Images("gray")
        decoded = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)).convert("L"))
        np.testing.assert_array_equal(decoded, gray[..., 0])

    def test_two_writers_within_a_second_do_not_overwrite_each_other(self, tmp_path):
        for step in (1, 2):
            writer = TensorBoard(tmp_path)
            writer.scalars(step, 0.0, {"loss": float(step)})
            writer.close()
        assert len(os.listdir(tmp_path)) == 2
        assert points(events(tmp_path), "loss") == [(1, 1.0), (2, 2.0)]

    def test_a_full_disk_is_one_clear_line(self, tmp_path):
        writer = TensorBoard(tmp_path)
        writer.scalars(1, 0.0, {"loss": 0.5})
        writer._writer.flush()
        (file,) = tmp_path.iterdir()
        noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
        with largest_file(file.stat().st_size + 1000), pytest.raises(LogError) as raised:
            writer.image(2, 0.0, "noise", noise)
        assert str(raised.value) == f"cannot write {tmp_path}: File too large"
        assert points(events(tmp_path), "loss") == [(1, 0.5)]
