"""Feature matching. Salimans et al., Improved Techniques for Training GANs, 2016.

    python experiments/feature_matching.py
    python experiments/feature_matching.py --dataset fashion-mnist --steps 3000

The generator matches the mean of the discriminator's last hidden features (section 3.1), and sees
no logits. The networks and optimizers are those of dcgan.py; the paper's have dropout, noise,
weight normalization and minibatch discrimination, and learn from labels.

Measured on digits, 5,000 steps (`jaxgan compare` as in lsgan.py, seed 0; JAX 0.10.2, two cores of
an AMD EPYC that had much else to do; [digits-cnn,train1500,gen1500,q8,ema]):

    fid 3.87, kid 0.0700

After 1,000 steps tests/end_to_end/learning.py finds fid 3.86 to 4.28 (1,000 samples,
seeds 0-2), and 10.1 with a discriminator that is never updated: means of random features say much.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.features import FeatureDcganDiscriminator
from jaxgan.objectives.gan.feature_matching import FeatureMatching
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="feature_matching",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=FeatureDcganDiscriminator(width=64),
        loss=FeatureMatching(),
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
