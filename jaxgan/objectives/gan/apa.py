"""Adaptive pseudo augmentation: generated images stand among the real ones that are shown."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
from jaxtyping import Array, Bool, Key

from jaxgan.objectives.gan.steering import check_steering, steered, unsteered
from jaxgan.objectives.gan.verdict import Verdict
from jaxgan.typing import ImageShape, Metrics, Pixels


@dataclasses.dataclass(frozen=True)
class Apa:
    """With probability p, a generated image is shown to the discriminator in place of a real one.

    It deceives the discriminator about what is real the more often the surer it is, and so does
    what transformations do when there are few real images, without any transformation. p starts at
    0 and is steered as that of `jaxgan.objectives.gan.ada.Ada`: every ``interval`` updates of B
    images, with r = E sign D over all that is shown as real,

        p <- clip(p + sign(r - target) interval B / (1000 kimg), 0, most).

    The images are drawn for this, and are no others that the update sees; with labels each has that
    of the image that it is. The generator's own update is as it was.

    Logged are ``apa/p`` and ``apa/sign``, the last r.

    Raises:
        ValueError: ``interval``, ``kimg`` or ``most`` is not positive.

    References:
        Jiang, Dai, Wu and Loy, Deceive D: Adaptive Pseudo Augmentation for GAN Training with
        Limited Data, 2021, section 3. In the published code nothing bounds p from above
        (``most=inf``), which past 1 shows no real image, the generated images are those of the last
        generator update, and labels are left as they were.
    """

    target: float = 0.6
    """Mean sign of the logits of what is shown as real that is steered for."""
    kimg: float = 500.0
    """Thousands of images in which p can rise from 0 to 1."""
    interval: int = 4
    """Discriminator updates between two changes of p."""
    most: float = 1.0
    """Upper bound of p."""

    def __post_init__(self) -> None:
        check_steering(self)

    def check(self, image_shape: ImageShape, dtype: str) -> None:
        """Nothing: images and points can be exchanged."""
        del image_shape, dtype

    def init(self) -> Any:
        """See `jaxgan.objectives.gan.steering.unsteered`."""
        return unsteered()

    def __call__(self, images: Pixels, keys: Key[Array, "batch"], state: Any) -> Pixels:
        """Images as they are: what is exchanged are whole images, by `replaced`."""
        del keys, state
        return images

    def replaced(self, keys: Key[Array, "batch"], state: Any) -> Bool[Array, "batch"]:
        """Which real images are generated ones instead: each with probability p.

        >>> keys = jax.random.split(jax.random.key(0), 1000)
        >>> apa, state = Apa(), Apa().init()
        >>> [int(apa.replaced(keys, {**state, "p": p}).sum()) for p in (0.0, 0.25, 1.0)]
        [0, 231, 1000]
        """
        return jax.vmap(jax.random.uniform)(keys) < state["p"]

    def update(self, state: Any, verdict: Verdict, count: int) -> Any:
        """The state after one discriminator update."""
        return steered(
            state, verdict, count, target=self.target, kimg=self.kimg, interval=self.interval,
            most=self.most,
        )  # fmt: skip

    def metrics(self, state: Any) -> Metrics:
        """``apa/p`` and ``apa/sign``."""
        return {"apa/p": state["p"], "apa/sign": state["sign"]}
