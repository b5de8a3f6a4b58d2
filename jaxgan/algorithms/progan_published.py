"""Progressive growing as it was published, as values; none of these was trained here.

Of CIFAR-10 the authors report an inception score of 8.80 at best (and, as remembered, 8.56 +- 0.06
on average), by the code of their Theano branch. Differences are those that
`jaxgan.algorithms.progan.ProGan` names, and for CELEBA_HQ the smaller batches of 256 pixels and
more.

>>> CIFAR_10.prior, CIFAR_10.steady_kimg
(Normal(size=128), 400.0)
"""

from __future__ import annotations

from jaxgan.algorithms.progan import ProGan
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator
from jaxgan.objectives.gan.drift import Drift
from jaxgan.objectives.gan.penalties import GradientPenalty
from jaxgan.objectives.priors import Normal

CIFAR_10 = ProGan(
    ProganGenerator(width=128),
    # The standard deviation is that of the whole batch.
    ProganDiscriminator(width=128, group=16),
    prior=Normal(128),
    # 10 (|g| - 750)^2 / 750^2.
    penalties=(GradientPenalty(weight=10.0 / 750.0**2, target=750.0), Drift()),
    steady_kimg=400.0,
    fade_kimg=400.0,
)
"""At 32 pixels, with batches of 16, for 20,000 kimg; without flips."""

CELEBA_HQ = ProGan(
    ProganGenerator(), ProganDiscriminator(group=16), steady_kimg=800.0, fade_kimg=800.0
)
"""At 1,024 pixels, with batches of 16 where the authors have 14, 6 and 3 from 256 pixels on."""
