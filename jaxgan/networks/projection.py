"""Projection discriminators (Miyato and Koyama 2018): how real an image is as one of its class.

The logit is ``psi(phi(x)) + v[y] . phi(x)``: that of an unconditional discriminator, and a product
of the same features with a vector of the class. The paper's features are sums over all pixels;
here they are those that the unconditional discriminator of the same kind has.

References:
    Miyato and Koyama, cGANs with Projection Discriminator, 2018, section 3 and figure 1d.
"""

from __future__ import annotations

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.judging import Projecting
from jaxgan.networks.mlp import MlpFeatures


class ProjectionDcganDiscriminator(Projecting, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with a projection of the label."""


class ProjectionMlpDiscriminator(Projecting, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with a projection of the label."""
