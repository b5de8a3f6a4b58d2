"""Generative adversarial networks and variational autoencoders in JAX, under one protocol."""

__version__ = "0.2.0"
