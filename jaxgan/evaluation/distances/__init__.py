"""Distances between sets of images or of their features."""
