"""z ~ N(0, I), x|z ~ N(z + c, I) and q = N((x - c) / 2 + shift, variance I): exact for 0 and 1/2.

Every replicate has encoder means and a c of its own, so that one backward pass gives the gradients
of each.
"""

import jax
import jax.numpy as jnp

from jaxgan.objectives.vae.bounds import Terms
from jaxgan.objectives.vae.code_priors import StandardNormal
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Encoded


def scaled(beta):
    """The KL weighed by a number."""
    return lambda kl: beta * jnp.sum(kl, axis=-1)


def gradients(bound, x, noise, *, shift, variance, c=0.0, beta=1.0):
    """Slopes of a bound by c and by the encoder's mean, ``(replicates, dimensions)`` each.

    Taken as a train step takes them: what reaches the codes and the posterior's density goes on to
    the encoder, that of `bound.encoder` where there is one.

    Args:
        bound: what is maximized.
        x: the example, ``(dimensions,)``.
        noise: of each code, ``(samples, replicates, dimensions)``.
        shift: of the encoder's mean from the exact one.
        variance: of the posterior.
        c: of the model.
        beta: weight of the KL.
    """
    shape, posterior, weigh = noise.shape[1:], DiagonalGaussian(), scaled(beta)

    def inferred(mean):
        encoded = Encoded(mean, jnp.full(shape, jnp.log(variance)))
        given = jax.lax.stop_gradient(encoded) if bound.path else encoded
        codes = jax.vmap(lambda one: posterior.draw({}, encoded, one, None).codes)(noise)
        return codes, jax.vmap(lambda z: posterior.log_prob({}, given, z))(codes)

    def told(c, found):
        codes, log_posterior = found
        targets = jnp.broadcast_to(x, (shape[0], 1, 1, shape[1]))
        likelihood = jax.vmap(
            lambda z: Gaussian().log_prob(outputs=(z + c)[:, None, None], targets=targets)
        )(codes)
        prior = jax.vmap(lambda z: StandardNormal().log_prob({}, z, None))(codes)
        return Terms(likelihood, prior, log_posterior, None)

    found, pull = jax.vjp(inferred, jnp.broadcast_to((x - c) / 2 + shift, shape))
    terms, pull_told = jax.vjp(told, jnp.broadcast_to(c, shape), found)
    direct, through = pull_told(jax.grad(lambda t: jnp.sum(bound(t, weigh)))(terms))
    if bound.encoder(terms, weigh) is not None:
        _, through = pull_told(jax.grad(lambda t: jnp.sum(bound.encoder(t, weigh)))(terms))
    return direct, pull(through)[0]
