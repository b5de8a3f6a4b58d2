"""What VQ-VAEs are held to the laws with: codes that start anew, and both phases."""

from discovery import Case, experiment

from jaxgan.algorithms.vq_vae import VqVae
from jaxgan.networks.pixel_cnn import PixelCnn
from jaxgan.networks.vq import GridDecoder, GridEncoder
from jaxgan.objectives.vae.codebook import Codebook
from jaxgan.objectives.vae.likelihoods import Bernoulli

MODEL = VqVae(
    GridEncoder(width=4, blocks=1),
    GridDecoder(width=4, blocks=1),
    PixelCnn(width=4, layers=1, window=3),
    likelihood=Bernoulli(),
    # Codes that few vectors are nearest to are dead at once.
    codebook=Codebook(codes=6, size=3, decay=0.5, restart=0.9),
    share=0.3,
)

CASES = {"VqVae": Case(experiment(MODEL), steps=5, slow=True)}
