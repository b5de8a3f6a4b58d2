"""A StyleGAN2 small enough for tests, trained by gradient descent, whose steps show gradients."""

import numpy as np

from jaxgan import rng
from jaxgan.algorithms.ramped_ema import RampedEma
from jaxgan.algorithms.stylegan2 import StyleGan2
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.stylegan2 import StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import StyleGan2Discriminator
from jaxgan.objectives.gan.path_length import PathLength
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Sgd

RATE, WEIGHT, BATCH = 0.02, 0.3, 4
MODEL = StyleGan2(
    StyleGan2Generator(width=4, units=4, mapping_layers=2),
    StyleGan2Discriminator(width=4),
    prior=Normal(3),
    generator_optimizer=Sgd(RATE),
    discriminator_optimizer=Sgd(RATE),
    penalties=(R1(weight=WEIGHT, every=3),),
    path_lengths=(PathLength(weight=0.7, decay=0.1, every=2),),
    mixing=None,
    ema=RampedEma(decay=0.9, ramp=0.5),
)
EXPERIMENT = Experiment("tiny", MODEL, Data(), steps=10, batch_size=BATCH)
IMAGES = np.random.default_rng(0).integers(0, 256, (BATCH, 8, 8, 1), np.uint8)
KEY = rng.step_key(rng.base_key(1), 0)
