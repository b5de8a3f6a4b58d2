"""Folders of finished runs that nobody has trained, written by hand."""

import json
from pathlib import Path

from jaxgan.config import Experiment, Run
from jaxgan.evaluation.protocol import Protocol
from jaxgan.run import workdir

PROTOCOL = Protocol(
    backbone="digits-cnn",
    backbone_digest="0123",
    split="train",
    real_count=1500,
    real_digest="abcd",
    sample_count=1500,
)


def write(
    folder: Path,
    experiment: Experiment,
    protocol: Protocol = PROTOCOL,
    images: int = 320,
    **metrics,
) -> Path:
    """A run with these metrics; of none, one that is not finished."""
    workdir.create(folder, experiment, Run(), file=None, command=f"make {experiment.name}")
    if not metrics:
        return folder
    names = {protocol.name(name): value for name, value in metrics.items()}
    result = {
        "name": experiment.name, "seed": experiment.seed, "images_seen": images,
        "metrics": names, "intervals": {},
        "protocols": {protocol.short: protocol.document()},
        "parameters": {"generator": 30, "discriminator": 12}, "seconds": {"training": 2.5},
        "hardware": {"devices": "1 x pen"}, "versions": {"commit": "abc"},
    }  # fmt: skip
    workdir.write_json(folder / workdir.RESULT, result)
    fid = protocol.name("fid")
    lines = [{"step": s, "images_seen": 16 * s, "time": 0.1, fid: 9.0 - s} for s in (1, 2)]
    (folder / workdir.METRICS).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder
