"""The samplers that there are, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxgan.measurement.samplers.gaussian_mixture import GaussianMixture
from jaxgan.measurement.samplers.two_stage import TwoStage

SAMPLERS: Mapping[str, Any] = {one.name: one for one in (GaussianMixture, TwoStage)}
"""A new one is a file of its own, and a line here."""
