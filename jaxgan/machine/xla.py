"""Flags of XLA that make bfloat16 fast on processors with instructions for it.

XLA reads the environment variable ``XLA_FLAGS`` once, when JAX starts its devices, and ends the
process over a flag that it does not know. So flags are set before, and only where they exist.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import mmap
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

FLAGS = ("xla_cpu_use_onednn", "xla_cpu_experimental_onednn_custom_call")
"""Give products and convolutions to the library oneDNN. XLA's own code turns bfloat16 into float32
and back, and is slower for it than float32."""

INSTRUCTIONS = {"amx_bf16", "avx512_bf16"}
"""What Linux calls instructions that multiply bfloat16: those of matrix units, and of vectors."""

LARGE = 2**22
"""Bytes above which a library of jaxlib may be XLA; the others are not looked into."""


def set_flags(precisions: Iterable[str]) -> None:
    """Adds to ``XLA_FLAGS`` what the precisions of a process's experiments ask for.

    Does nothing where it would do harm or no good; see `with_flags`. To be called before JAX
    starts its devices: later calls change nothing but the environment.

    Args:
        precisions: of all the experiments that the process is going to run. The flags hold for the
            whole process, so one ``"bfloat16"`` among them is enough.
    """
    if "bfloat16" not in precisions:
        return
    flags = with_flags(
        os.environ, processor=_cpuinfo(), has_plugins=_has_plugins(), knows=_jaxlib_knows
    )
    if flags is not None:
        os.environ["XLA_FLAGS"] = flags
        # XLA cannot write down programs that call oneDNN for convolutions (JAX 0.12): these are
        # compiled at every start, which costs less than it saves. JAX warns of each of them.
        warnings.filterwarnings("ignore", "Error writing persistent compilation cache entry")


def with_flags(
    environment: Mapping[str, str],
    *,
    processor: str,
    has_plugins: bool,
    knows: Callable[[str], bool],
) -> str | None:
    """The value that ``XLA_FLAGS`` should have for bfloat16; None: as it is.

    >>> intel = "model name : Xeon\\nflags : fpu avx512f amx_bf16 amx_tile"
    >>> with_flags({}, processor=intel, has_plugins=False, knows=lambda flag: True)
    '--xla_cpu_use_onednn=true --xla_cpu_experimental_onednn_custom_call=true'

    Args:
        environment: variables of the process. Where they set one of the flags, in whatever way, or
            name a file of flags, or ask for other devices than CPUs, nothing is added.
        processor: the text of ``/proc/cpuinfo``; empty where there is none.
        has_plugins: whether JAX can use other devices than CPUs.
        knows: whether the XLA that is installed has a flag.
    """
    given = environment.get("XLA_FLAGS", "").strip()
    platforms = environment.get("JAX_PLATFORMS", "").strip()
    if platforms not in ("", "cpu") or (has_plugins and not platforms):
        return None
    if any(flag in given for flag in FLAGS) or (given and not given.startswith("-")):
        return None
    if not _multiplies_bfloat16(processor) or not all(knows(flag) for flag in FLAGS):
        return None
    return " ".join([*([given] if given else []), *(f"--{flag}=true" for flag in FLAGS)])


def _multiplies_bfloat16(cpuinfo: str) -> bool:
    """Whether the processor has one of `INSTRUCTIONS`."""
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    return any(
        name.strip() == "flags" and not INSTRUCTIONS.isdisjoint(value.split())
        for name, _, value in lines
    )


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _has_plugins() -> bool:
    """Whether a package is installed that brings JAX other devices than CPUs."""
    found = any(importlib.util.find_spec(name) for name in ("jax_plugins", "libtpu"))
    return found or bool(importlib.metadata.entry_points(group="jax_plugins"))


def _jaxlib_knows(flag: str) -> bool:
    """Whether XLA has the flag: whether the name is a string in its library.

    XLA cannot be asked before it has read its flags, and its version numbers say little about
    experimental ones.
    """
    spec = importlib.util.find_spec("jaxlib")
    folders = (spec and spec.submodule_search_locations) or []
    libraries = (path for folder in folders for path in sorted(Path(folder).rglob("*.so*")))
    return any(_contains(library, flag) for library in libraries)


def _contains(library: Path, name: str) -> bool:
    """Whether a large file has the name as a whole string, which ends with a zero byte."""
    try:
        if library.stat().st_size < LARGE:
            return False
        with (
            open(library, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return data.find(name.encode() + b"\0") >= 0
    except OSError:
        return False
