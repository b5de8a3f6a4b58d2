"""One train step in jaxgan, in plain Flax and in PyTorch: written alike, checked equal, timed."""
