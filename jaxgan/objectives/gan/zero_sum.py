"""The zero-sum game of any adversarial loss."""

from __future__ import annotations

import dataclasses

from jaxgan.objectives.gan.losses import GanLoss, Minimax
from jaxgan.typing import Logits, PerExample


@dataclasses.dataclass(frozen=True)
class ZeroSum:
    """The generator's loss is minus the discriminator's, its real term included.

    In a plain update the real term has no gradient for the generator, and this is `Minimax` of the
    same discriminator. Where the discriminator depends on the generator, as it does after unrolled
    updates, it has one: it says what the discriminator will have unlearned of real images.

    >>> import jax.numpy as jnp
    >>> ZeroSum().generator(real=jnp.zeros(1), fake=jnp.zeros(1)).round(4).tolist()
    [-1.3863]

    References:
        Goodfellow et al., Generative Adversarial Nets, 2014, eq. 1. Metz et al., Unrolled
        Generative Adversarial Networks, 2017, section 2.1.
    """

    game: GanLoss = Minimax()
    """Whose discriminator's loss both play for."""

    def discriminator(self, *, real: Logits, fake: Logits) -> PerExample:
        """That of the game."""
        return self.game.discriminator(real=real, fake=fake)

    def generator(self, *, real: Logits, fake: Logits) -> PerExample:
        """Minus the discriminator's."""
        return -self.game.discriminator(real=real, fake=fake)

    def correct(self, *, real: Logits, fake: Logits) -> dict[str, PerExample]:
        """Those of the game."""
        return self.game.correct(real=real, fake=fake)
