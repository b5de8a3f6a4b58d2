"""Discriminators that also say which class an image is of (Odena et al. 2017).

They are given the labels, as every conditional discriminator is, and do not look at them: the loss
of the classification does (`jaxgan.objectives.gan.auxiliaries`).

References:
    Odena, Olah and Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, 2017,
    section 3 (where both outputs come from the same last features, as here).
"""

from __future__ import annotations

from jaxgan.networks.dcgan import DcganFeatures
from jaxgan.networks.layers.judging import Classifying
from jaxgan.networks.mlp import MlpFeatures


class AuxiliaryDcganDiscriminator(Classifying, DcganFeatures):
    """`jaxgan.networks.dcgan.DcganDiscriminator` with a classifier beside its last layer."""


class AuxiliaryMlpDiscriminator(Classifying, MlpFeatures):
    """`jaxgan.networks.mlp.MlpDiscriminator` with a classifier beside its last layer."""
