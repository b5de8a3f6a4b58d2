"""ContraGAN. Kang and Park, ContraGAN: Contrastive Learning for Conditional Image Generation, 2020.

    python experiments/contragan.py
    python experiments/contragan.py --dataset fashion-mnist --steps 4000

The discriminator also gives a unit vector of the image and one of its class: images are to lie near
their class and near each other where they share it (the 2C loss, weight 1 and temperature 1 as in
the paper), real images by the discriminator's doing, generated ones by the generator's. Hinge loss,
as in the paper. The networks are those of DCGAN in place of the paper's residual ones, without
spectral normalization; hence Adam's settings of cgan_projection.py.

Measured on digits (two cores of an AMD EPYC, shared with other jobs; JAX 0.10.2; 1,000 samples
against the training split), 300 steps, seeds 0 to 2: fid 8.4, 8.0 and 6.8, with 0.30, 0.20 and 0.02
of the samples recognized as the class asked for. The loss asks little more of an image than to lie
near others of its class, whichever that comes to be (reacgan.py asks for the proxy, and has 0.99).
Longer runs were not measured.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.class_information import EmbeddingDcganDiscriminator
from jaxgan.networks.conditional import LabelledGenerator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.objectives.gan.contrastive import ConditionalContrastive
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="contragan",
    model=Gan(
        generator=LabelledGenerator(DcganGenerator(width=64)),
        discriminator=EmbeddingDcganDiscriminator(width=64),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=5e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=5e-4, b1=0.5),
        prior=Labelled(Normal(64)),
        auxiliaries=(ConditionalContrastive(),),
    ),
    data=Data(classes=10),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
