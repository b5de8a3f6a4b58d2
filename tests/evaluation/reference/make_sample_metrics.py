"""Writes sample_metrics.json: what torch-fidelity and pytorch-fid say about the same features.

    python tests/evaluation/reference/make_sample_metrics.py

Needs torch, torch-fidelity and pytorch-fid, which the tests do without.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import numpy as np
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

PACKAGES = ("torch", "torch-fidelity", "pytorch-fid", "numpy", "scipy")


def features(seed: int, count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets that look like a network's: not negative, correlated, of unequal spread."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dimension, dimension)) / np.arange(1, dimension + 1) ** 0.5
    real = np.maximum(generator.normal(size=(count, dimension)) @ mixing + 0.3, 0)
    generated = np.maximum(1.1 * generator.normal(size=(count, dimension)) @ mixing + 0.4, 0)
    return real, generated


def frechet(seed: int, count: int, dimension: int) -> dict[str, float]:
    """FID by both."""
    real, generated = features(seed, count, dimension)
    statistics = [fid_features_to_statistics(torch.from_numpy(x)) for x in (real, generated)]
    ours = fid_statistics_to_metric(*statistics, verbose=False)
    theirs = calculate_frechet_distance(*(s[k] for s in statistics for k in ("mu", "sigma")))
    return {
        "seed": seed,
        "count": count,
        "dimension": dimension,
        "torch_fidelity": ours["frechet_inception_distance"],
        "pytorch_fid": float(theirs),
    }


def kernel(seed: int, count: int, dimension: int, subsets: int, size: int) -> dict[str, float]:
    """KID over subsets, drawn from torch-fidelity's default seed."""
    sets = (torch.from_numpy(x) for x in features(seed, count, dimension))
    result = kid_features_to_metric(
        *sets, kid_subsets=subsets, kid_subset_size=size, rng_seed=2020, verbose=False
    )
    return {
        "seed": seed,
        "count": count,
        "dimension": dimension,
        "subsets": subsets,
        "size": size,
        "mean": result["kernel_inception_distance_mean"],
        "std": result["kernel_inception_distance_std"],
    }


def inception(seed: int, count: int, classes: int, splits: int, scale: float) -> dict[str, float]:
    """Inception score of normal logits in float32."""
    logits = scale * np.random.default_rng(seed).normal(size=(count, classes))
    result = isc_features_to_metric(torch.from_numpy(logits.astype(np.float32)), splits)
    return {
        "seed": seed,
        "count": count,
        "classes": classes,
        "splits": splits,
        "scale": scale,
        "mean": result["inception_score_mean"],
        "std": result["inception_score_std"],
    }


def main() -> None:
    """Writes the file beside this one."""
    result = {
        "command": "python tests/evaluation/reference/make_sample_metrics.py",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        # The last has fewer samples than dimensions.
        "fid": [frechet(1, 300, 16), frechet(2, 1500, 64), frechet(3, 40, 64)],
        "kid": [kernel(1, 300, 16, 20, 100), kernel(2, 1500, 64, 10, 1000)],
        "inception_score": [
            inception(1, 500, 10, 10, 3.0),
            inception(2, 1003, 1008, 10, 6.0),
            inception(3, 64, 5, 1, 1.0),
        ],
    }
    path = Path(__file__).with_name("sample_metrics.json")
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
