"""What a process that trains a DCGAN holds, from the import of JAX to its steps.

At 32 pixels, width 64 and 64 images, in float32. Cold: the program is compiled; warm: it is one
that was kept. Both with freed memory that stays with the process, as on the command line, and
without. Sizes are what Linux counts as resident, in MB above that after the imports; before the
steps, what can be given back is.
"""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jax
from scaling_loop import dcgan_32
from scaling_report import Row, Stepper, environment
from scaling_startup import StartError

from jaxgan.machine import memory as freed

STEPS = 20


def memory(rounds: int, kept: Sequence[bool] = (False, True), steps: int = STEPS) -> list[Row]:
    """One row for each way to start; medians would say no more, so there are no rounds.

    Raises:
        StartError: this is not Linux.
    """
    del rounds
    if not Path("/proc/self/clear_refs").exists():
        raise StartError("memory can be measured on Linux only: leave it out by --only")
    rows = []
    for stays in kept:
        with tempfile.TemporaryDirectory() as folder:
            # glibc that is set up by the environment is left alone (`jaxgan.machine.memory`).
            settings = {} if stays else {"MALLOC_PERTURB_": "0"}
            for start in ("cold", "warm"):
                done = subprocess.run(
                    [sys.executable, __file__, str(steps)],
                    env=environment(
                        JAX_COMPILATION_CACHE_DIR=folder,
                        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
                        **settings,
                    ),
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                found = json.loads(done.stdout.splitlines()[-1])
                rows.append(
                    {"measure": "memory", "start": start, "freed_memory_kept": str(stays), **found}
                )
    return rows


def _resident(field: str = "VmRSS") -> float:
    """This process's resident memory, or its peak (``VmHWM``), in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


def _give_back() -> None:
    """Returns free memory to the system and forgets the peak."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def _measure(steps: int) -> Row:
    """What each of the processes measures."""
    freed.keep_freed_memory()
    imported = _resident()
    stepper = Stepper(dcgan_32())
    stepper.seconds(1)
    compiled = _resident("VmHWM")
    _give_back()
    program = _resident()
    arrays = sum(array.nbytes for array in jax.live_arrays()) / 1e6
    stepper.seconds(steps)
    return {
        "peak_of_start_mb": compiled - imported,
        "before_steps_mb": program - imported,
        "of_which_arrays_mb": arrays,
        "peak_of_steps_mb": _resident("VmHWM") - imported,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]))))
