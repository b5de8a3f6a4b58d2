"""Fuzzes the command line, in a process without the tests' type checker; see `test_fuzz`.

    python tests/end_to_end/fuzzing.py setup FOLDER
    python tests/end_to_end/fuzzing.py SECTION FOLDER EXAMPLES [SEED]

Whatever is typed and whatever lies in a run's folder: the exit code is 0, 1 or 2, what failed says
so in a line that begins with ``error: ``, nobody sees a traceback, nothing outside the working
folder changes, commands that only read change nothing in a run, and no module that lies about is
imported. Training itself is left out: that a command would begin it is where an example ends.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SECONDS = 120
"""For one command."""
EXPERIMENT = '"""A tiny VAE."""\nimport tiny\nexperiment = tiny.vae(steps=4)\n'
EVIL = "import pathlib\npathlib.Path({marker!r}).write_text(__name__)\n"
DEEP = "@deep@"
"""Stands for JSON that is nested ten thousand deep."""


class Reached(BaseException):
    """Training, or a long measurement, would begin."""


class TooLong(BaseException):
    """A command did not end."""


def snapshot(folder: Path, but: Path | None = None) -> dict[str, bytes | str]:
    """What lies in a folder: contents of files, and the kinds of everything else."""
    found: dict[str, bytes | str] = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(root, name) != but]
        for name in folders:
            found[os.path.join(root, name)] = "folder"
        for name in files:
            path = Path(root, name)
            found[str(path)] = "link" if path.is_symlink() else path.read_bytes()
    return found


class Fuzzer:
    """Runs command lines in one folder, and counts how they end."""

    def __init__(self, top: Path, section: str) -> None:
        self.origin, self.outside = top / "origin", top / section
        self.work = self.outside / "work"
        self.work.mkdir(parents=True)
        (self.outside / "keep.txt").write_text("mine")
        self.marker = self.outside / "imported"
        self.codes: Counter[str] = Counter()
        self.failures: list[str] = []
        self.examples = 0
        self.fresh()
        os.chdir(self.work)
        # `python -m jaxgan` looks for modules in the working folder first.
        sys.path.insert(0, "")

    def fresh(self) -> None:
        """The working folder as every example finds it."""
        for path in self.work.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.copytree(self.origin, self.work, dirs_exist_ok=True)
        evil = EVIL.format(marker=str(self.marker))
        for folder in (self.work, self.work / "run", self.work / "run" / "jaxgan"):
            folder.mkdir(exist_ok=True)
            for name in ("evil.py", "sprites.py", "tyro_plugin.py"):
                (folder / name).write_text(evil)

    def run(self, words: list[str], *, reads: bool) -> None:
        """One command line, in a fresh folder to which the caller has done something."""
        from jaxgan.cli import main

        self.examples += 1
        before = snapshot(self.outside, but=self.work)
        runs = snapshot(self.work) if reads else {}
        out, err = io.StringIO(), io.StringIO()
        ended: Any = 0
        wrong: list[str] = []
        signal.alarm(SECONDS)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main(words)
        except SystemExit as stop:
            ended = stop.code or 0
        except Reached:
            ended = "reached"
        except BaseException as error:
            ended = type(error).__name__
            wrong.append("".join(traceback.format_exception(error))[-2500:])
        finally:
            signal.alarm(0)
        self.codes[str(ended)] += 1
        said = out.getvalue() + err.getvalue()
        if ended not in (0, 1, 2, "reached") and not wrong:
            wrong.append(f"ended with {ended}")
        # What tyro says of flags has a frame of its own, which ends with where to look.
        if ended in (1, 2) and not re.search(
            r"^(error|usage): .|For full help", said, re.MULTILINE
        ):
            wrong.append("no line says what is wrong")
        if "Traceback (most recent" in said:
            wrong.append("a traceback is shown")
        if bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", said):
            wrong.append(f"a control character is printed: {bad[0]!r}")
        if snapshot(self.outside, but=self.work) != before:
            wrong.append("something outside the working folder has changed")
        if reads and any(snapshot(self.work).get(k) != v for k, v in runs.items()):
            wrong.append("a command that reads has changed what was there")
        if self.marker.exists():
            self.marker.unlink()
            wrong.append("a module from the working folder was imported")
        if wrong:
            told = said if len(said) < 1500 else said[:700] + " ... " + said[-700:]
            self.failures.append(f"{words!a}\n{'; '.join(wrong)}\n{told!a}")


# --- values ---------------------------------------------------------------------------------------

NUMBERS = [
    0,
    1,
    -1,
    2,
    7,
    2**31,
    2**63,
    10**20,
    0.5,
    -0.0,
    1e308,
    1e-320,
    float("nan"),
    float("inf"),
]
WORDS = [
    "", " ", "x", "..", "../../escape", "a/b", "/", "a\\b", ".hidden", "\0", "\x1b[31mred", "a\nb",
    "caf\udce9", "β", "\u202e", "x" * 5000, "evil:Thing", ".evil:Thing", "evil", "os:system",
    "builtins:eval", "jaxgan.evil:Thing", "jaxgan..evil:Thing", "jaxgan.cli.entry:main",
    "run.evil:Thing", "file:Thing", ":", "jaxgan.config:Run", "jaxgan.config:Experiment",
    "subprocess:Popen", "fid", "float32", "none", "nan", "1", "-1", "1e9", "True", "None", "--help",
]  # fmt: skip
JUNK: list[Any] = [
    *NUMBERS, *WORDS, None, True, False, [], {}, [[]], {"type": "evil:Thing"}, {"type": 3},
    {"type": ["evil:Thing"]}, {"type": "os:system", "command": "true"}, [None] * 50, DEEP,
    {"type": "jaxgan.data.sources.folder:Folder", "path": "images"},
    {"type": "jaxgan.optim:Adam", "learning_rate": "fast"},
    {"type": "jaxgan.networks.mlp:MlpDecoder", "widths": [10**12]},
]  # fmt: skip
ANYTHING = st.one_of(st.sampled_from(JUNK), st.text(max_size=6), st.integers(), st.floats())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in a JSON document."""
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            found += places(value[index], (*path, index))
    return found


def mutated(draw: Callable[[Any], Any], document: Any) -> Any:
    """A document of which something is replaced, left out, or added."""
    document = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(document)))
        if not path:
            continue
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        how = draw(st.sampled_from(["replace", "replace", "replace", "delete", "add", "wrap"]))
        if how == "replace":
            parent[path[-1]] = draw(ANYTHING)
        elif how == "delete":
            del parent[path[-1]]
        elif how == "wrap":
            parent[path[-1]] = [parent[path[-1]]]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from([*WORDS, "type"]))] = draw(ANYTHING)
    return document


def as_text(document: Any) -> str:
    return json.dumps(document).replace(json.dumps(DEEP), "[" * 10_000 + "]" * 10_000)


def damaged(draw: Callable[[Any], Any], content: bytes) -> bytes:
    """Bytes that are cut short, changed, repeated, or others altogether."""
    how = draw(st.sampled_from(["cut", "flip", "twice", "other", "empty"]))
    place = draw(st.integers(0, max(len(content) - 1, 0)))
    if how == "cut":
        return content[:place]
    if how == "flip" and content:
        return (
            content[:place]
            + bytes([content[place] ^ draw(st.integers(1, 255))])
            + content[place + 1 :]
        )
    if how == "twice":
        return content + content
    return b"" if how == "empty" else draw(st.binary(max_size=200))


# --- sections -------------------------------------------------------------------------------------

READING = {
    "sample": [["sample", "run", "-n", "2", "--out", "new.png"]],
    "evaluate": [["evaluate", "run", "--samples", "20"]],
    "show": [["show", "run"], ["list", "."], ["report", "."]],
    "fit": [["sample", "run", "--sampler", "two_stage", "--out", "new.png"]],
}


def reading_commands() -> list[list[str]]:
    """Lines of commands that read a run; of those that there are."""
    from jaxgan.cli.usage import COMMANDS

    return [line for lines in READING.values() for line in lines if line[0] in COMMANDS]


def config(fuzzer: Fuzzer, draw: Any) -> None:
    """``config.json`` of a finished run is somebody else's."""
    path = fuzzer.work / "run" / "config.json"
    document = json.loads(path.read_text())
    path.write_text(as_text(mutated(draw, document)))
    lines = [*reading_commands(), ["resume", "run"]]
    line = draw(st.sampled_from(lines))
    if line[0] == "resume" and draw(st.booleans()):
        (fuzzer.work / "run" / "result.json").unlink()
    fuzzer.run(line, reads=line[0] != "resume")


def results(fuzzer: Fuzzer, draw: Any) -> None:
    """``result.json`` or ``metrics.jsonl`` of a run, or of one within a study, are damaged."""
    name = draw(st.sampled_from(["run", "study/runs/tiny-seed0"]))
    folder = fuzzer.work / name
    path = folder / draw(st.sampled_from(["result.json", "metrics.jsonl"]))
    if draw(st.integers(0, 3)) == 0:
        path.write_bytes(damaged(draw, path.read_bytes()))
    elif path.suffix == ".json":
        path.write_text(as_text(mutated(draw, json.loads(path.read_text()))))
    else:
        lines = path.read_text().splitlines()
        lines[0] = as_text(mutated(draw, json.loads(lines[0])))
        path.write_text("\n".join(lines) + "\n")
    if name == "run":
        line = draw(st.sampled_from([["resume", "run"], *reading_commands()[-3:]]))
    else:
        study = ["compare", "tv.py", "--workdir", "study", "--seeds", "0", "1", "--images", "64"]
        line = draw(st.sampled_from([study, study, *[["report", "study"]] * 2]))
    from jaxgan.cli.usage import COMMANDS

    line = line if line[0] in COMMANDS else ["resume", "run"]
    fuzzer.run(line, reads=line[0] not in ("resume", "compare", "report"))


FLAGS = {
    "train": ["tv.py", "tv.py", "empty.py", "nothing.py", "run", "--steps", "--batch-size",
              "--name",
              "--workdir", "--dataset", "--data.source.path", "--data.image-size", "--data.workers",
              "--data.validation", "--data.streaming", "--model.latent-size", "--seed",
              "--model.encoder.widths", "--evaluation.samples", "--evaluation.metrics",
              "--evaluation.every", "--evaluation.batch-size", "--evaluation.backbone",
              "--model.optimizer.learning-rate", "--resume", "--parallel", "--precision", "--loss",
              "--keep", "--log-every", "--checkpoint-every", "--steps-per-dispatch", "--init-from",
              "--early-stopping.metric", "--optimizer", "--help", "-h"],
    "resume": ["run", "run", "run", "study", "--steps", "--trust", "--file", "--batch-size",
               "--keep", "--workdir", "--name", "--quiet", "--help"],
    "sample": ["run", "run", "run", "study", "-n", "--count", "--seed", "--label", "--out",
               "--trust", "--file", "--interpolate", "--weights", "--truncation", "--batch-norm",
               "--threshold", "--overwrite", "--help"],
    "evaluate": ["run", "run", "images", "images.npz", "points.npz", "study", "--metrics",
                 "--backbone", "--samples", "--split", "--weights", "--truncation", "--labels",
                 "--draws", "--batch-size", "--json", "--out", "--overwrite", "--trust", "--help"],
    "fit": ["run", "run", "study", "--sampler", "gaussian_mixture", "--components", "--trust",
            "--help-sampler", "--help"],
    "project": ["run", "run", "study", "0", "images", "images.npz", "points.npz", "--steps",
                "--distance", "--seed", "--weights", "--out", "--trust", "--help"],
    "compare": ["tv.py", "tv.py", "other.py", "empty.py", "run", "--seeds", "--images", "--metrics",
                "--rank-by", "--workdir", "--parallel", "--dataset", "--help"],
    "list": [".", "run", "study", "images", "nothing", "--help"],
    "show": ["run", "study", ".", "nothing", "--help"],
    "report": ["study", "run", ".", "nothing", "--out", "--help"],
    "plan": ["tv.py", "empty.py", "run", "--out", "--best-of", "--population", "--seeds",
             "--overwrite", "--images", "--workdir", "--help"],
    "run": ["--plan", "--plan", "--index", "--all", "--missing", "--retry", "--help"],
}  # fmt: skip
VALUES = [
    *map(str, NUMBERS), *(word for word in WORDS if "\0" not in word and len(word) < 300), "digits",
    "folder", "tfds", "ring", "images", "run", "study", "tv.py", "new", "new.png", "new.npz",
    "new.json", "new/", "always", "never", "pixels", "fid", "kid", "likelihood", "hinge", "adam",
    "out.gif", "/dev/null/x", "0", "1", "2", "10", "test", "bfloat16",
]  # fmt: skip


def lines(fuzzer: Fuzzer, draw: Any) -> None:
    """What somebody types."""
    from jaxgan.cli.usage import COMMANDS

    command = draw(st.sampled_from([*COMMANDS, *COMMANDS, "trian", "", "--version", "\x1b[31m"]))
    flags = FLAGS.get(command, ["--help", "x"])
    words = [command]
    if draw(st.integers(0, 9)):
        words.append(draw(st.sampled_from(flags[:3])))
    for _ in range(draw(st.integers(0, 3))):
        words.append(draw(st.sampled_from(flags)))
        value = st.one_of(st.sampled_from([*map(str, NUMBERS)]), st.sampled_from(VALUES))
        words += draw(st.lists(value, max_size=2))
    reads = command in ("list", "show", "sample", "evaluate") and "--overwrite" not in words
    fuzzer.run(words, reads=reads)


def files(fuzzer: Fuzzer, draw: Any) -> None:
    """Images, arrays, checkpoints and experiments that are no such things (any more)."""
    kind = draw(st.sampled_from(["images", "npz", "checkpoint", "checkpoint", "python", "folder"]))
    if kind == "checkpoint":
        there = sorted(p for p in (fuzzer.work / "run/checkpoints").rglob("*") if p.is_file())
        path = draw(st.sampled_from(there))
        path.unlink() if draw(st.integers(0, 4)) == 0 else path.write_bytes(
            damaged(draw, path.read_bytes())
        )
        line = draw(st.sampled_from([*reading_commands(), ["resume", "run"]]))
        if line[0] == "resume":
            (fuzzer.work / "run" / "result.json").unlink()
        fuzzer.run(line, reads=line[0] != "resume")
    elif kind == "python":
        path = fuzzer.work / "tv.py"
        path.write_bytes(damaged(draw, path.read_bytes()))
        command = draw(st.sampled_from(["train", "compare"]))
        fuzzer.run([command, "tv.py"], reads=False)
    else:
        name = {"images": "images/1.png", "folder": "images/a/1.png", "npz": "images.npz"}[kind]
        path = fuzzer.work / name
        path.parent.mkdir(exist_ok=True)
        other = (fuzzer.work / "images/1.png").read_bytes()
        path.write_bytes(damaged(draw, path.read_bytes() if path.exists() else other))
        pair = draw(st.permutations(["images" if kind != "npz" else "images.npz", "other"]))
        fuzzer.run(["evaluate", *pair], reads=True)


SECTIONS = {"config": config, "results": results, "lines": lines, "files": files}


def setup(top: Path) -> None:
    """A finished run, a finished study, images, and experiments."""
    import numpy as np
    from PIL import Image

    from jaxgan.cli import main

    origin = top / "origin"
    origin.mkdir(parents=True)
    os.chdir(origin)
    Path("tv.py").write_text(EXPERIMENT)
    Path("other.py").write_text(EXPERIMENT.replace("steps=4", "steps=4, name='other'"))
    Path("empty.py").write_text("x = 1\n")
    train = ["train", "tv.py", "--workdir", "run", "--no-tensorboard", "--checkpoint-every", "2"]
    study = ["compare", "tv.py", "--workdir", "study", "--seeds", "0", "1", "--images", "64"]
    for words in (train, study):
        with contextlib.suppress(SystemExit):
            main(words)
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    for name in ("images", "other"):
        Path(name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image).save(f"{name}/{number}.png")
    np.savez("images.npz", images=images)
    np.savez("points.npz", images=np.zeros((6, 2), np.float32))


def stop_before_training(section: str) -> None:
    """Replaces what takes long by `Reached`."""
    from jaxgan.measurement import scoring
    from jaxgan.training import loop

    def reached(*arguments: Any, **others: Any) -> Any:
        raise Reached

    loop._loop = reached
    if section in ("config", "lines"):
        scoring.measure = reached


def too_long(number: int, frame: Any) -> None:
    raise TooLong


def fuzz(section: str, top: Path, count: int, chosen: int | None = None) -> int:
    """Runs the examples of a section, always the same ones but for a seed; how many failed."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    stop_before_training(section)
    signal.signal(signal.SIGALRM, too_long)
    fuzzer = Fuzzer(top, section)

    @settings(
        max_examples=count, derandomize=chosen is None, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def examples(data: Any) -> None:
        fuzzer.fresh()
        SECTIONS[section](fuzzer, data.draw)

    (examples if chosen is None else seed(chosen)(examples))()
    for failure in fuzzer.failures:
        print(f"--- {failure}")
    print(f"{section}: {fuzzer.examples} examples, {dict(sorted(fuzzer.codes.items()))}")
    return len(fuzzer.failures)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/tiny.py
    if sys.argv[1] == "setup":
        setup(Path(sys.argv[2]))
    else:
        name, folder, *numbers = sys.argv[1:]
        sys.exit(min(fuzz(name, Path(folder), *map(int, numbers)), 1))
