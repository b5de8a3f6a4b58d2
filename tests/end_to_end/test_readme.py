"""The README's commands: what they say exists, parses and runs."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from untrained import write_run

from jaxgan.cli import options
from jaxgan.run import experiment_file
from jaxgan.study.comparison import Study

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def quick_start() -> list[str]:
    section = README.split("## Quick start\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def test_quick_start_holds_two_blocks_of_one_line():
    blocks = quick_start()
    assert len(blocks) == 2
    assert all(block.count("\n") == 1 for block in blocks)
    install_and_run, install_and_test = blocks
    assert "pip install" in install_and_run
    assert "experiments/compare_digits.py" in install_and_run
    assert install_and_test.strip().endswith("python -m pytest")


def commands() -> list[list[str]]:
    """Every indented line of the README that starts one of our programs."""
    lines = re.findall(r"^    ((?:python experiments|jaxgan) ?.*)$", README, re.MULTILINE)
    return [shlex.split(line) for line in lines]


def test_readme_shows_commands():
    assert len(commands()) >= 8


SCRIPTS = [words for words in commands() if words[0] == "python"]
BENCHMARKS = [words for words in SCRIPTS if words[1].startswith("experiments/benchmarks/")]


@pytest.mark.slow
@pytest.mark.parametrize("words", BENCHMARKS, ids=lambda words: " ".join(words[1:4]))
def test_shown_benchmarks_start(words: list[str]):
    done = subprocess.run(
        [sys.executable, *words[1:], "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    "words", [w for w in SCRIPTS if w not in BENCHMARKS], ids=lambda words: " ".join(words[1:4])
)
def test_shown_experiments_parse(words: list[str]):
    file = ROOT / words[1]
    experiment = experiment_file.load_experiment(file)
    parsed = options.parse(experiment, words[2:], program=str(file))
    assert words[2:] == [] or (parsed.experiment, parsed.run) != (experiment, options.Run())


def test_files_shown_in_other_commands_exist():
    for words in commands():
        for word in words:
            if word.startswith("experiments/"):
                assert (ROOT / word).is_file(), word


def examples() -> list[str]:
    """The README's Python code."""
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_example_of_many_seeds_works(monkeypatch: pytest.MonkeyPatch):
    assert len(examples()) == 3
    (code,) = (block for block in examples() if "compile_population" in block)
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(code.replace("range(100)", "range(2)"), names)
    elbos = np.asarray(names["metrics"]["elbo"])
    assert elbos.shape == (8,)
    assert len(set(elbos.tolist())) == 8


def test_the_example_of_a_finished_run_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (code,) = (block for block in examples() if "jaxgan.load" in block)
    write_run(tmp_path / "runs" / "vae-seed0", tiny.vae())
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["samples"].shape == (16, 8, 8, 1)
    assert names["samples"].dtype == np.uint8
    assert names["codes"].shape == (16, 4)
    assert names["again"].shape == names["samples"].shape
    assert names["paths"].shape == (4, 10, 8, 8, 1)
    assert np.isfinite(names["nats"]).all()


def test_the_example_of_an_own_experiment_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (code,) = (block for block in examples() if "run_experiment" in block)
    file = tmp_path / "hinge.py"
    file.write_text(code)
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    experiment = experiment_file.load_experiment(file)
    assert experiment.name == "hinge"
    assert type(experiment.model.loss).__name__ == "Hinge"  # pyright: ignore


@pytest.mark.slow
def test_the_main_command_with_a_small_budget(tmp_path: Path):
    """The study itself, as the README runs it, but for seconds instead of minutes."""
    words = shlex.split(quick_start()[0].split("&&")[1])
    assert words[0] == "python"
    study = runpy.run_path(str(ROOT / words[1]))["study"]
    environment = {
        **os.environ,
        # Not the user's own folder of compiled programs.
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "programs"),
        # One device, and no optimizing, which would take longer than these few steps.
        "XLA_FLAGS": "",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
    }
    assert isinstance(study, Study)
    done = subprocess.run(
        [sys.executable, words[1], "--images", "3200", "--seeds", "0", "1",
         "--workdir", str(tmp_path / "out"), "--parallel", "none"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = tmp_path / "out" / "index.html"
    assert str(page) in done.stdout
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    rows = results["rows"]
    assert len(rows) == len(study.entries) >= 5
    assert sum(row["family"] == "GAN" for row in rows) >= 3
    assert sum(row["family"] == "VAE" for row in rows) >= 2
    html = page.read_text()
    for row in rows:
        assert row["name"] in done.stdout
        assert row["name"] in html
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", html)
