"""DCGAN. Radford, Metz and Chintala, Unsupervised Representation Learning with DCGANs, 2016.

    python experiments/dcgan.py
    python experiments/dcgan.py --dataset fashion-mnist --steps 3000

Transposed 4x4 convolutions, batch normalization, N(0, 0.02) weights, Adam with beta1 = 0.5, as in
the paper. The width is 64 rather than 128: the images are smaller than its 64 pixels.

Measured on digits by compare_digits.py (seeds 0-2, 95% intervals, two cores of an AMD EPYC;
fid[digits-cnn,train1500,gen1500,q8,ema] and kid likewise, ELBO in nats on 297 held-out images):

    5,000 steps, 10 s a seed: fid 1.95 (1.63 to 2.34), kid 0.0297 +- 0.0121

On Fashion-MNIST, 4,000 steps, seed 0, 311 s with one other job on the cores (JAX 0.12):
fid[fashion-cnn,train10000,gen10000,q8,ema,subset=real] 4.09, kid 0.083; see experiments/results/.
"""

from jaxgan.algorithms.gan import Gan
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam

experiment = Experiment(
    name="dcgan",
    model=Gan(
        generator=DcganGenerator(width=64),
        discriminator=DcganDiscriminator(width=64),
        loss=NonSaturating(),
        generator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        discriminator_optimizer=Adam(learning_rate=2e-4, b1=0.5),
        prior=Normal(100),
    ),
    data=Data(),
    steps=3000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
