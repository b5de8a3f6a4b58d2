"""Statistics of real images on disk, so that they are computed once on a machine.

They are in ``$XDG_CACHE_HOME/jaxgan/statistics`` (``~/.cache/jaxgan/statistics``), one file for
each digest of all that they depend on. ``JAXGAN_STATISTICS_CACHE`` names another folder, or is
``off``. A file appears whole or not at all, and says what its bytes hash to: one that is cut short
or damaged counts as missing and is replaced. Processes that want the same statistics at once may
compute them at once; whoever is last leaves the same file. A cache never ends a run: where the
folder cannot be read or written, statistics are computed.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

VARIABLE = "JAXGAN_STATISTICS_CACHE"
"""Environment variable that names the folder, or is ``off``."""

_MAGIC = b"jaxgan statistics 1\n"
_DIGEST_BYTES = hashlib.sha256().digest_size


def folder() -> Path | None:
    """Where statistics are kept; None if nowhere."""
    given = os.environ.get(VARIABLE, "")
    if given.lower() in ("off", "0", "false", "no"):
        return None
    if given:
        return Path(given).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(home) if home else Path.home() / ".cache") / "jaxgan" / "statistics"
    except RuntimeError:  # there is no home folder
        return None


def cached(digest: str, compute: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays from the cache, or computed and put there.

    Args:
        digest: of all that the arrays depend on, the code that computes them included; letters and
            digits.
        compute: makes them.

    Raises:
        ValueError: ``digest`` has other characters, and so cannot be a file's name.
    """
    if not digest.isalnum():
        raise ValueError(f"a digest has letters and digits only, got {digest!r}")
    where = folder()
    if where is None:
        return dict(compute())
    path = where / f"{digest}.npz"
    if (found := read(path)) is not None:
        return found
    arrays = dict(compute())
    write(path, arrays)
    return arrays


def read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a file; None where it is missing, cannot be read, or is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    start = len(_MAGIC) + _DIGEST_BYTES
    body = data[start:]
    if data[:start] != _MAGIC + hashlib.sha256(body).digest():
        return None
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> bool:
    """Puts arrays into a file so that readers see all of it or nothing.

    Returns:
        Whether it worked; a full disk or a folder that may not be written is no error.
    """
    buffer = io.BytesIO()
    plain: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(buffer, **plain)
    body = buffer.getbuffer()
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own for each writer, in the same folder, so that the renaming is atomic.
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(body).digest())
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        return False
    return True
