"""Codes compared with draws of the prior by a maximum mean discrepancy: WAE-MMD and InfoVAE.

A Wasserstein autoencoder has it in place of the KL: `jaxgan.objectives.vae.bounds.Reconstruction`
with ``CodeMmd(weight=lambda)``. InfoVAE, ``reconstruction + (1 - alpha) KL + (alpha + lambda - 1)
MMD``, has it besides a smaller KL: ``Beta(value=1 - alpha)`` with
``CodeMmd(weight=alpha + lambda - 1)``.

References:
    Tolstikhin, Bousquet, Gelly and Schoelkopf, Wasserstein Auto-Encoders, 2018, algorithm 2 and
    section 4. Zhao, Song and Ermon, InfoVAE, 2019.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from jaxgan.objectives.gan.kernels import Pairs, squared_distances
from jaxgan.objectives.gan.mmd import discrepancy
from jaxgan.objectives.vae.regularizers import CodeView, check_pairs
from jaxgan.typing import Codes, PerExample, Scalar


@runtime_checkable
class CodeKernel(Protocol):
    """A kernel whose width may be that of the codes that it compares."""

    def width(self, codes: Codes, prior: Codes) -> Any:
        """The width, a number."""
        ...

    def __call__(self, distances: Pairs, width: Any) -> Pairs:
        """Its values at squared distances."""
        ...


@dataclasses.dataclass(frozen=True)
class InverseMultiquadric:
    """``C / (C + |x - y|^2)`` with ``C = 2 d scale^2``, the mean squared distance of two draws of
    the prior.

    >>> kernel = InverseMultiquadric()
    >>> width = kernel.width(jnp.zeros((1, 3)), jnp.zeros((1, 3)))
    >>> kernel(jnp.array([[0.0, 6.0]]), width).tolist()
    [[1.0, 0.5]]

    References:
        Tolstikhin et al., Wasserstein Auto-Encoders, 2018, section 4.
    """

    scale: float = 1.0
    """Standard deviation of each of the d dimensions under the prior."""

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < math.inf:
            raise ValueError(f"scale = {self.scale}: must be above 0 and finite")

    def width(self, codes: Codes, prior: Codes) -> float | Scalar:
        """C."""
        del prior
        return 2.0 * codes.shape[-1] * self.scale**2

    def __call__(self, distances: Pairs, width: Any) -> Pairs:
        """From 0 to 1."""
        return width / (width + distances)


@dataclasses.dataclass(frozen=True)
class GaussianKernel:
    """``exp(-|x - y|^2 / (2 w))``, with the median of squared distances for w, or a given one.

    The median is over all pairs of codes and prior draws together, and is taken for a constant when
    gradients are.

    References:
        Gretton et al., A Kernel Two-Sample Test, 2012 (the median).
    """

    variance: float = 0.0
    """w; 0: the median."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.variance < math.inf:
            raise ValueError(f"variance = {self.variance}: must be at least 0 (median) and finite")

    def width(self, codes: Codes, prior: Codes) -> Any:
        """w."""
        if self.variance:
            return self.variance
        together = jax.lax.stop_gradient(jnp.concatenate([codes, prior]))
        pairs = jnp.triu_indices(len(together), 1)
        return jnp.median(squared_distances(together, together)[pairs])

    def __call__(self, distances: Pairs, width: Any) -> Pairs:
        """From 0 to 1."""
        return jnp.exp(-distances / (2.0 * width))


@dataclasses.dataclass(frozen=True)
class CodeMmd:
    """``weight MMD^2`` of the batch's codes and as many draws of the prior, estimated without bias.

    An image's value is the part of the estimate that its code has.
    """

    regularizes: ClassVar[str] = "code_mmd"

    weight: float = 10.0
    """Factor; the papers' lambda, or alpha + lambda - 1."""
    kernel: CodeKernel = InverseMultiquadric()
    """Which compares codes."""

    def __post_init__(self) -> None:
        if not 0.0 < self.weight < math.inf:
            raise ValueError(f"weight = {self.weight}: must be above 0 and finite")

    def check(self, model: Any, batch_size: int) -> None:
        """Refuses batches of one, which have no pairs.

        Raises:
            ConfigError: see above.
        """
        del model
        check_pairs(self, batch_size)

    def __call__(self, view: CodeView) -> PerExample:
        """See the class."""
        codes, prior = view.gather((view.codes, view.prior_codes("code_mmd")))
        width = self.kernel.width(codes, prior)

        def values(x: Codes, y: Codes) -> Pairs:
            return self.kernel(squared_distances(x, y), width)

        found = discrepancy(values(codes, codes), values(codes, prior), values(prior, prior))
        return self.weight * found[view.rows]
