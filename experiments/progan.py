"""ProGAN. Karras et al., Progressive Growing of GANs for Improved Quality, Stability, and
Variation, 2018.

    python experiments/progan.py
    python experiments/progan.py --dataset fashion-mnist --model.steady-kimg 40 --steps 3000

Both networks start with images of 4 pixels, and a finer level fades in when the one before it is
trained. Weights at an equalized learning rate, pixel norm, the standard deviation over groups of a
batch, WGAN-GP with drift, Adam with beta1 = 0 and beta2 = 0.99 that starts anew at both ends of a
fade, real images that fade in as generated ones do.

A miniature, for digits of 8 pixels: 32 channels rather than 512, 64 latents, batches of 32, and
stages of 4,000 images rather than 600,000, and an average that keeps 0.98 rather than 0.999
a step.

Measured on digits, seed 0, 700 steps, by tests/end_to_end/learning.py
(fid[digits-cnn,train1500,gen1000,q8,ema]; two busy cores of an AMD EPYC): 6.5, from 20.9 before the
first step; 84 s of processor time without most of the compiler's optimizations. All 2,000 steps
have not been run.

What was published is in the functions below, whose runs take days on several GPUs; not run here. A
file that says ``experiment = cifar()`` of them trains one.
"""

from typing import Any

from jaxgan.algorithms.progan import ProGan
from jaxgan.algorithms.progan_published import CELEBA_HQ, CIFAR_10
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.tfds import Tfds
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Ema

CIFAR = Tfds("cifar10")

experiment = Experiment(
    name="progan",
    model=ProGan(
        generator=ProganGenerator(width=32),
        discriminator=ProganDiscriminator(width=32),
        prior=Normal(64),
        ema=Ema(0.98, warmup=False),
        steady_kimg=4.0,
        fade_kimg=4.0,
    ),
    data=Data(),
    steps=2000,
    batch_size=32,
)


def cifar(source: Any = CIFAR) -> Experiment:
    """CIFAR-10 as in the authors' Theano branch: 20,000 kimg, inception score 8.80 at best.

    1,296,908 and 1,298,689 parameters; slopes of 750, images not flipped. Not run here.
    """
    data = Data(source=source, image_size=32, channels=3)
    return Experiment("progan_cifar", CIFAR_10, data, steps=1_250_000, batch_size=16)


def celeba_hq(source: Any) -> Experiment:
    """CelebA-HQ at 1,024 pixels: 12,000 kimg, FID 7.30; two days on 8 V100. Not run here.

    23,079,115 and 23,087,249 parameters. One batch of 16 for all levels, where the authors' has 14
    images at 256 pixels, 6 at 512 and 3 at 1,024.

    Args:
        source: of the images, which are not distributed as such.
    """
    data = Data(source=source, image_size=1024, channels=3)
    return Experiment("progan_celeba_hq", CELEBA_HQ, data, steps=750_000, batch_size=16)


if __name__ == "__main__":
    run_experiment(experiment, __file__)
