import io
import json
import math
import os
import resource
from contextlib import contextmanager

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jaxgan.logging import JsonLines, LogError, Logger, TensorBoard, read_jsonl, truncate_after


def _strict(line):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(line, parse_constant=refuse)


@contextmanager
def _largest_file(size):
    """Files cannot grow beyond ``size``: a write is cut short there and the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _filled(path, steps):
    log = JsonLines(path)
    for step in steps:
        log.write(step, 64 * step, 100.0 + step, {"loss": 1 / (step + 1)})
    log.close()
    return path


def _events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    accumulator.Reload()
    return accumulator


def _points(events, tag):
    return [(event.step, event.value) for event in events.Scalars(tag)]


class TestJsonLines:
    def test_lines_are_strict_json_and_read_back(self, tmp_path):
        path = tmp_path / "new" / "metrics.jsonl"
        log = JsonLines(path)
        values = {"loss": 0.1, "up": math.inf, "down": -math.inf, "none": math.nan, "ü": 3.0}
        log.write(7, 448, 1700000000.12345, values)
        line = path.read_text("ascii")
        assert line.endswith("}\n")
        assert _strict(line) == {
            "step": 7,
            "images_seen": 448,
            "time": 1700000000.123,
            "loss": 0.1,
            "up": "inf",
            "down": "-inf",
            "none": "nan",
            "ü": 3.0,
        }
        (record,) = read_jsonl(path)
        assert math.isnan(record.pop("none"))
        expected = {"step": 7, "images_seen": 448, "time": 1700000000.123, "loss": 0.1, "ü": 3.0}
        assert record == {**expected, "up": math.inf, "down": -math.inf}
        assert isinstance(record["step"], int)
        log.close()

    def test_every_line_is_on_disk_at_once(self, tmp_path):
        log = JsonLines(tmp_path / "log")
        for step in range(3):
            log.write(step, step, 0.0, {})
            assert len(read_jsonl(tmp_path / "log")) == step + 1
        log.close()

    def test_a_second_writer_appends(self, tmp_path):
        path = _filled(tmp_path / "log", [1, 2])
        _filled(path, [3])
        assert [record["step"] for record in read_jsonl(path)] == [1, 2, 3]

    def test_a_full_disk_is_one_clear_line_and_leaves_whole_lines(self, tmp_path):
        path = _filled(tmp_path / "log", range(3))
        before = path.read_bytes()
        log = JsonLines(path)
        with _largest_file(len(before) + 20), pytest.raises(LogError) as raised:
            log.write(3, 192, 0.0, {"loss": 1.0})
        assert str(raised.value) == f"cannot write {path}: File too large"
        assert path.read_bytes() == before
        log.write(3, 192, 0.0, {"loss": 1.0})  # room again: the log goes on where it stood
        assert [record["step"] for record in read_jsonl(path)] == [0, 1, 2, 3]
        log.close()

    def test_a_device_that_is_full_says_so(self):
        log = JsonLines("/dev/full")
        with pytest.raises(LogError, match=r"^cannot write /dev/full: "):
            log.write(1, 1, 0.0, {})

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(LogError, match=r"cannot open .*log: (Not a directory|File exists)"):
            JsonLines(tmp_path / "file" / "log")


class TestTruncate:
    def test_keeps_steps_up_to_and_with_the_given_one(self, tmp_path):
        path = _filled(tmp_path / "log", [0, 10, 10, 20, 30])
        kept = path.read_bytes().splitlines(keepends=True)[:4]
        assert truncate_after(path, 20) == 1
        assert path.read_bytes() == b"".join(kept)
        assert truncate_after(path, 9) == 3
        assert [record["step"] for record in read_jsonl(path)] == [0]
        assert truncate_after(path, -1) == 1
        assert path.read_bytes() == b""

    @pytest.mark.parametrize("half", [b'{"step": 2, "ima', b"\x00\xff", b'{"step": 2}'])
    def test_drops_half_a_line(self, tmp_path, half):
        path = _filled(tmp_path / "log", [0, 1])
        whole = path.read_bytes()
        path.write_bytes(whole + half)
        assert [record["step"] for record in read_jsonl(path)] == [0, 1]
        assert truncate_after(path, 100) == 0
        assert path.read_bytes() == whole

    @pytest.mark.parametrize(
        "damage", [b"{", b"[1]", b'{"images_seen": 1}', b'{"step": 1, "images_seen": 1, "a": null}']
    )
    def test_damage_within_is_named_and_nothing_is_changed(self, tmp_path, damage):
        path = _filled(tmp_path / "log", [0, 1])
        first, second = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(first + damage + b"\n" + second)
        with pytest.raises(LogError, match="log, line 2: not a log record"):
            truncate_after(path, 0)
        assert path.read_bytes() == first + damage + b"\n" + second

    def test_without_a_file_there_is_nothing_to_drop(self, tmp_path):
        assert truncate_after(tmp_path / "log", 3) == 0
        assert os.listdir(tmp_path) == []
        with pytest.raises(LogError, match=r"cannot read .*: No such file"):
            read_jsonl(tmp_path / "log")

    def test_a_full_disk_leaves_the_log_as_it_was(self, tmp_path):
        path = _filled(tmp_path / "log", range(100))
        before = path.read_bytes()
        with _largest_file(100), pytest.raises(LogError, match=r"cannot write .*log"):
            truncate_after(path, 50)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["log"]


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
        events = _events(tmp_path)
        assert _points(events, "d loss [x]") == [(3, 0.25)]
        assert _points(events, "g_loss") == [(3, -2.0), (6, math.inf)]
        assert events.Scalars("g_loss")[0].wall_time == 1000.5
        (image,) = events.Images("samples")
        assert (image.step, image.width, image.height) == (6, 8, 5)
        decoded = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
        np.testing.assert_array_equal(decoded, picture)
        (image,) = events.Images("gray")
        decoded = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)).convert("L"))
        np.testing.assert_array_equal(decoded, gray[..., 0])

    def test_two_writers_within_a_second_do_not_overwrite_each_other(self, tmp_path):
        for step in (1, 2):
            writer = TensorBoard(tmp_path)
            writer.scalars(step, 0.0, {"loss": float(step)})
            writer.close()
        assert len(os.listdir(tmp_path)) == 2
        assert _points(_events(tmp_path), "loss") == [(1, 1.0), (2, 2.0)]

    def test_a_full_disk_is_one_clear_line(self, tmp_path):
        writer = TensorBoard(tmp_path)
        writer.scalars(1, 0.0, {"loss": 0.5})
        writer._writer.flush()
        (file,) = tmp_path.iterdir()
        noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
        with _largest_file(file.stat().st_size + 1000), pytest.raises(LogError) as raised:
            writer.image(2, 0.0, "noise", noise)
        assert str(raised.value) == f"cannot write {tmp_path}: File too large"
        assert _points(_events(tmp_path), "loss") == [(1, 0.5)]


class TestLogger:
    def test_reports_everywhere(self, tmp_path):
        stream = io.StringIO()
        picture = np.full((2, 3, 1), 7, np.uint8)
        clock = iter([5.0, 6.0]).__next__
        with Logger(tmp_path, total_steps=4, stream=stream, clock=clock) as log:
            log.message("hello [bold]")
            log.progress(1, 64)
            log.scalars(2, 128, {"d_loss": jnp.float32(0.5), "g_loss": np.float64(1.5)})
            log.image(2, "samples", picture)
        (record,) = read_jsonl(tmp_path / "metrics.jsonl")
        expected = {"step": 2, "images_seen": 128, "time": 5.0, "d_loss": 0.5, "g_loss": 1.5}
        assert record == expected
        assert list(record) == list(expected)
        events = _events(tmp_path / "tensorboard")
        assert _points(events, "d_loss") == [(2, 0.5)]
        assert _points(events, "images_seen") == [(2, 128.0)]
        assert events.Images("samples")[0].wall_time == 6.0
        first, second = stream.getvalue().splitlines()
        assert first == "hello [bold]"
        assert second.startswith("step 2/4 (50%)  ")
        assert second.endswith("  d_loss 0.5  g_loss 1.5")

    def test_resuming_reads_as_if_the_run_had_never_stopped(self, tmp_path):
        def run(steps, resume_step, value):
            with Logger(
                tmp_path, total_steps=5, resume_step=resume_step, quiet=True, clock=lambda: 0.0
            ) as log:
                for step in steps:
                    log.scalars(step, step, {"loss": value + step})

        run([1, 2, 3, 4], None, 0.0)
        run([4, 5], 3, 10.0)
        expected = [(1, 1.0), (2, 2.0), (3, 3.0), (4, 14.0), (5, 15.0)]
        records = read_jsonl(tmp_path / "metrics.jsonl")
        assert [(record["step"], record["loss"]) for record in records] == expected
        assert _points(_events(tmp_path / "tensorboard"), "loss") == expected

    def test_minus_one_starts_over(self, tmp_path):
        for resume_step in (None, -1):
            with Logger(tmp_path, total_steps=1, resume_step=resume_step, quiet=True) as log:
                log.scalars(0, 0, {"loss": 1.0})
        assert len(read_jsonl(tmp_path / "metrics.jsonl")) == 1
        assert _points(_events(tmp_path / "tensorboard"), "loss") == [(0, 1.0)]

    def test_refuses_the_log_of_another_run(self, tmp_path):
        _filled(tmp_path / "metrics.jsonl", [1])
        with pytest.raises(LogError, match=r"metrics.jsonl is the log of another run"):
            Logger(tmp_path, total_steps=1)

    def test_other_processes_write_and_print_nothing(self, tmp_path):
        stream = io.StringIO()
        with Logger(tmp_path / "run", total_steps=1, enabled=False, stream=stream) as log:
            log.message("hello")
            log.progress(1, 1)
            log.scalars(1, 1, {"loss": 1.0})
            log.image(1, "samples", np.zeros((1, 1, 1), np.uint8))
        assert os.listdir(tmp_path) == []
        assert stream.getvalue() == ""

    def test_quiet_prints_nothing_and_tensorboard_can_be_left_out(self, tmp_path, capfd):
        with Logger(tmp_path, total_steps=1, quiet=True, tensorboard=False) as log:
            log.message("hello")
            log.scalars(1, 1, {"loss": math.nan})
            log.image(1, "samples", np.zeros((1, 1, 1), np.uint8))
        assert os.listdir(tmp_path) == ["metrics.jsonl"]
        assert capfd.readouterr() == ("", "")

    def test_values_that_are_not_finite_raise_no_noise(self, tmp_path, capfd):
        with Logger(tmp_path, total_steps=1, quiet=True) as log:
            log.scalars(1, 1, {"loss": math.nan})
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("name", ["step", "images_seen", "time"])
    def test_names_that_every_record_has_are_refused(self, tmp_path, name):
        with (
            Logger(tmp_path, total_steps=1, quiet=True) as log,
            pytest.raises(ValueError, match=f"cannot be called '{name}'"),
        ):
            log.scalars(1, 1, {name: 1.0})
        assert (tmp_path / "metrics.jsonl").read_bytes() == b""

    def test_a_full_standard_output_is_one_clear_line(self, tmp_path):
        with open("/dev/full", "w") as full:
            log = Logger(tmp_path, total_steps=1, stream=full)
            with pytest.raises(LogError, match=r"^cannot write standard output: No space left"):
                log.message("hello")
            with pytest.raises(LogError, match=r"^cannot write standard output: No space left"):
                log.scalars(1, 1, {"loss": 1.0})
            with pytest.raises(OSError, match="No space left"):
                full.flush()
            os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
        assert len(read_jsonl(tmp_path / "metrics.jsonl")) == 1

    def test_the_first_error_is_the_one_that_is_seen(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)

        def run():
            with Logger(tmp_path, total_steps=1, quiet=True) as log:
                with pytest.raises(LogError):
                    log.image(1, "noise", noise)
                raise FloatingPointError("not finite")

        with _largest_file(3000), pytest.raises(FloatingPointError, match="not finite"):
            run()

    def test_closing_twice_is_closing_once(self, tmp_path):
        log = Logger(tmp_path, total_steps=1, quiet=True)
        log.close()
        log.close()
