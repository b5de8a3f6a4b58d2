"""Small discriminators that losses can be trained with: most read logits, and suit them all."""

import flax.linen as nn

from jaxgan.networks.autoencoder import MlpAutoencoder
from jaxgan.networks.features import FeatureMlpDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.networks.vectors import VectorMlpDiscriminator
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.ebgan import Ebgan
from jaxgan.objectives.gan.feature_matching import AbsoluteFeatureMatching, FeatureMatching
from jaxgan.objectives.gan.mmd import Mmd, RepulsiveMmd

SUITED: dict[type, type[nn.Module]] = {
    FeatureMatching: FeatureMlpDiscriminator,
    AbsoluteFeatureMatching: FeatureMlpDiscriminator,
    Began: MlpAutoencoder,
    Ebgan: MlpAutoencoder,
    Mmd: VectorMlpDiscriminator,
    RepulsiveMmd: VectorMlpDiscriminator,
}
"""By loss, what it needs in place of a plain discriminator; all have ``widths``."""


def discriminator(loss, widths=(8,)):
    """A multilayer perceptron that returns what a loss reads."""
    return SUITED.get(type(loss), MlpDiscriminator)(widths=widths)
