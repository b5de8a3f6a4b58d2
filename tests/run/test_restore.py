"""Checkpoints read back by others than the run that writes them."""

import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.run import restore
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.restore import CheckpointError

LIKE = {"w": jax.ShapeDtypeStruct((3,), jnp.float32)}
EXPERIMENT = {"type": "jaxgan.config:Experiment", "seed": 0, "steps": 40}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "c"
    with Checkpoints(folder, keep=3) as checkpoints:
        for step in (10, 20, 30):
            document = {"experiment": EXPERIMENT, "position": {"step": step, "best_step": 20}}
            checkpoints.save(step, {"w": jnp.full(3, float(step))}, document)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "c")


def edit(folder, step, change):
    """Rewrites the document of a checkpoint, as somebody might who wants it to be taken."""
    path = folder / str(step) / "document" / "metadata"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_the_newest(folder):
    found = restore.newest(folder, LIKE, EXPERIMENT)
    assert found is not None
    assert (found.step, found.skipped) == (30, ())
    np.testing.assert_array_equal(found.state["w"], [30.0] * 3)


def test_the_best_where_validation_selects(folder):
    found = restore.selected(folder, LIKE, EXPERIMENT)
    assert found is not None
    assert found.step == 20
    np.testing.assert_array_equal(found.state["w"], [20.0] * 3)


def test_no_folder_and_no_checkpoints(tmp_path):
    assert restore.steps_in(tmp_path / "none") == []
    assert restore.newest(tmp_path / "none", LIKE) is None
    assert restore.selected(tmp_path, LIKE) is None


def test_what_is_a_checkpoint(tmp_path):
    for name in ("5", "10", "007", "-3", "1.5", "12.orbax-checkpoint-tmp-3", "٣", "x"):
        (tmp_path / name).mkdir()
    (tmp_path / "7").write_text("")
    assert restore.steps_in(tmp_path) == [5, 10]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d["experiment"].update(seed=1), "it is of another run: seed: 1 -> 0"),
        (lambda d: d["experiment"].update(more=1), "it is of another run: more: 1 -> (absent)"),
        (lambda d: d.update(step=20), "it is of step 20"),
        (lambda d: d.update(step="30"), "it is of step '30'"),
        (lambda d: d.pop("step"), "it is of step None"),
        (
            lambda d: d.update(digest="0" * 64),
            "its arrays do not have the digest that was saved with them",
        ),
        (lambda d: d.pop("digest"), "'digest'"),
    ],
)
def test_a_checkpoint_of_something_else(folder, change, reason):
    edit(folder, 30, change)
    found = restore.newest(folder, LIKE, EXPERIMENT)
    assert found is not None
    assert found.step == 20
    assert found.skipped == (f"checkpoint 30 cannot be read ({reason})",)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["experiment"].update(steps=20),  # The run was given more since.
        lambda d: d["experiment"].pop("seed"),  # A field that came later.
        lambda d: d.pop("experiment"),
    ],
)
def test_a_checkpoint_of_the_same_run(folder, change):
    edit(folder, 30, change)
    found = restore.newest(folder, LIKE, EXPERIMENT)
    assert found is not None
    assert found.step == 30


@pytest.mark.parametrize("position", [None, [], {"best_step": "x"}, {"best_step": 25}, {}])
def test_whatever_is_said_of_the_best(folder, position):
    edit(folder, 30, lambda document: document.update(position=position))
    if position and position.get("best_step"):
        with pytest.raises(CheckpointError, match=r"^there is no checkpoint (x|25) in "):
            restore.selected(folder, LIKE, EXPERIMENT)
    else:
        found = restore.selected(folder, LIKE, EXPERIMENT)
        assert found is not None
        assert found.step == 30


def test_checkpoints_that_go_while_they_are_read(folder, monkeypatch):
    """A run saves and deletes meanwhile: what was listed is half gone, and there is a newer one."""
    for step in (10, 20):
        shutil.rmtree(folder / str(step))
    shutil.move(folder / "30", folder.parent / "later")
    shutil.copytree(folder.parent / "later", folder / "25")
    shutil.rmtree(folder / "25" / "state")
    real, calls = restore.steps_in, []

    def steps_in(where):
        found = real(where)
        calls.append(found)
        if len(calls) == 2:  # Listed, and about to be read.
            shutil.rmtree(folder / "25")
            shutil.move(folder.parent / "later", folder / "30")
        return found

    monkeypatch.setattr(restore, "steps_in", steps_in)
    edit(folder.parent, "later", lambda document: document.update(position={}))
    found = restore.selected(folder, LIKE, EXPERIMENT)
    assert found is not None
    assert (found.step, found.skipped) == (30, ())


def test_damage_is_not_looked_at_again_and_again(folder, monkeypatch):
    for step in (10, 20, 30):
        shutil.rmtree(folder / str(step) / "state")
    reads = []
    real = restore.read
    monkeypatch.setattr(restore, "read", lambda *a: (reads.append(a[1]), real(*a)))
    with pytest.raises(CheckpointError, match=r"^no checkpoint in \S+ can be read: checkpoint 30 "):
        restore.selected(folder, LIKE, EXPERIMENT)
    assert reads == [30, 20, 10]
