"""Conditional GAN. Mirza and Osindero, Conditional Generative Adversarial Nets, 2014.

    python experiments/cgan.py
    python experiments/cgan.py --dataset fashion-mnist

Two multilayer perceptrons that are given the class as well, as in section 4.1 of the paper:
rectifiers in the generator, maxout units with dropout in the discriminator. One-hot labels join the
noise and the image directly, not behind hidden layers of their own, which is the common form. The
networks are those of gan_mlp.py. Adam replaces momentum; at gan_mlp.py's learning rate of 2e-4 ten
numbers beside 784 pixels are found too slowly.

Measured on digits, 5,000 steps (`jaxgan compare` of cgan.py, cgan_projection.py, acgan.py, cvae.py
with `--images 320000 --seeds 0 1 2 --metrics fid cfid cas`; 95% intervals; JAX 0.10.2 on a CPU;
[digits-cnn,train1500,gen1500,q8,ema,labels=uniform], cas without the first):

    fid 0.44 +- 0.10, cfid 1.81 +- 0.19, cas 0.935 +- 0.008
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.conditional import LabelledDiscriminator, LabelledGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="cgan",
    model=Gan(
        generator=LabelledGenerator(MlpGenerator(widths=(256, 256))),
        discriminator=LabelledDiscriminator(
            MlpDiscriminator(widths=(128, 128), pieces=5, dropout=0.3), planes=False
        ),
        loss=NonSaturating(),
        generator_optimizer=Adam(learning_rate=1e-3, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=1e-3, b1=0.5),
        prior=Labelled(Normal(64)),
    ),
    data=Data(classes=10),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
