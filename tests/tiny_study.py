"""A study of two experiments that train in seconds."""

from pathlib import Path

from jaxgan.cli.options import read_entry
from jaxgan.study import runner
from jaxgan.study.comparison import Entry, Study
from jaxgan.study.runner import StudyOptions

BAD = ("--name", "bad", "--model.optimizer.learning-rate", "1e30")
"""Arguments of an experiment that diverges."""


def write(folder: Path) -> Path:
    """Writes files of a GAN and of a VAE into a folder."""
    for name in ("gan", "vae"):
        (folder / f"{name}.py").write_text(
            f'"""A tiny {name}.\n\nMore of it."""\nimport tiny\n'
            "from jaxgan.config import Evaluation\n"
            "evaluation = Evaluation(samples=100, backbone='pixels')\n"
            f"experiment = tiny.{name}(name={name!r}, batch_size=8, evaluation=evaluation)\n"
        )
    return folder


def planned(files, *more, seeds=(0, 1, 4), images=160, curve_points=2, **others):
    """The study of these files, and of more."""
    entries = (Entry(str(files / "gan.py")), Entry(str(files / "vae.py")), *more)
    return Study("tiny", "Tiny ones", entries, seeds, images, curve_points, **others)


def run(value, folder):
    """Trains and reports."""
    settings = StudyOptions(workdir=str(folder), parallel="none")
    return runner.run(value, settings, read=read_entry, command="python tiny_study.py")
