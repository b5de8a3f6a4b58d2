"""Code that a run brings along runs only where a person allows it."""

import dataclasses
import json
import sys
import textwrap

import pytest
import tiny

from jaxgan.config import ConfigError, Run
from jaxgan.run import experiment_file, trust, workdir
from jaxgan.run.config_json import to_json
from jaxgan.run.trust import NOTHING, Code, Trust, TrustError

FILE = """
from pathlib import Path
import dataclasses
import beside_{name}
import tiny
from jaxgan.objectives.vae.bounds import Beta

Path(__file__).with_name("ran").write_text("")

@dataclasses.dataclass(frozen=True)
class Own(Beta):
    pass

model = dataclasses.replace(tiny.vae().model, beta=Own(2.0), optimizer=beside_{name}.Steady())
experiment = dataclasses.replace(tiny.vae(), model=model)
"""
BESIDE = """
import dataclasses
from jaxgan.optim import Sgd

@dataclasses.dataclass(frozen=True)
class Steady(Sgd):
    pass
"""


@pytest.fixture
def run(tmp_path, request):
    """A run whose classes are of its file and of a module beside it, as in a new process."""
    name = f"m{abs(hash(request.node.name))}"
    file, beside = tmp_path / "own.py", tmp_path / f"beside_{name}.py"
    file.write_text(textwrap.dedent(FILE.format(name=name)))
    beside.write_text(textwrap.dedent(BESIDE))
    experiment = experiment_file.load_experiment(file)
    workdir.create(tmp_path / "run", experiment, Run(), file=str(file), command="")
    for module in [*sys.modules]:
        if module == beside.stem or module.startswith("jaxgan_experiment_own_"):
            del sys.modules[module]
    (tmp_path / "ran").unlink()
    return tmp_path / "run", file, beside


def loaded(folder, how):
    return trust.classes_of(folder, workdir.read_config(folder), how)


def refused(folder, how, kind=TrustError):
    with pytest.raises(kind) as raised:
        loaded(folder, how)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_is_written_down(run):
    folder, file, beside = run
    code = workdir.read_config(folder)["code"]
    assert code == {
        "file": {"path": str(file), "sha256": trust.digest_of(file)},
        beside.stem: {"path": str(beside), "sha256": trust.digest_of(beside)},
    }


def test_nothing_runs_unless_it_is_allowed(run):
    folder, file, beside = run
    line = refused(folder, NOTHING)
    assert line == (
        f"{folder} needs code that is not jaxgan's: {file} (sha256"
        f" {trust.digest_of(file)[:12]}, as at training); module {beside.stem}, {beside} (sha256"
        f" {trust.digest_of(beside)[:12]}, as at training). Reading it would run that code: if you"
        " trust it, say --trust, or name the experiment's file yourself, --file FILE"
    )
    assert not file.with_name("ran").exists()
    assert beside.stem not in sys.modules


def test_what_is_allowed_is_found(run):
    folder, file, beside = run
    found = loaded(folder, Trust(trust=True))
    assert {name: cls.__name__ for name, cls in found.items()} == {
        "file:Own": "Own",
        f"{beside.stem}:Steady": "Steady",
    }
    assert file.with_name("ran").exists()


@pytest.mark.parametrize("which", [1, 2])
def test_what_has_changed_since_is_refused(run, which):
    folder, file = run[0], run[which]
    before = trust.digest_of(file)
    file.write_text(file.read_text() + "# evil\n")
    now = trust.digest_of(file)
    changed = f"{file} (sha256 {now[:12]}, changed since training: {before[:12]})"
    assert changed in refused(folder, NOTHING)
    line = refused(folder, Trust(trust=True))
    assert line.startswith(f"{folder} was trained with other code: ")
    assert changed in line
    assert not run[1].with_name("ran").exists()


def test_a_file_named_by_hand_is_taken_as_it_is_and_told(run):
    folder, file, _ = run
    moved = file.rename(file.with_name("moved.py"))
    assert f"{file} (missing)" in refused(folder, Trust(trust=True))
    document = workdir.read_config(folder)
    assert loaded(folder, Trust(file=moved)).keys() >= {"file:Own"}
    assert trust.notes(document, Trust(file=moved)) == ()
    moved.write_text(moved.read_text() + "# newer\n")
    assert trust.notes(document, Trust(file=moved)) == (
        f"{moved} is not the file that the run was trained with ({file})",
    )
    line = refused(folder, Trust(file=file.with_name("none.py")), ConfigError)
    assert line.startswith(f"{file.with_name('none.py')} is no Python file")


def changed(folder, change):
    document = workdir.read_config(folder)
    change(document)
    (folder / "config.json").write_text(json.dumps(document))
    return folder


def test_a_file_that_lacks_the_class(run):
    folder, file, _ = run

    def rename(document):
        document["experiment"]["model"]["beta"]["type"] = "file:Another"

    changed(folder, rename)
    line = refused(folder, Trust(file=file), ConfigError)
    assert line == "the configuration names file:Another, which cannot be found"


@pytest.mark.parametrize(
    "name",
    [
        *(".foo:Bar", "os:system", "venv.__main__:X", "jaxgan.__main__:X", "jaxgan:X", "x y:Z"),
        *("file:", ":X", "None", "a..b:C", "file:a.b", "importlib:import module", "a\nb:C"),
    ],
)
def test_names_that_are_none(tmp_path, name):
    experiment = {**to_json(tiny.vae()), "type": name}
    workdir.create(tmp_path / "run", tiny.vae(), Run(), file=None, command="")
    folder = changed(tmp_path / "run", lambda document: document.update(experiment=experiment))
    before = {*sys.modules}
    # `os` is an ordinary name, which only a person could allow, and even then it has no such class.
    line = refused(folder, NOTHING, ConfigError)
    if name == "os:system":
        assert "module os" in line
    else:
        assert line.startswith("the configuration names ")
    refused(folder, Trust(trust=True), ConfigError)
    assert {*sys.modules} == before


@pytest.mark.parametrize("code", [None, [], "x", {"file": 3}, {"file": {"path": 1, "sha256": []}}])
def test_whatever_is_written_down_of_the_code(run, code):
    folder, file, _ = run
    changed(folder, lambda document: document.update(code=code))
    assert str(file) in refused(folder, NOTHING)
    assert "none written down at training" in refused(folder, Trust(trust=True))
    assert not file.with_name("ran").exists()


def test_a_path_without_an_end(run):
    folder, _, _ = run

    def endless(document):
        document["code"]["file"]["path"] = "/dev/zero"

    changed(folder, endless)
    assert "/dev/zero (missing)" in refused(folder, NOTHING)


def test_jaxgans_own_classes_need_nothing(tmp_path):
    workdir.create(tmp_path, tiny.vae(), Run(), file="gone.py", command="")
    assert loaded(tmp_path, NOTHING) == {}
    assert loaded(tmp_path, Trust(trust=True)) == {}


def test_states_in_words(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("x")
    sha = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"
    assert Code("file", str(file), sha).state() == f"sha256 {sha[:12]}, as at training"
    assert Code("file", str(file), "").state() == (
        f"sha256 {sha[:12]}, none written down at training"
    )
    assert Code("m", "", "").state() == "not a file"
    assert not Code("file", str(file), "").is_unchanged()


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        ([], NOTHING, []),
        (["--steps", "3"], NOTHING, ["--steps", "3"]),
        (["--trust", "--steps", "3"], Trust(trust=True), ["--steps", "3"]),
        (["--file", "a.py", "-x"], Trust(file=trust.Path("a.py")), ["-x"]),
        (["-x", "--file=a.py"], Trust(file=trust.Path("a.py")), ["-x"]),
    ],
)
def test_words_of_a_command_line(words, found, rest):
    assert trust.allowed(words) == (found, rest)


@pytest.mark.parametrize("words", [["--file"], ["--file="]])
def test_no_file(words):
    with pytest.raises(ConfigError, match=r"^--file: name the experiment's Python file$"):
        trust.allowed(words)


def test_classes_of_a_notebook_or_a_test_have_no_file(tmp_path):
    """Trained from Python: the module is written down, and can be allowed."""
    model = dataclasses.replace(tiny.vae().model, optimizer=tiny.RATE)
    experiment = dataclasses.replace(tiny.vae(), model=model)
    found = trust.written_down(to_json(experiment), None)
    assert found == {}
    found = trust.written_down({"type": "tiny:X"}, None)
    assert found["tiny"]["path"] == tiny.__file__
