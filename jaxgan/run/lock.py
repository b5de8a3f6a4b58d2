"""One writer a run: a lock that ends with the process that holds it, however that ends.

The file ``lock`` in a run's folder is locked by the operating system (``flock``, which Linux passes
on to the server on NFS). What is written in it only tells people who the writer is: a file that a
killed process has left behind locks nothing.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan.machine import parallel
from jaxgan.run.workdir import LOCK, RunError, command_line

TRIES = 10
"""Attempts, 50 ms apart: who asks for the holder has the lock for a moment."""

_WITHOUT = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class Busy(RunError):
    """Another process writes the run. The message is one line for people."""


class Holder(NamedTuple):
    """The process that writes a run, as far as it has told.

    Attributes:
        host: name of its machine.
        process: its number there.
        since: when it began.
        command: that started it.
    """

    host: str = ""
    process: int = 0
    since: str = ""
    command: str = ""

    def described(self) -> str:
        """Who it is, in words."""
        if not self.process:
            return "another process"
        return f"process {self.process} on {self.host}, since {self.since}: {self.command}"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[str]:
    """Holds the lock of a run's folder, which is made if it is not there.

    Of several processes that train together the main one holds it, for all of them.

    Yields:
        A line for people where the file system has no locks, and nothing keeps others out; else
        nothing.

    Raises:
        Busy: another process holds it, and who that is.
        RunError: the folder cannot be written.
        ParallelError: so it is on the main process, and this is another.
    """
    with contextlib.ExitStack() as stack:
        lines: list[str] = []
        parallel.on_main_process(lambda: lines.append(stack.enter_context(_held_here(folder))))
        yield "".join(lines)


@contextlib.contextmanager
def _held_here(folder: Path) -> Iterator[str]:
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, line = _locked(folder, path)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    try:
        yield line
    finally:
        # While it is still held, so that nobody's lock but our own is removed.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def holder(folder: Path) -> Holder | None:
    """Who writes a run now; None if nobody does. Changes nothing."""
    import fcntl

    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return None


def _locked(folder: Path, path: Path) -> tuple[int, str]:
    """An open and locked file, and a line where there are no locks."""
    import fcntl

    for attempt in range(TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _told(descriptor)
            os.close(descriptor)
            if attempt + 1 < TRIES:
                time.sleep(0.05)
                continue
            raise Busy(
                f"{folder} is being written by {(other or Holder()).described()}; wait until that"
                " ends, or stop it (a run can be sampled and measured meanwhile)"
            ) from None
        except OSError as error:
            if error.errno in _WITHOUT:
                return descriptor, (
                    f"{folder} lies on a file system without locks: take care that no other process"
                    " writes there"
                )
            os.close(descriptor)
            raise
        # Whoever had it before may have removed the file that we have locked.
        with contextlib.suppress(OSError):
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                _tell(descriptor)
                return descriptor, ""
        os.close(descriptor)
    raise Busy(f"{folder} is being written by another process; try again")


def _tell(descriptor: int) -> None:
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    who = Holder(socket.gethostname(), os.getpid(), now, command_line())
    # A full disk is no reason: it only says who we are.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(who._asdict()).encode(), 0)


def _told(descriptor: int) -> Holder | None:
    try:
        document: Any = json.loads(os.pread(descriptor, 10_000, 0))
        host, process = document["host"], document["process"]
        since, command = document["since"], document["command"]
        shown = (" ".join(str(one).split())[:200] for one in (since, command))
        return Holder(str(host)[:80], int(process), *shown)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Holder()
