import numpy as np
import pytest

from jaxgan.data.sources.sprites import Sprites
from jaxgan.evaluation.disentanglement.scores import NAMES, disentanglement_scores
from jaxgan.evaluation.statistics.intervals import Estimate

FEW = {"samples": 1500, "votes": (500, 500)}


def test_factors_as_codes(bare, factors_as_codes):
    found = disentanglement_scores(factors_as_codes, bare((1, 3, 6, 8)), **FEW)
    assert tuple(found) == NAMES
    assert all(isinstance(score, Estimate) for score in found.values())
    for name, score in found.items():
        if name == "sap_svm":
            # Its linear classifiers find the ends of a line, not its middle.
            assert 0.1 < score.value < 1
        elif name == "modularity":
            # The color, which is one of the four dimensions here, is constant and counts as 0.
            assert score.value == pytest.approx(3 / 4, abs=0.01)
        else:
            # Less what independent factors have in common by chance, (values - 1)^2 / 2 n / H.
            assert score.value == pytest.approx(1, abs=0.03), name
        assert not np.isnan(score).any()


def test_noise(bare):
    random = np.random.default_rng(0)
    found = disentanglement_scores(
        lambda images: random.normal(size=(len(images), 4)), bare((3, 3, 3)), **FEW
    )
    chance = {"beta_vae_metric": 1 / 3, "factor_vae_metric": 1 / 3, "explicitness": 1 / 2}
    chance |= {"dci_informativeness": 1 / 3}
    # The one that noise says nothing about: information that is chance may be anywhere.
    del found["modularity"]
    for name, score in found.items():
        assert score.value == pytest.approx(chance.get(name, 0), abs=0.1), name


@pytest.mark.slow
def test_seeds(bare, factors_as_codes):
    def noisy(images):
        # The noise is a function of the image, as that of a network is.
        return np.sin(1e4 * (factors_as_codes(images) @ [[1.0, 2], [3, 5]]))

    one, two, other = (
        disentanglement_scores(noisy, bare((3, 4)), samples=200, votes=(100, 100), seed=s)
        for s in (1, 1, 2)
    )
    assert one == two
    assert one["mig"] != other["mig"]


def centers(images):
    """Column and row of the middle of the white pixels, as a network might learn them."""
    white = images[..., 0] / 255.0
    places = np.arange(64.0) / 64
    total = white.sum(axis=(1, 2))
    across = (white.sum(axis=1) * places).sum(axis=1) / total
    down = (white.sum(axis=2) * places).sum(axis=1) / total
    return np.stack([across, down, total / 500], axis=1)


@pytest.mark.slow
def test_sprites():
    """Position and area: two factors are told entirely, and one, the scale, up to few pixels."""
    found = disentanglement_scores(centers, Sprites(), samples=1500, votes=(500, 500))
    # Shape and orientation remain, which no dimension tells; of three that vary alike it is left
    # to chance which votes for them.
    assert found["factor_vae_metric"].value == pytest.approx(3 / 5, abs=0.12)
    # R^2 of 1 for three of five factors.
    assert found["sap"].value == pytest.approx(3 / 5, abs=0.02)
    assert found["modularity"].value > 0.95
    assert found["dci_disentanglement"].value > 0.3


def test_too_few_samples():
    with pytest.raises(ValueError, match=r"too few points: value .* needs at least 10"):
        disentanglement_scores(centers, Sprites(), samples=200)
