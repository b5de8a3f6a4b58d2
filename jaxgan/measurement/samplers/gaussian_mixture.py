"""A mixture of Gaussians with full covariances, fitted to codes by expectation maximization."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from jaxgan import rng
from jaxgan.config import ConfigError
from jaxgan.measurement.samplers.sampler import Log, check_settings
from jaxgan.typing import PRNGKey


@dataclasses.dataclass(frozen=True)
class GaussianMixture:
    """Mixture of Gaussians, by scikit-learn.

    References:
        Ghosh et al., From Variational to Deterministic Autoencoders, 2020, section 4 (10
        components; 1 is their Gaussian).
    """

    name: ClassVar[str] = "gaussian_mixture"

    components: int = 10
    """Gaussians, each with a full covariance."""
    draws: int = 1
    """Codes of each training image."""
    temperature: float = 1.0
    """Factor of the deviations from the component's mean, at most 1."""
    seed: int = 0
    """Of the images' codes, and of the first means."""

    def __post_init__(self) -> None:
        check_settings(self, "components", "draws")

    def fit(self, codes: Float32[np.ndarray, "n latent"], log: Log) -> dict[str, np.ndarray]:
        """``weights`` ``(components,)``, ``means``, and ``factors`` of the covariances (Cholesky).

        Raises:
            ConfigError: there are fewer codes than components.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Mixture

        if len(codes) < max(self.components, 2):
            raise ConfigError(
                f"gaussian_mixture: {self.components} components cannot be fitted to {len(codes)}"
                " codes: take fewer"
            )
        mixture = Mixture(self.components, random_state=self.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(np.asarray(codes, np.float64))
        how = "converged" if mixture.converged_ else "did not converge"
        log(
            f"{self.components} Gaussians {how} in {mixture.n_iter_} iterations: log-likelihood"
            f" {mixture.lower_bound_:.4g} nats a code"
        )
        return {
            "weights": np.asarray(mixture.weights_, np.float32),
            "means": np.asarray(mixture.means_, np.float32),
            "factors": np.linalg.cholesky(np.asarray(mixture.covariances_)).astype(np.float32),
        }

    def draw(self, arrays: Mapping[str, Any], key: PRNGKey) -> Float[Array, "latent"]:
        """``mean + temperature factor noise`` of a component drawn by its weight."""
        own = jax.random.categorical(rng.role_key(key, "component"), jnp.log(arrays["weights"]))
        means, factors = jnp.asarray(arrays["means"]), jnp.asarray(arrays["factors"])
        noise = jax.random.normal(rng.role_key(key, "noise"), means.shape[1:])
        return means[own] + self.temperature * (factors[own] @ noise)
