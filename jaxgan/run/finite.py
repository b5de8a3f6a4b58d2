"""What is said of a run whose numbers are no longer finite."""

from __future__ import annotations

DIVERGED = "training has diverged"


class NonFiniteError(RuntimeError):
    """A metric became NaN or infinite; the message names step, term and last good checkpoint."""
