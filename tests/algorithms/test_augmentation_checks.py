"""Augmentations of data that cannot be augmented, and under losses that cannot steer them."""

import pytest

from jaxgan.algorithms.augmentation_checks import has_signs
from jaxgan.algorithms.gan import Gan
from jaxgan.cli.names import AUGMENTATIONS, LOSSES
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.gan.ada import Ada, ScheduledAda
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.gan.apa import Apa
from jaxgan.objectives.gan.losses import NonSaturating, Wasserstein
from jaxgan.objectives.gan.simple_augmentations import Flip
from jaxgan.program import compile_program

POINTS = Data(source=Ring(), image_size=1, channels=2)


def gan(**parts):
    return Gan(MlpGenerator((4,)), MlpDiscriminator((4,)), **parts)


def built(model, data):
    experiment = Experiment(name="augmented", model=model, data=data, steps=1, batch_size=4)
    return compile_program(experiment, "none")


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_points_are_not_transformed(name):
    model = gan(augmentations=(AUGMENTATIONS[name](),))
    built(model, Data())
    if name in ("apa", "instance_noise"):
        built(model, POINTS)
    else:
        with pytest.raises(ConfigError, match=r"\A[^\n]* for images, and [^\n]*\Z"):
            built(model, POINTS)


def test_colors_of_two_channels():
    model = gan(augmentations=(Ada(),))
    with pytest.raises(ConfigError, match="1 or 3 channels, not 4: set color = 0"):
        built(model, Data(channels=4))
    built(gan(augmentations=(Ada(AdaPipe(color=0.0)),)), Data(channels=4))


def test_two_of_one_class():
    """Whatever their settings: they would be logged under one name."""
    for twice in ((Ada(), Ada(kimg=1.0)), (Flip(), Ada(), Flip(0.25))):
        with pytest.raises(ConfigError, match=f"two augmentations are {type(twice[0]).__name__},"):
            gan(augmentations=twice)
    gan(augmentations=(Ada(), ScheduledAda(), Flip()))


OPEN = {
    *("wasserstein", "relativistic_softplus", "relativistic_hinge", "relativistic_squares"),
    *("relativistic_average_softplus", "relativistic_average_hinge"),
    "relativistic_average_squares",
}
KNOWN = {"non_saturating", "minimax", "hinge", "least_squares"}


@pytest.mark.parametrize("name", sorted((OPEN | KNOWN) & LOSSES.keys()))
def test_losses_with_and_without_signs(name):
    assert has_signs(LOSSES[name]()) == (name in KNOWN)


def test_warns_of_a_controller_that_follows_nothing():
    (line,) = gan(loss=Wasserstein(), augmentations=(Ada(),)).warnings()
    assert "which Wasserstein leaves open" in line
    assert "\n" not in line
    (line,) = gan(loss=Wasserstein(), augmentations=(Apa(),)).warnings()
    assert line.startswith("Apa follows the sign of D(real)")
    assert gan(loss=NonSaturating(), augmentations=(Ada(),)).warnings() == ()
    assert gan(loss=Wasserstein(), augmentations=(ScheduledAda(),)).warnings() == ()
    assert gan(loss=Wasserstein()).warnings() == ()
