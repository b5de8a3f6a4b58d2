"""What tensorflow-datasets would import by the word of a folder of data.

Settings and folders may come with a stranger's run. A prepared data set says in ``features.json``
which classes decode it, and tensorflow-datasets imports their modules, whichever they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxgan.data.source import DataError

_KEYS = ("pythonClassName", "python_class_name", "type")


def check_no_code(name: str, data_dir: Path | None) -> None:
    """Refuses data sets that run code which is not tensorflow-datasets' own.

    Args:
        name: of the data set.
        data_dir: where prepared ones are; None: the person's own folder, which is trusted.

    Raises:
        DataError: the data set is a community's, or its features are of other modules.
    """
    first, colon, rest = name.partition(":")
    if colon and not re.match(r"[\d.*]", rest):
        raise DataError(
            f"{name}: data sets of communities run code of theirs; prepare it with"
            " tensorflow-datasets first, and name its folder as data_dir."
        )
    first = first.split("/")[0]
    if data_dir is None or not re.fullmatch(r"\w+", first):
        return
    for path in sorted((data_dir / first).rglob("features.json")):
        try:
            found = [*_classes(json.loads(path.read_text(encoding="utf-8")))]
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{path} cannot be read ({type(error).__name__}).") from error
        for one in found:
            if "." in one and not one.startswith("tensorflow_datasets."):
                raise DataError(
                    f"{path} names {one!r}, whose module would be imported; only features of"
                    " tensorflow-datasets are read."
                )


def _classes(data: Any) -> Iterator[str]:
    """The names of all classes; some features hold others as JSON in a string."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in _KEYS and isinstance(value, str):
                yield value
            elif key == "json" and isinstance(value, str):
                yield from _classes(json.loads(value))
            else:
                yield from _classes(value)
    elif isinstance(data, list):
        for value in data:
            yield from _classes(value)
