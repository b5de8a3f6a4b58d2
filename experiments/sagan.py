"""SAGAN. Zhang et al., Self-Attention Generative Adversarial Networks, 2019.

    python experiments/sagan.py
    python experiments/sagan.py --model.generator.attention 1 2
    python experiments/sagan.py --model.generator.attention --model.discriminator.attention

The hinge loss, a projection discriminator, self-attention at half the image's size, spectral
normalization in both players, a discriminator that learns faster than the generator (the two
time-scale rule), beta1 = 0. Different here: digits of 16 pixels, width 8, batch 64, learning rates
of 1e-3 and 2e-3, not 1e-4 and 4e-4.

What was published is in the functions below, whose runs take days on several GPUs; not run here. A
file that says ``experiment = imagenet()`` of them trains one.

Measured on digits (seed 0, 600 steps, 1,000 samples against the training split, in pixels
averaged down to 8x8; 46 s of processor time and 30 s of compilation, JAX 0.10.2 on a CPU that many
other jobs shared):

    fid 0.353, kid 0.001; 0.984 of 500 samples recognized as the class that they were made for

by the shipped classifier, after the same averaging; real digits are at 0.978. At 400 steps:
fid 0.471, 0.690 recognized.
"""

from typing import Any

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.tfds import Tfds
from jaxgan.networks.sagan import SaganDiscriminator, SaganGenerator
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Adam

CIFAR = Tfds("cifar10")
IMAGENET = Tfds("imagenet2012", test_split="validation")

experiment = Experiment(
    name="sagan",
    model=Gan(
        generator=SaganGenerator(width=8, max_multiple=2),
        discriminator=SaganDiscriminator(width=8, max_multiple=4),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=1e-3, b1=0.0, b2=0.9),
        discriminator_optimizer=Adam(learning_rate=2e-3, b1=0.0, b2=0.9),
        prior=Labelled(Normal(32)),
    ),
    data=Data(image_size=16, resize="bilinear", classes=10),
    steps=600,
    batch_size=64,
    evaluation=Evaluation(backbone="pixels"),
)


def cifar(source: Any = CIFAR) -> Experiment:
    """CIFAR-10 as in StudioGAN: FID 14.0 of 10,000 samples from 10,000 test images.

    4,386,308 and 1,075,586 parameters. Optimizers, batch and steps are not in its settings file:
    they are that library's usual ones [from memory]. Not run here.
    """
    rate = Adam(learning_rate=2e-4, b1=0.5, b2=0.999)
    model = Gan(
        generator=SaganGenerator(orthogonal_init=True),
        discriminator=SaganDiscriminator(orthogonal_init=True),
        loss=Hinge(),
        generator_optimizer=rate,
        discriminator_optimizer=rate,
        prior=Labelled(Normal(128)),
        n_critic=5,
    )
    data = Data(source=source, image_size=32, channels=3, classes=10)
    return Experiment("sagan_cifar", model, data, steps=100_000, batch_size=64)


def imagenet(source: Any = IMAGENET) -> Experiment:
    """ImageNet, 128 pixels: FID 18.65, Inception score 52.5, with attention at 32 pixels.

    42,017,412 and 39,448,258 parameters with attention at 64 pixels, where BigGAN-PyTorch and
    StudioGAN have it; at 32, as here and in the paper, the wider features take more. Learning
    rates, beta2 = 0.999 and batch are those of the authors' code; the number of steps is the
    paper's 1 million [from memory]. Not run here.
    """
    model = Gan(
        generator=SaganGenerator(width=64, max_multiple=16, attention=(2,)),
        discriminator=SaganDiscriminator(width=64, max_multiple=16, attention=(2,)),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=1e-4, b1=0.0, b2=0.999),
        discriminator_optimizer=Adam(learning_rate=4e-4, b1=0.0, b2=0.999),
        prior=Labelled(Normal(128)),
    )
    data = Data(source=source, image_size=128, channels=3, resize="crop", classes=1000)
    return Experiment("sagan_imagenet", model, data, steps=1_000_000, batch_size=256)


if __name__ == "__main__":
    run_experiment(experiment, __file__)
