"""Several experiments, several seeds, one report."""
