"""A run that is read while it trains, and that a second process would go on with."""

import time

import pytest
from test_resume import Folder, folder  # noqa: F401 (a fixture)

from jaxgan.measurement import drawing, runs
from jaxgan.run import lock, workdir

pytestmark = pytest.mark.slow


def entries(path):
    return sorted(str(p.relative_to(path)) for p in path.rglob("*"))


def test_a_live_run_is_sampled_every_second_and_ends_with_the_right_digest(folder: Folder):  # noqa: F811
    """Its checkpoints come and go while they are read, and nothing of it is touched."""
    path = folder.path / "live"
    words = folder.train_words("gan", "live", "--steps", "20000", "--checkpoint-every", "50")
    process = folder.start(*words)
    steps, failed = [], []
    while process.poll() is None:
        time.sleep(1.0)
        if (path / workdir.CHECKPOINTS).is_dir():
            try:
                trained = runs.load(path)
                steps.append(trained.step)
                assert drawing.sample(trained, 4, 0).shape == (4, 8, 8, 1)
                assert trained.notes == ()
            except workdir.RunError as error:  # There is none yet.
                failed.append(str(error))
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert len(steps) >= 3, (steps, failed)
    assert steps == sorted(steps)
    assert all("has no checkpoint yet" in line for line in failed)
    assert folder.result("live")["digest"] == folder.undisturbed("gan", "--steps", "20000")


def test_there_is_one_writer(folder: Folder):  # noqa: F811
    """The second is told who the first is; the first does not notice."""
    words = folder.train_words("gan", "shared", "--steps", "20000")
    process = folder.start(*words)
    while process.poll() is None and not folder.steps("shared"):
        time.sleep(0.1)
    found = lock.holder(folder.path / "shared")
    assert found is not None
    assert found.process == process.pid
    code, said = folder.finish("resume", "shared")
    assert process.poll() is None, "it ended too soon for this test"
    assert code == 2
    assert f"error: shared is being written by process {process.pid} on " in said
    assert "Traceback" not in said
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert lock.holder(folder.path / "shared") is None
    assert folder.result("shared")["digest"] == folder.undisturbed("gan", "--steps", "20000")
