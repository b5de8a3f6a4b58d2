"""VAE of 8-bit pixels. Salimans, Karpathy, Chen and Kingma, PixelCNN++, 2017.

    python experiments/discretized_vae.py
    python experiments/discretized_vae.py --dataset fashion-mnist --steps 20000
    python experiments/discretized_vae.py --likelihood logistic_mixture
    python experiments/discretized_vae.py --likelihood categorical --likelihood.levels 17

The likelihood of section 2.1 of the paper with one component, as in Kingma et al., Improving
Variational Inference with Inverse Autoregressive Flow, 2016: a probability of each of the 256
levels, so that it gives bits a dimension. The networks are those of vae.py. Of scikit-learn's
digits, which have 17 levels, the categorical likelihood is a probability too.
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
