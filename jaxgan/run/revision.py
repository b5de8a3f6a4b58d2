"""Which state of the code is running, where that lies in a git repository."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

_SECONDS = 5


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
