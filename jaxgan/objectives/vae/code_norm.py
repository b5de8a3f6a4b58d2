"""A pull of codes towards 0, in place of a KL."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import jax.numpy as jnp

from jaxgan.objectives.vae.regularizers import CodeView
from jaxgan.typing import PerExample


@dataclasses.dataclass(frozen=True)
class CodeNorm:
    """``weight |z|^2 / 2``.

    References:
        Ghosh et al., From Variational to Deterministic Autoencoders, 2020, eq. 9 (their L_Z).
    """

    regularizes: ClassVar[str] = "code_norm"

    weight: float = 1.0
    """Factor; the paper's beta."""

    def __post_init__(self) -> None:
        if not 0.0 < self.weight < math.inf:
            raise ValueError(f"weight = {self.weight}: must be above 0 and finite")

    def __call__(self, view: CodeView) -> PerExample:
        """See the class."""
        return 0.5 * self.weight * jnp.sum(jnp.square(view.codes), axis=-1)
