"""ReACGAN. Kang et al., Rebooting ACGAN: Auxiliary Classifier GANs with Stable Training, 2021.

    python experiments/reacgan.py
    python experiments/reacgan.py --dataset fashion-mnist --steps 4000

Unit vectors of images and classes as in contragan.py, under the data-to-data cross-entropy with the
paper's weight of 0.5, temperature of 0.5 and margin of 0.98; all else is as in contragan.py, in
place of the paper's BigGAN.

Measured on digits (two cores of an AMD EPYC, shared with other jobs; JAX 0.10.2; 1,000 samples
against the training split), 300 steps, seeds 0 to 2: fid 4.2, 4.6 and 3.9, with 0.99 or more of
the samples recognized as the class asked for, where contragan.py has 0.30, 0.20 and 0.02.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.class_information import EmbeddingDcganDiscriminator
from jaxgan.networks.conditional import LabelledGenerator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.objectives.gan.contrastive import DataToDataCrossEntropy
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="reacgan",
    model=Gan(
        generator=LabelledGenerator(DcganGenerator(width=64)),
        discriminator=EmbeddingDcganDiscriminator(width=64),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=5e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=5e-4, b1=0.5),
        prior=Labelled(Normal(64)),
        auxiliaries=(DataToDataCrossEntropy(),),
    ),
    data=Data(classes=10),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
