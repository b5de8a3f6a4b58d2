"""Tensors of a PyTorch checkpoint as NumPy arrays: without PyTorch, and without running anything.

A checkpoint is a pickle, and a pickle can name any function to be called while it is read. Here
only what a dictionary of tensors needs has a meaning; whatever else a file names is refused. Both
formats of ``torch.save`` are read: the zip archive, usual since PyTorch 1.6, and the sequence of
pickles before it.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

# Of the old format, in front of everything else.
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001

# Strings rather than types: a pickle can change the attributes of what it is handed, and a string
# has none.
_STORAGES: Mapping[str, str] = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}

# What reading a damaged file can end in.
_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    EOFError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    NotImplementedError,
    ImportError,
    OSError,
)


class Checkpoint(NamedTuple):
    """What a file holds."""

    tensors: dict[str, np.ndarray]
    """By their names, each in its own type, contiguous."""
    sha256: str
    """Of the file, 64 hexadecimal digits."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a file that ``torch.save`` made of a dictionary of tensors.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, it is damaged or cut short, or it holds something else than
            tensors by name. One line, which begins with the path.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    data = path.read_bytes()
    try:
        read = _read_zip if zipfile.is_zipfile(io.BytesIO(data)) else _read_pickles
        tensors = read(data)
    except _Refused as error:
        raise ValueError(f"{path}: {error}") from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} is no PyTorch checkpoint, or it is damaged: {reason}") from error
    return Checkpoint(tensors, hashlib.sha256(data).hexdigest())


class _Refused(Exception):
    """A checkpoint that is readable but not wanted; says why."""


class _Storage(NamedTuple):
    """A run of numbers that tensors are views of."""

    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    """A view, in elements; in the old format its numbers come after the pickle."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _RebuildTensor:
    """Stands for the functions of ``torch._utils`` that make a tensor of a storage."""

    __slots__ = ()  # so that a pickle cannot change it

    def __call__(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *_rest: object
    ) -> _Tensor:
        numbers = (offset, *shape, *strides)
        if type(storage) is not _Storage or any(type(n) is not int or n < 0 for n in numbers):
            raise pickle.UnpicklingError("a tensor is not described as one")
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _RebuildParameter:
    """A parameter is its tensor."""

    __slots__ = ()

    def __call__(self, tensor: Any, *_rest: object) -> _Tensor:
        if type(tensor) is not _Tensor:
            raise pickle.UnpicklingError("a parameter holds no tensor")
        return tensor


_MEANINGS: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _RebuildTensor(),
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
    **{("torch", name): dtype for name, dtype in _STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Knows nothing but `_MEANINGS`, and collects the storages that tensors refer to."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _MEANINGS:
            raise _Refused(
                f"it holds {module}.{name}, and nothing but a dictionary of tensors is read"
            )
        return _MEANINGS[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, length, *view = pid
        plain = type(key) is str and type(length) is int and dtype in _STORAGES.values()
        if kind != "storage" or not plain or any(view):
            raise pickle.UnpicklingError("a storage is not described as one")
        storage = _Storage(key, dtype, length)
        if self.storages.setdefault(key, storage) != storage:
            raise pickle.UnpicklingError(f"storage {key} is described in two ways")
        return storage


def _read_zip(data: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        stored = {entry.filename: entry for entry in archive.infolist()}
        # PyTorch compresses nothing; a small entry cannot turn into a large array.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in stored.values()):
            raise pickle.UnpicklingError("its entries are compressed")
        pickles = [name for name in stored if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise pickle.UnpicklingError("the archive has no data.pkl")
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in stored and archive.read(f"{root}byteorder") != b"little":
            raise _Refused("its numbers are big-endian, and only little-endian ones are read")
        unpickler = _Unpickler(io.BytesIO(archive.read(pickles[0])))
        document = unpickler.load()
        return _arrays(
            document, unpickler.storages, lambda storage: archive.read(f"{root}data/{storage.key}")
        )


def _read_pickles(data: bytes) -> dict[str, np.ndarray]:
    """The old format: magic number, version, system, tensors, keys of storages, their numbers."""
    file = io.BytesIO(data)
    if _Unpickler(file).load() != _MAGIC or _Unpickler(file).load() != _PROTOCOL:
        raise pickle.UnpicklingError("it does not begin as one")
    system = _Unpickler(file).load()
    if system["little_endian"] is not True:
        raise _Refused("its numbers are big-endian, and only little-endian ones are read")
    unpickler = _Unpickler(file)
    document = unpickler.load()
    contents = {}
    for key in _Unpickler(file).load():
        storage = unpickler.storages[key]
        count = int.from_bytes(file.read(8), "little")
        if count != storage.length:
            raise pickle.UnpicklingError(f"storage {key} is not of the size it is said to be")
        contents[key] = file.read(count * _dtype(storage).itemsize)
    return _arrays(document, unpickler.storages, lambda storage: contents[storage.key])


def _arrays(
    document: Any, storages: Mapping[str, _Storage], content: Callable[[_Storage], bytes]
) -> dict[str, np.ndarray]:
    if type(document) not in (dict, OrderedDict):
        raise _Refused("it holds no dictionary of tensors")
    values = {}
    for key, storage in storages.items():
        values[key] = np.frombuffer(content(storage), _dtype(storage))
        if len(values[key]) != storage.length:
            raise pickle.UnpicklingError(f"storage {key} is cut short")
    arrays = {}
    # The plain dictionary's method: a pickle may have put another into the instance.
    for name, tensor in dict.items(document):
        if type(name) is not str or type(tensor) is not _Tensor:
            raise _Refused(f"{name!r} in it is no tensor, and nothing but tensors by name is read")
        arrays[name] = _view(tensor, values[tensor.storage.key])
    return arrays


def _dtype(storage: _Storage) -> np.dtype:
    name = storage.dtype
    return np.dtype(jnp.bfloat16) if name == "bfloat16" else np.dtype(name).newbyteorder("<")


def _view(tensor: _Tensor, values: np.ndarray) -> np.ndarray:
    count = math.prod(tensor.shape)
    if count == 0:
        return np.zeros(tensor.shape, values.dtype)
    steps = [(n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True)]
    # Nothing outside of the storage, and no more numbers than it has: strides of 0 would make a
    # small file a large array.
    if tensor.offset + sum(steps) >= len(values) or count > len(values):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    strides = [step * values.itemsize for step in tensor.strides]
    view = np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides)
    return np.array(view, order="C")
