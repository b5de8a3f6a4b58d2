"""``python -m jaxgan`` is the command ``jaxgan``."""

import os
import sys

import jaxgan

# Python looks for modules in the current folder first, where anybody may have put some.
if sys.path[0] in ("", os.getcwd()):
    del sys.path[0]
    # Unless that is where jaxgan itself is, for processes that are started later.
    if os.path.dirname(os.path.dirname(os.path.abspath(jaxgan.__file__))) == os.getcwd():
        sys.path.append(os.getcwd())

from jaxgan.cli import main

main()
