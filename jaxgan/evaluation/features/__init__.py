"""Backbones: networks whose features are compared."""
