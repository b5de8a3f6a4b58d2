"""Memory that stays with the process; in processes of their own, because it cannot be undone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jaxgan.machine import memory

COUNT = """
import resource, sys
import numpy as np
from jaxgan.machine.memory import keep_freed_memory
done = keep_freed_memory() if sys.argv[1] == "keep" else None
def touch():
    for _ in range(20):
        np.ones(1 << 23)  # 64 MiB: 16,384 pages of 4 KiB
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
touch()
print(done, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

THREADS = """
import threading
import numpy as np
from jaxgan.machine.memory import keep_freed_memory
assert keep_freed_memory(1 << 24)
wrong = []
def work(value):
    for size in (10, 1 << 10, 1 << 20, 1 << 22):
        parts = [np.full(size, value) for _ in range(4)]
        wrong.extend(part for part in parts if not (part == value).all())
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(wrong))
"""


def run(code, *arguments, **variables):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**clean, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is of Linux")
def test_freed_memory_is_used_again():
    _, without = run(COUNT, "leave")
    done, kept = run(COUNT, "keep")
    assert done == "True"
    # Twenty times 64 MiB, in pages of 2 MiB at the largest; kept, they lie in pages there already.
    assert int(without) >= 20 * 32
    assert int(kept) < int(without) / 20


@pytest.mark.parametrize(
    "variable", [{"MALLOC_ARENA_MAX": "2"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"}]
)
def test_who_has_set_up_malloc_is_left_alone(variable):
    assert run(COUNT, "keep", **variable)[0] == "False"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is of Linux")
def test_threads_share_the_one_heap():
    assert run(THREADS) == ["0"]


def test_the_memory_of_the_machine_is_no_more_than_linux_says():
    (line,) = (
        line
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemTotal:")
    )
    assert 2**27 < memory.total() <= int(line.split()[1]) * 1024
