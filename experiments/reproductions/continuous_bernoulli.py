"""The continuous Bernoulli. Loaiza-Ganem and Cunningham, The continuous Bernoulli: fixing a
pervasive error in variational autoencoders, 2019.

    python experiments/reproductions/continuous_bernoulli.py

With ``p`` the sigmoid of a decoder's output, gray pixels have the density ``C(p) p^t (1 - p)^(1 -
t)``, which the cross-entropy that usually goes by the name of a Bernoulli leaves without its
constant. The real likelihoods, in double precision:

- ``log C(p) = log(2 artanh(1 - 2p) / (1 - 2p))``, as the difference of the two likelihoods;
- near 1/2 its series ``log 2 + 4/3 (p - 1/2)^2 + 104/45 (p - 1/2)^4``, which the authors take from
  0.49 to 0.51; what it leaves out is below ``6 (p - 1/2)^6``;
- the density sums to 1 over t, by Gauss and Legendre's rule;
- ``C >= 2``: a cross-entropy of gray images of 28x28 is at least 784 log 2 nats too low;
- the mean is ``p / (2p - 1) + 1 / (2 artanh(1 - 2p))``, not p; 1/2 at p = 1/2, where the variance
  is that of the uniform law, 1/12, and all gradients are finite.

All lines agree (`experiments/results/reproductions/continuous_bernoulli.json`); there is no chance
in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import shelf

from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.objectives.vae.likelihoods import Bernoulli, Likelihood

CONTINUOUS = ContinuousBernoulli()
FAR = (0.01, 0.2, 0.7, 0.999)
NEAR = (0.49, 0.495, 0.5, 0.51)
EXACT = 1e-9


def log_c(p: float) -> float:
    """The log of the paper's constant, as it stands; p is not 1/2."""
    return math.log(2.0 * math.atanh(1.0 - 2.0 * p) / (1.0 - 2.0 * p))


def mean_of(p: float) -> float:
    """The paper's equation for the mean; p is not 1/2."""
    return p / (2.0 * p - 1.0) + 1.0 / (2.0 * math.atanh(1.0 - 2.0 * p))


def pixels(values: Any) -> jax.Array:
    """Images of one pixel."""
    return jnp.reshape(jnp.asarray(values, jnp.float64), (-1, 1, 1, 1))


def logits(p: Any) -> jax.Array:
    """What a decoder has to return, for images of one pixel."""
    return pixels(np.log(p) - np.log1p(-np.asarray(p)))


def reproduce(continuous: Likelihood = CONTINUOUS) -> shelf.Reproduction:
    """All lines; the likelihood may be replaced by a wrong one."""

    def log_prob(outputs: jax.Array, targets: Any) -> jax.Array:
        given = jnp.broadcast_to(targets, outputs.shape)
        return continuous.log_prob(outputs=outputs, targets=given)

    def log_constants(p: Any, like: tuple[int, ...] = (-1, 1, 1, 1)) -> list[float]:
        """The difference of both likelihoods, of images of equal pixels."""
        outputs = jnp.broadcast_to(logits(p), (len(p), *like[1:]))
        targets = jnp.full_like(outputs, 0.3)
        plain = Bernoulli().log_prob(outputs=outputs, targets=targets)
        return np.asarray(log_prob(outputs, targets) - plain).tolist()

    rows = []
    with jax.enable_x64(True):
        for p, found in zip(FAR, log_constants(FAR), strict=True):
            rows.append(shelf.Row(f"log C({p:g})", log_c(p), found, EXACT))
        for p, found in zip(NEAR, log_constants(NEAR), strict=True):
            off = p - 0.5
            series = math.log(2) + 4 / 3 * off**2 + 104 / 45 * off**4
            rows.append(shelf.Row(f"log C({p:g}), series", series, found, EXACT + 6 * off**6))
        nodes, weights = np.polynomial.legendre.leggauss(60)
        for p in (0.2, 0.5, 0.999):
            outputs = jnp.broadcast_to(logits(p), (len(nodes), 1, 1, 1))
            density = np.exp(log_prob(outputs, pixels((nodes + 1) / 2)))
            whole = float(weights / 2 @ density)
            rows.append(shelf.Row(f"sum of the density, p = {p:g}", 1.0, whole, EXACT))
        grid = np.linspace(0.002, 0.998, 499)
        constants = np.exp(log_constants(grid))
        (lacking,) = log_constants([0.5], (-1, 28, 28, 1))
        rows += [
            shelf.Row("least C over p", 2.0, float(constants.min()), EXACT),
            shelf.Row("p of the least C", 0.5, float(grid[constants.argmin()]), EXACT),
            shelf.Row("what gray 28x28 images lack at least, nats", 28 * 28 * math.log(2), lacking,
                      1e-6, headline=True),
        ]  # fmt: skip
        for p, found in zip(FAR, np.ravel(continuous.mean(logits(FAR))).tolist(), strict=True):
            quantity = f"mean at p = {p:g}"
            rows.append(shelf.Row(quantity, mean_of(p), found, EXACT, headline=p == 0.2))
        middle = pixels(0.0)
        # An exponential family: target minus mean, and the slope of the mean is the variance.
        slope = jax.grad(lambda outputs: jnp.sum(log_prob(outputs, 0.3)))(middle)
        variance = jax.grad(lambda outputs: jnp.sum(continuous.mean(outputs)))(middle)
        rows += [
            shelf.Row("mean at p = 0.5", 0.5, continuous.mean(middle).item(), EXACT),
            shelf.Row("gradient of log p(0.3) at p = 0.5", -0.2, slope.item(), EXACT,
                      source="derived"),
            shelf.Row("variance at p = 0.5", 1 / 12, variance.item(), EXACT, source="derived"),
        ]  # fmt: skip
    return shelf.Reproduction(
        name="continuous_bernoulli",
        paper="Loaiza-Ganem and Cunningham, The continuous Bernoulli, 2019",
        what="constant, mean and gradients of the continuous Bernoulli",
        rows=tuple(rows),
        settings={"precision": "float64"},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table."""
    shelf.run(reproduce, __doc__, arguments)


if __name__ == "__main__":
    main()
