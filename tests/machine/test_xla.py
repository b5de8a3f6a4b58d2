"""Flags of XLA: when they are set, and that XLA sees them."""

import doctest
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from jaxgan.machine import xla

AMX = """processor : 0
model name : Intel(R) Xeon(R) Platinum
flags\t\t: fpu sse4_2 avx512f amx_bf16 amx_tile amx_int8
bugs : spectre_v1
"""
VECTORS = AMX.replace("amx_bf16 amx_tile amx_int8", "avx512_bf16")
NEITHER = AMX.replace("amx_bf16 ", "")
BOTH = "--xla_cpu_use_onednn=true --xla_cpu_experimental_onednn_custom_call=true"
DEVICES = "--xla_force_host_platform_device_count=2"


def with_flags(environment, processor=AMX, has_plugins=False, knows=lambda flag: True):
    return xla.with_flags(environment, processor=processor, has_plugins=has_plugins, knows=knows)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, BOTH),
        ({"XLA_FLAGS": ""}, BOTH),
        ({"XLA_FLAGS": f" {DEVICES} "}, f"{DEVICES} {BOTH}"),
        ({"JAX_PLATFORMS": "cpu"}, BOTH),
        ({"JAX_PLATFORMS": ""}, BOTH),
        # The person has decided, for or against, about one or both.
        ({"XLA_FLAGS": "--xla_cpu_use_onednn=false"}, None),
        ({"XLA_FLAGS": f"{DEVICES} --xla_cpu_experimental_onednn_custom_call"}, None),
        ({"XLA_FLAGS": BOTH}, None),
        # The name of a file that holds the flags.
        ({"XLA_FLAGS": "flags.txt"}, None),
        # Other devices compute.
        ({"JAX_PLATFORMS": "cuda"}, None),
        ({"JAX_PLATFORMS": "cuda,cpu"}, None),
    ],
)
def test_what_the_environment_asks_for(environment, expected):
    assert with_flags(environment) == expected


@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        (AMX, BOTH),
        (VECTORS, BOTH),
        (NEITHER + AMX, BOTH),
        (NEITHER, None),
        ("", None),
        # As on processors of other makers, whose lines have other names.
        ("Features : fp asimd bf16", None),
        # A name is no flag.
        (NEITHER.replace("Platinum", "amx_bf16"), None),
        (AMX.replace("amx_bf16", "amx_bf16x"), None),
    ],
)
def test_only_where_the_processor_has_instructions_for_it(processor, expected):
    assert with_flags({}, processor=processor) == expected


def test_not_where_accelerators_may_compute():
    assert with_flags({}, has_plugins=True) is None
    assert with_flags({"JAX_PLATFORMS": "cpu"}, has_plugins=True) == BOTH


@pytest.mark.parametrize("missing", xla.FLAGS)
def test_not_where_xla_has_dropped_one(missing):
    """XLA would end the process."""
    assert with_flags({}, knows=lambda flag: flag != missing) is None


@pytest.fixture
def amx(monkeypatch):
    """A machine with matrix units, and an environment of its own."""
    monkeypatch.setattr(xla, "_cpuinfo", lambda: AMX)
    monkeypatch.setattr(xla, "_has_plugins", lambda: False)
    monkeypatch.setenv("XLA_FLAGS", DEVICES)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)


@pytest.mark.parametrize(
    ("precisions", "expected"),
    [
        (["bfloat16"], f"{DEVICES} {BOTH}"),
        (["float32", "bfloat16", "float32"], f"{DEVICES} {BOTH}"),
        (["float32"], DEVICES),
        ([], DEVICES),
    ],
)
def test_set_where_an_experiment_computes_in_bfloat16(amx, precisions, expected):
    xla.set_flags(precisions)
    assert os.environ["XLA_FLAGS"] == expected


def test_set_once(amx):
    xla.set_flags(["bfloat16"])
    xla.set_flags(["bfloat16"])
    assert os.environ["XLA_FLAGS"] == f"{DEVICES} {BOTH}"


def test_programs_that_cannot_be_stored_are_no_news(amx):
    """JAX says so of every program that calls oneDNN; nothing else is kept quiet."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        xla.set_flags(["bfloat16"])
        warnings.warn("Error writing persistent compilation cache entry for 'f'", stacklevel=1)
        warnings.warn("another thing", stacklevel=1)
    assert [str(one.message) for one in heard] == ["another thing"]


@pytest.mark.parametrize("setting", ["--xla_cpu_use_onednn=false", BOTH, "flags.txt"])
def test_what_a_person_has_set_stays(amx, monkeypatch, setting):
    monkeypatch.setenv("XLA_FLAGS", setting)
    xla.set_flags(["bfloat16"])
    assert os.environ["XLA_FLAGS"] == setting


def test_the_installed_xla_is_looked_into():
    """It has both flags in the versions of JAX from 0.10 to 0.12, and none of a made-up name."""
    assert all(xla._jaxlib_knows(flag) for flag in xla.FLAGS)
    assert not xla._jaxlib_knows("xla_cpu_of_another_name")


def test_a_name_in_a_library_is_a_whole_string(tmp_path):
    library = tmp_path / "lib.so"
    library.write_bytes(b"x" * xla.LARGE + b"\0xla_cpu_use_onednn_fusion\0 tail xla_new\0")
    assert xla._contains(library, "xla_cpu_use_onednn_fusion")
    assert xla._contains(library, "xla_new")
    assert not xla._contains(library, "xla_cpu_use_onednn")
    small = tmp_path / "small.so"
    small.write_bytes(b"xla_new\0")
    assert not xla._contains(small, "xla_new")
    assert not xla._contains(tmp_path / "none.so", "xla_new")


LATE = """
import sys
import jax, jax.numpy as jnp
from jaxgan.machine import xla
from jaxgan.run import experiment_file
experiment_file.load_experiment("experiments/dcgan.py")
xla._cpuinfo = lambda: sys.argv[1]
xla._has_plugins = lambda: False
xla.set_flags(["bfloat16"])
jax.jit(lambda x: x + 1)(jnp.ones(3)).block_until_ready()
"""


@pytest.mark.parametrize(("processor", "seen"), [(AMX, 2), (NEITHER, 0)], ids=["AMX", "neither"])
def test_xla_sees_flags_that_are_set_after_imports(tmp_path, processor, seen):
    """XLA itself writes down the options that it works with."""
    root = Path(xla.__file__).parents[2]
    environment = {
        **os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(root),
        "XLA_FLAGS": f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text",
        "JAX_ENABLE_COMPILATION_CACHE": "false",
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-c", LATE, processor],
        env=environment, cwd=root, check=True, timeout=300, capture_output=True,
    )  # fmt: skip
    options = [path.read_text() for path in tmp_path.glob("*debug_options")]
    assert options
    found = [flag for flag in xla.FLAGS if all(f"{flag}: true" in text for text in options)]
    assert len(found) == seen


def test_examples():
    result = doctest.testmod(xla)
    assert result.attempted >= 2
    assert result.failed == 0
