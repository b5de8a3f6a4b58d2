"""The folder of a run."""

import json
import os
import sys
from importlib import metadata

import pytest
import tiny

from jaxgan.config import ConfigError, Run
from jaxgan.run import provenance, workdir
from jaxgan.run.config_json import to_json
from jaxgan.run.workdir import RunError


def create(folder, experiment=None, run=None):
    workdir.create(
        folder, experiment or tiny.gan(), run or Run(), file="tiny.py", command="jaxgan train tiny"
    )
    return folder


@pytest.mark.parametrize("exists", [False, True])
def test_a_new_run_is_written_down(tmp_path, exists):
    folder = tmp_path / "a" / "b"
    if exists:
        folder.mkdir(parents=True)
    create(folder, tiny.vae(seed=5), Run(keep=7, parallel="none"))
    document = workdir.read_config(folder)
    assert document["experiment"] == to_json(tiny.vae(seed=5))
    # Absolute, so that a run can be resumed from anywhere.
    assert document["file"] == os.path.join(os.getcwd(), "tiny.py")
    assert document["command"] == "jaxgan train tiny"
    assert document["versions"]["jax"] == metadata.version("jax")
    assert workdir.read_experiment(folder) == tiny.vae(seed=5)
    assert workdir.read_run(folder) == Run(keep=7, parallel="none")
    assert os.listdir(folder) == ["config.json"]


def refused(function, *arguments):
    with pytest.raises(RunError) as raised:
        function(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_run_is_never_overwritten(tmp_path):
    create(tmp_path / "run")
    before = (tmp_path / "run" / "config.json").read_bytes()
    message = refused(create, tmp_path / "run", tiny.vae())
    assert message == (
        f"{tmp_path}/run already holds a run: go on with it by `jaxgan resume {tmp_path}/run`,"
        " or choose another --workdir"
    )
    assert (tmp_path / "run" / "config.json").read_bytes() == before


def test_a_folder_with_other_things_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    message = refused(create, tmp_path)
    assert message == f"{tmp_path} exists and is not an empty folder: choose another --workdir"
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    assert refused(create, tmp_path / "file") == (
        f"{tmp_path}/file exists and is not an empty folder: choose another --workdir"
    )
    assert refused(create, tmp_path / "file" / "run") == (
        f"cannot write to {tmp_path}/file/run: Not a directory"
    )


def test_a_place_where_nobody_may_write():
    # Not even the superuser makes folders there.
    assert refused(create, workdir.Path("/proc/run")).startswith("cannot write to /proc/run: ")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"experiment": 3}', '{"x": 1}', "\xff"]
)
def test_a_damaged_configuration_is_named(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content.encode("latin-1"))
    assert refused(workdir.read_config, tmp_path) == (
        f"{tmp_path}/config.json is damaged: it is not the configuration of a run"
    )


def test_a_configuration_of_something_else(tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps({"experiment": to_json(Run()), "run": to_json(tiny.gan())})
    )
    assert refused(workdir.read_experiment, tmp_path) == (
        f"{tmp_path}/config.json is damaged: it does not describe an experiment"
    )
    assert refused(workdir.read_run, tmp_path) == (
        f"{tmp_path}/config.json is damaged: it does not say how the run was started"
    )


def test_no_run(tmp_path):
    assert refused(workdir.read_config, tmp_path) == (
        f"{tmp_path} holds no run: there is no {tmp_path}/config.json"
    )
    (tmp_path / "config.json").mkdir()
    assert refused(workdir.read_config, tmp_path) == (
        f"cannot read {tmp_path}/config.json: Is a directory"
    )


def test_a_changed_configuration_is_shown(tmp_path):
    create(tmp_path / "run")
    workdir.check_same(tmp_path / "run", tiny.gan())
    with pytest.raises(ConfigError) as raised:
        workdir.check_same(tmp_path / "run", tiny.gan(batch_size=32, seed=1))
    assert str(raised.value).splitlines() == [
        f"{tmp_path}/run was started with another configuration, and a run that changes midway"
        " cannot be compared with anything. Different (old -> new):",
        "  batch_size: 16 -> 32",
        "  seed: 0 -> 1",
        "Leave these as they were, or start a new run in another --workdir.",
    ]
    with pytest.raises(ConfigError) as raised:
        workdir.check_same(tmp_path / "run", tiny.gan(steps=9))
    assert str(raised.value).splitlines()[1:] == [
        "  steps: 6 -> 9",
        "Leave these as they were, or start a new run in another --workdir."
        f" More steps for this one: `jaxgan resume {tmp_path}/run --steps N`.",
    ]


def test_results(tmp_path):
    assert workdir.read_result(tmp_path) is None
    workdir.write_json(tmp_path / "result.json", {"metrics": {"fid": 1.5, "kl": float("nan")}})
    result = workdir.read_result(tmp_path)
    assert result is not None
    assert result["metrics"]["fid"] == 1.5
    assert result["metrics"]["kl"] != result["metrics"]["kl"]
    (tmp_path / "result.json").write_text('{"metrics": {"fid"')
    assert refused(workdir.read_result, tmp_path) == (
        f"{tmp_path}/result.json is damaged: delete it and `jaxgan resume {tmp_path}`"
    )


def test_json_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x.json"
    workdir.write_json(path, [1])
    with pytest.raises(TypeError):
        workdir.write_json(path, [2, object()])
    assert json.loads(path.read_text()) == [1]
    assert os.listdir(tmp_path) == ["x.json"]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/lib/jaxgan/__main__.py", "train", "a b.py"], "python -m jaxgan train 'a b.py'"),
        (["/usr/bin/jaxgan", "resume", "run"], "jaxgan resume run"),
        (["experiments/dcgan.py", "--steps", "3"], "python experiments/dcgan.py --steps 3"),
    ],
)
def test_the_command_as_a_person_would_type_it(monkeypatch, argv, expected):
    monkeypatch.setattr(sys, "argv", argv)
    assert workdir.command_line() == expected


def test_hardware_and_versions_are_words():
    hardware = provenance.hardware()
    assert hardware["devices"] == "8 x cpu"
    assert hardware["processes"] == "1"
    assert set(hardware) == {"devices", "processes", "processor", "cores", "system"}
    assert all(isinstance(value, str) and value for value in provenance.versions().values())
