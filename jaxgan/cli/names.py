"""What names on the command line stand for: one plain dictionary for each kind of part.

A new loss is a file of its own and, for ``--loss NAME``, a line here. A class stands for itself
with its defaults, a value for itself. A name brings nothing else along: ``--loss wasserstein``
leaves ``--penalty``, ``--constraint``, ``--optimizer`` and ``--model.n-critic`` as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan.ada import Ada, ScheduledAda
from jaxgan.objectives.gan.apa import Apa
from jaxgan.objectives.gan.augmentations import Augmentation, DiffAugment
from jaxgan.objectives.gan.auxiliaries import Auxiliary, AuxiliaryClassifier
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.class_terms import HingeClassifier, TwinClassifier
from jaxgan.objectives.gan.consistency import (
    BalancedConsistency,
    Consistency,
    LatentConsistency,
)
from jaxgan.objectives.gan.constraints import Clip, Constraint
from jaxgan.objectives.gan.contrastive import ConditionalContrastive, DataToDataCrossEntropy
from jaxgan.objectives.gan.dragan import Dragan
from jaxgan.objectives.gan.drift import Drift
from jaxgan.objectives.gan.ebgan import Ebgan, PullAway
from jaxgan.objectives.gan.f_divergences import (
    ForwardKl,
    JensenShannon,
    PearsonChiSquared,
    ReverseKl,
    SquaredHellinger,
)
from jaxgan.objectives.gan.feature_matching import AbsoluteFeatureMatching, FeatureMatching
from jaxgan.objectives.gan.game_gradients import Consensus, GradientRegularization
from jaxgan.objectives.gan.generator_penalties import GeneratorPenalty
from jaxgan.objectives.gan.information import Information
from jaxgan.objectives.gan.latent_spread import LatentSpread
from jaxgan.objectives.gan.lecam import LeCam
from jaxgan.objectives.gan.losses import (
    GanLoss,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Wasserstein,
)
from jaxgan.objectives.gan.mmd import Mmd, RepulsiveMmd
from jaxgan.objectives.gan.multi_hinge import MultiHinge
from jaxgan.objectives.gan.orthogonal import Orthogonal
from jaxgan.objectives.gan.penalties import R1, R2, GradientPenalty, Penalty
from jaxgan.objectives.gan.relativistic import (
    RelativisticAverageHinge,
    RelativisticAverageSoftplus,
    RelativisticAverageSquares,
    RelativisticHinge,
    RelativisticSoftplus,
    RelativisticSquares,
)
from jaxgan.objectives.gan.simple_augmentations import Flip, InstanceNoise
from jaxgan.objectives.gan.top_k import TopK
from jaxgan.objectives.gan.zero_sum import ZeroSum
from jaxgan.objectives.one_hots import OneHots
from jaxgan.objectives.priors import Labelled, Normal, Prior, Uniform
from jaxgan.objectives.sphere import Sphere
from jaxgan.objectives.vae.binarized import DynamicBernoulli
from jaxgan.objectives.vae.bounds import Beta, Bound, Elbo, KlWeight, Reconstruction
from jaxgan.objectives.vae.capacity import Capacity
from jaxgan.objectives.vae.categorical import Categorical
from jaxgan.objectives.vae.code_mmd import CodeMmd
from jaxgan.objectives.vae.code_norm import CodeNorm
from jaxgan.objectives.vae.code_priors import CodePrior, StandardNormal
from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.objectives.vae.cyclical import Cyclical
from jaxgan.objectives.vae.decoder_penalties import DecoderNorm, DecoderSlope
from jaxgan.objectives.vae.dip import DipI, DipII
from jaxgan.objectives.vae.free_bits import FreeBits
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian, PixelGaussian
from jaxgan.objectives.vae.gumbel_softmax import (
    GumbelSoftmax,
    StraightThroughGumbel,
    UniformCategorical,
)
from jaxgan.objectives.vae.importance import Ciwae, DReG, Iwae, Miwae, Piwae
from jaxgan.objectives.vae.inverse_autoregressive_flow import InverseAutoregressiveFlow
from jaxgan.objectives.vae.laplace import Laplace
from jaxgan.objectives.vae.likelihoods import Bernoulli, Gaussian, Likelihood
from jaxgan.objectives.vae.logistic import DiscretizedLogistic
from jaxgan.objectives.vae.logistic_mixture import LogisticMixture
from jaxgan.objectives.vae.mixtures import MixtureOfGaussians
from jaxgan.objectives.vae.monte_carlo import MonteCarloElbo, StickingTheLanding
from jaxgan.objectives.vae.ms_ssim import MsSsim
from jaxgan.objectives.vae.planar_flow import PlanarFlow
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Point, Posterior
from jaxgan.objectives.vae.regularizers import Regularizer
from jaxgan.objectives.vae.total_correlation import (
    DimensionwiseKl,
    MutualInformation,
    TotalCorrelation,
)
from jaxgan.objectives.vae.vamp_prior import VampPrior
from jaxgan.objectives.vae.von_mises_fisher import UniformSphere, VonMisesFisher
from jaxgan.optim import Adam, AdamW, Optimizer, RmsProp, Sgd

LOSSES: dict[str, Any] = {
    "absolute_feature_matching": AbsoluteFeatureMatching,
    "began": Began,
    "ebgan": Ebgan,
    "feature_matching": FeatureMatching,
    "forward_kl": ForwardKl,
    "hinge": Hinge,
    "jensen_shannon": JensenShannon,
    "least_squares": LeastSquares,
    "minimax": Minimax,
    "mmd": Mmd,
    "non_saturating": NonSaturating,
    "pearson_chi_squared": PearsonChiSquared,
    "relativistic_average_hinge": RelativisticAverageHinge,
    "relativistic_average_softplus": RelativisticAverageSoftplus,
    "relativistic_average_squares": RelativisticAverageSquares,
    "relativistic_hinge": RelativisticHinge,
    "relativistic_softplus": RelativisticSoftplus,
    "relativistic_squares": RelativisticSquares,
    "repulsive_mmd": RepulsiveMmd,
    "reverse_kl": ReverseKl,
    "squared_hellinger": SquaredHellinger,
    "top_k": TopK,
    "wasserstein": Wasserstein,
    "zero_sum": ZeroSum,
}
PENALTIES: dict[str, Any] = {
    "balanced_consistency": BalancedConsistency,
    "consensus": Consensus,
    "consistency": Consistency,
    "dragan": Dragan,
    "drift": Drift,
    "gradient_penalty": GradientPenalty,
    "latent_consistency": LatentConsistency,
    "lecam": LeCam,
    "orthogonal": Orthogonal,
    "r1": R1,
    "r2": R2,
}
GENERATOR_PENALTIES: dict[str, Any] = {
    "consensus": Consensus,
    "gradient_regularization": GradientRegularization,
    "latent_spread": LatentSpread,
}
CONSTRAINTS: dict[str, Any] = {"clip": Clip}
AUXILIARIES: dict[str, Any] = {
    "classifier": AuxiliaryClassifier,
    "conditional_contrastive": ConditionalContrastive,
    "data_to_data_cross_entropy": DataToDataCrossEntropy,
    "hinge_classifier": HingeClassifier,
    "information": Information,
    "multi_hinge": MultiHinge,
    "pull_away": PullAway,
    "twin_classifier": TwinClassifier,
}
AUGMENTATIONS: dict[str, Any] = {
    "ada": Ada,
    "apa": Apa,
    "diff_augment": DiffAugment,
    "flip": Flip,
    "instance_noise": InstanceNoise,
    "scheduled_ada": ScheduledAda,
}
PRIORS: dict[str, Any] = {
    "codes": Codes,
    "labelled": Labelled,
    "normal": Normal,
    "one_hots": OneHots,
    "sphere": Sphere,
    "uniform": Uniform,
}
BETAS: dict[str, Any] = {
    "capacity": Capacity,
    "constant": Beta(),
    "cyclical": Cyclical,
    "free_bits": FreeBits,
    "warmup": Beta(warmup_steps=1000),
}
LIKELIHOODS: dict[str, Any] = {
    "bernoulli": Bernoulli,
    "categorical": Categorical,
    "continuous_bernoulli": ContinuousBernoulli,
    "discretized_logistic": DiscretizedLogistic,
    "dynamic_bernoulli": DynamicBernoulli,
    "gaussian": Gaussian,
    "laplace": Laplace,
    "learned_gaussian": LearnedGaussian,
    "logistic_mixture": LogisticMixture,
    "ms_ssim": MsSsim,
    "pixel_gaussian": PixelGaussian,
}
BOUNDS: dict[str, Any] = {
    "ciwae": Ciwae,
    "dreg": DReG,
    "elbo": Elbo,
    "iwae": Iwae,
    "miwae": Miwae,
    "monte_carlo_elbo": MonteCarloElbo,
    "piwae": Piwae,
    "reconstruction": Reconstruction,
    "sticking_the_landing": StickingTheLanding,
}
POSTERIORS: dict[str, Any] = {
    "gaussian": DiagonalGaussian,
    "gumbel_softmax": GumbelSoftmax,
    "inverse_autoregressive_flow": InverseAutoregressiveFlow,
    "planar_flow": PlanarFlow,
    "point": Point,
    "straight_through_gumbel": StraightThroughGumbel,
    "von_mises_fisher": VonMisesFisher,
}
CODE_PRIORS: dict[str, Any] = {
    "mixture_of_gaussians": MixtureOfGaussians,
    "standard_normal": StandardNormal,
    "uniform_categorical": UniformCategorical,
    "uniform_sphere": UniformSphere,
    "vamp_prior": VampPrior,
}
REGULARIZERS: dict[str, Any] = {
    "code_mmd": CodeMmd,
    "code_norm": CodeNorm,
    "decoder_norm": DecoderNorm,
    "decoder_slope": DecoderSlope,
    "dimensionwise_kl": DimensionwiseKl,
    "dip_i": DipI,
    "dip_ii": DipII,
    "mutual_information": MutualInformation,
    "total_correlation": TotalCorrelation,
}
OPTIMIZERS: dict[str, Any] = {"adam": Adam, "adamw": AdamW, "rmsprop": RmsProp, "sgd": Sgd}


class Kind(NamedTuple):
    """A kind of part that models are made of.

    Attributes:
        flag: of the command line, ``--loss``; in messages, what the part is called.
        protocol: which fields are for it: those annotated with this, or with a tuple of it.
        names: from a name to a class, or to a value.
    """

    flag: str
    protocol: Any
    names: Mapping[str, Any]


KINDS = (
    Kind("loss", GanLoss, LOSSES),
    Kind("penalty", Penalty, PENALTIES),
    Kind("generator-penalty", GeneratorPenalty, GENERATOR_PENALTIES),
    Kind("constraint", Constraint, CONSTRAINTS),
    Kind("auxiliary", Auxiliary, AUXILIARIES),
    Kind("augment", Augmentation, AUGMENTATIONS),
    Kind("prior", Prior, PRIORS),
    Kind("likelihood", Likelihood, LIKELIHOODS),
    Kind("beta", KlWeight, BETAS),
    Kind("bound", Bound, BOUNDS),
    Kind("posterior", Posterior, POSTERIORS),
    Kind("code-prior", CodePrior, CODE_PRIORS),
    Kind("regularizer", Regularizer, REGULARIZERS),
    Kind("optimizer", Optimizer, OPTIMIZERS),
)
