"""A KL of which some nats are free."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgan.config import ConfigError


@dataclasses.dataclass(frozen=True)
class FreeBits:
    """``sum over groups of max(nats, KL of the group)``, the KLs averaged over the whole batch.

    Groups are runs of consecutive dimensions, as equally long as can be. A group that costs less
    than what is free has no reason to cost less still.

    References:
        Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, 2016 (their
        objective with free bits; lambda).
    """

    linear: ClassVar[bool] = False

    nats: float = 0.25
    """What each group may cost for free; the paper's lambda, in nats."""
    groups: int | None = None
    """Number of groups; None: as many as the KL comes in, such as one a dimension."""

    def __post_init__(self) -> None:
        if not 0.0 < self.nats < math.inf:
            raise ValueError(f"nats = {self.nats}: must be above 0 and finite")
        if self.groups is not None and self.groups < 1:
            raise ValueError(f"groups = {self.groups}: must be at least 1")

    def mark(self) -> str:
        """``0.25 nats free a group``."""
        return f"{self.nats:g} nats free a group"

    def __call__(
        self,
        kl: Float[Array, "rows groups"],
        *,
        step: int | Int[Array, ""],
        mean: Callable[[Any], Any],
    ) -> Float[Array, "rows"]:
        """The same for every row, since it is the batch's mean that is compared.

        Raises:
            ConfigError: the KL comes in fewer groups than are wanted.
        """
        del step
        size = kl.shape[1]
        groups = size if self.groups is None else self.groups
        if groups > size:
            raise ConfigError(
                f"FreeBits has {groups} groups, and this KL comes in {size}: take at most {size}"
            )
        of_groups = mean(jnp.mean(kl, axis=0))
        starts = [part[0] for part in np.array_split(np.arange(size), groups)]
        costs = jnp.maximum(jnp.add.reduceat(of_groups, np.asarray(starts)), self.nats)
        return jnp.full(kl.shape[:1], jnp.sum(costs))
