"""One global batch on 1 to 8 virtual CPU devices, each number of them in a process of its own.

Virtual devices share the processor's cores, so more of them are no faster; what this shows is the
price of dividing a batch and of averaging over the devices.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence

from scaling_report import Row, Stepper, enough, environment, experiment

COUNTS = (1, 2, 4, 8)
NAMES = ("dcgan", "vae")


def devices(rounds: int, names: Sequence[str] = NAMES, counts: Sequence[int] = COUNTS) -> list[Row]:
    """Time of a step by the number of devices, the global batch being that of the experiment."""
    rows = []
    for count in counts:
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={count}"
        done = subprocess.run(
            [sys.executable, __file__, str(rounds), *names],
            env=environment(XLA_FLAGS=flags.strip(), JAX_PLATFORMS="cpu"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        rows += json.loads(done.stdout.splitlines()[-1])
    first = {row["experiment"]: row["ms_per_step"] for row in rows if row["devices"] == counts[0]}
    for row in rows:
        row["ratio_to_first"] = row["ms_per_step"] / first[row["experiment"]]
    return sorted(rows, key=lambda row: (names.index(row["experiment"]), row["devices"]))


def _measure(rounds: int, names: Sequence[str]) -> list[Row]:
    """What each of the processes measures."""
    rows = []
    for name in names:
        setting = experiment(name)
        stepper = Stepper(setting, "auto")
        steps = enough(stepper, 0.5)
        times = [stepper.seconds(steps) for _ in range(rounds)]
        plan = stepper.program.plan
        rows.append(
            {
                "measure": "devices",
                "experiment": name,
                "devices": plan.devices,
                "mode": plan.mode,
                "batch_size": setting.batch_size,
                "ms_per_step": statistics.median(times) / steps * 1e3,
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]), sys.argv[2:])))
