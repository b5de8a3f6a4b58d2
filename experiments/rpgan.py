"""RpGAN. Jolicoeur-Martineau, The relativistic discriminator, 2019.

    python experiments/rpgan.py
    python experiments/rpgan.py --dataset fashion-mnist --steps 3000

Pairs over softplus (the paper's RSGAN): the discriminator says how much more real a real image is
than the generated one beside it, and the generator learns from real images as well. The networks
and optimizers are those of dcgan.py. With `--penalty r1 --penalty r2
--model.discriminator.no-batch-norm` the loss is that of R3GAN.

Measured on digits, 5,000 steps (`jaxgan compare` of lsgan.py, rpgan.py, fgan.py,
feature_matching.py with `--images 320000 --seeds 0 1 2 --metrics fid kid`; 95% intervals; JAX
0.10.2, two cores of an AMD EPYC that had much else to do;
[digits-cnn,train1500,gen1500,q8,ema]):

    fid 1.91 (1.69 to 2.16), kid 0.0268 +- 0.0101
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.relativistic import RelativisticSoftplus
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="rpgan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64),
        loss=RelativisticSoftplus(),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(100),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
