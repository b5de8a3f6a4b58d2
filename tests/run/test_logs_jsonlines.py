"""The log in lines of JSON: written, read back, cut off where a run is resumed."""

import json
import math
import os

import pytest
from disk import largest_file
from logs import filled

from jaxgan.run.logs import JsonLines, LogError, read_jsonl, truncate_after


def _strict(line):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(line, parse_constant=refuse)


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
        path = filled(tmp_path / "log", [1, 2])
        filled(path, [3])
        assert [record["step"] for record in read_jsonl(path)] == [1, 2, 3]

    def test_a_full_disk_is_one_clear_line_and_leaves_whole_lines(self, tmp_path):
        path = filled(tmp_path / "log", range(3))
        before = path.read_bytes()
        log = JsonLines(path)
        with largest_file(len(before) + 20), pytest.raises(LogError) as raised:
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
        path = filled(tmp_path / "log", [0, 10, 10, 20, 30])
        kept = path.read_bytes().splitlines(keepends=True)[:4]
        assert truncate_after(path, 20) == 1
        assert path.read_bytes() == b"".join(kept)
        assert truncate_after(path, 9) == 3
        assert [record["step"] for record in read_jsonl(path)] == [0]
        assert truncate_after(path, -1) == 1
        assert path.read_bytes() == b""

    @pytest.mark.parametrize("half", [b'{"step": 2, "ima', b"\x00\xff", b'{"step": 2}'])
    def test_drops_half_a_line(self, tmp_path, half):
        path = filled(tmp_path / "log", [0, 1])
        whole = path.read_bytes()
        path.write_bytes(whole + half)
        assert [record["step"] for record in read_jsonl(path)] == [0, 1]
        assert truncate_after(path, 100) == 0
        assert path.read_bytes() == whole

    @pytest.mark.parametrize(
        "damage", [b"{", b"[1]", b'{"images_seen": 1}', b'{"step": 1, "images_seen": 1, "a": null}']
    )
    def test_damage_within_is_named_and_nothing_is_changed(self, tmp_path, damage):
        path = filled(tmp_path / "log", [0, 1])
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
        path = filled(tmp_path / "log", range(100))
        before = path.read_bytes()
        with largest_file(100), pytest.raises(LogError, match=r"cannot write .*log"):
            truncate_after(path, 50)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["log"]
