"""PacGAN. Lin et al., PacGAN: The Power of Two Samples in Generative Adversarial Networks, 2018.

    python experiments/pacgan.py
    python experiments/pacgan.py --dataset ring --model.prior.size 2 --model.generator.no-bounded \\
        --batch-size 100 --steps 400000

The discriminator judges packs of two images of one kind, their channels side by side, so that a
generator of few modes is found out by its likeness to itself. Networks, first weights, optimizers
are those of the mixtures of Gaussians of its table 1, which the second command is about; digits
get more latents and larger batches.

Differs from the paper's code: packs are of images that follow each other in a batch, so that each
image is in one pack, and the discriminator sees half as many packs as there are images; that code
draws the parts of packs independently, as many packs as its batch is long.

Measured on digits (Frechet distance of the digits' classifier, 1,000 averaged samples against the
training split; seeds 0-2): 15.8 to 20.4 after 600 steps.
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
    name="pacgan",
    model=Gan(
        generator=MlpGenerator(widths=(400,) * 4, batch_norm=True, init_std=0.02),
        discriminator=MlpDiscriminator(widths=(200,) * 3, pieces=5, init_std=0.02),
        loss=NonSaturating(),
        generator_optimizer=Adam(learning_rate=1e-4, b1=0.8),
        discriminator_optimizer=Adam(learning_rate=1e-4, b1=0.8),
        prior=Normal(64),
        pack=2,
    ),
    data=Data(),
    steps=3000,
    batch_size=128,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
