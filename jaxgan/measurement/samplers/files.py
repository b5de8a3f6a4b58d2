"""Fitted samplers in a run's folder: ``samplers/NAME.npz``, and ``NAME.json``, which says of what.

The arrays are written first and the document last, which has their digest: what was interrupted
between them does not pass for a sampler.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from pathlib import Path
from typing import Any, cast

import numpy as np

from jaxgan.machine.atomic import write_atomically
from jaxgan.measurement.samplers.kinds import SAMPLERS
from jaxgan.measurement.samplers.sampler import Fitted
from jaxgan.run import lock
from jaxgan.run.workdir import RunError

FOLDER = "samplers"


def write(folder: Path, fitted: Fitted) -> Path:
    """Keeps a sampler; one of the same name is replaced.

    Args:
        folder: of the run.
        fitted: the sampler.

    Returns:
        Its document.

    Raises:
        RunError: another process writes to the folder, or nobody can.
    """
    name, settings = fitted.sampler.name, cast(Any, fitted.sampler)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **fitted.arrays)
    document = {
        "sampler": name,
        "settings": dataclasses.asdict(settings),
        "step": fitted.step,
        "state": fitted.digest,
        "weights": fitted.weights,
        "arrays": hashlib.sha256(content.getvalue()).hexdigest(),
    }
    try:
        with lock.held(folder):
            write_atomically(folder / FOLDER / f"{name}.npz", content.getvalue())
            text = json.dumps(document, indent=2) + "\n"
            return write_atomically(folder / FOLDER / f"{name}.json", text.encode())
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error


def read(folder: Path, name: str, *, digest: str, step: int) -> Fitted:
    """A sampler that was fitted to a run's state.

    Args:
        folder: of the run.
        name: of the sampler.
        digest: of the state that it must belong to.
        step: of that state, for the message.

    Raises:
        RunError: there is no such sampler, its files are damaged, or it belongs to another state.
    """
    path = folder / FOLDER / f"{name}.json"
    again = f"`jaxgan fit {folder} --sampler {name}`"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        content = path.with_suffix(".npz").read_bytes()
    except FileNotFoundError:
        there = ", ".join(fitted_in(folder)) or "none"
        raise RunError(f"{folder} has no sampler {name} (there is {there}): {again}") from None
    except (ValueError, OSError) as error:
        raise RunError(f"{path} cannot be read ({error}): {again}") from error
    try:
        if hashlib.sha256(content).hexdigest() != document["arrays"]:
            raise ValueError("the arrays are not those that were fitted")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = Fitted(
                SAMPLERS[document["sampler"]](**document["settings"]),
                {key: arrays[key] for key in arrays.files},
                int(document["step"]),
                str(document["state"]),
                str(document["weights"]),
            )
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged ({error}): {again}") from error
    if found.digest != digest:
        raise RunError(
            f"the sampler {name} of {folder} was fitted to step {found.step}, and the state at step"
            f" {step} is another: {again}"
        )
    return found


def fitted_in(folder: Path) -> list[str]:
    """Names of a run's samplers."""
    return sorted(path.stem for path in (folder / FOLDER).glob("*.json") if path.stem in SAMPLERS)
