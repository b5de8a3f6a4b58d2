"""The GANs of the study. Lucic et al., Are GANs Created Equal? A Large-Scale Study, 2018.

    python experiments/reproductions/lucic_2018/gan.py
    python experiments/reproductions/lucic_2018/gan.py --dataset fashion-mnist --steps 15625

InfoGAN's pair in their widths, latents uniform in [-1, 1]^64, Adam, batches of 64; the other GANs
of lucic_study.py are this file with ``--loss``, ``--penalty`` and ``--constraint``. The weights
that are measured are those that are trained: the paper averages none.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.infogan import InfoGanDiscriminator, InfoGanGenerator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Uniform
from jaxgan.optim import Adam

experiment = Experiment(
    name="ns_gan",
    model=Gan(
        generator=InfoGanGenerator(slope=0.2),
        discriminator=InfoGanDiscriminator(slope=0.2),
        loss=NonSaturating(),
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
