"""Scores on data whose distribution is known exactly."""
