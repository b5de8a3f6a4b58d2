"""A posterior bent along planes: a diagonal Gaussian and invertible steps after it."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.objectives.vae.bounds import reparameterize
from jaxgan.objectives.vae.code_priors import CodePrior
from jaxgan.objectives.vae.flows import base_and_context, check_steps, size_with_context
from jaxgan.objectives.vae.posteriors import Drawn, Encoded, Step, gaussian_log_prob
from jaxgan.typing import Codes, Params, PerExample, PRNGKey


@dataclasses.dataclass(frozen=True)
class PlanarFlow:
    """Codes of a diagonal Gaussian, moved by steps ``z + u tanh(w . z + b)``.

    The encoder gives ``u``, ``w`` and ``b`` of every step for each image, beside the Gaussian's
    mean and log variance; nothing is shared between images, and nothing is learned besides. The
    steps have no inverse in closed form, so only codes that are drawn have a density.

    Raises:
        ValueError: there is not even one step.

    References:
        Rezende and Mohamed, Variational Inference with Normalizing Flows, 2015, eq. 10 to 13, and
        appendix A.1 for what keeps a step invertible.
    """

    gaussian: ClassVar[bool] = False
    dense: ClassVar[bool] = True
    anywhere: ClassVar[bool] = False
    support: ClassVar[str] = "space"

    steps: int = 4
    """Steps after the Gaussian; the paper's K."""

    def __post_init__(self) -> None:
        check_steps(self.steps)

    def encoded_size(self, latent_size: int) -> int:
        """A mean and a log variance a dimension, and ``u``, ``w`` and ``b`` of all steps."""
        return size_with_context(latent_size, self._context(latent_size))

    def _context(self, latent_size: int) -> int:
        return self.steps * (2 * latent_size + 1)

    def init(self, key: PRNGKey, latent_size: int) -> Params:
        """None: all comes from the encoder."""
        del key, latent_size
        return {}

    def noise(self, key: PRNGKey, latent_size: int) -> Float[Array, "{latent_size}"]:
        """Standard normal."""
        return jax.random.normal(key, (latent_size,))

    def draw(self, params: Params, encoded: Encoded, noise: Codes, step: Step) -> Drawn:
        """The Gaussian's draw after all steps, and its density there."""
        del params, step
        base, given = self._read(encoded)
        codes = reparameterize(mean=base.mean, log_variance=base.log_variance, noise=noise)
        log_prob = gaussian_log_prob(codes, base.mean, base.log_variance)
        moved, log_determinant = self._move(codes, given)
        return Drawn(moved, log_prob - log_determinant)

    def log_prob(self, params: Params, encoded: Encoded, codes: Codes) -> PerExample:
        """There is none of given codes."""
        raise NotImplementedError("planar steps have no inverse in closed form")

    def has_kl(self, prior: CodePrior) -> bool:
        """None."""
        del prior
        return False

    def kl(
        self, params: Params, encoded: Encoded, prior: CodePrior
    ) -> Float[Array, "batch groups"]:
        """There is none in closed form."""
        raise NotImplementedError("the KL of a flow has no closed form")

    def center(self, params: Params, encoded: Encoded) -> Codes:
        """The Gaussian's mean after all steps."""
        del params
        base, given = self._read(encoded)
        return self._move(base.mean, given)[0]

    def _read(self, encoded: Encoded) -> tuple[Encoded, Float[Array, "batch steps numbers"]]:
        # From encoded_size(n) = (steps + 1) n + steps / 2, rounded up.
        size = (encoded.mean.shape[-1] - (self.steps + 1) // 2) // (self.steps + 1)
        base, context = base_and_context(encoded, size, self._context(size))
        return base, context.reshape(context.shape[0], self.steps, -1)

    def _move(
        self, codes: Codes, given: Float[Array, "batch steps numbers"]
    ) -> tuple[Codes, PerExample]:
        size, total = codes.shape[-1], jnp.zeros(codes.shape[0])
        for k in range(self.steps):
            u, w, b = jnp.split(given[:, k], [size, 2 * size], axis=-1)
            codes, log_determinant = planar_step(codes, u=u, w=w, b=b[:, 0])
            total += log_determinant
        return codes, total


def planar_step(
    codes: Codes, *, u: Codes, w: Codes, b: Float[Array, "batch"]
) -> tuple[Codes, PerExample]:
    """``z + û tanh(w . z + b)`` and the log of its Jacobian's determinant.

    ``û`` is ``u`` with its part along ``w`` changed such that ``w . û = softplus(w . u) - 1``,
    which is above -1: the step is then invertible.

    Args:
        codes: what is moved.
        u: direction of each image's step, before that change.
        w: normal of its plane.
        b: offset of its plane.

    References:
        Rezende and Mohamed 2015, eq. 10 and 12; appendix A.1.
    """
    along, squared = jnp.sum(w * u, axis=-1), jnp.sum(jnp.square(w), axis=-1)
    # A step without a plane moves all codes alike: its determinant is 1.
    above = jnp.where(squared > 0.0, jax.nn.softplus(along), 1.0)
    safe = jnp.where(squared > 0.0, squared, 1.0)
    bounded = u + ((above - 1.0 - along) / safe)[:, None] * w
    bent = jnp.tanh(jnp.sum(w * codes, axis=-1) + b)
    # 1 + tanh' (softplus - 1) as a sum of positive numbers, of which none cancels.
    determinant = jnp.square(bent) + (1.0 - jnp.square(bent)) * above
    return codes + bounded * bent[:, None], jnp.log(determinant)
