"""The first GAN: two multilayer perceptrons. Goodfellow et al., Generative Adversarial Nets, 2014.

    python experiments/gan_mlp.py
    python experiments/gan_mlp.py --dataset fashion-mnist --steps 20000

Rectifiers in the generator and maxout units with dropout in the discriminator, as in section 5 of
the paper; the non-saturating loss of its section 3. Adam replaces momentum.

Measured on digits by compare_digits.py (seeds 0-2, 95% intervals, two cores of an AMD EPYC;
fid[digits-cnn,train1500,gen1500,q8,ema] and kid likewise, ELBO in nats on 297 held-out images):

    5,000 steps, 18 s a seed: fid 1.94 (1.70 to 2.21), kid 0.0681 +- 0.0355
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="gan_mlp",
    model=Gan(
        generator=MlpGenerator(widths=(256, 256)),
        discriminator=MlpDiscriminator(widths=(128, 128), pieces=5, dropout=0.3),
        loss=NonSaturating(),
        generator_optimizer=Adam(learning_rate=2e-4),
        discriminator_optimizer=Adam(learning_rate=2e-4),
        prior=Normal(64),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
