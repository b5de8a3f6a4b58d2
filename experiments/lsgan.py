"""LSGAN. Mao et al., Least Squares Generative Adversarial Networks, 2017.

    python experiments/lsgan.py
    python experiments/lsgan.py --dataset fashion-mnist --steps 3000

The 0-1 coding of the paper's equation 9. The networks and optimizers are those of dcgan.py in place
of the paper's for 112 pixels.

Measured on digits, 5,000 steps (`jaxgan compare` of lsgan.py, rpgan.py, fgan.py,
feature_matching.py with `--images 320000 --seeds 0 1 2 --metrics fid kid`; 95% intervals; JAX
0.10.2, two cores of an AMD EPYC that had much else to do;
[digits-cnn,train1500,gen1500,q8,ema]):

    fid 1.70 (1.56 to 1.86), kid 0.0220 +- 0.0057
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.losses import LeastSquares
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="lsgan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64),
        loss=LeastSquares(),
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
