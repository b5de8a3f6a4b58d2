"""Memory: how much there is, and keeping it for programs that allocate the same buffers every step.

XLA's CPU client allocates the temporary buffers of a program anew in each call. glibc gets blocks
of that size from the system and gives them back at once, so that every step touches tens of
megabytes of pages for the first time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

RESERVE = 1 << 30
"""Bytes of address space in which huge pages are asked for; no memory until they are written to."""

# Parameters of mallopt(3), and advice of madvise(2).
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_HUGE_PAGES = 14
_HUGE = 1 << 21


def keep_freed_memory(reserve: int = RESERVE) -> bool:
    """Has this process reuse the memory it frees, in huge pages where the system has them.

    To be called before large allocations. Does nothing where the C library is not glibc, or the
    person has set it up by ``MALLOC_...`` or ``GLIBC_TUNABLES`` variables.

    Args:
        reserve: bytes for which huge pages are asked.

    Returns:
        Whether it was done.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        libc = ctypes.CDLL(None)
        _ = libc.gnu_get_libc_version  # Only glibc has it.
        mallopt, malloc, free, madvise = libc.mallopt, libc.malloc, libc.free, libc.madvise
    except (AttributeError, OSError, TypeError):
        return False
    malloc.restype, malloc.argtypes, free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    # One heap for all threads, because those of threads are too small for such buffers; nothing
    # outside of it, and nothing of it given back.
    done = [mallopt(_ARENA_MAX, 1), mallopt(_MMAP_MAX, 0), mallopt(_TRIM_THRESHOLD, 2**31 - 1)]
    if not all(done):
        return False
    free(malloc(reserve))  # The heap now ends that much later.
    with contextlib.suppress(OSError, ValueError, StopIteration):
        start, end = _heap()
        first, last = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        madvise(first, last - first, _HUGE_PAGES)
    return True


def _heap() -> tuple[int, int]:
    """First address of the heap, and the one behind its last."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    span = next(line for line in lines if line.endswith("[heap]")).split()[0]
    start, end = span.split("-")
    return int(start, 16), int(end, 16)


def available() -> int | None:
    """Bytes of memory that this process could still get without swapping; None: nobody says."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def total() -> int:
    """Bytes of memory that this process can have at most: the machine's, or its container's.

    0 where the system does not say.
    """
    found = []
    with contextlib.suppress(OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    # Control groups of both versions, as a container sees its own.
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # "max": no limit
            found.append(int((Path("/sys/fs/cgroup") / name).read_text()))
    return min(found, default=0)
