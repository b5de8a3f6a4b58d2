"""The logger, which writes to every log and to the terminal."""

import io
import math
import os

import jax.numpy as jnp
import numpy as np
import pytest
from disk import largest_file
from logs import events, filled, points

from jaxgan.run.logs import LogError, Logger, read_jsonl


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
        found = events(tmp_path / "tensorboard")
        assert points(found, "d_loss") == [(2, 0.5)]
        assert points(found, "images_seen") == [(2, 128.0)]
        assert found.Images("samples")[0].wall_time == 6.0
        first, second = stream.getvalue().splitlines()
        assert first == "hello [bold]"
        assert second == "step 2/4 (50%)  0.128 kimg  d_loss 0.5  g_loss 1.5"

    def test_what_stands_beside_is_for_files_and_the_speed_for_the_terminal(self, tmp_path):
        stream = io.StringIO()
        config = '{"steps": 4}'
        with Logger(tmp_path, total_steps=4, stream=stream, config=config) as log:
            log.scalars(2, 128, {"d_loss": 0.5}, beside={"d_grad_norm": 3.0}, speed=2.0)
            log.scalars(2, 128, {}, beside={"final/fid": 7.0})
            log.status("measuring fid: 20 samples")
        first, last = read_jsonl(tmp_path / "metrics.jsonl")
        assert (first["d_loss"], first["d_grad_norm"], last["final/fid"]) == (0.5, 3.0, 7.0)
        assert stream.getvalue().splitlines() == [
            "step 2/4 (50%)  0.128 kimg  2 steps/s  128 images/s  0:00:01 left  d_loss 0.5",
            "measuring fid: 20 samples",
        ]
        found = events(tmp_path / "tensorboard")
        assert points(found, "d_grad_norm") == [(2, 3.0)]
        assert points(found, "final/fid") == [(2, 7.0)]
        (shown,) = found.Tensors("config/text_summary")
        assert config in shown.tensor_proto.string_val[0].decode()

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
        assert points(events(tmp_path / "tensorboard"), "loss") == expected

    def test_minus_one_starts_over(self, tmp_path):
        for resume_step in (None, -1):
            with Logger(tmp_path, total_steps=1, resume_step=resume_step, quiet=True) as log:
                log.scalars(0, 0, {"loss": 1.0})
        assert len(read_jsonl(tmp_path / "metrics.jsonl")) == 1
        assert points(events(tmp_path / "tensorboard"), "loss") == [(0, 1.0)]

    def test_refuses_the_log_of_another_run(self, tmp_path):
        filled(tmp_path / "metrics.jsonl", [1])
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

        with largest_file(3000), pytest.raises(FloatingPointError, match="not finite"):
            run()

    def test_closing_twice_is_closing_once(self, tmp_path):
        log = Logger(tmp_path, total_steps=1, quiet=True)
        log.close()
        log.close()
