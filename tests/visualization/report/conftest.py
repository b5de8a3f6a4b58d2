"""A report with everything that a page must cope with."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from jaxgan.visualization.report.data import Curve, MetricColumn, MetricValue, Report, Row


def png(width, height, level=0):
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width), level, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def value(mean, half, *per_seed, p=None):
    return MetricValue(mean, mean - half, mean + half, per_seed, p_value=p)


def curves(*ends):
    x = (0.0, 1000.0, 2000.0, 3000.0)
    return tuple(Curve(x, (90.0, 40.0, 20.0, end)) for end in ends)


def row(name, family="GAN", **changes):
    row = Row(
        name=name,
        objective=f"objective of {name}",
        family=family,
        description=f"First of {name}.\n\nSecond of {name}.",
        command=f"jaxgan train experiments/{name}.py",
        parameters=1_234_567,
        steps=5000,
        seconds=(60.0, 61.0, 62.0),
        seeds=(0, 1, 2),
    )
    return dataclasses.replace(row, **changes)


@pytest.fixture
def report():
    rows = (
        row(
            "middling",
            metrics={
                "fid": value(12.5, 1.25, 12.0, 12.5, 13.0, p=0.04),
                "recall": value(0.5, 0.125),
            },
            curves={"fid": curves(12.0, 12.5, 13.0)},
            pictures={"samples": png(30, 20)},
        ),
        row(
            "leading",
            metrics={
                "fid": value(10.75, 0.875, 10.5, 10.75, 11.0),
                "recall": value(0.25, 0.0625, 0.25, 0.25, 0.25),
            },
            curves={"fid": curves(10.5, 10.75, 11.0), "g_loss": curves(1.0, 2.0, 3.0)},
            pictures={"samples": png(31, 21), "neighbors": png(300, 100)},
        ),
        row(
            "<script>alert('x')</script>&\"",
            objective="</style><img src=//evil.example/a.png onerror=alert(1)>",
            metrics={"fid": value(14.0, 2.5, 13.0, 14.0, 15.0, p=0.05)},
        ),
        row(
            "broken",
            failed="step 7: loss is not finite\n\x1b[31mtrace <b>\x1b[0m",
            seconds=(),
        ),
        row(
            "code",
            family="VAE",
            metrics={"elbo": MetricValue(-88.125, -88.5, -88.0, (-88.0, -88.25, None))},
            curves={"elbo": (Curve((10.0, 20.0), (-500.0, float("nan"))),)},
            pictures={"reconstructions": png(40, 40), "samples": png(32, 22)},
        ),
        row(
            "far",
            metrics={"fid": value(400.0, 3.0, 399.0, 400.0, 401.0, p=4e-4)},
            seconds=(7384.0,),
        ),
    )
    return Report(
        title="A & B < C",
        command="jaxgan compare study.py",
        created="2026-01-02 03:04",
        budget="5,000 steps of 64 images",
        protocol={"Data": "digits & more"},
        environment={"JAX": "0.10.2"},
        rows=rows,
        rank_by="fid",
        metrics=(
            MetricColumn("recall", "Recall", False, digits=3, explanation="Covered <share>."),
            MetricColumn("fid", "FID", True, explanation="Fréchet distance."),
            MetricColumn("elbo", "ELBO", False, "nats", 2, "A bound."),
        ),
        interval="95% t interval over training seeds",
        notes=("A note & a half.",),
    )
