"""VAE of categories. Jang et al., Categorical Reparameterization with Gumbel-Softmax, 2017.

    python experiments/gumbel_vae.py
    python experiments/gumbel_vae.py --posterior straight_through_gumbel

A code is 20 variables of 10 categories each, as in section 4.2 of the paper, relaxed in training at
a temperature that falls from 1 to 0.5; whatever is measured is measured of whole categories. The
networks are those of vae.py.

Measured on digits, 5,000 steps, seeds 0 to 2, as tests/end_to_end/learning.py does
(FID of 1,000 samples from the training split, digits-cnn; ELBO in nats on 297 held-out images; two
cores of an AMD EPYC): FID 2.5 to 2.9, ELBO -24.6 to -24.5; straight through, FID 7.8 to
9.5, ELBO -24.3 to -24.2.
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.gumbel_softmax import GumbelSoftmax, UniformCategorical
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="gumbel_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=200,
        posterior=GumbelSoftmax(categories=10),
        code_prior=UniformCategorical(categories=10),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
