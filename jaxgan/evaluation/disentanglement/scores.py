"""All metrics of a representation in one call."""

from __future__ import annotations

from jaxgan.evaluation.disentanglement.dci import Predictor, dci
from jaxgan.evaluation.disentanglement.explicitness import explicitness
from jaxgan.evaluation.disentanglement.information import mig, modularity
from jaxgan.evaluation.disentanglement.interventions import pooled
from jaxgan.evaluation.disentanglement.samples import FactorSource, Represent, draw
from jaxgan.evaluation.disentanglement.sap import sap, sap_svm
from jaxgan.evaluation.disentanglement.votes import VOTES, beta_vae_metric, factor_vae_metric
from jaxgan.evaluation.statistics.intervals import Estimate

SAMPLES = 10_000
"""Points to fit to; half as many more are drawn to test on (as in Locatello et al. 2019)."""

NAMES = (
    "beta_vae_metric",
    "factor_vae_metric",
    "mig",
    "dci_disentanglement",
    "dci_completeness",
    "dci_informativeness",
    "sap",
    "sap_svm",
    "modularity",
    "explicitness",
)
"""What the scores are called. All are better the higher they are."""


def disentanglement_scores(
    represent: Represent,
    source: FactorSource,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    votes: tuple[int, int] = VOTES,
    predictor: Predictor = "forest",
) -> dict[str, Estimate]:
    """Scores a representation by every metric of this folder, encoding 1.5 ``samples`` images.

    beta-VAE's and FactorVAE's metrics take their batches from those images
    (`jaxgan.evaluation.disentanglement.interventions.pooled`); MIG, SAP and modularity use the
    points to fit to alone.

    Args:
        represent: from images to codes; for a VAE, the means of its posterior.
        source: images and their factors, of which all combinations are drawn from.
        samples: points to fit to.
        seed: of the points and of everything else that is drawn.
        votes: of beta-VAE's and FactorVAE's metrics, to fit to and to test on.
        predictor: of DCI.

    Returns:
        The scores by `NAMES`, each with a 95% interval over what its docstring says.

    Raises:
        ValueError: there are too few samples, or the representation is not finite or of the wrong
            shape.
    """
    codes, factors = draw(represent, source, samples + samples // 2, seed=seed)
    train, test = (codes[:samples], factors[:samples]), (codes[samples:], factors[samples:])
    pools = pooled(*train), pooled(*test)
    disentangled, complete, informative = dci(train, test, predictor=predictor, seed=seed)
    return {
        "beta_vae_metric": beta_vae_metric(*pools, votes=votes, seed=seed),
        "factor_vae_metric": factor_vae_metric(*pools, votes=votes, seed=seed),
        "mig": mig(*train, seed=seed),
        "dci_disentanglement": disentangled,
        "dci_completeness": complete,
        "dci_informativeness": informative,
        "sap": sap(*train, seed=seed),
        "sap_svm": sap_svm(train, test, seed=seed),
        "modularity": modularity(*train, seed=seed),
        "explicitness": explicitness(train, test),
    }
