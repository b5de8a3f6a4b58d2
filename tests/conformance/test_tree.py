"""What lies in the repository: nothing that editors, merges and machines leave behind."""

import os
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = {"pyproject.toml", "README.md", "BUILD_NOTES.md", "LICENSE"}
FOLDERS = {"jaxgan", "experiments", "tests"}
JUNK = (
    *("*.orig", "*.rej", "*.bak", "*.swp", "*.swo", "*~", "*.tmp", "*.old", "*.patch", "*.diff"),
    *("*.pyc", "*.log", "#*#", ".#*", ".DS_Store", "Thumbs.db", "nohup.out", "core.[0-9]*"),
)
MADE = ("__pycache__", "*.egg-info", "build", "dist", "runs")
"""Folders that builds and runs make; git ignores them, and so do walks."""


# Within a hook, git's variables name the repository of the hook, and not that of the folder.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *words], cwd=root, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def listed(root: Path) -> list[str]:
    """Paths that git tracks; where it has no say, those of all files but what is made."""
    if (root / ".git").exists() and shutil.which("git"):
        done = git(root, "ls-files", "-z")
        # It refuses, for one, a checkout of somebody else's.
        if done.returncode == 0:
            return done.stdout.split("\0")[:-1]
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not any(fnmatch(name, made) for made in MADE)
        ]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in files]
    return found


def misplaced(paths: list[str]) -> list[str]:
    """Those of the paths that should not be there."""

    def junk(path: str) -> bool:
        return any(fnmatch(part, pattern) for part in path.split("/") for pattern in JUNK)

    def at_home(path: str) -> bool:
        first, *rest = path.split("/")
        return first.startswith(".") or first in (FOLDERS if rest else TOP)

    return [path for path in paths if junk(path) or not at_home(path)]


def test_the_repository_holds_nothing_else():
    paths = listed(ROOT)
    assert {"pyproject.toml", "README.md", "jaxgan/__init__.py"} <= set(paths)
    assert misplaced(paths) == []


@pytest.mark.parametrize(
    "path",
    [
        *("jaxgan/algorithms/gan.py.orig", "tests/test_rng.py.rej", ".ci/run.bak"),
        *("jaxgan/.rng.py.swp", "README.md~", "experiments/results/.DS_Store"),
        *("jaxgan/__pycache__/rng.cpython-311.pyc", "tests/core.1234"),
        *("notes.md", "setup.py", "scratch/try.py", "jaxgan.py", "pyproject.toml/x", "tests"),
    ],
)
def test_what_does_not_belong_is_seen(path: str):
    assert misplaced(["LICENSE", path, ".gitignore", "jaxgan/rng.py"]) == [path]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("LICENSE", "jaxgan/rng.py", "jaxgan/rng.py.orig", "jaxgan/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_without_git_all_files_are_looked_at(tree: Path):
    assert misplaced(listed(tree)) == ["jaxgan/rng.py.orig"]


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_with_git_those_that_it_tracks(tree: Path):
    assert git(tree, "init").returncode == 0
    assert git(tree, "add", "LICENSE", "jaxgan/rng.py").returncode == 0
    assert misplaced(listed(tree)) == []
    assert git(tree, "add", "jaxgan/rng.py.orig").returncode == 0
    assert misplaced(listed(tree)) == ["jaxgan/rng.py.orig"]


def test_no_two_test_modules_have_one_name():
    """pytest imports them by their file's name alone, and stops at the second."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []
