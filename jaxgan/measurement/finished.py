"""A trained run as a value: what its model does with arrays, and the table of its numbers."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.algorithms.state import State
from jaxgan.config import ConfigError, Experiment, config_errors
from jaxgan.evaluation import needs
from jaxgan.evaluation.likelihood.weights import log_likelihood_of
from jaxgan.measurement import available, drawing, held_out, runs, sampling
from jaxgan.measurement.numbers import Number, numbers_of
from jaxgan.measurement.trained import Trained
from jaxgan.program import example_batch
from jaxgan.run import generator_file, workdir
from jaxgan.run.restore import digest
from jaxgan.run.trust import Trust
from jaxgan.typing import Batch


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedRun:
    """A run read back by `jaxgan.load`; nothing in its folder is changed by it.

    Images are uint8 ``(n, height, width, channels)``, points float32 ``(n, 1, 1, dimensions)``
    (given ones may be ``(n, dimensions)``). Everything is computed under the weights that the run's
    evaluation settings name, averaged ones unless they say otherwise, in batches of their
    ``batch_size``, so that nothing is compiled for a number of images.
    """

    folder: Path
    trained: Trained = dataclasses.field(repr=False)
    """Program and state, for what is not offered here."""
    config: dict[str, Any] = dataclasses.field(repr=False)
    """What ``config.json`` holds: the experiment, the command, versions."""
    numbers: tuple[Number, ...] = dataclasses.field(repr=False)
    """What the run measured at its end; none while it is not finished."""

    @property
    def experiment(self) -> Experiment:
        """The run's configuration."""
        return self.trained.experiment

    @property
    def step(self) -> int:
        """The step whose state this is: the newest, or the best where validation selects."""
        return self.trained.step

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed while it was read, such as newer checkpoints that are damaged."""
        return self.trained.notes

    @property
    def digest(self) -> str:
        """SHA-256 of the state, as in ``result.json``."""
        return digest(self.trained.state)

    def sample(
        self,
        n: int = 64,
        *,
        seed: int = 0,
        label: int | None = None,
        truncation: float | None = None,
        threshold: float | None = None,
        weights: str | None = None,
        batch_norm: str | None = None,
    ) -> np.ndarray:
        """Samples, each of which depends on the seed and its place, and not on ``n``.

        Args:
            n: how many.
            seed: of the latents.
            label: the class of all, for models with labels; None: as the prior draws them.
            truncation: factor of the latents, in (0, 1]; None here and below: the run's settings.
            threshold: size beyond which numbers of latents are drawn again; 0: none.
            weights: ``ema`` or ``raw``.
            batch_norm: ``running``, ``batch``, ``standing`` or ``standing_random`` statistics.

        Raises:
            ConfigError: the model cannot be sampled so, or a number is out of range.
        """
        how = drawing.under(
            self.trained, truncation=truncation, threshold=threshold, weights=weights,
            batch_norm=batch_norm,
        )  # fmt: skip
        return drawing.sample(how, n, seed, label)

    def interpolate(
        self,
        n: int = 8,
        steps: int = 8,
        *,
        seed: int = 0,
        label: int | None = None,
        truncation: float | None = None,
        threshold: float | None = None,
        weights: str | None = None,
        batch_norm: str | None = None,
    ) -> np.ndarray:
        """Images on ``n`` of the prior's paths between two latents: ``(n, steps, ...)``.

        Great circles for Gaussian latents (White, Sampling Generative Networks, 2016), straight
        lines for uniform ones; both ends are among the steps. A path's class is that of its start.

        Raises:
            ConfigError: as `sample`, or the model knows no paths.
        """
        how = drawing.under(
            self.trained, truncation=truncation, threshold=threshold, weights=weights,
            batch_norm=batch_norm,
        )  # fmt: skip
        return drawing.interpolate(how, n, steps, seed, label)

    def interpolate_images(self, first: Any, last: Any, steps: int = 8) -> np.ndarray:
        """Images on the prior's paths between the codes of two images each: ``(n, steps, ...)``.

        Both ends are reconstructions.

        Args:
            first: images where the paths start.
            last: as many, where they end.
            steps: images a path.

        Raises:
            ConfigError: the model has no encoder of images alone, or the images do not fit.
        """
        self._must_have("interpolate_images", "codes", "encoder", "images alone", "samples")
        drawing.whole("steps", steps, least=2)
        drawing.check_paths(self.trained)
        starts, ends = self.encode(first), self.encode(last)
        if len(starts) != len(ends):
            raise ConfigError(f"paths lead from {len(starts)} images to {len(ends)}: as many")
        drawing.check_memory(self.experiment, len(starts) * steps)
        return drawing.along(self.trained, starts, ends, steps)

    def encode(self, images: Any, *, labels: Any = None) -> np.ndarray:
        """One vector an image, such as the mean of its posterior: ``(n, latent)``.

        Args:
            images: as said above.
            labels: their classes, for models whose encoder is given them.

        Raises:
            ConfigError: the model has no encoder, or images or labels do not fit.
        """
        function = self._encoder("encode", self.trained.program.codes)
        return self._mapped(function, images, labels)

    def reconstruct(self, images: Any, *, labels: Any = None) -> np.ndarray:
        """What the decoder makes of the images' codes, of the shape and type of samples.

        Args:
            images: as said above.
            labels: as in `encode`.

        Raises:
            ConfigError: as `encode`.
        """
        function = self._encoder("reconstruct", self.trained.program.reconstruct)
        return self._mapped(function, images, labels)

    def log_likelihood(
        self, images: Any, *, draws: int = held_out.DRAWS, labels: Any = None, seed: int = 0
    ) -> np.ndarray:
        """The importance-weighted bound on ``log p(x)`` of each image, in nats: float64 ``(n,)``.

        ``log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x)`` with K = ``draws`` codes from the encoder's
        posterior: the IWAE bound (Burda et al. 2016, equation 8), which lies below ``log p(x)`` in
        expectation and rises to it with K; for K = 1 its expectation is the ELBO. What it is the
        log of (a mass, a density) is ``trained.program.algorithm.density.measure``.

        Args:
            images: as said above.
            draws: K.
            labels: as in `encode`.
            seed: of the draws.

        Raises:
            ConfigError: the model has no encoder or no likelihood, or its codes have no density;
                the images do not fit, a number is out of range, or the output is not finite.
        """
        self._must_have("log_likelihood", "likelihood", "code densities")
        drawing.whole("draws", draws, least=1, below=held_out.MOST_DRAWS + 1)
        drawing.whole("seed", seed, least=0, below=drawing.MOST_SEEDS)
        program, state = self.trained.program, self._state()
        parts = ("posterior", "log_likelihood", "log_weights")
        functions = {name: getattr(program, name) for name in parts}
        bound = {name: one and functools.partial(one, state) for name, one in functions.items()}
        batches = [batch for batch, _ in self._batches(images, labels)]
        with config_errors():
            return log_likelihood_of(batches, **bound, samples=draws, seed=seed)

    def _must_have(self, what: str, *wanted: needs.Need) -> None:
        there = available.has(self.trained.program.algorithm)
        if line := needs.lacking(what, wanted, there):
            raise ConfigError(line)

    def _encoder(self, what: str, function: Callable[..., Any] | None) -> Callable[..., Any]:
        if function is None:
            raise ConfigError(f"{what} needs {needs.LACKING['codes']}")
        return function

    def _state(self) -> State:
        """The state whose evaluation weights are those of the settings."""
        program, evaluation = self.trained.program, self.experiment.evaluation
        return sampling.prepared(program, self.trained.state, evaluation)

    def _mapped(self, function: Callable[..., Any], images: Any, labels: Any) -> np.ndarray:
        state = self._state()
        parts = [
            np.asarray(function(state, batch))[:count]
            for batch, count in self._batches(images, labels)
        ]
        return np.concatenate(parts)

    def _batches(self, images: Any, labels: Any) -> Iterator[tuple[Batch, int]]:
        """Batches of one size with every field that the data has, and how many rows count."""
        images = checked_images(self.experiment, images)
        labels = self._checked_labels(labels, len(images))
        size, blank = self.experiment.evaluation.batch_size, example_batch(self.experiment)
        for start in range(0, len(images), size):
            count = min(size, len(images) - start)
            # The last batch is filled up with copies of its first example.
            rows = start + np.where(np.arange(size) < count, np.arange(size), 0)
            batch = {name: np.repeat(array, size, axis=0) for name, array in blank.items()}
            batch |= {"image": images[rows], "mask": np.float32(np.arange(size) < count)}
            if labels is not None:
                batch["label"] = labels[rows]
            yield batch, count

    def _checked_labels(self, labels: Any, count: int) -> np.ndarray | None:
        generation = self.trained.program.algorithm.generation
        name, classes = self.experiment.name, self.experiment.data.classes
        takes_labels = generation is not None and generation.labels is not None
        if labels is None:
            if takes_labels:
                raise ConfigError(f"{name} is given the images' labels: say labels=...")
            return None
        if not takes_labels:
            raise ConfigError(f"labels: {name} takes no labels")
        array = np.asarray(labels)
        if array.dtype.kind not in "iu" or array.shape != (count,):
            raise ConfigError(
                f"labels are {array.dtype} of shape {array.shape}: wanted is one whole number for"
                f" each of the {count} images"
            )
        if array.min() < 0 or array.max() >= classes:
            raise ConfigError(
                f"labels are from {array.min()} to {array.max()}: there are classes 0 to"
                f" {classes - 1}"
            )
        return array.astype(np.int32)


def checked_images(experiment: Experiment, images: Any) -> np.ndarray:
    """Images (or points) as an experiment's model gets them.

    Raises:
        ConfigError: they have another shape or type, there are none, or a point is not finite.
    """
    array, shape = np.asarray(images), experiment.data.image_shape
    points = experiment.data.dtype != "uint8"
    if points and array.dtype.kind == "f" and array.shape[1:] == (math.prod(shape),):
        array = array.reshape(len(array), *shape)
    fits = array.dtype.kind == "f" if points else array.dtype == np.uint8
    if not fits or array.ndim != 4 or array.shape[1:] != shape:
        wanted = f"float32 of shape (n, {shape[-1]})" if points else f"uint8 of shape (n, {shape})"
        wanted = wanted.replace("(n, (", "(n, ").replace("))", ")")
        raise ConfigError(
            f"{'points' if points else 'images'} must be {wanted}; these are {array.dtype} of shape"
            f" {array.shape}"
        )
    if not len(array):
        raise ConfigError("there are no images")
    if points and not np.isfinite(array).all():
        raise ConfigError("a point is not finite")
    return array.astype(experiment.data.dtype, copy=False)


def load(folder: str | Path, *, trust: bool = False, file: str | Path | None = None) -> TrainedRun:
    """A run that was trained, finished or not; see `jaxgan.load`."""
    folder = Path(folder)
    trained = runs.load(folder, Trust(trust, None if file is None else Path(file)))
    if generator_file.is_one(folder):
        return TrainedRun(folder, trained, generator_file.read(folder).document, ())
    result = workdir.read_result(folder)
    try:
        numbers = () if result is None else numbers_of(result)
    except ValueError as error:
        raise workdir.RunError(f"{folder / workdir.RESULT} is damaged: {error}") from None
    return TrainedRun(folder, trained, workdir.read_config(folder), numbers)
