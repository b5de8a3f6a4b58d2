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

The recipe for CIFAR-10 (the authors' Theano branch) and that of CelebA-HQ are values:
`jaxgan.algorithms.progan_published`. Neither was trained here; reported are an inception score of
8.80 at best on CIFAR-10, and FID 7.30 on CelebA-HQ at 1,024 pixels.
"""

from jaxgan.algorithms.progan import ProGan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.progan import ProganDiscriminator, ProganGenerator
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Ema

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

if __name__ == "__main__":
    run_experiment(experiment, __file__)
