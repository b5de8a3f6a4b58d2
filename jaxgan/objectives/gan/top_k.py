"""Top-k training: the generator learns only from what the discriminator finds most real.

References:
    Sinha et al., Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples,
    2020.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgan.objectives.gan.losses import GanLoss, NonSaturating, StatefulLoss, read
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import Logits, Metrics, PerExample, Scalar


class Ranked(NamedTuple):
    """What is read of a verdict.

    Attributes:
        own: what the loss by itself reads.
        logits: which the examples are ranked by.
    """

    own: Any
    logits: Logits


@dataclasses.dataclass(frozen=True)
class TopK:
    """Another loss whose generator learns from the ``k`` examples with the largest logits.

    ``k`` starts as the whole batch. After every so many steps it is reduced by the factor
    ``decay``, down to the share ``least``: at first a discriminator knows little of what is real.
    The generator's loss is the mean over the ``k``; no gradient flows through the others. The
    discriminator's loss is that of ``loss``.

    The ``k`` are of the whole batch, on however many devices it lies. Their number is
    ``share * batch``, rounded, and at least 1.

    Raises:
        ValueError: for a decay or a least share that is not above 0 and at most 1, ``every`` below
            1, or a loss that is one of these itself.

    References:
        Sinha et al., Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad
        Samples, 2020, where a reduction comes after each epoch.
    """

    loss: GanLoss = NonSaturating()
    """What is minimized."""
    decay: float = 0.99
    """Factor of each reduction (gamma)."""
    least: float = 0.5
    """Share of the batch that k is never below (nu)."""
    every: int = 100
    """Steps from one reduction to the next."""

    def __post_init__(self) -> None:
        for name in ("decay", "least"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(
                    f"{name} = {getattr(self, name)}: must be above 0 and at most 1, which is all"
                )
        if self.every < 1:
            raise ValueError(f"every = {self.every}: must be at least 1")
        if isinstance(self.loss, TopK):
            raise ValueError("the best of the best: set least and decay of one TopK instead of two")

    def init(self) -> dict[str, Any]:
        """Steps done, and what the loss itself carries along."""
        own = self.loss.init() if isinstance(self.loss, StatefulLoss) else ()
        return {"steps": jnp.zeros((), jnp.int32), "loss": own}

    def share(self, steps: Array) -> Scalar:
        """The share of the batch that the generator learns from after so many steps.

        >>> loss = TopK(decay=0.9, least=0.75, every=10)
        >>> [round(float(loss.share(jnp.int32(steps))), 3) for steps in (0, 9, 10, 20, 30, 99)]
        [1.0, 1.0, 0.9, 0.81, 0.75, 0.75]
        """
        reductions = (steps // self.every).astype(jnp.float32)
        return jnp.maximum(jnp.float32(self.decay) ** reductions, self.least)

    def at(self, state: dict[str, Any]) -> _Selected:
        """The loss with the ``k`` of this step."""
        own = self.loss
        own = own.at(state["loss"]) if isinstance(own, StatefulLoss) else own
        return _Selected(own, self.share(state["steps"]))

    def update(
        self, state: dict[str, Any], *, real: Ranked, fake: Ranked
    ) -> tuple[dict[str, Any], Metrics]:
        """One step more; reports the share that held, ``top_k/share``."""
        own, metrics = state["loss"], {}
        if isinstance(self.loss, StatefulLoss):
            own, metrics = self.loss.update(own, real=real.own, fake=fake.own)
        share = {"top_k/share": self.share(state["steps"])}
        return {"steps": state["steps"] + 1, "loss": own}, {**metrics, **share}

    def reads(self, verdict: Verdict) -> Ranked:
        """What the loss reads, and the logits."""
        return Ranked(read(self.loss, verdict), verdict.logits)

    def discriminator(self, *, real: Ranked, fake: Ranked) -> PerExample:
        """That of the loss; as it was in the first step where it changes."""
        return self.at(self.init()).discriminator(real=real, fake=fake)

    def generator(self, *, real: Ranked, fake: Ranked) -> PerExample:
        """That of the first step, when ``k`` is the whole batch."""
        return self.at(self.init()).generator(real=real, fake=fake)

    def correct(self, *, real: Ranked, fake: Ranked) -> dict[str, PerExample]:
        """That of the loss."""
        return self.at(self.init()).correct(real=real, fake=fake)


class _Selected(NamedTuple):
    """The loss of one step of `TopK`.

    Attributes:
        loss: what is minimized.
        share: of the batch that the generator learns from.
    """

    loss: Any
    share: Scalar

    def reads(self, verdict: Verdict) -> Ranked:
        """What the loss reads, and the logits."""
        return Ranked(read(self.loss, verdict), verdict.logits)

    def discriminator(self, *, real: Ranked, fake: Ranked) -> PerExample:
        """That of the loss."""
        return self.loss.discriminator(real=real.own, fake=fake.own)

    def generator(self, *, real: Ranked, fake: Ranked) -> PerExample:
        """That of the loss for the ``k`` best times ``batch / k``, and 0 for the others."""
        count = fake.logits.shape[0]
        kept = jnp.maximum(jnp.floor(self.share * count + 0.5), 1.0)
        rank = jnp.argsort(jnp.argsort(-fake.logits))
        is_best = rank < kept

        def best(rows: Array) -> Array:
            # In a loss that compares examples the others are seen, and do not learn from it.
            mask = is_best.reshape(-1, *(1,) * (rows.ndim - 1))
            return jnp.where(mask, rows, jax.lax.stop_gradient(rows))

        values = self.loss.generator(real=real.own, fake=jax.tree.map(best, fake.own))
        weights = jnp.where(is_best, count / kept, 0.0).astype(values.dtype)
        return weights * values

    def correct(self, *, real: Ranked, fake: Ranked) -> dict[str, PerExample]:
        """That of the loss."""
        return self.loss.correct(real=real.own, fake=fake.own)
