"""A study of two experiments that train in seconds."""

from pathlib import Path

from jaxgan import study
from jaxgan.comparison import Entry, Study
from jaxgan.study import StudyOptions

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
    return study.run(value, settings, command="python tiny_study.py")
