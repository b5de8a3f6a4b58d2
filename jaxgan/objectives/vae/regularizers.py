"""What else an autoencoder minimizes: terms of whole batches of codes, and of the decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Int

from jaxgan.config import ConfigError
from jaxgan.objectives.protocols import subclasses_have
from jaxgan.objectives.vae.posteriors import Encoded
from jaxgan.typing import Codes, Params, PerExample, Pixels, PRNGKey


class CodeView(NamedTuple):
    """What a regularizer sees of one update, of this device's rows.

    Attributes:
        codes: one code an image, drawn from its posterior.
        encoded: what the encoder returned.
        prior_codes: as many draws of the prior, from a key of a role.
        gather: all rows of the global batch, of arrays of this device's rows.
        rows: this device's rows' places in the global batch.
        decode: from codes to the decoder's outputs, the decoder as in evaluation.
        params: of the whole autoencoder; ``decoder`` is one of its entries.
        key: of what is drawn besides; the same on all devices (`jaxgan.rng.per_example`).
        step: train steps done.
    """

    codes: Codes
    encoded: Encoded
    prior_codes: Callable[[str], Codes]
    gather: Callable[[Any], Any]
    rows: Int[Array, "batch"]
    decode: Callable[[Codes], Pixels]
    params: Params
    key: PRNGKey
    step: Int[Array, ""]


@runtime_checkable
class Regularizer(Protocol):
    """A term of the loss."""

    __subclasshook__ = subclasses_have("regularizes", "__call__")

    regularizes: ClassVar[str]
    """What the term is called in logs, such as ``total_correlation``."""

    def __call__(self, view: CodeView) -> PerExample:
        """What is added to each image's loss, weight included."""
        ...


@runtime_checkable
class Checked(Protocol):
    """What a regularizer that does not go with every model has besides."""

    def check(self, model: Any, batch_size: int) -> None:
        """Refuses what it cannot be estimated from.

        Args:
            model: `jaxgan.algorithms.vae.Vae` or what has its fields.
            batch_size: images of an update, on all devices together.

        Raises:
            ConfigError: says what does not go together, why, and what would do.
        """
        ...


def check_pairs(regularizer: Any, batch_size: int) -> None:
    """Refuses batches of one, for regularizers that compare the images of a batch.

    Raises:
        ConfigError: there is nothing to compare.
    """
    if batch_size < 2:
        raise ConfigError(
            f"{type(regularizer).__name__} compares the images of a batch, and batch_size ="
            f" {batch_size}: make it at least 2"
        )


def check_gaussian(regularizer: Any, model: Any) -> None:
    """Refuses posteriors that are not the diagonal Gaussian that the encoder gives.

    Raises:
        ConfigError: the posterior is another.
    """
    if not model.posterior.gaussian:
        raise ConfigError(
            f"{type(regularizer).__name__} reads means and log variances of codes, and"
            f" {type(model.posterior).__name__} has none: take DiagonalGaussian"
        )
