"""Runs that another version of jaxgan wrote are refused in one line, and left as they are."""

import json

import pytest
import tiny

import jaxgan
from jaxgan.cli import entry
from jaxgan.config import ConfigError, Run
from jaxgan.measurement import runs
from jaxgan.run import workdir
from jaxgan.run.workdir import RunError

# Of a run by version 0.1.0, shortened.
GAN = {
    "type": "jaxgan.algorithms.gan:Gan",
    "loss": {"type": "jaxgan.objectives.gan:NonSaturating"},
    "latent_size": 100,
    "n_critic": 1,
}


def rewritten(folder, version, model=None):
    """A run's folder as ``version`` might have left it, and all that is in it."""
    workdir.create(folder, tiny.gan(), Run(), file="gone.py", command="")
    (folder / "checkpoints" / "100").mkdir(parents=True)
    document = json.loads((folder / "config.json").read_text())
    document["versions"]["jaxgan"] = version
    document["experiment"]["model"] |= model or {}
    (folder / "config.json").write_text(json.dumps(document))
    return contents(folder)


def contents(folder):
    return {str(p): p.is_file() and p.read_text() for p in folder.rglob("*")}


def refusal(folder, version):
    return (
        f"{folder} was written by an older version of jaxgan ({version}), whose settings and"
        f" checkpoints this one ({jaxgan.__version__}) does not read: train it again, or use that"
        " version"
    )


@pytest.mark.parametrize("version", ["0.1.0", "0.1.9", "0.0.12", "0.1.0rc1"])
# Even where the settings could still be read: the checkpoints cannot.
@pytest.mark.parametrize("model", [GAN, {}])
def test_an_older_run_is_refused(tmp_path, version, model):
    before = rewritten(tmp_path / "run", version, model)
    for use in (
        runs.experiment_of,
        runs.load,
        workdir.read_experiment,
        workdir.read_run,
        lambda folder: workdir.check_same(folder, tiny.gan()),
    ):
        with pytest.raises(RunError) as raised:
            use(tmp_path / "run")
        assert str(raised.value) == refusal(tmp_path / "run", version)
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize(
    "words",
    [("resume", "run"), ("sample", "run"), ("evaluate", "run"), ("resume", "run", "--help")],
)
def test_on_the_command_line(tmp_path, monkeypatch, capfd, words):
    monkeypatch.chdir(tmp_path)
    before = rewritten(tmp_path / "run", "0.1.0", GAN)
    with pytest.raises(SystemExit) as ended:
        entry.main(words)
    assert ended.value.code == 2
    said = capfd.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.endswith(refusal("run", "0.1.0"))
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize(
    "version", [workdir.READS_SINCE, jaxgan.__version__, "1.10.0", "no number"]
)
def test_other_runs_are_read_where_their_settings_are_known(tmp_path, version):
    rewritten(tmp_path / "run", version)
    assert runs.experiment_of(tmp_path / "run") == tiny.gan()
    workdir.check_same(tmp_path / "run", tiny.gan())


def test_settings_that_only_another_version_knows_are_named(tmp_path):
    rewritten(tmp_path / "run", "9.0.0", {"style_mixing": 0.9})
    with pytest.raises(RunError) as raised:
        runs.experiment_of(tmp_path / "run")
    assert str(raised.value) == (
        f"{tmp_path}/run was written by another version of jaxgan (9.0.0), whose settings this one"
        f" ({jaxgan.__version__}) does not read: jaxgan.algorithms.gan:Gan has no field"
        " style_mixing in this version; use that version, or train it again"
    )
    # The same in a run of this version was put there by somebody.
    rewritten(tmp_path / "tampered", jaxgan.__version__, {"style_mixing": 0.9})
    with pytest.raises(
        ConfigError, match=r"^jaxgan\.algorithms\.gan:Gan has no field style_mixing"
    ):
        runs.experiment_of(tmp_path / "tampered")


@pytest.mark.parametrize("versions", [None, {}, "0.1.0", 3])
def test_a_configuration_that_names_no_version_is_read(tmp_path, versions):
    rewritten(tmp_path / "run", "0.2.0")
    document = json.loads((tmp_path / "run" / "config.json").read_text())
    document["versions"] = versions
    (tmp_path / "run" / "config.json").write_text(json.dumps(document))
    assert runs.experiment_of(tmp_path / "run") == tiny.gan()
