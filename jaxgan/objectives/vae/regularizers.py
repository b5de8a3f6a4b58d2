"""What else an autoencoder minimizes: terms of whole batches of codes, and of the decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Int

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
