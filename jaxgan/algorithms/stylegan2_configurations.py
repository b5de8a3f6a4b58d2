"""The configurations of StyleGAN2-ADA's reference code, as functions of size, batch and devices.

None of them was run here. What the authors report for them (FID of 50,000 samples against the
training set): CIFAR-10 2.92 without and 2.42 with labels under ``cifar``, as remembered; an A100
takes 12.5 s for 1,000 images of 256 pixels and 6.8 s for 128 pixels (pages of StyleGAN3).

References:
    Karras et al., Training Generative Adversarial Networks with Limited Data, 2020, appendix C,
    and its code, ``train.py`` of stylegan2-ada-pytorch.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from jaxgan.algorithms.ramped_ema import RampedEma
from jaxgan.algorithms.stylegan2 import StyleGan2, lazy
from jaxgan.config import ConfigError, Experiment
from jaxgan.networks.stylegan2 import LabelledStyleGan2Generator, StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import (
    LabelledStyleGan2Discriminator,
    StyleGan2Discriminator,
)
from jaxgan.objectives.gan.ada import Ada
from jaxgan.objectives.gan.path_length import PathLength
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Adam, Ema


@dataclasses.dataclass(frozen=True)
class Settings:
    """A configuration, as plain values."""

    kimg: int
    """Thousands of real images to train with."""
    batch_size: int
    """Images of an update, on all devices."""
    group: int
    """Images whose standard deviations are one number."""
    base: int
    """Channels times resolution of both networks, where that is below 512."""
    learning_rate: float
    """Of both players, before `lazy`."""
    gamma: float
    """Weight of R1."""
    ema_kimg: float
    """Half-life of the generator's average, in thousands of images."""
    ramp: float | None
    """Half-life at most, as a share of the images seen; None: any."""
    mapping_layers: int
    """Of the generator; discriminators map labels with 8."""
    regularized: bool = True
    """Whether there are path lengths, style mixing and residual blocks."""


FULL, HALF = 32768, 16384
PUBLISHED: dict[str, Settings] = {
    "cifar": Settings(100_000, 64, 32, FULL, 2.5e-3, 0.01, 500.0, 0.05, 2, regularized=False),
    "stylegan2": Settings(25_000, 32, 4, FULL, 2e-3, 10.0, 10.0, None, 8),
    "paper256": Settings(25_000, 64, 8, HALF, 2.5e-3, 1.0, 20.0, None, 8),
    "paper512": Settings(25_000, 64, 8, FULL, 2.5e-3, 0.5, 20.0, None, 8),
    "paper1024": Settings(25_000, 32, 4, FULL, 2e-3, 2.0, 10.0, None, 8),
}
"""Those that depend neither on the size of the images nor on the devices, by their names there."""

NAMES = ("auto", *PUBLISHED)


def auto(size: int, devices: int) -> Settings:
    """The configuration that follows from the data and the machine.

    >>> auto(size=256, devices=8).batch_size
    64

    Args:
        size: pixels of an image's side.
        devices: GPUs that share a batch.
    """
    batch = max(min(devices * min(4096 // size, 32), 64), devices)
    return Settings(
        kimg=25_000,
        batch_size=batch,
        group=min(batch // devices, 4),
        base=FULL if size >= 512 else HALF,
        learning_rate=2e-3 if size >= 1024 else 2.5e-3,
        gamma=0.0002 * size**2 / batch,
        ema_kimg=batch * 10 / 32,
        ramp=0.05,
        mapping_layers=2,
    )


def settings(name: str, size: int, devices: int, batch_size: int | None = None) -> Settings:
    """A configuration by its name.

    Args:
        name: one of `NAMES`.
        size: pixels of an image's side.
        devices: that share a batch.
        batch_size: another one than the configuration's; all else stays as it was, as in the
            reference code. None: its own.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in NAMES:
        raise ConfigError(f"there is no configuration {name!r}: choose of {', '.join(NAMES)}")
    found = auto(size, devices) if name == "auto" else PUBLISHED[name]
    return found if batch_size is None else dataclasses.replace(found, batch_size=batch_size)


def model(given: Settings, *, labelled: bool = False) -> StyleGan2:
    """The model of a configuration, with ADA at target 0.6 and 500,000 images.

    Optimizers are corrected for regularizers in every 4th and 16th step, path lengths or not.

    Args:
        given: the configuration.
        labelled: whether both players see labels, drawn uniformly (the reference code draws those
            of the data's images).
    """
    maker = LabelledStyleGan2Generator if labelled else StyleGan2Generator
    judge = LabelledStyleGan2Discriminator if labelled else StyleGan2Discriminator
    adam = Adam(learning_rate=given.learning_rate, b1=0.0, b2=0.99)
    decay = 0.5 ** (given.batch_size / (1000 * given.ema_kimg))
    plain = not given.regularized
    return StyleGan2(
        generator=maker(base=given.base, mapping_layers=given.mapping_layers),
        discriminator=judge(
            base=given.base, group=given.group, architecture="orig" if plain else "resnet"
        ),
        generator_optimizer=lazy(adam, every=4),
        discriminator_optimizer=lazy(adam, every=16),
        prior=Labelled(Normal(512)) if labelled else Normal(512),
        penalties=(R1(weight=given.gamma, every=16),),
        path_lengths=() if plain else (PathLength(weight=2.0, decay=0.01, shrink=2, every=4),),
        mixing=None if plain else 0.9,
        augmentations=(Ada(target=0.6, kimg=500.0, interval=4, most=math.inf),),
        ema=Ema(decay, warmup=False) if given.ramp is None else RampedEma(decay, ramp=given.ramp),
    )


def published(
    name: str, data: Any, *, devices: int = 1, batch_size: int | None = None,
    labelled: bool = False,
) -> Experiment:  # fmt: skip
    """The experiment of a configuration, in bfloat16 where the reference code has half precision.

    Args:
        name: one of `NAMES`.
        data: whose image size counts.
        devices: that share a batch.
        batch_size: see `settings`.
        labelled: see `model`.

    Raises:
        ConfigError: there is none of that name.
    """
    given = settings(name, data.image_size, devices, batch_size)
    return Experiment(
        name=f"stylegan2-{name}",
        model=model(given, labelled=labelled),
        data=data,
        steps=math.ceil(1000 * given.kimg / given.batch_size),
        batch_size=given.batch_size,
        precision="bfloat16",
    )
