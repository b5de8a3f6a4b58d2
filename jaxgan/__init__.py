"""Generative adversarial networks and variational autoencoders in JAX, under one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from jaxgan.measurement.finished import TrainedRun

__version__ = "0.2.0"


def load(run: str | Path, *, trust: bool = False, file: str | Path | None = None) -> TrainedRun:
    """A trained run: draws samples, encodes and reconstructs images, has the table of its numbers.

        run = jaxgan.load("runs/vae-seed0")
        images = run.sample(64, seed=1)
        codes = run.encode(images)
        print([(number.metric, number.value) for number in run.numbers])

    The newest checkpoint is read or, where validation selected, the best one; nothing in the folder
    is changed.

    Args:
        run: the run's folder; or a file that ``jaxgan snapshot`` has written, whose model draws
            samples and can do no more.
        trust: run the code that the run brings along (classes of its experiment's file, and of
            modules that are not jaxgan's), if it is as it was at training.
        file: the experiment's file, read in place of the one that the run names.

    Raises:
        jaxgan.run.workdir.RunError: there is no run or no checkpoint in the folder.
        jaxgan.config.ConfigError: its configuration names what does not exist (any more), or needs
            code that nobody has allowed.
        jaxgan.run.restore.CheckpointError: no checkpoint can be read.
    """
    # Here, so that `import jaxgan` costs nothing.
    from jaxgan.measurement import finished

    return finished.load(run, trust=trust, file=file)
