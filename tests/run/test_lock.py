"""One writer a run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from jaxgan.run import lock
from jaxgan.run.workdir import RunError

HOLD = """
import sys, time
from pathlib import Path
from jaxgan.run import lock
with lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
print("free", flush=True)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_who_comes_second_is_told_who_writes(tmp_path, other):
    folder = tmp_path / "run"
    with pytest.raises(lock.Busy) as raised, lock.held(folder):
        raise AssertionError("both hold it")
    line = str(raised.value)
    assert line.startswith(
        f"{folder} is being written by process {other.pid} on {socket.gethostname()}, since 20"
    )
    assert "\n" not in line
    found = lock.holder(folder)
    assert found is not None
    assert (found.process, found.host) == (other.pid, socket.gethostname())
    # Asking and being refused have not loosened it.
    with pytest.raises(RunError), lock.held(folder):
        pass
    other.communicate("")
    assert lock.holder(folder) is None
    assert os.listdir(folder) == []
    with lock.held(folder) as line:
        assert line == ""


def test_a_killed_process_leaves_no_lock(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert os.listdir(tmp_path / "run") == [lock.LOCK]
    assert lock.holder(tmp_path / "run") is None
    with lock.held(tmp_path / "run"):
        found = lock.holder(tmp_path / "run")
        assert found is not None
        assert found.process == os.getpid()


def test_not_twice_in_one_process_either(tmp_path):
    with lock.held(tmp_path):
        with pytest.raises(RunError, match="is being written by"), lock.held(tmp_path):
            pass
        assert lock.holder(tmp_path) is not None
    assert lock.holder(tmp_path) is None


def test_the_holder_of_a_moment_is_waited_for(tmp_path):
    """Who asks has a shared lock while asking."""
    import fcntl
    import threading

    (tmp_path / lock.LOCK).write_text("")
    descriptor = os.open(tmp_path / lock.LOCK, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    threading.Timer(0.12, os.close, [descriptor]).start()
    started = time.monotonic()
    with lock.held(tmp_path):
        assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\xff", json.dumps({"host": []})])
def test_whatever_the_file_says(tmp_path, content):
    import fcntl

    path = tmp_path / lock.LOCK
    path.write_bytes(content.encode("latin-1"))
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        found = lock.holder(tmp_path)
        assert found is not None
        assert found.described() == "another process"
        with pytest.raises(RunError, match="is being written by another process; wait"):
            lock.held(tmp_path).__enter__()
    finally:
        os.close(descriptor)


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    import errno
    import fcntl

    def none(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with lock.held(tmp_path) as line:
        assert line == (
            f"{tmp_path} lies on a file system without locks: take care that no other process"
            " writes there"
        )


def test_a_place_where_nobody_may_write():
    with pytest.raises(RunError, match="cannot write to /proc/run: "):
        lock.held(lock.Path("/proc/run")).__enter__()


def test_nobody():
    assert lock.holder(lock.Path("/nowhere")) is None
