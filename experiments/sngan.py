"""SNGAN. Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018.

    python experiments/sngan.py
    python experiments/sngan.py --dataset fashion-mnist --steps 10000
    python experiments/sngan.py --model.discriminator.weight-norm weight
    python experiments/sngan.py --model.discriminator.orthogonal-init

Residual networks, the hinge loss, spectral normalization of all layers of the discriminator, Adam
with learning rate 2e-4, beta1 = 0 and beta2 = 0.9, 128 latents, as in the paper's experiments on
CIFAR-10. Different here: width 32 rather than 256 (generator) and 128 (discriminator), one
discriminator update a step rather than five (--model.n-critic 5, which takes four times as long),
as many images in the generator's updates as in the discriminator's, a constant learning rate
rather than one that falls to 0, and an average of the generator's weights.

Measured on digits (python experiments/sngan.py; two cores of an AMD EPYC that other jobs shared,
fid[digits-cnn,train1500,gen1500,q8,ema] and kid likewise):

    2,000 steps, seed 0, 1,020 s: fid 1.87 (1.75 to 2.00), kid 0.0201 (0.0124 to 0.0279)

No weight that the discriminator computes with then has a singular value above 1.02 (jaxgan evaluate
RUN --metrics sigma), where exact normalization would give 1.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.resnet import ResnetDiscriminator, ResnetGenerator
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="sngan",
    model=Gan(
        generator=ResnetGenerator(width=32),
        discriminator=ResnetDiscriminator(width=32),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.0, b2=0.9),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.0, b2=0.9),
        prior=Normal(128),
    ),
    data=Data(),
    steps=2000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
