"""f-GAN. Nowozin, Cseke and Tomioka, f-GAN, 2016.

    python experiments/fgan.py
    python experiments/fgan.py --loss squared_hellinger
    python experiments/fgan.py --dataset fashion-mnist --steps 3000

The Kullback-Leibler divergence of table 2, with the generator of section 3.2. The networks and
optimizers are those of dcgan.py in place of the paper's.

Measured on digits, 5,000 steps (`jaxgan compare` of lsgan.py, rpgan.py, fgan.py,
feature_matching.py with `--images 320000 --seeds 0 1 2 --metrics fid kid`; 95% intervals; JAX
0.10.2, two cores of an AMD EPYC that had much else to do;
[digits-cnn,train1500,gen1500,q8,ema]):

    fid 1.96 (1.39 to 2.76), kid 0.0266 +- 0.0141
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.f_divergences import ForwardKl
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="fgan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64),
        loss=ForwardKl(),
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
