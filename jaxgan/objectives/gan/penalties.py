"""Penalties on critics: terms of a discriminator's loss that read more than its logits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgan.objectives.gan.slopes import lengths, squared_slopes
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.objectives.protocols import subclasses_have
from jaxgan.typing import Latents, Params, PerExample, Pixels, PRNGKey, Scalar


def _not_shown(*arguments: Any) -> Any:
    raise ValueError("this view of an update was made without that")


Losses: TypeAlias = Callable[[Params, Params], tuple[Scalar, Scalar]]
"""From parameters of the discriminator and of the generator to both players' losses on the update's
own batch, without any further terms: means over the rows of this device."""


class View(NamedTuple):
    """What a penalty sees of one discriminator update.

    Of packed images (see `jaxgan.algorithms.gan.Gan`) it sees packs, which are images with more
    channels.

    Attributes:
        critic: from images to a verdict, in train mode with one fixed dropout key; the labels of
            the real images are bound in. Its parameters are those being differentiated.
        real: real images.
        fake: generated ones, through which no gradient flows.
        generate: from latents to images.
        latents: of ``fake``.
        draw: from a role and a function of a key to one draw an example, stacked along axis 0.
            Two draws that must be independent have two roles.
        fake_critic: as ``critic``, with the labels of the generated images.
        on_real: verdict of the real images, as the discriminator's loss sees it.
        on_fake: likewise of the generated ones.
        critic_params: the discriminator's parameters, which are being differentiated.
        generator_params: those of the generator.
        losses: of both players, see `Losses`.
        mean: over the devices, of what each has. Statistics of the batch need it.
    """

    critic: Callable[[Pixels], Verdict]
    real: Pixels
    fake: Pixels
    generate: Callable[[Latents], Pixels]
    latents: Latents
    draw: Callable[[str, Callable[[PRNGKey], Array]], Array]
    # Most penalties see images alone, and are shown no more in examples.
    fake_critic: Callable[[Pixels], Verdict] = _not_shown
    on_real: Verdict = Verdict(())  # pyright: ignore[reportArgumentType]
    on_fake: Verdict = Verdict(())  # pyright: ignore[reportArgumentType]
    critic_params: Params = None
    generator_params: Params = None
    losses: Losses = _not_shown
    mean: Callable[[Any], Any] = _not_shown


@runtime_checkable
class Penalty(Protocol):
    """What an algorithm asks of a penalty.

    Penalties are summed over all that a model has. The algorithm computes one in one of ``every``
    discriminator updates and multiplies it by ``every``, so that its weight is per update whatever
    ``every`` is (lazy regularization: Karras et al., Analyzing and Improving the Image Quality of
    StyleGAN, 2020, section 3.1). A penalty knows nothing of that.
    """

    __subclasshook__ = subclasses_have("name", "per_example", "every", "init", "__call__")

    name: ClassVar[str]
    """Under which its mean is reported, ``penalty/<name>``."""
    per_example: ClassVar[bool]
    """Whether it holds for each example by itself, so that a critic must not mix them, as batch
    normalization does."""

    @property
    def every(self) -> int:
        """Discriminator updates from one penalty to the next."""
        ...

    def init(self) -> Any:
        """What it carries from one update to the next, a pytree of arrays; ``()`` for nothing."""
        ...

    def __call__(self, view: View, state: Any) -> tuple[PerExample | Scalar, Any]:
        """Values ``(batch,)``, or one of all, and the next state.

        The discriminator minimizes the values' mean.
        """
        ...


def interpolate(*, real: Pixels, fake: Pixels, share: PerExample) -> Pixels:
    """Points on the lines between pairs of a real and a generated example.

    >>> real, fake = jnp.full((2, 1, 1, 1), 8.0), jnp.zeros((2, 1, 1, 1))
    >>> interpolate(real=real, fake=fake, share=jnp.array([0.25, 1.0])).ravel().tolist()
    [2.0, 8.0]

    Args:
        real: real examples.
        fake: generated ones.
        share: what each point has of the real example, from 0 to 1; one number for all its pixels.

    References:
        Gulrajani et al., Improved Training of Wasserstein GANs, 2017, algorithm 1, line 6.
    """
    share = share[:, None, None, None]
    return share * real + (1.0 - share) * fake


def check_settings(weight: float, every: int, name: str = "weight") -> None:
    """Refuses settings that no penalty can have.

    Args:
        weight: factor of the penalty.
        every: discriminator updates from one penalty to the next.
        name: of the weight.

    Raises:
        ValueError: the weight is not positive and finite, or ``every`` is below 1.
    """
    if not 0.0 < weight < math.inf:
        raise ValueError(
            f"{name} = {weight}: must be above 0 and finite; no penalty is said by leaving it out"
        )
    if every < 1:
        raise ValueError(f"every = {every}: must be at least 1")


@dataclasses.dataclass(frozen=True)
class GradientPenalty:
    """Squared distance of the length of a critic's gradient from the one that it should have.

    ``weight (|grad f(x)| - target)^2``, at a random point ``x`` on the line between the real and
    the generated image of each pair. One-sided, it is ``weight max(0, |grad f(x)| - target)^2``: a
    critic with a Lipschitz constant of ``target`` may be flatter than that.

    The weight is that of the plain square, whatever the target is. The form that Karras et al.
    train on CIFAR-10, ``10 (|grad f(x)| - 750)^2 / 750^2``, is that of a weight of ``10 / 750**2``.

    It holds for each example by itself, which is why a critic under it must not mix examples, as
    batch normalization does (section 4 of the paper).

    >>> slope = jnp.array([3.0, 4.0])  # of length 5
    >>> view = View(
    ...     critic=lambda x: Verdict(jnp.sum(x * slope, axis=(1, 2, 3))),
    ...     real=jnp.ones((2, 1, 1, 2)),
    ...     fake=jnp.zeros((2, 1, 1, 2)),
    ...     generate=lambda latents: latents,
    ...     latents=None,
    ...     draw=lambda role, draw: jax.vmap(draw)(jax.random.split(jax.random.key(0), 2)),
    ... )
    >>> penalty = GradientPenalty(weight=10.0)
    >>> values, state = penalty(view, penalty.init())
    >>> values.tolist()
    [160.0, 160.0]

    Raises:
        ValueError: for a weight that is not positive and finite, a negative or infinite target, or
            ``every`` below 1.

    References:
        Gulrajani et al., Improved Training of Wasserstein GANs, 2017, eq. 3. Petzka et al., On the
        Regularization of Wasserstein GANs, 2018 (one-sided). Karras et al., Progressive Growing of
        GANs for Improved Quality, Stability, and Variation, 2018.
    """

    name: ClassVar[str] = "gradient"
    per_example: ClassVar[bool] = True

    weight: float = 10.0
    """Factor of the penalty (lambda); 10 in the paper."""
    target: float = 1.0
    """Length that gradients should have; 1 for Wasserstein losses, 0 pulls towards flat critics."""
    one_sided: bool = False
    """Only gradients that are too long are punished."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)
        if not 0.0 <= self.target < math.inf:
            raise ValueError(f"target = {self.target}: must be at least 0 and finite")

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """The penalty of each pair; draws ``share``, U(0, 1)."""
        share = view.draw("share", jax.random.uniform)
        points = interpolate(real=view.real, fake=view.fake, share=share)
        excess = lengths(squared_slopes(view.critic, points)) - self.target
        if self.one_sided:
            excess = jax.nn.relu(excess)
        return self.weight * jnp.square(excess), state


@dataclasses.dataclass(frozen=True)
class R1:
    """Squared length of a discriminator's gradient at real images, ``weight / 2 |grad D(x)|^2``.

    ``D`` is the logit, without a sigmoid, and the length is over all pixels and channels: a weight
    that suits small images is too small for large ones.

    >>> slope = jnp.array([3.0, 4.0])  # of length 5
    >>> images = jnp.zeros((2, 1, 1, 2))
    >>> view = View(
    ...     critic=lambda x: Verdict(jnp.sum(x * slope, axis=(1, 2, 3))),
    ...     real=images,
    ...     fake=images,
    ...     generate=lambda latents: latents,
    ...     latents=None,
    ...     draw=lambda role, draw: jax.vmap(draw)(jax.random.split(jax.random.key(0), 2)),
    ... )
    >>> R1(weight=10.0)(view, ())[0].tolist()
    [125.0, 125.0]

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1.

    References:
        Mescheder et al., Which Training Methods for GANs do actually Converge?, 2018, eq. 9
        (gamma is the weight).
    """

    name: ClassVar[str] = "r1"
    per_example: ClassVar[bool] = True

    weight: float = 10.0
    """Factor of half the square (gamma); 10 in the paper."""
    every: int = 1
    """Discriminator updates from one penalty to the next; 16 in StyleGAN2."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """``weight / 2 |grad D(x)|^2`` for each real image."""
        return 0.5 * self.weight * squared_slopes(view.critic, view.real), state


@dataclasses.dataclass(frozen=True)
class R2:
    """`R1` at generated images, ``weight / 2 |grad D(G(z))|^2``.

    >>> R2(weight=10.0, every=16)
    R2(weight=10.0, every=16)

    Raises:
        ValueError: for a weight that is not positive and finite, or ``every`` below 1.

    References:
        Mescheder et al., Which Training Methods for GANs do actually Converge?, 2018
        (there gamma is the weight).
    """

    name: ClassVar[str] = "r2"
    per_example: ClassVar[bool] = True

    weight: float = 10.0
    """Factor of half the square (gamma)."""
    every: int = 1
    """Discriminator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)

    def init(self) -> tuple[()]:
        """No state."""
        return ()

    def __call__(self, view: View, state: Any) -> tuple[PerExample, Any]:
        """``weight / 2 |grad D(G(z))|^2`` for each generated image."""
        return 0.5 * self.weight * squared_slopes(view.fake_critic, view.fake), state
