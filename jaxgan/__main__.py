"""``python -m jaxgan`` is the command ``jaxgan``."""

from jaxgan.cli import main

main()
