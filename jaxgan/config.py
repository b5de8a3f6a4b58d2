"""Experiments as values: frozen dataclasses that print, hash, and compare.

An `Experiment` says everything that decides a run's numbers, and nothing else. Where the run is
written and how often it is saved is a `Run`, which may change between a run and its resumption.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, get_args

# What others need to know of settings they import from here as well.
from jaxgan.describe import config_fields, is_network, shown_value
from jaxgan.describe import describe as describe
from jaxgan.intervals import Interval, check_least
from jaxgan.optim import Optimizer

Precision = Literal["float32", "bfloat16"]
"""Number format of the networks' arithmetic, as in `jaxgan.networks.layers.options`."""
LONGEST_NAME = 200
"""Bytes of an experiment's name: file systems take 255, and a seed is appended."""


class ConfigError(ValueError):
    """A setting that cannot work; the message is one line for the person who made it."""


@contextlib.contextmanager
def config_errors() -> Iterator[None]:
    """Gives every complaint of a configuration's parts one type."""
    try:
        yield
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _at_least(value: Any, least: int, *names: str) -> None:
    for name in names:
        with config_errors():
            check_least(name, getattr(value, name), least)


def _one_of(value: Any, name: str, *choices: str) -> None:
    if (given := getattr(value, name)) not in choices:
        raise ConfigError(f"{name} = {given!r}: must be one of {', '.join(choices)}")


def check_name(name: str) -> None:
    """Refuses names that are no folder of their own beside the others.

    Raises:
        ConfigError: it is empty, too long, or not one printable part of a path.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"name = {name!r}: must be a short text, such as dcgan")
    if not name.isprintable() or not {*"/\\"}.isdisjoint(name) or name.startswith("."):
        raise ConfigError(
            f"name = {name!r}: it names a folder in runs/, so it must be without slashes and"
            " characters that cannot be printed, and must not start with a dot (--workdir puts the"
            " run elsewhere)"
        )
    if (size := len(os.fsencode(name))) > LONGEST_NAME:
        raise ConfigError(f"name has {size} bytes: must be at most {LONGEST_NAME}")


def check_seed(seed: int) -> None:
    """Raises ConfigError for a seed that is negative, or too large for 31 bits."""
    if seed < 0:
        raise ConfigError(f"seed = {seed}: must be at least 0")
    if seed >= 2**31:
        raise ConfigError(f"seed = {seed}: must be below 2**31")


@dataclasses.dataclass(frozen=True)
class Model:
    """Base of the algorithms' settings (`jaxgan.algorithms.gan.Gan`, `jaxgan.algorithms.vae.Vae`).

    A subclass holds networks, losses and optimizers as values, builds the algorithm from them, and
    says of itself what reports show.
    """

    family: ClassVar[str] = "model"
    """What reports call its kind: GAN, VAE, ..."""

    @property
    def batches_per_step(self) -> int:
        """Real batches that one train step consumes."""
        return 1

    def objective(self) -> str:
        """One line: fields that differ from their defaults, but for networks and optimizers."""
        shown = []
        for field in config_fields(self):
            value = getattr(self, field.name)
            usual = field.default is not dataclasses.MISSING and value == field.default
            optimizer = isinstance(value, Optimizer) and not isinstance(value, Model)
            if not usual and not is_network(value) and not optimizer:
                shown.append(f"{field.name} = {shown_value(value)}")
        return ", ".join(shown) or type(self).__name__

    def warnings(self) -> tuple[str, ...]:
        """What is allowed and seldom meant, each on one line, for a run's first lines."""
        return ()

    def mark(self) -> str:
        """What stands beside a point of a plot, such as ``β = 4``; empty: nothing."""
        return ""

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """By player: its optimizer, and the updates it makes in one step; for logs."""
        return {}

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> Any:
        """The `jaxgan.algorithms.base.Algorithm` that trains this model."""
        raise TypeError(f"{type(self).__name__} does not define build()")


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What is measured, on how many images, and when."""

    samples: int = 0
    """Generated images to score; 0: as many as the real split holds, 10,000 at most."""
    split: Literal["train", "test"] = "train"
    """Real images that the final distances compare with; always test where the state was selected
    on a validation split (early_stopping.metric)."""
    backbone: str = "auto"
    """Feature extractor of the distances; auto: the one shipped for the data set."""
    batch_size: int = 250
    """Images a device call."""
    every: Interval = 0
    """Steps between measurements while training, or images seen (50kimg); 0: none. On validation
    images, where some were set aside (--data.validation), else only distances to training images.
    """
    metrics: tuple[str, ...] = ("fid", "kid")
    """Metrics of samples, by their names in `jaxgan.evaluation.metrics`."""
    weights: Literal["ema", "raw"] = "ema"
    """Whether averaged weights are measured, or those being trained."""
    batch_norm: Literal["running", "batch", "standing", "standing_random"] = "running"
    """Statistics that batch normalization samples with: running averages, those of each batch, or
    standing ones, averaged over 16 batches drawn for it (standing_random: of random sizes)."""
    truncation: float = 1.0
    """Factor of the latents, in (0, 1]; below 1, samples vary less. For Gaussian priors."""
    threshold: float = 0.0
    """Size beyond which numbers of Gaussian latents are drawn again (BigGAN), before any factor of
    truncation; 0: none."""
    labels: Literal["uniform", "real"] = "uniform"
    """Classes of samples, where there are any: each as often, or as often as in real images."""

    def __post_init__(self) -> None:
        _at_least(self, 0, "samples", "every", "threshold")
        _at_least(self, 1, "batch_size")
        _one_of(self, "split", "train", "test")
        _one_of(self, "weights", "ema", "raw")
        _one_of(self, "batch_norm", "running", "batch", "standing", "standing_random")
        _one_of(self, "labels", "uniform", "real")
        if not 0 < self.truncation <= 1:
            raise ConfigError(f"truncation = {self.truncation}: must be above 0, and at most 1")
        if not self.metrics:
            raise ConfigError("metrics is empty: name at least one, such as fid")
        if self.samples == 1:
            raise ConfigError("samples = 1: distances need at least 2 (or 0: as many as are real)")


@dataclasses.dataclass(frozen=True)
class EarlyStopping:
    """Ends a run when a validation metric no longer improves."""

    metric: str = ""
    """Name of the validation metric, such as elbo or fid; empty: never stop early."""
    patience: int = 5
    """Evaluations in a row without improvement after which the run ends."""
    mode: Literal["min", "max"] = "min"
    """Whether smaller or larger is better."""

    def __post_init__(self) -> None:
        _at_least(self, 1, "patience")
        _one_of(self, "mode", "min", "max")

    def improves(self, value: float, best: float | None) -> bool:
        """Whether ``value`` beats the ``best`` seen so far; NaN and infinity beat nothing."""
        if not math.isfinite(value):
            return False
        return best is None or (value < best if self.mode == "min" else value > best)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything that decides a run's numbers."""

    name: str
    """Short name, used for folders and in tables; one part of a path."""
    model: Model
    """Networks, losses and optimizers."""
    data: Any
    """Data set, its splits and transforms (`jaxgan.data.pipeline.Data`)."""
    steps: int = 2000
    """Generator (or autoencoder) updates."""
    batch_size: int = 64
    """Global batch: real images a discriminator (or autoencoder) update, over all devices."""
    seed: int = 0
    """Seed of all randomness: initialization, latents, data order."""
    precision: Precision = "float32"
    """Number format of the networks' arithmetic. Parameters, statistics, losses and optimizers are
    float32 in both. A network with a dtype of its own keeps it."""
    evaluation: Evaluation = Evaluation()
    """What is measured at the end."""
    early_stopping: EarlyStopping = EarlyStopping()
    """When to end before the last step."""
    micro_batches: int = 1
    """Parts of a batch that networks see one after the other in an update, for less memory."""
    rematerialize: bool = False
    """Compute activations within networks' blocks twice instead of keeping them, for less memory
    (GPUs and TPUs)."""
    init_from: str = ""
    """Run with the same networks, whose weights and averages this one starts from; empty: none."""

    def __post_init__(self) -> None:
        check_name(self.name)
        _at_least(self, 1, "steps", "batch_size", "micro_batches")
        check_seed(self.seed)
        _one_of(self, "precision", *get_args(Precision))
        if self.early_stopping.metric and not (self.evaluation.every and self.data.validation):
            raise ConfigError(
                "early_stopping.metric is set, but nothing is measured on a validation split during"
                " training: set --evaluation.every N and --data.validation N as well"
            )

    @property
    def images_per_step(self) -> int:
        """Real images that one train step consumes, over all devices."""
        return self.batch_size * self.model.batches_per_step


Parallel = Literal["auto", "pmap", "shard_map", "none"]


@dataclasses.dataclass(frozen=True)
class Run:
    """Where a run is written and how it is executed; none of it changes the numbers."""

    workdir: str = ""
    """Folder of the run; empty: runs/NAME-seedSEED."""
    checkpoint_every: Interval = 1000
    """Steps between checkpoints, or images seen (50kimg); the last step is always saved."""
    checkpoint_seconds: float = 0.0
    """Seconds after which one is due as well, with the next line of metrics.jsonl; 0: never."""
    keep: int = 2
    """Newest checkpoints to keep, beside the best one."""
    log_every: Interval = 50
    """Steps between lines of metrics.jsonl and updates of the terminal, or images seen (5kimg)."""
    images_every: Interval = 500
    """Steps between sample grids in TensorBoard, or images seen (50kimg); 0: only at the end."""
    parallel: Parallel = "auto"
    """auto: pmap when there are several devices, else none."""
    steps_per_dispatch: int = 0
    """Most steps a call, where data lies on the device, at most 64; 0: 5 on CPUs, else 16."""
    tensorboard: bool = True
    """Write TensorBoard event files."""
    quiet: bool = False
    """Print nothing but errors."""

    def __post_init__(self) -> None:
        _at_least(self, 1, "checkpoint_every", "keep", "log_every")
        _at_least(self, 0, "images_every", "steps_per_dispatch", "checkpoint_seconds")
        _one_of(self, "parallel", *get_args(Parallel))

    def folder(self, experiment: Experiment) -> str:
        """The run's folder: `workdir`, or one named after the experiment and its seed."""
        return self.workdir or f"runs/{experiment.name}-seed{experiment.seed}"
