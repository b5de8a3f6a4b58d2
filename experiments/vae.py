"""VAE with multilayer perceptrons. Kingma and Welling, Auto-Encoding Variational Bayes, 2013.

    python experiments/vae.py
    python experiments/vae.py --dataset fashion-mnist --steps 20000

One hidden layer of tanh units on either side and Bernoulli pixels, as in appendix C of the paper,
whose batch was 100. Adam replaces Adagrad.

Measured on digits by compare_digits.py (seeds 0-2, 95% intervals, two cores of an AMD EPYC;
fid[digits-cnn,train1500,gen1500,q8,ema] and kid likewise, ELBO in nats on 297 held-out images):

    5,000 steps, 6 s a seed: fid 5.57 (5.44 to 5.71), kid 0.2288 +- 0.0123, ELBO -23.94 +- 0.44
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
