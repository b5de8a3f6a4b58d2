"""What regularizers see of a batch, on one device or cut among several."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import rng
from jaxgan.algorithms import apply
from jaxgan.objectives.vae.posteriors import Encoded
from jaxgan.objectives.vae.regularizers import CodeView

DRAWS = np.random.default_rng(0)
CODES, MEAN, LOG_VARIANCE, PRIOR = DRAWS.normal(size=(4, 6, 3))
"""Six images, codes of three dimensions; the codes are as good as any."""
WEIGHT = DRAWS.normal(size=(3, 4))


def decode(codes):
    """Images of four pixels, ``tanh(z W)``."""
    return jnp.tanh(codes @ jnp.asarray(WEIGHT, codes.dtype))[:, None, :, None]


def view_of(codes=CODES, mean=MEAN, log_variance=LOG_VARIANCE, prior=PRIOR, axis_name=None):
    """A view of these rows."""
    over = apply.reduce(axis_name)
    codes, mean, log_variance, prior = map(jnp.asarray, (codes, mean, log_variance, prior))
    return CodeView(
        codes=codes,
        encoded=Encoded(mean, log_variance),
        prior_codes=lambda role: prior,
        gather=over.gather,
        rows=over.rows(len(codes)),
        decode=decode,
        params={"decoder": {"w": jnp.asarray(WEIGHT), "b": jnp.full(2, 3.0)}, "encoder": 100.0},
        key=rng.base_key(0),
        step=jnp.zeros((), jnp.int32),
    )


def values(regularizer, **changes):
    """Of the whole batch, in double precision."""
    with jax.enable_x64(True):
        arrays = {"codes": CODES, "mean": MEAN, "log_variance": LOG_VARIANCE, "prior": PRIOR}
        return np.asarray(jax.jit(lambda given: regularizer(view_of(**given)))(arrays | changes))


def values_on_devices(regularizer, devices=3):
    """The same by devices that have some of the rows each."""

    def one(codes, mean, log_variance, prior):
        return regularizer(view_of(codes, mean, log_variance, prior, axis_name="batch"))

    with jax.enable_x64(True):
        rows = [a.reshape(devices, -1, 3) for a in (CODES, MEAN, LOG_VARIANCE, PRIOR)]
        return np.asarray(jax.jit(jax.vmap(one, axis_name="batch"))(*rows)).ravel()
