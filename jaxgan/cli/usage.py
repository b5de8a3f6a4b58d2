"""What ``jaxgan`` answers without doing anything; at once, for nothing is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import jaxgan

COMMANDS = (
    *("train", "resume", "list", "show", "fit", "sample", "project", "snapshot", "evaluate"),
    *("compare", "plan", "run", "report"),
)
"""One module each, of the same name."""

USAGE = """usage: jaxgan COMMAND ...

  train FILE [--steps N ...]     train the experiment that a Python file defines
  resume RUN                     go on with a run that was stopped
  list [FOLDER...]               list runs: how far each is, and its first metric
  show RUN                       show a run's settings, state and numbers
  fit RUN --sampler NAME         fit a sampler to the codes of a trained model
  sample RUN -n 64               draw samples from a run
  project RUN IMAGES...          find images among those of a run of StyleGAN2
  snapshot RUN                   write a run's generator to a small file, to be shared
  evaluate RUN                   measure a run again
  evaluate REAL GENERATED        measure images in folders or .npz files against others
  compare FILES...               train several experiments, several seeds each; write a report
  plan STUDY --out FILE          write down all runs of a study, one line each
  run --plan FILE --index N      train one line of a plan, or go on with it
  report RUNS...                 write a report of runs that are finished

`jaxgan COMMAND --help` lists the options of each.
"""


def answer(arguments: Sequence[str]) -> None:
    """Ends the process where there is no command: with help, the version, or what is wrong."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        sys.exit(0 if arguments else 2)
    if arguments[0] == "--version":
        print(f"jaxgan {jaxgan.__version__}")
        sys.exit(0)
    if arguments[0] not in COMMANDS:
        known = ", ".join(COMMANDS)
        print(f"error: there is no command {arguments[0]!r}; there are {known}", file=sys.stderr)
        sys.exit(2)
