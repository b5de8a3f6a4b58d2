"""Files and folders that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Writes a file so that readers, and a crash, see the old content or the new and no mixture.

    Args:
        path: the file; its folder is made if it is not there.
        content: all of it.

    Returns:
        The path.

    Raises:
        OSError: the file cannot be written; the message names it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file:
        file.write(content)
    return path


@contextlib.contextmanager
def open_atomically(path: str | Path) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, which appears under its name when the block is left.

    If the block fails, the old file (or none) is there as before, and nothing else.

    Args:
        path: the file; its folder is there.

    Raises:
        OSError: the file cannot be written; the message names it.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        # What a full disk raises names no file, and the temporary's name would mislead.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_atomically(path: str | Path) -> Iterator[Path]:
    """A folder to be filled, which appears under its name when the block is left.

    Args:
        path: nothing is there, or an empty folder; the folder around it is there.

    Yields:
        The folder under a name of its own, to write into.

    Raises:
        OSError: it cannot be written; the message names it. Nothing is left then.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
