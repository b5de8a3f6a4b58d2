"""The command line."""

from jaxgan.cli.entry import main, run_experiment, run_study

__all__ = ["main", "run_experiment", "run_study"]
