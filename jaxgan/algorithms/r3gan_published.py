"""R3GAN as it was published, as values; none of these was trained here.

The authors report, by FID with 50,000 samples (abstract of the paper, and its repository):
CIFAR-10 1.96, FFHQ-64 1.95, FFHQ-256 2.75, ImageNet-32 1.27, ImageNet-64 2.09. CIFAR-10 took 250
million images, 4 days on 8 L40 cards, ImageNet 1,000 million images.

>>> one = PUBLISHED["FFHQ-64"]
>>> one.image_size, one.batch_size, one.model.gamma
(64, 256, Cosine(first=2.0, last=0.2))
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxgan.algorithms.cosine import Cosine
from jaxgan.algorithms.r3gan import R3Gan
from jaxgan.networks.r3gan import (
    ConditionalR3GanDiscriminator,
    ConditionalR3GanGenerator,
    R3GanDiscriminator,
    R3GanGenerator,
)
from jaxgan.objectives.priors import Labelled, Normal


class Published(NamedTuple):
    """One of the configurations.

    Attributes:
        model: networks and schedules.
        image_size: pixels a side.
        classes: of the data; 0 where labels are not used.
        batch_size: real images of one update, on all devices.
        images: real images of the whole run, as reported; 0 where that is not known here.
    """

    model: R3Gan
    image_size: int
    classes: int
    batch_size: int
    images: int = 0


def _model(
    widths: tuple[int, ...],
    fine: int,
    *,
    labels: bool,
    gamma: float,
    strength: float,
    half_life: float,
    group_width: int = 16,
    decay_images: float = 20e6,
) -> R3Gan:
    settings: dict[str, Any] = {
        "widths": widths, "group_width": group_width, "bfloat16_stages": fine
    }  # fmt: skip
    if labels:
        players = (ConditionalR3GanGenerator(**settings), ConditionalR3GanDiscriminator(**settings))
    else:
        players = (R3GanGenerator(**settings), R3GanDiscriminator(**settings))
    return R3Gan(
        *players,
        prior=Labelled(Normal(64)) if labels else Normal(64),
        gamma=Cosine(gamma, gamma / 10.0),
        half_life=Cosine(0.0, half_life),
        strength=Cosine(0.0, strength),
        decay_images=decay_images,
    )


_IMAGENET: dict[str, Any] = {
    "labels": True, "half_life": 50e6, "group_width": 32, "decay_images": 200e6
}  # fmt: skip
_FFHQ: dict[str, Any] = {"labels": False, "strength": 0.3, "half_life": 5e5}

PUBLISHED: dict[str, Published] = {
    "CIFAR-10": Published(
        _model((768,), 3, labels=True, gamma=0.05, strength=0.55, half_life=5e6),
        32, 10, 512, 250_000_000,
    ),
    "FFHQ-64": Published(_model((768,) * 4 + (384,), 4, gamma=2.0, **_FFHQ), 64, 0, 256),
    "FFHQ-256": Published(
        _model((768,) * 4 + (384, 192, 96), 4, gamma=150.0, **_FFHQ), 256, 0, 256
    ),
    "ImageNet-32": Published(
        _model((1536,), 3, gamma=0.5, strength=0.5, **_IMAGENET), 32, 1000, 4096, 1_000_000_000
    ),
    "ImageNet-64": Published(
        _model((1536,), 4, gamma=1.0, strength=0.4, **_IMAGENET), 64, 1000, 4096, 1_000_000_000
    ),
}  # fmt: skip
"""By the names of the authors' presets."""
