"""VAE whose codes are directions. Davidson et al., Hyperspherical Variational Auto-Encoders, 2018.

    python experiments/vmf_vae.py
    python experiments/vmf_vae.py --model.latent-size 3

Posteriors are von Mises-Fisher distributions, and the prior is uniform on the sphere. The networks
are those of vae.py; the paper's have two hidden layers.

Measured on digits, 5,000 steps, seeds 0 to 2, as tests/end_to_end/learning.py does
(FID of 1,000 samples from the training split, digits-cnn; ELBO in nats on 297 held-out images; two
cores of an AMD EPYC): FID 7.5, ELBO -24.8 to -24.7, of which the KL is 3.4.
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.likelihoods import Bernoulli
from jaxgan.objectives.vae.von_mises_fisher import UniformSphere, VonMisesFisher
from jaxgan.optim import Adam

experiment = Experiment(
    name="vmf_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=Bernoulli(),
        latent_size=10,
        posterior=VonMisesFisher(),
        code_prior=UniformSphere(),
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
