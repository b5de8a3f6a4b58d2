import hashlib
import pickle
import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from pytorch_files import (
    FALSE,
    MARK,
    REDUCE,
    STOP,
    TUPLE,
    dictionary,
    named,
    number,
    save,
    tensor,
    text,
    write_archive,
)

from jaxgan.evaluation.features.pytorch_file import read_checkpoint

# Written by PyTorch (make_networks.py).
REFERENCE = Path(__file__).parents[1] / "reference"
FORMATS = (REFERENCE / "tensors_zip.pth", REFERENCE / "tensors_old.pth")


@pytest.mark.parametrize("path", FORMATS, ids=["zip", "old"])
def test_what_pytorch_wrote(path):
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    expected = {
        "whole": whole,
        "transposed": whole.T,
        "part": whole[1:3, ::2],
        "permuted": np.arange(24, dtype=np.float64).reshape(2, 3, 4).transpose(2, 0, 1),
        "half": np.array([0, 0.5, 1], np.float16),
        "bfloat16": np.array([0, 0.5, 1], jnp.bfloat16),
        "scalar": np.array(7),
        "int32": np.array([-1, 2**31 - 1], np.int32),
        "int16": np.array([-2, 3], np.int16),
        "int8": np.array([-128, 127], np.int8),
        "uint8": np.array([0, 255], np.uint8),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float32),
        "parameter": np.array([0.5], np.float32),
    }
    found = read_checkpoint(path)
    assert list(found.tensors) == list(expected)
    for name, values in expected.items():
        assert found.tensors[name].dtype == values.dtype, name
        assert found.tensors[name].flags.c_contiguous
        np.testing.assert_array_equal(found.tensors[name], values, err_msg=name)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_state_of_a_module():
    tensors = read_checkpoint(REFERENCE / "state.pth").tensors
    np.testing.assert_array_equal(tensors["running_var"], np.ones(2, np.float32))
    assert tensors["num_batches_tracked"].dtype == np.int64
    assert tensors["num_batches_tracked"].shape == ()


def test_what_the_tests_write(tmp_path):
    values = {"a.b": np.arange(6, dtype=np.float32).reshape(2, 3), "c": np.float32([1.5])}
    save(tmp_path / "made.pth", values)
    found = read_checkpoint(tmp_path / "made.pth").tensors
    assert list(found) == ["a.b", "c"]
    for name in values:
        np.testing.assert_array_equal(found[name], values[name])


def archive(tmp_path, document, **options):
    path = tmp_path / "made.pth"
    write_archive(path, document, {"0": np.arange(6, dtype="<f4").tobytes()}, **options)
    return path


def refused(path, pattern):
    with pytest.raises(ValueError, match=pattern) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def called(module, name, argument):
    """A pickle that calls a function, as malicious ones do."""
    return named(module, name) + MARK + text(argument) + TUPLE + REDUCE


@pytest.mark.parametrize(
    ("module", "name"),
    [("posix", "system"), ("builtins", "eval"), ("numpy", "load"), ("torch._utils", "__builtins__"),
     ("torch", "load"), ("collections", "defaultdict"), ("__torch__", "Module")],
)  # fmt: skip
def test_nothing_is_called(tmp_path, module, name):
    body = dictionary([(text("a"), called(module, name, f"touch {tmp_path}/ran"))])
    refused(archive(tmp_path, body), f"it holds {module}.{name}, and nothing but a dictionary")
    assert not (tmp_path / "ran").exists()


def test_nothing_is_called_in_the_old_format(tmp_path):
    path = tmp_path / "made.pth"
    path.write_bytes(b"\x80\x02" + called("posix", "system", f"touch {tmp_path}/ran") + STOP)
    refused(path, "it holds posix.system")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("module", ["torch._utils", "collections"])
def test_a_file_cannot_change_what_reads_the_next_one(tmp_path, module):
    # "Build" sets attributes of whatever lies on the stack: here of the functions themselves.
    name = {"torch._utils": "_rebuild_tensor_v2", "collections": "OrderedDict"}[module]
    attributes = b"}" + text("__call__") + FALSE + b"s"
    for state in (attributes, MARK + b"N" + attributes + TUPLE):
        body = b"\x80\x02" + named(module, name) + state + b"b" + STOP
        refused(archive(tmp_path, body), "is no PyTorch checkpoint, or it is damaged")
    assert read_checkpoint(FORMATS[0]).tensors["whole"].shape == (4, 6)


@pytest.mark.parametrize(
    "described",
    [
        tensor("0", 6, (7,)),
        tensor("0", 6, (2, 3), offset=1),
        tensor("0", 6, (2, 3), strides=(4, 1)),
        tensor("0", 6, (2,), strides=(-1,), offset=1),
        tensor("0", 6, (2,), offset=-1),
        tensor("0", 6, (1000, 1000, 1000), strides=(0, 0, 0)),
        tensor("0", 6, (2, 3), strides=(1,)),
        tensor("0", 5, (5,)),
        tensor("0", 3, (3,), storage="DoubleStorage", offset=1),
        tensor("1", 6, (6,)),
        tensor("../data.pkl", 6, (6,)),
    ],
)
def test_tensors_end_where_their_storage_ends(tmp_path, described):
    path = archive(tmp_path, dictionary([(text("a"), described)]))
    refused(path, "is no PyTorch checkpoint, or it is damaged")


def test_one_storage_has_one_size_and_type(tmp_path):
    both = [(text("a"), tensor("0", 6, (6,))), (text("b"), tensor("0", 3, (3,)))]
    refused(archive(tmp_path, dictionary(both)), "storage 0 is described in two ways")


def test_only_a_dictionary_of_tensors_is_wanted(tmp_path):
    refused(archive(tmp_path, pickle.dumps([1, 2], 2)), "it holds no dictionary of tensors")
    entries = [(text("epoch"), number(3)), (text("a"), tensor("0", 6, (6,)))]
    refused(archive(tmp_path, dictionary(entries)), "'epoch' in it is no tensor")


def test_big_endian_and_compressed_files_are_refused(tmp_path):
    body = dictionary([(text("a"), tensor("0", 6, (6,)))])
    path = archive(tmp_path, body, compression=zipfile.ZIP_DEFLATED)
    refused(path, "entries are compressed")
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("x/data.pkl", body)
        made.writestr("x/byteorder", "big")
    refused(path, "big-endian")


@pytest.mark.parametrize("path", FORMATS, ids=["zip", "old"])
def test_damage_is_one_line(tmp_path, path):
    data = path.read_bytes()
    broken = tmp_path / "broken.pth"
    for length in (0, 1, 10, len(data) // 3, len(data) // 2, len(data) - 1):
        broken.write_bytes(data[:length])
        refused(broken, "is no PyTorch checkpoint, or it is damaged")
    broken.write_bytes(b"no checkpoint at all, but a page that says that it was not found")
    refused(broken, "is no PyTorch checkpoint, or it is damaged")


def test_a_flipped_bit_is_seen(tmp_path):
    data = bytearray(FORMATS[0].read_bytes())
    at = data.index(np.arange(24, dtype="<f4").tobytes())
    data[at + 5] ^= 1
    (tmp_path / "flipped.pth").write_bytes(data)
    refused(tmp_path / "flipped.pth", "CRC")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.pth"):
        read_checkpoint(tmp_path / "none.pth")
