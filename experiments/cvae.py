"""Conditional VAE. Sohn, Lee and Yan, Learning Structured Output Representation ..., NIPS 2015.

    python experiments/cvae.py
    python experiments/cvae.py --dataset fashion-mnist --steps 20000

Encoder and decoder are given the class: the bound is one of log p(x|y), that of section 4 of the
paper with the class as its condition and the image as its output. The prior of the codes is N(0, 1)
for every class and no network of its own, as in Kingma et al., Semi-Supervised Learning with Deep
Generative Models, 2014 (their M2). The networks are those of vae.py.

Measured on digits, 5,000 steps (`jaxgan compare` of cgan.py, cgan_projection.py, acgan.py, cvae.py
with `--images 320000 --seeds 0 1 2 --metrics fid cfid cas`; 95% intervals; JAX 0.10.2 on a CPU;
[digits-cnn,train1500,gen1500,q8,ema,labels=uniform], cas without the first):

    fid 2.88 +- 0.03, cfid 5.67 +- 0.14, cas 0.941 +- 0.006, ELBO -20.97 +- 0.19 nats
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.conditional import LabelledDecoder, LabelledEncoder
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="cvae",
    model=Vae(
        encoder=LabelledEncoder(MlpEncoder(widths=(500,)), planes=False),
        decoder=LabelledDecoder(MlpDecoder(widths=(500,))),
        likelihood=Bernoulli(),
        latent_size=10,
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
        conditional=True,
    ),
    data=Data(classes=10),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
