"""BigGAN. Brock et al., Large Scale GAN Training for High Fidelity Natural Image Synthesis, 2019.

    python experiments/biggan.py
    python experiments/biggan.py --evaluation.batch-norm standing --evaluation.threshold 0.5
    python experiments/biggan.py --model.generator.no-hierarchical

The hinge loss, a projection discriminator, self-attention, spectral normalization and orthogonal
first weights in both players; one embedding of the class, and a part of the latent, modulate each
block of the generator; a discriminator that learns faster than the generator, beta1 = 0; an average
of the generator that starts late. Different here: digits of 16 pixels, width 8, batch 64, learning
rates of 1e-3 and 2e-3.

What was published is in the functions below, whose runs take days on several GPUs; not run here. A
file that says ``experiment = imagenet()`` of them trains one.

Measured on digits (seed 0, 600 steps, 1,000 samples against the training split, in pixels
averaged down to 8x8; 46 s of processor time and 32 s of compilation, JAX 0.10.2 on a CPU that many
other jobs shared):

    fid 0.305, kid 0.002; 0.958 of 500 samples recognized as the class that they were made for

by the shipped classifier, after the same averaging; real digits are at 0.978. At 400 steps:
fid 0.399, 0.412 recognized.
"""

from typing import Any

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Evaluation, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.tfds import Tfds
from jaxgan.networks.biggan import BigGanDiscriminator, BigGanGenerator
from jaxgan.networks.conditional_resnet import ConditionalResnetGenerator
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.optim import Adam, Ema

CIFAR = Tfds("cifar10")
IMAGENET = Tfds("imagenet2012", test_split="validation")

experiment = Experiment(
    name="biggan",
    model=Gan(
        generator=BigGanGenerator(width=8, max_multiple=2, embedding_size=16),
        discriminator=BigGanDiscriminator(width=8, max_multiple=4),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=1e-3, b1=0.0, b2=0.999),
        discriminator_optimizer=Adam(learning_rate=2e-3, b1=0.0, b2=0.999),
        prior=Labelled(Normal(24)),
        ema=Ema(decay=0.99, warmup=False, start=100),
    ),
    data=Data(image_size=16, resize="bilinear", classes=10),
    steps=600,
    batch_size=64,
    evaluation=Evaluation(backbone="pixels"),
)


def _late(start: int) -> Ema:
    return Ema(decay=0.9999, warmup=False, start=start)


def cifar(source: Any = CIFAR) -> Experiment:
    """CIFAR-10 as in StudioGAN: FID 8.03 of 10,000 samples from 10,000 test images; 12.8 hours.

    9,416,196 and 2,415,170 parameters. Its settings file also flips images at random. The hardware
    of these hours is not said. Not run here.
    """
    rate = Adam(learning_rate=2e-4, b1=0.5, b2=0.999)
    model = Gan(
        generator=BigGanGenerator(width=384, max_multiple=1),
        discriminator=BigGanDiscriminator(width=192, max_multiple=1),
        loss=Hinge(),
        generator_optimizer=rate,
        discriminator_optimizer=rate,
        prior=Labelled(Normal(80)),
        n_critic=5,
        ema=_late(1000),
    )
    data = Data(source=source, image_size=32, channels=3, classes=10)
    return Experiment("biggan_cifar", model, data, steps=100_000, batch_size=64)


def cifar_without_attention(source: Any = CIFAR) -> Experiment:
    """CIFAR-10 as in the script of BigGAN-PyTorch: 500 epochs. No score is published with it.

    4,304,387 and 4,207,361 parameters; all first weights from N(0, 0.02), those of scales by class
    at 1 here. No attention, no shared embedding, a latent of one piece. Not run here.
    """
    rate = Adam(learning_rate=2e-4, b1=0.0, b2=0.999)
    model = Gan(
        generator=ConditionalResnetGenerator(weight_norm="spectral", init_std=0.02),
        discriminator=BigGanDiscriminator(width=256, max_multiple=1, attention=(), init_std=0.02),
        loss=Hinge(),
        generator_optimizer=rate,
        discriminator_optimizer=rate,
        prior=Labelled(Normal(128)),
        n_critic=4,
        ema=_late(1000),
    )
    data = Data(source=source, image_size=32, channels=3, classes=10)
    return Experiment("biggan_cifar_plain", model, data, steps=125_000, batch_size=50)


def tiny_imagenet(source: Any) -> Experiment:
    """Tiny ImageNet, 64 pixels, as in StudioGAN's settings file. Not run here.

    Its number of steps is not in that file; 100,000 is that library's usual number [from memory].

    Args:
        source: of the images and their 200 classes.
    """
    model = Gan(
        generator=BigGanGenerator(width=160, max_multiple=8),
        discriminator=BigGanDiscriminator(width=80),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=1e-4, b1=0.0, b2=0.999),
        discriminator_optimizer=Adam(learning_rate=4e-4, b1=0.0, b2=0.999),
        prior=Labelled(Normal(100)),
        ema=_late(20_000),
    )
    data = Data(source=source, image_size=64, channels=3, resize="crop", classes=200)
    return Experiment("biggan_tiny_imagenet", model, data, steps=100_000, batch_size=1024)


def imagenet(source: Any = IMAGENET) -> Experiment:
    """ImageNet, 128 pixels, as in BigGAN-PyTorch: Inception score 97.35 +- 1.79; 15 days on 8 V100.

    70,433,988 and 87,982,370 parameters. There a batch of 2,048 is made of 8 that follow each
    other; here it is one, over as many devices as it takes. The paper's own, with two discriminator
    updates a step, reached Inception score 166.5 and FID 7.4 with truncation. Not run here.
    """
    model = Gan(
        generator=BigGanGenerator(),
        discriminator=BigGanDiscriminator(),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=1e-4, b1=0.0, b2=0.999, eps=1e-6),
        discriminator_optimizer=Adam(learning_rate=4e-4, b1=0.0, b2=0.999, eps=1e-6),
        prior=Labelled(Normal(120)),
        ema=_late(20_000),
    )
    data = Data(source=source, image_size=128, channels=3, resize="crop", classes=1000)
    return Experiment("biggan_imagenet", model, data, steps=150_000, batch_size=2048)


if __name__ == "__main__":
    run_experiment(experiment, __file__)
