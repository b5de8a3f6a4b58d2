"""Whatever is typed, and whatever lies in a run's folder, ends in a line for people."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("fuzzing.py")
pytestmark = pytest.mark.slow


def run(words, cwd, **environment):
    everything = {
        **os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": "",
        "JAX_COMPILATION_CACHE_DIR": str(cwd / "programs"), "JAXGAN_STATISTICS_CACHE": "off",
        **environment,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, *map(str, words)], cwd=cwd, env=everything, capture_output=True, text=True,
        errors="backslashreplace", timeout=800, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    """A folder with a finished run, a finished study, images, and experiments in `origin`."""
    folder = tmp_path_factory.mktemp("fuzz")
    done = run([DRIVER, "setup", folder], folder)
    assert (folder / "origin" / "run" / "result.json").exists(), done.stderr
    assert (folder / "origin" / "study" / "index.html").exists(), done.stderr
    return folder


@pytest.mark.parametrize(
    ("section", "examples"), [("config", 120), ("results", 60), ("lines", 200), ("files", 100)]
)
def test_fuzz(top, section, examples):
    done = run([DRIVER, section, top, examples], top)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-3000:]
    found = re.search(rf"^{section}: (\d+) examples, .*$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    print(found[0])
    # Hypothesis may see that two examples are the same.
    assert int(found[1]) >= 0.9 * examples


EVIL = "import pathlib\npathlib.Path(__file__).with_name('imported').write_text('')\n"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("sample", "evil:Thing"),
        ("resume", ".evil:Thing"),
        ("evaluate", "jaxgan.evil:Thing"),
        ("sample", "os:system"),
    ],
)
def test_a_process_of_its_own_imports_nothing_that_lies_about(top, tmp_path, name, command):
    document = json.loads((top / "origin" / "run" / "config.json").read_text())
    document["experiment"]["model"]["optimizer"]["type"] = name
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps(document))
    (tmp_path / "evil.py").write_text(EVIL)
    done = run(["-m", "jaxgan", command, "run"], tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(r"error: .+\n", done.stderr)
    assert name.split(":")[0].lstrip(".") in done.stderr
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_that_a_terminal_cannot_show_end_nothing(top, tmp_path, encoding):
    out = tmp_path / os.fsdecode(b"caf\xe9 \xce\xb2.png")
    words = ["-m", "jaxgan", "sample", top / "origin" / "run", "-n", "2", "--out", out]
    done = run(words, tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert out.exists()
    assert "2 samples of step 4 are in " in done.stdout
