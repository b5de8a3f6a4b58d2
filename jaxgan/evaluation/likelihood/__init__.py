"""Likelihoods and codes on held-out images."""
