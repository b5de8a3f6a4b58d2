"""A stranger's run folder, read with every command: none of its code runs."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny

from jaxgan.cli import entry
from jaxgan.config import Run
from jaxgan.run import trust, workdir
from jaxgan.study import plan
from jaxgan.study.plan import Budget, Line, Trial
from jaxgan.study.subject import Subject
from jaxgan.training import loop

ROOT = Path(__file__).parents[2]
MARK = "it-has-run"
EVIL = f"""
import dataclasses
from pathlib import Path
from jaxgan.objectives.vae.bounds import Beta

Path({MARK!r}).write_text("")

@dataclasses.dataclass(frozen=True)
class X(Beta):
    pass
"""
EVIL_MODULES = {"evil", "venv.__main__", "jaxgan.__main__", "antigravity"}
COMMANDS = (
    "sample RUN --out out.png",
    "evaluate RUN --metrics fid",
    "resume RUN",
    "fit RUN",
    "project RUN 0",
    "list .",
    "show RUN",
    "report RUN --out page",
    "snapshot RUN --out out.safetensors",
)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers") / "run"
    run = Run(workdir=str(folder), parallel="none", quiet=True, tensorboard=False)
    loop.train(tiny.vae(steps=2), run)
    return folder


@pytest.fixture
def place(honest, tmp_path, monkeypatch):
    """The current folder, with the run in it; and evil modules wherever Python might find them."""
    run = shutil.copytree(honest, tmp_path / "run")
    for folder in (tmp_path, run):
        (folder / "evil.py").write_text(EVIL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed(place, change):
    path = place / "run" / "config.json"
    document = json.loads(path.read_text())
    change(document, document["experiment"])
    path.write_text(json.dumps(document))


def named(name):
    """A class of the model named otherwise."""

    def change(document, experiment):
        experiment["model"]["beta"]["type"] = name

    return change


def own_file(document, experiment):
    """The file that the run says it was trained with, which is as it was."""
    path = Path("run/evil.py").resolve()
    document["file"] = str(path)
    document["code"] = {"file": {"path": str(path), "sha256": trust.digest_of(path)}}
    experiment["model"]["beta"]["type"] = "file:X"


def backbone(document, experiment):
    """Weights that are a pickle which writes a file."""
    Path("run/evil.pth").write_bytes(
        b"cpathlib\nPath\n(S'" + MARK.encode() + b"'\ntR.touch"  # never gets that far
    )
    Path("run/worse.pth").write_bytes(b"cos\nsystem\n(S'touch " + MARK.encode() + b"'\ntR.")
    experiment["evaluation"]["backbone"] = "inception:run/worse.pth"


def prepared_data(document, experiment):
    """A prepared data set whose features are of the stranger's module."""
    where = Path("run/data/things/1.0.0")
    where.mkdir(parents=True)
    (where / "features.json").write_text(json.dumps({"pythonClassName": "evil.X"}))
    (where / "dataset_info.json").write_text(json.dumps({"name": "things", "version": "1.0.0"}))
    experiment["data"]["source"] = {
        "type": "jaxgan.data.sources.tfds:Tfds",
        "name": "things",
        "data_dir": str(Path("run/data").resolve()),
    }


WAYS = {
    "its own file": own_file,
    "a module in the current folder": named("evil:X"),
    "a module of the standard library": named("venv.__main__:X"),
    "jaxgan's own command": named("jaxgan.__main__:X"),
    "a relative module": named(".evil:X"),
    "an installed module": named("antigravity:X"),
    "a pickle of weights": backbone,
    "a prepared data set": prepared_data,
}


def entries(folder):
    return {p: p.stat().st_mtime_ns for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", COMMANDS)
def test_none_of_it_runs(place, monkeypatch, capfd, way, command):
    monkeypatch.syspath_prepend(str(place))
    changed(place, WAYS[way])
    before, modules = entries(place / "run"), {*sys.modules}
    words = command.replace("RUN", "run").split()
    code = 0
    try:
        entry.main(words)
    except SystemExit as end:
        code = end.code
    said = capfd.readouterr()
    assert code in (0, 1, 2, None)
    assert "Traceback" not in said.err
    if code:
        assert said.err.splitlines()[-1].startswith("error: ")
    assert not (place / MARK).exists()
    assert not EVIL_MODULES & ({*sys.modules} - modules)
    if words[0] != "resume" or code:
        assert entries(place / "run") == before
    assert not (place / "env").exists()


def test_a_plan_is_read_and_nothing_that_it_names_is_run(place, capfd):
    """What a line names is run by `jaxgan run --plan` and a line, and only as it was planned."""
    study = Budget("s", "S", "fid", "", 96, ("fid",), ("float32",))
    subject = Subject("evil", "E", "evil", 2)._asdict()
    trials = [
        Trial("evil", place / "evil.py", "00" * 32, (), seed, f"runs/{name}", None, subject, "")
        for seed, name in enumerate(("run", "other"))
    ]
    lines = [Line(index, place, study, (trial,)) for index, trial in enumerate(trials)]
    plan.write(place / "plan.jsonl", lines)
    (place / "runs").mkdir()
    (place / "run").rename(place / "runs" / "run")
    for words, code in (
        ("run --plan plan.jsonl --missing", None),
        ("report .", None),
        ("run --plan plan.jsonl --index 1", 2),
        ("run --plan plan.jsonl --all", 2),
    ):
        with contextlib.ExitStack() as ends:
            if code is not None:
                ends.enter_context(pytest.raises(SystemExit, match=str(code)))
            entry.main(words.split())
    assert not (place / MARK).exists()
    said = capfd.readouterr()
    assert said.err.count("evil.py has changed since the plan was drawn") == 2
    assert "1 finished, 1 missing" in said.err


@pytest.mark.parametrize("command", COMMANDS[:3])
def test_the_person_is_told_what_to_do(place, capfd, command):
    changed(place, own_file)
    with pytest.raises(SystemExit) as ended:
        entry.main(command.replace("RUN", "run").split())
    err = capfd.readouterr().err
    digest = trust.digest_of(place / "evil.py")[:12]
    assert ended.value.code == 2
    assert err == (
        f"error: run needs code that is not jaxgan's: {place / 'run' / 'evil.py'} (sha256 {digest},"
        " as at training). Reading it would run that code: if you trust it, say --trust, or name"
        " the experiment's file yourself, --file FILE\n"
    )


@pytest.mark.parametrize("words", [("--trust",), ("--file", "run/evil.py")])
def test_what_is_allowed_runs(place, words):
    changed(place, own_file)
    for checkpoint in (place / "run" / "checkpoints").glob("*"):
        # Of the run as it is now named.
        path = checkpoint / "document" / "metadata"
        document = json.loads(path.read_text())
        document["experiment"]["model"]["beta"]["type"] = "file:X"
        path.write_text(json.dumps(document))
    entry.main(["sample", "run", "--out", "out.png", *words])
    assert (place / MARK).exists()
    assert (place / "out.png").exists()
    for name in [*sys.modules]:
        if name.startswith("jaxgan_experiment_evil"):
            del sys.modules[name]


@pytest.mark.slow
def test_python_m_jaxgan_imports_nothing_from_the_current_folder(place):
    """Neither by a configuration's word nor in place of a module that is imported late."""
    for name in ("antigravity", "tensorboardX", "fcntl"):
        (place / f"{name}.py").write_text(EVIL)
    changed(place, named("antigravity:X"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words in (("sample", "run", "--out", "a.png"), ("list", "."), ("--help",)):
        done = subprocess.run(
            [sys.executable, "-m", "jaxgan", *words],
            cwd=place, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert not (place / MARK).exists()
    assert workdir.read_config(place / "run")
