"""Which values each metric can take, so that no interval leaves them."""

from __future__ import annotations

from collections.abc import Mapping

from jaxgan.evaluation.protocol import short_name
from jaxgan.evaluation.statistics.ranges import POSITIVE, REAL, SHARE, Range

_SHARES = (
    *("precision", "recall", "coverage", "cas", "memorization", "memorization_close", "ms_ssim"),
    *("manifold_precision", "manifold_recall", "manifold_f1", "high_quality"),
    *("beta_vae_metric", "factor_vae_metric", "mig", "sap", "sap_svm"),
    *("dci_disentanglement", "dci_completeness", "dci_informativeness"),
    *("modularity", "explicitness"),
    *("discriminator_accuracy", "discriminator_accuracy_real", "discriminator_accuracy_fake"),
)
_POSITIVE = (
    *("fid", "cfid", "swd", "kid_se", "density", "bits_per_dim", "kl", "active_units"),
    *("modes", "reverse_kl"),
)

RANGES: Mapping[str, Range] = {
    **dict.fromkeys(_SHARES, SHARE),
    **dict.fromkeys(_POSITIVE, POSITIVE),
    "is": Range(1.0),
}
"""By short name. Estimates without bias may fall below zero, even of what cannot: ``kid``,
``fid_inf``, and the parts of the KL that are estimated by sampling have no range."""


def range_of(metric: str) -> Range:
    """The range of a metric, by its short or its full name; all numbers, of one that is unknown."""
    return RANGES.get(short_name(metric), REAL)
