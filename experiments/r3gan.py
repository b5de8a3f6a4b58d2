"""R3GAN. Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline, 2024.

    python experiments/r3gan.py
    python experiments/r3gan.py --dataset fashion-mnist --steps 4000
    python experiments/r3gan.py --data.image-size 16 --data.resize bilinear \\
        --evaluation.backbone pixels

Pairs of a real and a generated image under the relativistic loss, the gradient penalties R1 and R2
in every step, residual networks without normalization, and learning rate, beta2, weight of the
penalties, half-life of the average and strength of the augmentation along cosines in images seen.

A miniature of the paper's networks, for digits of 8 pixels: width 32 where the paper has 768, one
block a stage rather than two, batches of 64 rather than 512, ten times the learning rate, and
everything that the paper's CIFAR-10 run changes within its first 20 million images within the first
96,000. The augmentations are those that digits bear: brightness, contrast, luma flip, and cutout.

Measured on digits, seed 0, after 200 and 300 steps, by tests/end_to_end/learning.py
(fid[digits-cnn,train1500,gen1000,q8,ema]; two busy cores of an AMD EPYC): 7.5 and 6.6, from 21.4
before the first step; 40 and 45 s of processor time, 15 of them compilation. All 1,500 steps have
not been run.

The published configurations are values: `jaxgan.algorithms.r3gan_published.PUBLISHED`. None of them
was trained here; FID, as reported: CIFAR-10 1.96 (250 million images, 4 days on 8 L40 cards),
FFHQ-64 1.95, FFHQ-256 2.75, ImageNet-32 1.27, ImageNet-64 2.09.
"""

from jaxgan.algorithms.cosine import Cosine, CosineAdam
from jaxgan.algorithms.r3gan import R3Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.r3gan import R3GanDiscriminator, R3GanGenerator
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.priors import Normal

experiment = Experiment(
    name="r3gan",
    model=R3Gan(
        generator=R3GanGenerator(widths=(32,), blocks=1),
        discriminator=R3GanDiscriminator(widths=(32,), blocks=1),
        generator_optimizer=CosineAdam(Cosine(2e-3, 5e-4)),
        discriminator_optimizer=CosineAdam(Cosine(2e-3, 5e-4)),
        prior=Normal(64),
        gamma=Cosine(1.0, 0.1),
        half_life=Cosine(0.0, 5_000.0),
        pipes=(AdaPipe(blit=0.0, geom=0.0, color=0.5, cutout=1.0),),
        strength=Cosine(0.0, 0.3),
        decay_images=96_000.0,
    ),
    data=Data(),
    steps=1500,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
