"""Files that commands write for people: refused before anything slow, where they cannot work."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from jaxgan.config import ConfigError
from jaxgan.measurement.drawing import gigabytes
from jaxgan.run import workdir


def check(out: Path, *, overwrite: bool, folder: bool = False, size: int = 0) -> None:
    """Refuses a place that cannot be written, or must not be.

    Args:
        out: as it was named after ``--out``.
        overwrite: whether a file that is there may be replaced; a folder never is.
        folder: whether a folder of files is to be made, and not one file.
        size: bytes that will be needed at most; 0: it is not known.

    Raises:
        ConfigError: says what is wrong with it.
    """
    parent = out.absolute().parent
    if not parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}")
    for above in (parent, *parent.parents):
        if (above / workdir.CONFIG).exists() and (above / workdir.CHECKPOINTS).exists():
            raise ConfigError(
                f"--out {out}: {_relative(above)} is the folder of a run, which only training"
                " changes; name a place outside of it"
            )
    if out.is_dir():
        if not folder:
            raise ConfigError(f"--out {out}: this is a folder; name a file")
        if any(out.iterdir()):
            raise ConfigError(f"--out {out}: this folder is not empty; name another")
    elif out.exists() and folder:
        raise ConfigError(f"--out {out}: this is a file; name a folder")
    elif out.exists() and not overwrite:
        raise ConfigError(f"--out {out}: this file exists; --overwrite replaces it")
    if not os.access(parent, os.W_OK):
        raise ConfigError(f"--out {out}: the folder {out.parent} cannot be written to")
    if size > (free := shutil.disk_usage(parent).free):
        raise ConfigError(
            f"--out {out}: up to {gigabytes(size)} are needed, and {gigabytes(free)} are free in"
            f" {out.parent}"
        )


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
