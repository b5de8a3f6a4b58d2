import os

import pytest
from disk import largest_file

from jaxgan.machine.atomic import write_atomically


def test_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    assert write_atomically(path, b"old") == path
    write_atomically(str(path), b"new and longer")
    assert path.read_bytes() == b"new and longer"
    assert os.listdir(path.parent) == ["file"]


def test_respects_the_umask(tmp_path):
    previous = os.umask(0o027)
    try:
        path = write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_atomically(tmp_path / "file", b"old")
    with largest_file(100), pytest.raises(OSError, match="File too large") as raised:
        write_atomically(path, b"x" * 1000)
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
