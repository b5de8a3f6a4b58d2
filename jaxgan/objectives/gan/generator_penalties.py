"""Penalties on generators: terms of a generator's loss that read more than verdicts.

They are given the generator's parameters, so that they may differentiate by them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array

from jaxgan.objectives.gan.penalties import Losses
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.protocols import subclasses_have
from jaxgan.typing import Latents, Params, PerExample, Pixels, PRNGKey, Scalar


class GeneratorView(NamedTuple):
    """What a penalty sees of one generator update.

    Attributes:
        generator_params: the generator's parameters, which are being differentiated.
        critic_params: the discriminator's, after its own update.
        generate: from parameters and latents to images, in train mode with the update's own dropout
            key.
        latents: of the update's images.
        real: the real images of the last discriminator update.
        judge: from the discriminator's parameters and images to a verdict, as the generator's loss
            sees generated images.
        losses: of both players, see `jaxgan.objectives.gan.penalties.Losses`.
        draw: from a role and a function of a key to one draw an example, stacked along axis 0.
        mean: over the devices, of what each has. Statistics of the batch need it.
    """

    generator_params: Params
    critic_params: Params
    generate: Callable[[Params, Latents], Pixels]
    latents: Latents
    real: Pixels
    judge: Callable[[Params, Pixels], Verdict]
    losses: Losses
    draw: Callable[[str, Callable[[PRNGKey], Array]], Array]
    mean: Callable[[Any], Any]


@runtime_checkable
class GeneratorPenalty(Protocol):
    """What an algorithm asks of a penalty on the generator.

    As a `jaxgan.objectives.gan.penalties.Penalty`, it is taken in one of ``every`` updates and then
    multiplied by ``every``.
    """

    __subclasshook__ = subclasses_have("name", "every", "init", "generator")

    name: ClassVar[str]
    """Under which its mean is reported, ``penalty/generator/<name>``."""

    @property
    def every(self) -> int:
        """Generator updates from one penalty to the next."""
        ...

    def init(self) -> Any:
        """What it carries from one update to the next, a pytree of arrays; ``()`` for nothing."""
        ...

    def generator(self, view: GeneratorView, state: Any) -> tuple[PerExample | Scalar, Any]:
        """Values ``(batch,)``, or one of all, and the next state.

        The generator minimizes the values' mean.
        """
        ...
