"""What a run waits for before its first step, and what a second start need not do again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

# Ends with the first step, and says what has been imported by then.
CODE = """
import os, sys
from jaxgan import cli
from jaxgan.training.recorder import Recorder

def first(self, step, metrics, count=1):
    print(*sys.modules, flush=True)
    os._exit(0)

Recorder.add = first
cli.main(["train", "experiments/vae.py", "--workdir", sys.argv[1], "--quiet"])
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Modules that were imported by the first step, and kept programs, of two starts."""
    folder = tmp_path_factory.mktemp("startup")
    environment = {
        **os.environ, "XDG_CACHE_HOME": str(folder), "PYTHONPATH": str(ROOT), "XLA_FLAGS": "",
    }  # fmt: skip
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    found = []
    for name in ("cold", "warm"):
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(folder / name)],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        programs = {path.name for path in folder.rglob("jit_*-cache")}
        found.append((set(done.stdout.split()), programs))
    return found


def test_the_first_step_waits_for_no_library_that_it_does_without(started):
    (modules, _), _ = started
    assert {"jax", "flax", "optax", "tyro"} <= modules
    assert not modules & {
        *("orbax", "grain", "sklearn", "scipy", "tensorboardX", "torch"),
        *("tensorflow", "tensorflow_datasets", "matplotlib", "pandas"),
        *("jaxgan.cli.compare", "jaxgan.study.runner", "jaxgan.visualization.report"),
    }


def test_the_second_start_compiles_nothing(started):
    (_, cold), (_, warm) = started
    kept = {name.partition("-")[0] for name in cold}
    assert {"jit_init", "jit_resident_steps"} <= kept
    assert warm == cold
