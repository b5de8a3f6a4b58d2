"""Writes what the packages ``prdc`` and ``torch-fidelity`` say of seeded features.

    python tests/evaluation/reference/make_prdc.py

The features are made by `cases`, which the tests use too; the packages (prdc 0.2, torch-fidelity
0.4, with scikit-learn and PyTorch) are needed for this file alone.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).with_name("prdc.json")


def cases():
    """Real and generated features by name: sets that overlap in part, of several shapes."""
    generator = np.random.default_rng(20260101)

    def normal(count, dimension):
        return generator.normal(size=(count, dimension)).astype(np.float32)

    yield "same distribution", normal(400, 8), normal(300, 8)
    yield "shifted", normal(300, 5), normal(400, 5) + np.float32(0.7)
    yield "narrower", normal(350, 6), normal(350, 6) * np.float32(0.6)
    yield "wider", normal(350, 6), normal(350, 6) * np.float32(1.5)
    yield "far from the origin", normal(300, 4) + np.float32(200), normal(300, 4) + np.float32(200)
    yield "many dimensions", normal(150, 512), normal(150, 512) * np.float32(0.99)


def main():
    """Computes and writes the values."""
    import torch
    from prdc import compute_prdc
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    values = {}
    for name, real, generated in cases():
        # torch.cdist and scikit-learn lose digits in float32 far from the origin.
        real, generated = real.astype(np.float64), generated.astype(np.float64)
        precision, recall = calculate_precision_recall_full(
            torch.from_numpy(generated), torch.from_numpy(real), 3
        )
        values[name] = {
            "torch-fidelity, k 3": {"precision": precision, "recall": recall},
            "prdc, k 3": {k: float(v) for k, v in compute_prdc(real, generated, 3).items()},
            "prdc, k 5": {k: float(v) for k, v in compute_prdc(real, generated, 5).items()},
        }
    packages = ("prdc", "torch-fidelity", "torch", "scikit-learn", "numpy")
    record = {
        "command": "python tests/evaluation/reference/make_prdc.py",
        "versions": {name: version(name) for name in packages},
        "values": values,
    }
    OUTPUT.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
