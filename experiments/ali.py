"""ALI. Dumoulin, Belghazi, Poole, Lamb, Arjovsky, Mastropietro and Courville, Adversarially Learned
Inference, 2017.

    python experiments/ali.py
    python experiments/ali.py --dataset fashion-mnist --steps 5000

bigan.py with an encoder that gives the mean and the variance of a Gaussian, from which the code of
an image is drawn (section 2.1), and with the standard normal prior that goes with it. The optimizer
is the paper's: Adam with beta1 = 0.5, here at bigan.py's rate. The networks are those of bigan.py,
smaller than the paper's and without its dropout and maxout.

Measured on digits (two cores of an AMD EPYC, shared with other jobs; JAX 0.10.2; 1,000 samples
against the training split), 300 steps, seeds 0 to 2: fid 7.6, 5.1 and 8.7; mean squared error of
reconstructions 0.144, 0.141 and 0.145 (pixels from 0 to 1), far from the images.
"""

from jaxgan.algorithms.bigan import BiGan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.bidirectional import PairDcganDiscriminator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.vae import ConvEncoder
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="ali",
    model=BiGan(
        generator=DcganGenerator(width=64),
        encoder=ConvEncoder(width=64, batch_norm=True, activation="leaky_relu", init_std=0.02),
        discriminator=PairDcganDiscriminator(width=64),
        loss=NonSaturating(),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(50),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
