"""Distributions that the latents of a generator or decoder are drawn from.

A prior is a value that draws the latents of one example, without a batch axis: an array of noise,
or a dictionary of arrays where there is more to an example than noise. Batches of them have the
example as axis 0 of every array.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan import rng
from jaxgan.objectives.interpolation import lerp, slerp
from jaxgan.objectives.protocols import subclasses_have
from jaxgan.typing import Codes, Latents, PRNGKey


@runtime_checkable
class Prior(Protocol):
    """What an algorithm asks of a prior."""

    __subclasshook__ = subclasses_have(
        "conditional", "truncates", "draw", "truncate", "project", "between"
    )

    conditional: ClassVar[bool]
    """Whether latents are dictionaries that hold a ``label``."""

    @property
    def truncates(self) -> bool:
        """Whether `truncate` makes sense: the noise is Gaussian."""
        ...

    def draw(self, key: PRNGKey, classes: int) -> Any:
        """Latents of one example.

        Args:
            key: of this example.
            classes: number of classes in the data; priors that are not conditional ignore it.
        """
        ...

    def truncate(self, latents: Latents, psi: float | Float[Array, ""]) -> Latents:
        """Latents nearer to the prior's mean by the factor ``psi``; ValueError unless `truncates`.

        Labels stay.
        """
        ...

    def project(self, latents: Latents) -> Latents:
        """The nearest latents where the prior has mass; the same ones where it has some everywhere.

        For latents that were changed, as by gradient descent.
        """
        ...

    def between(self, a: Latents, b: Latents, t: Float[Array, "batch"]) -> Latents:
        """Latents on paths from ``a`` to ``b`` along which the prior has mass.

        Args:
            a: batch of latents, where ``t`` is 0. Labels are those of ``a`` all along.
            b: where ``t`` is 1.
            t: how far to go, from 0 to 1; one number an example.
        """
        ...


def _check_size(size: int) -> None:
    if size < 1:
        raise ValueError(f"size = {size}: a latent has at least 1 number")


@dataclasses.dataclass(frozen=True)
class Normal:
    """Standard normal noise, ``z ~ N(0, I)``.

    >>> key = jax.random.key(0)
    >>> Normal(size=3).draw(key, classes=0).shape
    (3,)
    >>> a, b = jnp.array([[1.0, 0.0]]), jnp.array([[0.0, 1.0]])
    >>> round(float(jnp.linalg.norm(Normal(2).between(a, b, jnp.array([0.5])))), 4)
    1.0

    Raises:
        ValueError: for a size below 1.

    References:
        White, Sampling Generative Networks, 2016, section 2.1 (paths). Karras et al., A Style-Based
        Generator Architecture for GANs, 2019, appendix B (truncation by a factor, there of mapped
        latents about their mean; the mean of these is 0).
    """

    conditional: ClassVar[bool] = False

    @property
    def truncates(self) -> bool:
        """Yes."""
        return True

    size: int = 100
    """Length of a latent."""

    def __post_init__(self) -> None:
        _check_size(self.size)

    def draw(self, key: PRNGKey, classes: int) -> Float[Array, "{self.size}"]:
        """``(size,)``, independent standard normal numbers."""
        del classes
        return jax.random.normal(key, (self.size,))

    def truncate(self, latents: Codes, psi: float | Float[Array, ""]) -> Codes:
        """``psi z``."""
        return latents * psi

    def project(self, latents: Codes) -> Codes:
        """The latents themselves: the prior has mass everywhere."""
        return latents

    def between(
        self,
        a: Codes,
        b: Codes,
        t: Float[Array, "batch"],
    ) -> Codes:
        """Great circles, see `jaxgan.objectives.interpolation.slerp`."""
        return slerp(a, b, t)


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Uniform noise, each number by itself from [-1, 1].

    >>> bool((jnp.abs(Uniform(size=3).draw(jax.random.key(0), classes=0)) <= 1.0).all())
    True
    >>> Uniform(2).project(jnp.array([[-3.0, 0.5]])).tolist()
    [[-1.0, 0.5]]

    Raises:
        ValueError: for a size below 1, and by `truncate`.

    References:
        Radford et al., Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks, 2016, figure 1.
    """

    conditional: ClassVar[bool] = False

    @property
    def truncates(self) -> bool:
        """No: nearer to the mean there is as much mass as elsewhere."""
        return False

    size: int = 100
    """Length of a latent."""

    def __post_init__(self) -> None:
        _check_size(self.size)

    def draw(self, key: PRNGKey, classes: int) -> Float[Array, "{self.size}"]:
        """``(size,)``, independent uniform numbers in [-1, 1)."""
        del classes
        return jax.random.uniform(key, (self.size,), minval=-1.0, maxval=1.0)

    def truncate(self, latents: Codes, psi: float | Float[Array, ""]) -> Codes:
        """Refused: uniform noise has no tails to cut, and its mean is as likely as its corners."""
        raise ValueError("a uniform prior has no tails to truncate: only a normal one has")

    def project(self, latents: Codes) -> Codes:
        """Clipped to [-1, 1]."""
        return jnp.clip(latents, -1.0, 1.0)

    def between(
        self,
        a: Codes,
        b: Codes,
        t: Float[Array, "batch"],
    ) -> Codes:
        """Straight lines, which do not leave a cube as great circles do."""
        return lerp(a, b, t)


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Noise, and a class for the generator to draw from: ``{"noise": (size,), "label": ()}``.

    Labels are int32 and uniform over the classes, whatever the data's shares are.

    >>> latents = Labelled(Normal(size=3)).draw(jax.random.key(0), classes=10)
    >>> latents["noise"].shape, latents["label"].dtype.name, 0 <= int(latents["label"]) < 10
    ((3,), 'int32', True)

    Raises:
        ValueError: by `draw`, for data without classes; by `truncate`, as the noise's own.

    References:
        Mirza and Osindero, Conditional Generative Adversarial Nets, 2014, section 3.2.
    """

    conditional: ClassVar[bool] = True

    noise: Prior = Normal()
    """What varies within a class."""

    @property
    def truncates(self) -> bool:
        """Whether the noise does."""
        return self.noise.truncates

    def draw(self, key: PRNGKey, classes: int) -> dict[str, Any]:
        """Noise and label, independent of each other.

        Raises:
            ValueError: there is no class.
        """
        if classes < 1:
            raise ValueError(f"classes = {classes}: labels need data with at least 1 class")
        return {
            "noise": self.noise.draw(rng.role_key(key, "noise"), classes),
            "label": jax.random.randint(rng.role_key(key, "label"), (), 0, classes, jnp.int32),
        }

    def truncate(self, latents: dict[str, Any], psi: float | Float[Array, ""]) -> dict[str, Any]:
        """Truncated noise; labels stay."""
        return {**latents, "noise": self.noise.truncate(latents["noise"], psi)}

    def project(self, latents: dict[str, Any]) -> dict[str, Any]:
        """Projected noise; labels stay."""
        return {**latents, "noise": self.noise.project(latents["noise"])}

    def between(
        self, a: dict[str, Any], b: dict[str, Any], t: Float[Array, "batch"]
    ) -> dict[str, Any]:
        """The noise's paths, under the labels of ``a``."""
        return {**a, "noise": self.noise.between(a["noise"], b["noise"], t)}
