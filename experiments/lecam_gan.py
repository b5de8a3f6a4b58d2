"""LeCam. Tseng et al., Regularizing Generative Adversarial Networks under Limited Data, 2021.

    python experiments/lecam_gan.py
    python experiments/lecam_gan.py --penalty none

Hinge losses and a spectrally normalized discriminator, whose scores are held near moving averages
of those of the other kind of images (weight 0.3, decay 0.9, as the authors have them for BigGAN on
CIFAR-10). The 1,500 digits are limited data of themselves. The penalty starts after 200 updates,
not 1,000, since runs are short. The networks are those of DCGAN, the paper's are BigGAN's.

Measured on digits after 600 steps, seeds 0 to 2, by tests/end_to_end/learning.py
(fid of 1,000 samples, features digits-cnn; a generator that is never updated has 42):

    fid 4.1, 4.6, 4.6; 15 s of processor time, mostly compilation; AMD EPYC

After 3,000 steps, seed 0, a minute or two on busy cores (python experiments/lecam_gan.py):
fid[digits-cnn,train1500,gen1500,q8,ema] 2.46 (2.30 to 2.64), kid 0.036.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.lecam import LeCam
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="lecam_gan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64, batch_norm=False, weight_norm="spectral"),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(100),
        penalties=(LeCam(weight=0.3, decay=0.9, start=200),),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
