"""Path length regularization: steps in w of one length should be steps in images of one length."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.gan.penalties import check_settings
from jaxgan.objectives.gan.slopes import lengths
from jaxgan.typing import PerExample, Pixels, Scalar


def path_lengths(
    synthesize: Callable[[Float[Array, "batch styles units"]], Pixels],
    ws: Float[Array, "batch styles units"],
    noise: Pixels,
) -> PerExample:
    """``|J' y|`` of each image, J the Jacobian of the image by its styles and y the noise.

    Over normal y its mean square is the sum of J's squared entries. Of several styles, one a layer,
    squares are summed over the units and averaged over the layers before the root is taken, as in
    the reference code.

    >>> ws, noise = jnp.ones((1, 2, 2)), jnp.full((1, 1, 1, 1), 2.0)
    >>> scales = jnp.array([[3.0, 4.0], [0.0, 0.0]])
    >>> linear = lambda ws: jnp.sum(ws * scales, axis=(1, 2))[:, None, None, None]
    >>> [round(float(length), 4) for length in path_lengths(linear, ws, noise)]
    [7.0711]

    Args:
        synthesize: from styles to images, each from its own.
        ws: styles.
        noise: directions y in the space of images.
    """
    slopes = jax.grad(lambda styles: jnp.sum(synthesize(styles) * noise))(ws)
    return lengths(jnp.mean(jnp.sum(jnp.square(slopes), axis=2), axis=1))


@dataclasses.dataclass(frozen=True)
class PathLength:
    """Squared distance of path lengths from their running mean, ``weight (|J' y| - a)^2``.

    ``y`` is N(0, 1) over the root of the number of pixels, and ``a``, which starts from 0, moves by
    ``decay`` towards the mean of the batch before lengths are compared with it. It is a generator's
    regularizer, and it is taken in updates of its own (`jaxgan.algorithms.stylegan2`).

    Raises:
        ValueError: for a weight that is not positive and finite, ``every`` or ``shrink`` below 1,
            or a ``decay`` that is not in (0, 1].

    References:
        Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020, section 3.2 and
        appendix B; weight, decay and half a batch as in the code of Karras et al., Training
        Generative Adversarial Networks with Limited Data, 2020.
    """

    name: ClassVar[str] = "path_length"

    weight: float = 2.0
    """Factor of the square, in an update of its own times ``every``."""
    decay: float = 0.01
    """Share of the mean that a batch brings."""
    shrink: int = 2
    """Images of a batch for each one whose length is taken."""
    every: int = 4
    """Generator updates from one penalty to the next."""

    def __post_init__(self) -> None:
        check_settings(self.weight, self.every)
        if self.shrink < 1:
            raise ValueError(f"shrink = {self.shrink}: must be at least 1")
        if not 0.0 < self.decay <= 1.0:
            raise ValueError(f"decay = {self.decay}: must be above 0, and at most 1")

    def init(self) -> Scalar:
        """The mean of path lengths."""
        return jnp.float32(0.0)

    def __call__(
        self,
        synthesize: Callable[[Float[Array, "batch styles units"]], Pixels],
        ws: Float[Array, "batch styles units"],
        noise: Pixels,
        state: Scalar,
        mean: Callable[[Any], Any],
    ) -> tuple[PerExample, Scalar]:
        """Values of the images, and the mean with this batch in it.

        Args:
            synthesize: from styles to images.
            ws: styles, through which gradients flow to whatever made them.
            noise: N(0, 1), in the shape of the images.
            state: the mean so far.
            mean: over the devices.
        """
        pixels = noise.shape[1] * noise.shape[2]
        found = path_lengths(synthesize, ws, noise / pixels**0.5)
        moved = state + self.decay * (mean(jnp.mean(found)) - state)
        return self.weight * jnp.square(found - moved), jax.lax.stop_gradient(moved)
