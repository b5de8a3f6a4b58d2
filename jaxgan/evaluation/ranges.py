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
    *("modes", "reverse_kl", "mode_kl", "mode_kl_floor", "reconstruction_mse", "feature_distance"),
    *("sigma_generator", "sigma_discriminator"),
    *("mutual_information", "total_correlation", "dimension_wise_kl", "marginal_kl"),
    *("kl_lower", "kl_upper"),
)

RANGES: Mapping[str, Range] = {
    **dict.fromkeys(_SHARES, SHARE),
    **dict.fromkeys(_POSITIVE, POSITIVE),
    "is": Range(1.0),
}
"""By short name. ``kid`` and ``fid_inf`` have none: estimates whose bias is taken away fall below
zero about as often as not where two distributions are alike, and so does ``ais_gap`` where chains
are long. The parts of the KL are estimated by
sampling, and may do so by a rounding; such a value keeps its interval."""


def range_of(metric: str) -> Range:
    """The range of a metric, by its short or its full name; all numbers, of one that is unknown."""
    return RANGES.get(short_name(metric), REAL)
