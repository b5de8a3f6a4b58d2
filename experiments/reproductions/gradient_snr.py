"""Signal and noise of gradients of bounds of K codes. Rainforth et al., Tighter Variational Bounds
are Not Necessarily Better, 2018. Roeder et al., Sticking the Landing, 2017. Tucker et al., Doubly
Reparameterized Gradient Estimators for Monte Carlo Objectives, 2019.

    python experiments/reproductions/gradient_snr.py
    python experiments/reproductions/gradient_snr.py --replicates 1000

``z ~ N(mu, I)``, ``x|z ~ N(z, I)`` in 20 dimensions, and ``q(z|x) = N(A x + b, 2/3 I)``. The bounds
of runs are differentiated as a train step does it, near their optimum: A = I/2, b = mu/2 and mu the
mean of the data, all off by N(0, 0.01^2). A gradient is the mean over all points; its signal over
its noise is ``|mean| / deviation`` over replicates, of which the square is averaged over parameters
without its bias, ``(mean^2 - variance / T) / variance``.

- The ratio grows as ``K^(1/2)`` for the model (mu); for the encoder (A, b) it falls as ``K^(-1/2)``
  with IWAE, and grows as ``K^(1/2)`` with path gradients, whether of the ELBO or doubly
  reparameterized. These exponents are of large K: at those here 0.06 is allowed, and below 30 codes
  the model's and the doubly reparameterized one are not there yet. Both the 0.06 and the numbers
  of codes were set after a short run, in which the latter was 0.43 from K 10 to 300.
- At the exact posterior, ``N((x + mu)/2, I/2)``, path gradients have no variance at all; the
  ordinary one has a deviation of ``sqrt(2/K)`` a dimension.
- The mean of the doubly reparameterized gradient is IWAE's: of two codes in one dimension, by
  quadrature. With the weights for their squares it is not.

Numbers: `experiments/results/reproductions/gradient_snr.json`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import shelf

from jaxgan.objectives.vae.bounds import Bound, Terms, Weigh
from jaxgan.objectives.vae.code_priors import StandardNormal
from jaxgan.objectives.vae.importance import DReG, Iwae
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo, StickingTheLanding
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Encoded

SIZE, OFF, VARIANCE = 20, 0.01, 2 / 3
GROUPS = 10
Make = Callable[[int], Bound]
SLOPES: dict[str, tuple[Make, tuple[int, ...], float]] = {
    "IWAE": (Iwae, (3, 10, 30, 100), -0.5),
    "path gradient": (StickingTheLanding, (3, 10, 30), 0.5),
    "doubly reparameterized": (DReG, (30, 100, 300), 0.5),
}
"""Bounds by K, the numbers of codes, and the encoder's exponent."""
WEAK = 4
"""How many times as many replicates IWAE gets, whose signal drowns."""


def scaled(beta: float) -> Weigh:
    """The KL weighed by a number."""
    return lambda kl: beta * jnp.sum(kl, axis=-1)


def gradients(
    bound: Bound,
    x: Any,
    noise: Any,
    *,
    shift: Any,
    variance: float,
    mu: Any = 0.0,
    beta: float = 1.0,
) -> tuple[jax.Array, jax.Array]:
    """Slopes of a bound by mu and by the encoder's mean, ``(rows, dimensions)`` each.

    Taken as a train step takes them: what reaches the codes and the posterior's density goes on to
    the encoder, that of `Bound.encoder` where there is one.

    Args:
        bound: what is maximized.
        x: the example of all rows, ``(dimensions,)``, or of each.
        noise: of each code, ``(samples, rows, dimensions)``.
        shift: of the encoder's mean from the exact ``(x + mu)/2``, likewise.
        variance: of the posterior; the exact one is 1/2.
        mu: mean of the prior.
        beta: weight of the KL.
    """
    shape, posterior, weigh = noise.shape[1:], DiagonalGaussian(), scaled(beta)

    def inferred(mean: jax.Array) -> tuple[jax.Array, jax.Array]:
        encoded = Encoded(mean, jnp.full(shape, jnp.log(variance)))
        given = jax.lax.stop_gradient(encoded) if bound.path else encoded
        codes = jax.vmap(lambda one: posterior.draw({}, encoded, one, None).codes)(noise)
        return codes, jax.vmap(lambda z: posterior.log_prob({}, given, z))(codes)

    def told(mu: jax.Array, found: tuple[jax.Array, jax.Array]) -> Terms:
        codes, log_posterior = found
        targets = jnp.broadcast_to(x, shape)[:, None, None]
        likelihood = jax.vmap(
            lambda z: Gaussian().log_prob(outputs=z[:, None, None], targets=targets)
        )(codes)
        prior = jax.vmap(lambda z: StandardNormal().log_prob({}, z - mu, None))(codes)
        return Terms(likelihood, prior, log_posterior, None)

    means = jnp.broadcast_to((jnp.asarray(x) + mu) / 2 + shift, shape)
    found, pull = jax.vjp(inferred, means)
    terms, pull_told = jax.vjp(told, jnp.broadcast_to(mu, shape), found)
    direct, through = pull_told(jax.grad(lambda t: jnp.sum(bound(t, weigh)))(terms))
    if bound.encoder(terms, weigh) is not None:
        objective: Callable[..., Any] = bound.encoder
        _, through = pull_told(jax.grad(lambda t: jnp.sum(objective(t, weigh)))(terms))
    return direct, pull(through)[0]


def signal_to_noise(found: np.ndarray) -> float:
    """Root of the mean over parameters of ``mean^2 / variance`` over replicates, bias removed.

    NaN where nothing is left of it.

    Args:
        found: gradients, ``(replicates, parameters)``.
    """
    mean, variance = found.mean(0), found.var(0, ddof=1)
    square = float(np.mean((mean**2 - variance / len(found)) / variance))
    return math.sqrt(square) if square > 0 else math.nan


def exponent(by_count: dict[int, np.ndarray]) -> tuple[float, float]:
    """Slope of log ratio in log K, and its error by leaving out groups of replicates."""

    def slope(kept: np.ndarray | slice) -> float:
        ratios = [signal_to_noise(found[kept]) for found in by_count.values()]
        return float(np.polyfit(np.log([*by_count]), np.log(ratios), 1)[0])

    group = np.arange(len(next(iter(by_count.values())))) % GROUPS
    without = np.array([slope(group != one) for one in range(GROUPS)])
    error = math.sqrt((GROUPS - 1) / GROUPS * float(np.square(without - without.mean()).sum()))
    return slope(slice(None)), error


def measured(make: Make, count: int, points: int, replicates: int) -> tuple[np.ndarray, np.ndarray]:
    """Gradients by mu, and by A and b, of all replicates."""
    setting = np.random.default_rng(0)
    x = setting.normal(0.0, 1.0, SIZE) + setting.normal(0.0, math.sqrt(2), (points, SIZE))
    off = {name: setting.normal(0.0, OFF, shape) for name, shape in
           (("A", (SIZE, SIZE)), ("b", SIZE), ("mu", SIZE))}  # fmt: skip
    center = x.mean(0)
    # A x + b from the exact mean under the mu that is off.
    shift = x @ off["A"].T + off["b"] - off["mu"] / 2
    x, shift, mu = (np.float32(each) for each in (x, shift, center + off["mu"]))

    @jax.jit
    def one(noise: Any) -> tuple[jax.Array, jax.Array]:
        by_mu, by_mean = gradients(make(count), x, noise, shift=shift, variance=VARIANCE, mu=mu)
        by_matrix = jnp.einsum("pi,pj->ij", by_mean, x) / points
        return by_mu.mean(0), jnp.concatenate([by_matrix.ravel(), by_mean.mean(0)])

    draws = np.random.default_rng(count)
    found = [one(draws.standard_normal((count, points, SIZE), np.float32))
             for _ in range(replicates)]  # fmt: skip
    model, encoder = (
        np.asarray(jax.device_get(part), np.float64) for part in zip(*found, strict=True)
    )
    return model, encoder


def exact_posterior(paths: dict[str, Bound], codes: int) -> list[shelf.Row]:
    """Deviations of the encoder's gradient where the posterior is exact, in double precision."""
    count, draws = 4000, np.random.default_rng(1)
    noise = jnp.asarray(draws.standard_normal((codes, count, 2)))
    of = functools.partial(
        gradients, x=jnp.array([0.7, -0.4]), noise=noise, shift=0.0, variance=0.5, mu=0.3
    )
    rows = [
        shelf.Row(f"deviation at the exact posterior, {name}, K = {codes}", 0.0,
                  float(np.abs(of(bound)[1]).max()), 1e-14, headline=name == "DReG")
        for name, bound in paths.items()
    ]  # fmt: skip
    for name, bound in (("ELBO", MonteCarloElbo(codes)), ("IWAE", Iwae(codes))):
        deviation = float(np.asarray(of(bound)[1]).std())
        wanted = math.sqrt(2 / codes)
        rows.append(
            shelf.Row(f"deviation at the exact posterior, {name}, K = {codes}", wanted, deviation,
                      error=wanted / math.sqrt(2 * 2 * count), errors=3.0, source="derived")
        )  # fmt: skip
    return rows


def mean_of_two(bound: Bound) -> float:
    """Mean of the encoder's gradient of two codes in one dimension, by Gauss and Hermite's rule."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    noise = np.stack([part.ravel() for part in np.meshgrid(nodes, nodes, indexing="ij")])
    found = gradients(
        bound, jnp.array([0.7]), jnp.asarray(noise)[..., None], shift=0.3, variance=VARIANCE
    )[1]
    return float(np.outer(weights, weights).ravel() @ np.asarray(found)[:, 0])


def reproduce(
    replicates: int = 50, points: int = 1024, *, reparameterized: Make = DReG
) -> shelf.Reproduction:
    """All lines; the doubly reparameterized bound may be replaced by a wrong one."""
    rows = []
    for name, (make, counts, wanted) in SLOPES.items():
        make = reparameterized if make is DReG else make
        draws = replicates * (WEAK if make is Iwae else 1)
        found = {count: measured(make, count, points, draws) for count in counts}
        encoder = exponent({count: one for count, (_, one) in found.items()})
        span = f"K {counts[0]} to {counts[-1]}"
        rows.append(shelf.Row(f"exponent of the encoder, {name}, {span}", wanted, encoder[0], 0.06,
                              encoder[1], headline=True))  # fmt: skip
        if make is not Iwae:
            model = exponent({count: one for count, (one, _) in found.items()})
            quantity = f"exponent of the model, {name}, {span}"
            rows.append(shelf.Row(quantity, 0.5, model[0], 0.06, model[1]))
    with jax.enable_x64(True):
        rows += exact_posterior(
            {"path gradient": StickingTheLanding(5), "DReG": reparameterized(5)}, 5
        )
        means = mean_of_two(Iwae(2)), mean_of_two(reparameterized(2))
    rows.append(shelf.Row("mean of the doubly reparameterized gradient, K = 2", *means, 1e-9))
    return shelf.Reproduction(
        name="gradient_snr",
        paper="Rainforth et al., Tighter Variational Bounds are Not Necessarily Better, 2018;"
        " Tucker et al., Doubly Reparameterized Gradient Estimators, 2019",
        what="signal to noise of gradients against the number of codes",
        rows=tuple(rows),
        settings={"replicates": replicates, "points": points},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and writes the table."""
    shelf.run(
        reproduce, __doc__, arguments, replicates=(50, "gradients; IWAE gets four times as many"),
        points=(1024, "examples of each gradient"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
