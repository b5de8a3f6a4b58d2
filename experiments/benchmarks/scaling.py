"""How the cost of training grows: the loop, batch size, width, seeds, devices, and start-up.

    python experiments/benchmarks/scaling.py
    python experiments/benchmarks/scaling.py --only loop,startup --json scaling.json

loop     the whole loop against the compiled step in a row (DCGAN and VAE on digits)
batch    a DCGAN step at 32 pixels, width 64, by batch size
width    the same with 64 images, by width
seeds    1 to 16 seeds in one program against one by one (MLP GAN and DCGAN on digits)
members  8 to 32 learning rates in one program against runs one by one (MLP GAN on digits)
devices  one batch on 1 to 8 virtual CPU devices (DCGAN and VAE on digits)
startup  from process start to the first step, cold and warm (DCGAN on digits)
memory   what a process that trains a DCGAN at 32 pixels holds

What is compared takes turns in one process (devices and startup: in processes of their own), after
one turn that is not counted; times are medians. About ten minutes on two cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import measures
from scaling_devices import devices
from scaling_loop import batch, loop, width
from scaling_members import members
from scaling_memory import memory as memory_
from scaling_report import Row
from scaling_seeds import seeds
from scaling_startup import StartError, startup

from jaxgan.machine import memory

MEASURES: dict[str, Callable[[int], list[Row]]] = {
    "loop": loop,
    "batch": batch,
    "width": width,
    "seeds": seeds,
    "members": members,
    "devices": devices,
    "startup": startup,
    "memory": memory_,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints tables, and writes them to the files asked for."""
    parser = measures.parser(__doc__, MEASURES)
    parser.add_argument("--rounds", type=int, default=5, help="timed turns of each; default 5")
    options = parser.parse_args(arguments)
    names = measures.chosen(options, MEASURES)
    if options.rounds < 1:
        measures.fail(f"--rounds {options.rounds}: must be at least 1")
    # As on jaxgan's command line.
    memory.keep_freed_memory()
    try:
        measures.report(options, names, lambda name: MEASURES[name](options.rounds))
    except StartError as error:
        measures.fail(str(error), 1)


if __name__ == "__main__":
    main()
