"""Metrics, each reported under a named protocol."""
