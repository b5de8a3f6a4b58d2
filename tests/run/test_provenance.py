"""The commit of the code, and when there is none to tell."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import jaxgan
from jaxgan.run import provenance
from jaxgan.run.provenance import revision

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def git(folder, *words):
    settings = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *settings, *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path):
    """A package in a repository of its own."""
    revision.cache_clear()
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "code.py").write_text("one = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "package/code.py")
    git(tmp_path, "commit", "-qm", "first")
    return folder


def test_the_commit_and_whether_there_are_changes(package):
    commit = git(package, "rev-parse", "HEAD")[:12]
    assert revision(package) == commit
    # What lies outside of the package is not its code.
    (package.parent / "notes").write_text("")
    revision.cache_clear()
    assert revision(package) == commit
    (package / "code.py").write_text("one = 2\n")
    revision.cache_clear()
    assert revision(package) == f"{commit}, with changes"


def test_a_new_file_is_a_change(package):
    (package / "more.py").write_text("")
    assert revision(package).endswith(", with changes")


def test_an_installed_package_in_a_repository_is_not_its_code(package):
    installed = package.parent / "site-packages" / "other"
    installed.mkdir(parents=True)
    (installed / "code.py").write_text("")
    assert revision(installed) == ""


def test_without_a_repository_or_without_git_there_is_none(tmp_path, package, monkeypatch):
    alone = tmp_path / "alone"
    (alone / ".git").mkdir(parents=True)  # damaged: the walk upwards ends here
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert revision(alone) == ""
    revision.cache_clear()
    monkeypatch.setenv("PATH", str(alone))
    assert revision(package) == ""


def test_runs_record_it():
    found = provenance.versions()
    assert found.get("commit", "") == revision(Path(jaxgan.__file__).parent)
