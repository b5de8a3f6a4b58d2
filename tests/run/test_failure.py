"""What is written down of a run that has failed for good."""

import os

import pytest

from jaxgan.run import failure


def test_the_reason_comes_back_on_one_line(tmp_path):
    assert failure.read(tmp_path) is None
    failure.write(tmp_path, "loss is nan\nat step 3")
    assert failure.read(tmp_path) == "loss is nan at step 3"
    assert os.listdir(tmp_path) == ["failed.json"]
    failure.clear(tmp_path)
    assert failure.read(tmp_path) is None
    failure.clear(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"why": 1}', b"\xff", b"[" * 100_000])
def test_damage_is_a_reason_of_its_own(tmp_path, content):
    (tmp_path / failure.FAILED).write_bytes(content)
    assert failure.read(tmp_path) == f"{tmp_path / 'failed.json'} is damaged"
