"""VAE of continuous Bernoulli pixels. Loaiza-Ganem and Cunningham, The continuous Bernoulli, 2019.

    python experiments/continuous_bernoulli_vae.py
    python experiments/continuous_bernoulli_vae.py --dataset fashion-mnist --steps 20000

The VAE of vae.py with the constant that makes the cross-entropy of gray pixels a density. Samples
are the distribution's means, which are not its parameters. Numbers in nats are of a density, those
of vae.py of none, so that the two cannot be compared.

Measured on digits, 5,000 steps (`jaxgan compare` of discretized_vae.py, continuous_bernoulli_vae.py
and sigma_vae.py with `--images 320000 --seeds 0 1 2 --metrics fid kid likelihood`; 95% intervals;
two cores of an AMD EPYC; [digits-cnn,train1500,gen1500,q8,ema], nats of 297 held-out images):

    fid 4.01 (3.07 to 5.24), kid 0.114 +- 0.048, ELBO 154.7 +- 0.8, log p(x) 157.6 +- 0.7
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.optim import Adam

experiment = Experiment(
    name="continuous_bernoulli_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=ContinuousBernoulli(),
        latent_size=10,
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
