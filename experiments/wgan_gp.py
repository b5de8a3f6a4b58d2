"""WGAN-GP. Gulrajani et al., Improved Training of Wasserstein GANs, 2017.

    python experiments/wgan_gp.py
    python experiments/wgan_gp.py --dataset fashion-mnist --steps 10000

Algorithm 1 of the paper with its defaults: penalty weight 10, five critic updates a step, each on
its own batch, Adam with learning rate 1e-4, beta1 = 0 and beta2 = 0.9. The networks are those of
DCGAN, the critic's without batch normalization (section 4).
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.losses import Wasserstein
from jaxgan.objectives.gan.penalties import GradientPenalty
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="wgan_gp",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64, batch_norm=False),
        loss=Wasserstein(),
        generator_optimizer=Adam(learning_rate=1e-4, b1=0.0, b2=0.9),
        discriminator_optimizer=Adam(learning_rate=1e-4, b1=0.0, b2=0.9),
        prior=Normal(100),
        n_critic=5,
        penalties=(GradientPenalty(weight=10.0),),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
