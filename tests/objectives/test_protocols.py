"""Parts are told apart by what they have, and command lines set their fields."""

import dataclasses
import doctest

import pytest
import tyro

from jaxgan.objectives import protocols
from jaxgan.objectives.gan.augmentations import Augmentation, DiffAugment
from jaxgan.objectives.gan.auxiliaries import Auxiliary, AuxiliaryClassifier
from jaxgan.objectives.gan.constraints import Clip, Constraint
from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.gan.penalties import R1, R2, GradientPenalty, Penalty
from jaxgan.objectives.priors import Labelled, Normal, Prior, Uniform

PARTS = {
    Prior: [Normal(), Uniform(), Labelled()],
    Penalty: [GradientPenalty(), R1(), R2()],
    Auxiliary: [AuxiliaryClassifier()],
    Augmentation: [DiffAugment()],
}
PROTOCOLS = pytest.mark.parametrize("protocol", PARTS, ids=lambda protocol: protocol.__name__)


@PROTOCOLS
def test_parts_are_told_apart(protocol):
    for part in [part for parts in PARTS.values() for part in parts] + [Clip(), Hinge(), 3]:
        belongs = part in PARTS[protocol]
        assert isinstance(part, protocol) == belongs
        assert issubclass(type(part), protocol) == belongs


def test_constraints():
    """Whatever can be called with parameters, a plain function too."""
    assert isinstance(Clip(), Constraint)
    assert isinstance(lambda params: params, Constraint)
    assert not isinstance(Hinge(), Constraint)


@dataclasses.dataclass(frozen=True)
class Settings:
    prior: Prior = Labelled()
    penalties: tuple[Penalty, ...] = (R1(), GradientPenalty())
    constraints: tuple[Constraint, ...] = (Clip(),)
    auxiliaries: tuple[Auxiliary, ...] = (AuxiliaryClassifier(),)
    augmentations: tuple[Augmentation, ...] = (DiffAugment(),)


def test_fields_are_flags():
    flags = (
        "--prior.noise.size 7 --penalties.0.every 16 --penalties.1.target 0 --constraints.0.bound 1"
        " --auxiliaries.0.weight 2 --augmentations.0.no-color"
    )
    found = tyro.cli(
        Settings, default=Settings(), args=flags.split(), config=(tyro.conf.AvoidSubcommands,)
    )
    assert found == Settings(
        prior=Labelled(Normal(7)),
        penalties=(R1(every=16), GradientPenalty(target=0.0)),
        constraints=(Clip(1.0),),
        auxiliaries=(AuxiliaryClassifier(2.0),),
        augmentations=(DiffAugment(color=False),),
    )


def test_examples():
    result = doctest.testmod(protocols)
    assert result.attempted >= 4
    assert result.failed == 0
