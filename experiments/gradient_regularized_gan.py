"""Gradient-regularized GAN. Nagarajan and Kolter, Gradient Descent GAN Optimization is Locally
Stable, 2017.

    python experiments/gradient_regularized_gan.py
    python experiments/gradient_regularized_gan.py --dataset ring --data.source.radius 2 \\
        --data.source.std 0.02 --model.generator.no-bounded --model.prior.size 256 \\
        --batch-size 512 --steps 100000

The generator of the zero-sum game also makes the discriminator's gradient short, with the factor of
the authors' code.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.game_gradients import GradientRegularization
from jaxgan.objectives.gan.zero_sum import ZeroSum
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="gradient_regularized_gan",
    model=Gan(
        generator=MlpGenerator(widths=(256, 256)),
        discriminator=MlpDiscriminator(widths=(128,), slope=0.0),
        loss=ZeroSum(),
        generator_optimizer=Adam(learning_rate=1e-4),
        discriminator_optimizer=Adam(learning_rate=1e-4),
        prior=Normal(64),
        generator_penalties=(GradientRegularization(weight=0.5),),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
