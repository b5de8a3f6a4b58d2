"""A generator in one small file to be shared: its arrays, and a document that says what they are.

The format is that of the library safetensors: bytes of arrays behind a header of JSON. There is
nothing in it that could run. The library refuses offsets that are wrong or overlap, shapes that do
not fit, headers of more than 100 MB; what is refused here is whatever else a stranger may have
written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxgan.machine.atomic import open_atomically
from jaxgan.run.workdir import RunError

SUFFIX = ".safetensors"
_KEY = "jaxgan"
"""Of the document among the texts in the header; one, because the library mixes their order."""

_DTYPES = {
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(jnp.bfloat16),
    "I32": np.dtype(np.int32),
    "U32": np.dtype(np.uint32),
    "BOOL": np.dtype(np.bool_),
}
"""Numbers that states are made of, by the format's names for them."""


class Content(NamedTuple):
    """What a file holds.

    Attributes:
        arrays: by their paths in the state.
        document: JSON data: ``experiment``, ``step`` and whatever else has been written.
    """

    arrays: dict[str, np.ndarray]
    document: dict[str, Any]


def is_one(path: Path) -> bool:
    """Whether a path is meant for such a file, and not for a folder."""
    return path.is_file() or (path.suffix == SUFFIX and not path.is_dir())


def write(path: Path, arrays: Mapping[str, np.ndarray], document: Mapping[str, Any]) -> int:
    """Writes a file, whole or not at all; equal content gives equal bytes.

    Args:
        path: the file; its folder is there.
        arrays: of the types that `read` knows.
        document: JSON data.

    Returns:
        The file's size in bytes.

    Raises:
        OSError: it cannot be written; the message names it.
    """
    import safetensors.numpy

    whole = {name: np.require(array, requirements="C") for name, array in arrays.items()}
    content = safetensors.numpy.save(whole, metadata={_KEY: json.dumps(document)})
    with open_atomically(path) as file:
        file.write(content)
    return len(content)


def read(path: Path) -> Content:
    """The content of a file; runs nothing, whoever has written it.

    Raises:
        RunError: it cannot be read, is none or only a part of one, or holds what no generator has.
    """
    import safetensors

    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        found = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        reason = str(error).removeprefix("Error while deserializing: ").splitlines()[0][:120]
        raise RunError(
            f"{path} is neither a run's folder nor a whole safetensors file ({reason})"
        ) from None
    for name, array in found:
        if array["dtype"] not in _DTYPES:
            raise RunError(f"{path} holds numbers of type {array['dtype']}, at {_shown(name)}")
    arrays = {
        name: np.frombuffer(array["data"], _DTYPES[array["dtype"]]).reshape(array["shape"])
        for name, array in found
    }
    return Content(arrays, _document(path, content))


def _document(path: Path, content: bytes) -> dict[str, Any]:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    try:
        document = json.loads(header["__metadata__"][_KEY])
    except KeyError:
        raise RunError(
            f"{path} is a safetensors file, but none that `jaxgan snapshot` has written"
        ) from None
    except (ValueError, RecursionError):
        raise RunError(f"{path} is damaged: what it says of itself is no JSON") from None
    types: dict[str, Any] = {"experiment": dict, "step": int, "attribution": str}
    for name, kind in types.items():
        if not isinstance(document, dict) or not isinstance(document.get(name), kind):
            raise RunError(f"{path} is damaged: it does not say its {name}")
    return document


def _shown(name: str) -> str:
    return repr(name[:80])
