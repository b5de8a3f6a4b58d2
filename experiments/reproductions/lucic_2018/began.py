"""BEGAN in the study. Lucic et al., Are GANs Created Equal? A Large-Scale Study, 2018.

    python experiments/reproductions/lucic_2018/began.py
    python experiments/reproductions/lucic_2018/began.py --dataset fashion-mnist --steps 15625

The generator of gan.py, and an autoencoder of codes of 64 numbers for a discriminator. The loss is
that of Berthelot et al. (2017): k stays in [0, 1], which the study's code does not see to.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.infogan import InfoGanGenerator
from jaxgan.networks.infogan_autoencoders import InfoGanAutoencoder
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.priors import Uniform
from jaxgan.optim import Adam

experiment = Experiment(
    name="began",
    model=Gan(
        generator=InfoGanGenerator(slope=0.2),
        discriminator=InfoGanAutoencoder(),
        loss=Began(gamma=0.75, rate=1e-3),
        generator_optimizer=Adam(learning_rate=1e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=1e-4, b1=0.5),
        prior=Uniform(64),
    ),
    data=Data(),
    steps=2000,
    batch_size=64,
    evaluation=Evaluation(weights="raw"),
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
