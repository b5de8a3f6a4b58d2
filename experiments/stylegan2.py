"""StyleGAN2, in miniature. Karras et al., Analyzing and Improving the Image Quality of StyleGAN,
2020.

    python experiments/stylegan2.py
    python experiments/stylegan2.py --data.image-size 16 --data.resize pad
    python experiments/stylegan2.py --dataset fashion-mnist --steps 10000

The networks are the paper's with 32 channels and units rather than 512, and two resolutions: skip
generator with modulated convolutions, residual discriminator, mapping of two layers; R1 in one of
16 steps. Images whose sides are no powers of two (28 pixels) are the middle of those that the
networks know (32).

As in the authors' configuration for CIFAR-10 (Karras et al., Training Generative Adversarial
Networks with Limited Data, 2020, appendix C), styles are not mixed, path lengths are left alone,
and R1's weight is 0.01. Images are not augmented. In one run each, 800 steps reached a Frechet
distance of 8, and 1,500 steps with mixing, path lengths and ADA one of 18.
Learning rates are four times the authors', and the average's half-life is 10,000 images. Their own
configurations are made by `jaxgan.algorithms.stylegan2_configurations`; none of them was run.

Beside samples are drawn: rows of one latent's coarse styles and columns of another's fine ones
(mixing.png), truncation over the mean to its opposite (truncation.png), straight lines in w
(styles.png). Noise maps are of a latent's own seed, and of one seed in a row of these pictures.
"""

from jaxgan.algorithms.ramped_ema import RampedEma
from jaxgan.algorithms.stylegan2 import StyleGan2, lazy
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.stylegan2 import StyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import StyleGan2Discriminator
from jaxgan.objectives.gan.penalties import R1
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

ADAM = Adam(learning_rate=1e-2, b1=0.0, b2=0.99)

experiment = Experiment(
    name="stylegan2",
    model=StyleGan2(
        generator=StyleGan2Generator(width=32, units=32, mapping_layers=2),
        discriminator=StyleGan2Discriminator(width=32),
        generator_optimizer=lazy(ADAM, every=4),
        discriminator_optimizer=lazy(ADAM, every=16),
        prior=Normal(32),
        penalties=(R1(weight=0.01, every=16),),
        path_lengths=(),
        mixing=None,
        ema=RampedEma(decay=0.5 ** (32 / 10_000), ramp=0.05),
    ),
    data=Data(),
    steps=2000,
    batch_size=32,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
