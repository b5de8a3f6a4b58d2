"""VAE of 8-bit pixels. Salimans, Karpathy, Chen and Kingma, PixelCNN++, 2017.

    python experiments/discretized_vae.py
    python experiments/discretized_vae.py --dataset fashion-mnist --steps 20000
    python experiments/discretized_vae.py --likelihood logistic_mixture
    python experiments/discretized_vae.py --likelihood categorical --likelihood.levels 17

The likelihood of section 2.1 of the paper with one component, as in Kingma et al., Improving
Variational Inference with Inverse Autoregressive Flow, 2016: a probability of each of the 256
levels, so that it gives bits a dimension. The networks are those of vae.py. Of scikit-learn's
digits, which have 17 levels, the categorical likelihood is a probability too.

Measured on digits, 5,000 steps (`jaxgan compare` of discretized_vae.py, continuous_bernoulli_vae.py
and sigma_vae.py with `--images 320000 --seeds 0 1 2 --metrics fid kid likelihood`; 95% intervals;
two cores of an AMD EPYC; [digits-cnn,train1500,gen1500,q8,ema], nats of 297 held-out images):

    fid 4.60 (3.36 to 6.30), kid 0.189 +- 0.092, ELBO -166.6 +- 2.6, log p(x) -160.0 +- 0.7
    (3.607 +- 0.016 bits a dimension)
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.logistic import DiscretizedLogistic
from jaxgan.optim import Adam

experiment = Experiment(
    name="discretized_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=DiscretizedLogistic(),
        latent_size=10,
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
