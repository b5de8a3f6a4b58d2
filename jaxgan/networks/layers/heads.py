"""Last layers that networks of several kinds share. They compute in float32."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jaxtyping import Array, Float

from jaxgan.networks.layers.dense import Dense
from jaxgan.networks.layers.labels import ClassEmbedding, check_classes
from jaxgan.networks.layers.options import kernel_init
from jaxgan.networks.layers.weights import WeightNorm
from jaxgan.typing import Labels, Latents, Logits


class LogitHead(nn.Module):
    """One number from the features of an example."""

    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""
    kernel_init: Initializer | None = None
    """Distribution of the first weights, if it is neither of these."""
    use_bias: bool = True
    """Whether a bias is added."""

    @nn.compact
    def __call__(self, features: Float[Array, "batch features"]) -> Logits:
        """One logit an example, float32."""
        dense = Dense(
            1,
            dtype=jnp.float32,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init or kernel_init(self.init_std, self.orthogonal_init),
            weight_norm=self.weight_norm,
        )
        return dense(features)[:, 0]


class GaussianHead(nn.Module):
    """Mean and log variance of a diagonal Gaussian from the features of an example."""

    latent_size: int
    """Length of a code."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""

    @nn.compact
    def __call__(self, features: Float[Array, "batch features"]) -> tuple[Latents, Latents]:
        """Means and log variances, both float32 ``(batch, latent_size)``."""
        init = kernel_init(self.init_std)
        mean, log_variance = (
            Dense(self.latent_size, dtype=jnp.float32, kernel_init=init, name=name)
            for name in ("mean", "log_variance")
        )
        return mean(features), log_variance(features)


class ClassHead(nn.Module):
    """A score for each class from the features of an example."""

    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""
    kernel_init: Initializer | None = None
    """Distribution of the first weights, if it is neither of these."""
    use_bias: bool = True
    """Whether a bias is added."""

    @nn.compact
    def __call__(
        self, features: Float[Array, "batch features"], *, classes: int
    ) -> Float[Array, "batch classes"]:
        """Logits of the classes (softmax gives probabilities), float32.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        check_classes(classes)
        dense = Dense(
            classes,
            dtype=jnp.float32,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init or kernel_init(self.init_std, self.orthogonal_init),
            weight_norm=self.weight_norm,
        )
        return dense(features)


class VectorHead(nn.Module):
    """Several numbers from the features of an example, such as a point that kernels compare."""

    size: int
    """How many."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    @nn.compact
    def __call__(self, features: Float[Array, "batch features"]) -> Float[Array, "batch size"]:
        """Unbounded numbers, float32."""
        dense = Dense(
            self.size,
            dtype=jnp.float32,
            kernel_init=kernel_init(self.init_std, self.orthogonal_init),
            weight_norm=self.weight_norm,
        )
        return dense(features)


class CodesHead(nn.Module):
    """What is known of the codes that an image was made from: the last layer of InfoGAN's Q.

    References:
        Chen et al., InfoGAN, 2016, section 5 and appendix C.
    """

    categories: tuple[int, ...]
    """Classes of each categorical code."""
    continuous: int
    """Number of continuous codes."""
    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""

    @nn.compact
    def __call__(
        self, features: Float[Array, "batch features"]
    ) -> dict[str, Float[Array, "batch codes"]]:
        """Heads by name, float32; those of codes that are there.

        ``category`` are the logits of all categorical codes side by side, ``(batch, sum of
        categories)``, ``continuous`` the means of the continuous codes, ``(batch, continuous)``,
        and ``continuous_log_variance`` the logarithms of their variances, which the authors' code
        has and, where it takes their standard deviation to be 1, does not use.
        """
        init = kernel_init(self.init_std, self.orthogonal_init)
        sizes = {
            "category": sum(self.categories),
            "continuous": self.continuous,
            "continuous_log_variance": self.continuous,
        }
        return {
            name: Dense(
                size,
                dtype=jnp.float32,
                kernel_init=init,
                weight_norm=self.weight_norm,
                name=name,
            )(features)
            for name, size in sizes.items()
            if size
        }


class ProjectionHead(nn.Module):
    """How well an example goes with its label: ``psi(phi) + v[label] . phi`` of its features phi.

    ``psi`` is `LogitHead`, and ``v`` a vector for each class.

    References:
        Miyato and Koyama, cGANs with Projection Discriminator, 2018, section 3 and figure 1d.
    """

    init_std: float | None = None
    """Standard deviation of the first weights; None: scaled by fan-in."""
    weight_norm: WeightNorm | None = None
    """What the weights are normalized by; None: nothing."""
    orthogonal_init: bool = False
    """Orthogonal first weights, instead of normal ones."""
    kernel_init: Initializer | None = None
    """Distribution of the first weights, if it is neither of these."""
    use_bias: bool = True
    """Whether a bias is added."""

    @nn.compact
    def __call__(
        self, features: Float[Array, "batch features"], labels: Labels, *, classes: int
    ) -> Logits:
        """One logit an example, float32; NaN for a label that is no class.

        Raises:
            ValueError: the number of classes is not known (0).
        """
        size = features.shape[-1]
        # The fan-in of a product with a vector of a class is the vector's length.
        std = size**-0.5 if self.init_std is None else self.init_std
        init = self.kernel_init or kernel_init(std, self.orthogonal_init)
        embedding = ClassEmbedding(size, init, weight_norm=self.weight_norm)
        vectors = embedding(labels, classes=classes)
        psi = LogitHead(
            self.init_std, self.weight_norm, self.orthogonal_init, self.kernel_init, self.use_bias
        )
        return psi(features) + jnp.sum(vectors * features.astype(jnp.float32), axis=-1)
