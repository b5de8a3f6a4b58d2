"""What the numbers of a run depend on besides its configuration: code, versions, machine."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import jax

import jaxgan

_SECONDS = 5


def versions() -> dict[str, str]:
    """What the numbers of a run may depend on besides its configuration."""
    packages = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")
    commit = revision(Path(jaxgan.__file__).parent)
    return {
        "jaxgan": jaxgan.__version__,
        **({"commit": commit} if commit else {}),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }


def hardware() -> dict[str, str]:
    """The machine, in words."""
    devices = jax.devices()
    return {
        "devices": f"{len(devices)} x {devices[0].device_kind}",
        "processes": str(jax.process_count()),
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor() -> str:
    """The type of this machine's processor, such as ``Intel(R) Xeon(R) CPU @ 2.20GHz``."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


@functools.cache
def revision(folder: Path) -> str:
    """The commit of the code in a folder, such as ``65efdbf0c1d2, with changes``.

    ``with changes`` says that tracked files in the folder differ from the commit, or that there are
    files which git neither tracks nor ignores.

    Args:
        folder: of a package.

    Returns:
        Empty where git does not track the folder (an installed package in somebody's repository is
        not their code), or is not there, or does not answer.
    """
    if not _git(folder, "ls-files", "--", "*.py"):
        return ""
    commit = _git(folder, "rev-parse", "--short=12", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--", ".")
    if not commit or changes is None:
        return ""
    return f"{commit.strip()}{', with changes' if changes.strip() else ''}"


def _git(folder: Path, *words: str) -> str | None:
    """What git says; None where it fails."""
    # Within a hook, git's variables name the repository of the hook, and not that of the folder.
    there = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # It must not wait for a person, nor write an index that others are using.
    settings = {**there, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    return done.stdout if done.returncode == 0 else None
