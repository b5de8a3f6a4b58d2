"""A GAN under R1. Mescheder et al., Which Training Methods for GANs do actually Converge?, 2018.

    python experiments/r1_gan.py
    python experiments/r1_gan.py --penalty.every 16
    python experiments/r1_gan.py --dataset fashion-mnist --steps 3000

The non-saturating game with the squared gradient at real images as its only regularization: no
batch normalization in the discriminator, Adam without momentum (beta1 = 0, beta2 = 0.99), and an
average of the generator's weights. The paper's weight is 10 for images of 64 to 1,024 pixels a
side; those of digits have 8, where slopes over all pixels are shorter. The networks are those of
DCGAN, the paper's are residual.

Measured on digits after 600 steps, seeds 0 to 2, by tests/end_to_end/learning.py
(fid of 1,000 samples, features digits-cnn; a generator that is never updated has 42):

    fid 4.3, 4.6, 4.4; 15 s of processor time, mostly compilation; AMD EPYC

After 3,000 steps, seed 0, a minute or two on busy cores (python experiments/r1_gan.py):
fid[digits-cnn,train1500,gen1500,q8,ema] 1.90 (1.75 to 2.06), kid 0.027.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="r1_gan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64, batch_norm=False),
        loss=NonSaturating(),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.0, b2=0.99),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.0, b2=0.99),
        prior=Normal(100),
        penalties=(R1(weight=1.0),),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
