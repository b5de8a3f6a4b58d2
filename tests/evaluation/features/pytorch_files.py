"""Weights that NumPy makes, and checkpoints of them, as PyTorch would write them."""

import math
import struct
import zipfile

import numpy as np


def weights(shapes, seed):
    """Tensors by name, such that what lies between the layers stays of order one.

    From the raw numbers of a generator, which no version of NumPy may change.
    """
    bits = np.random.PCG64(seed)
    made = {}
    for name in sorted(shapes):
        shape = tuple(shapes[name])
        uniform = (bits.random_raw(math.prod(shape)) >> 40) / 2.0**23 - 1.0  # in [-1, 1)
        values = uniform.reshape(shape)
        if len(shape) > 1:
            values = values * math.sqrt(6 / math.prod(shape[1:]))
        elif name.endswith("running_var"):
            values = 1.0 + 0.5 * values
        elif name.endswith(".weight"):
            values = 1.0 + 0.2 * values
        else:
            values = 0.3 * values
        made[name] = values.astype(np.float32)
    return made


def images(seed, *shape):
    return (
        (np.random.PCG64(seed).random_raw(math.prod(shape)) >> 56).astype(np.uint8).reshape(shape)
    )


# Opcodes of pickles, version 2.
MARK, STOP, TUPLE, EMPTY, FALSE, REDUCE, PERSISTENT = b"(", b".", b"t", b")", b"\x89", b"R", b"Q"


def named(module, name):
    return b"c" + f"{module}\n{name}\n".encode()


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def numbers(values):
    return MARK + b"".join(map(number, values)) + TUPLE


def dictionary(entries):
    """A pickle of an OrderedDict of keys and values that are pickled already."""
    body = b"".join(key + value for key, value in entries)
    made = named("collections", "OrderedDict") + EMPTY + REDUCE
    return b"\x80\x02" + made + MARK + body + b"u" + STOP


def tensor(key, count, shape, *, strides=None, offset=0, storage="FloatStorage"):
    """A tensor as a pickle: a view of a storage of ``count`` numbers."""
    steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    parts = [text("storage"), named("torch", storage), text(key), text("cpu"), number(count)]
    reference = MARK + b"".join(parts) + TUPLE + PERSISTENT
    arguments = [
        *(reference, number(offset), numbers(shape), numbers(strides or steps)),
        *(FALSE, named("collections", "OrderedDict") + EMPTY + REDUCE),
    ]
    made = named("torch._utils", "_rebuild_tensor_v2")
    return made + MARK + b"".join(arguments) + TUPLE + REDUCE


def write_archive(path, document, contents, root="archive", compression=zipfile.ZIP_STORED):
    """The zip format around a pickle and the storages that it names."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{root}/data.pkl", document)
        archive.writestr(f"{root}/byteorder", "little")
        for key, data in contents.items():
            archive.writestr(f"{root}/data/{key}", data)


def save(path, tensors):
    """What ``torch.save`` writes of a dictionary of contiguous float32 tensors."""
    entries, contents = [], {}
    for index, (name, values) in enumerate(tensors.items()):
        key = str(index)
        entries.append((text(name), tensor(key, values.size, values.shape)))
        contents[key] = np.ascontiguousarray(values, "<f4").tobytes()
    write_archive(path, dictionary(entries), contents)
