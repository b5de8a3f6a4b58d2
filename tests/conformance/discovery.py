"""Finds every objective, network and algorithm there is, so that none escapes the suites.

What algorithms are tried with is in `cases`, a module an algorithm, each with a dictionary `CASES`.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flax.linen as nn
import suited

import jaxgan.algorithms
import jaxgan.networks
import jaxgan.objectives
from jaxgan.algorithms import base
from jaxgan.algorithms.vae import Vae
from jaxgan.config import Experiment, Model
from jaxgan.data.pipeline import Data
from jaxgan.objectives.gan import constraints as gan_constraints
from jaxgan.objectives.gan import losses as gan_losses
from jaxgan.objectives.gan.augmentations import Augmentation
from jaxgan.objectives.gan.auxiliaries import Auxiliary
from jaxgan.objectives.gan.constraints import Constraint
from jaxgan.objectives.gan.generator_penalties import GeneratorPenalty
from jaxgan.objectives.gan.losses import GanLoss
from jaxgan.objectives.gan.penalties import Penalty
from jaxgan.objectives.vae.bounds import Beta, Reconstruction
from jaxgan.objectives.vae.likelihoods import Likelihood
from jaxgan.objectives.vae.posteriors import DiagonalGaussian, Point
from jaxgan.optim import Optimizer, Sgd

PARTS = {
    *("HiddenLayers", "DownPyramid", "UpPyramid", "BeganDecoder"),
    *("MlpFeatures", "DcganFeatures", "InfoGanFeatures", "InfoGanPixels"),
    *("R3GanImages", "R3GanFeatures"),
    *("ResnetImages", "ResnetFeatures", "GatedLayers", "CausalLayers", "ResidualStack"),
    *("StyleSynthesis", "StyleImages", "StyleFeatures", "DownConv"),
}
"""Pieces of networks: what they need is said by the network that they are a piece of."""

DIGITS = Data(classes=10)
BATCH = 8
LATENT_SIZE = 3


@dataclasses.dataclass(frozen=True)
class Case:
    """An experiment that an algorithm is held to the laws with."""

    experiment: Experiment
    """What is trained."""
    steps: int = 3
    """For how long; phases that are to be seen end before."""
    quiet: tuple[str, ...] = ()
    """Players that need not move in these steps, and metrics that may not depend on the seed."""
    slow: bool = False
    """Whether it is left to CI, because what it is made of is also in others."""
    estimated: bool = False
    """Whether a gradient is not the slope of the loss that is told, but right on average."""
    with_generator: tuple[str, ...] = ()
    """Players that minimize the generator's loss with it, by its optimizer."""


def classes(package: Any) -> Iterator[type]:
    """The public classes that the modules of a package define."""
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    for name in names:
        module = importlib.import_module(name)
        for _, found in inspect.getmembers(module, inspect.isclass):
            is_protocol = getattr(found, "_is_protocol", False)
            if found.__module__ == name and not found.__name__.startswith("_") and not is_protocol:
                yield found


def default(cls: type) -> Any:
    """An object made without arguments."""
    try:
        return cls()
    except TypeError as error:
        raise AssertionError(
            f"{cls.__module__}.{cls.__name__} cannot be made without arguments: give every field a"
            f" default, so that the conformance tests reach it ({error})"
        ) from error


def losses() -> dict[str, GanLoss]:
    """Every adversarial loss. What its module defines must be one."""
    found = {}
    for cls in classes(jaxgan.objectives):
        if cls.__module__ == gan_losses.__name__ or issubclass(cls, GanLoss):
            found[cls.__name__] = default(cls)
            assert isinstance(found[cls.__name__], GanLoss), f"{cls.__name__} is no GanLoss"
    return found


def parts(kind: type) -> dict[str, Any]:
    """Every objective of a kind, such as `Penalty`."""
    return {c.__name__: default(c) for c in classes(jaxgan.objectives) if issubclass(c, kind)}


def likelihoods() -> dict[str, Likelihood]:
    """Every likelihood."""
    return parts(Likelihood)


def penalties() -> dict[str, Penalty]:
    """Every penalty."""
    return parts(Penalty)


def generator_penalties() -> dict[str, GeneratorPenalty]:
    """Every penalty on generators."""
    return parts(GeneratorPenalty)


def auxiliaries() -> dict[str, Auxiliary]:
    """Every auxiliary term."""
    return parts(Auxiliary)


def augmentations() -> dict[str, Augmentation]:
    """Every augmentation."""
    return parts(Augmentation)


def constraints() -> dict[str, Constraint]:
    """Every constraint. A call is all that there is to one, so they are known by their module."""
    found = parts(Constraint)
    return {n: c for n, c in found.items() if type(c).__module__ == gan_constraints.__name__}


def networks() -> dict[str, nn.Module]:
    """Every network, as its defaults make it."""
    return {
        cls.__name__: default(cls)
        for cls in classes(jaxgan.networks)
        if issubclass(cls, nn.Module)
        and cls.__name__ not in PARTS
        and ".layers." not in cls.__module__
    }


def models() -> list[type[Model]]:
    """The settings class of every algorithm."""
    return [cls for cls in classes(jaxgan.algorithms) if issubclass(cls, Model)]


def small(network: nn.Module) -> nn.Module:
    """The same network with few units, and with everything on that depends on the batch."""
    changes = {"width": 4, "widths": (8,), "units": 8, "dropout": 0.2, "batch_norm": True}
    names = {field.name for field in dataclasses.fields(network)}
    inner = {
        name: small(value)
        for name in names - {"parent"}
        if isinstance(value := getattr(network, name), nn.Module)
    }
    return dataclasses.replace(network, **inner, **{k: v for k, v in changes.items() if k in names})


@dataclasses.dataclass(frozen=True)
class Counted(Model):
    """A model that writes down whenever one of its train steps is traced."""

    inner: Model
    traces: list = dataclasses.field(default_factory=list, compare=False)

    @property
    def batches_per_step(self):
        return self.inner.batches_per_step

    def build(self, experiment, *, axis_name=None):
        algorithm = base.build(
            dataclasses.replace(experiment, model=self.inner), axis_name=axis_name
        )

        def counted(phase):
            def train_step(state, batch, key):
                self.traces.append((experiment.precision, axis_name))
                return phase.train_step(state, batch, key)

            return phase._replace(train_step=train_step)

        return algorithm._replace(phases=tuple(map(counted, algorithm.phases)))


def experiment(model: Model, data: Data = DIGITS, steps: int = 10) -> Experiment:
    """A short experiment. Momentum gives the optimizers a state; Adam would blow up rounding."""
    optimizers = {
        field.name: Sgd(learning_rate=0.02, momentum=0.5)
        for field in dataclasses.fields(model)
        if isinstance(getattr(model, field.name), Optimizer)
        and not isinstance(getattr(model, field.name), Model)
    }
    model = dataclasses.replace(model, **optimizers)
    return Experiment(name="conformance", model=model, data=data, steps=steps, batch_size=BATCH)


def cases() -> dict[str, Case]:
    """Every case of every algorithm; an algorithm without one does not pass."""
    found: dict[str, Case] = {}
    for path in sorted((Path(__file__).parent / "cases").glob("*.py")):
        own = importlib.import_module(f"cases.{path.stem}").CASES
        assert not found.keys() & own.keys(), f"{path.name} names cases that there are already"
        found |= own
    tried = {type(case.experiment.model) for case in found.values()}
    for cls in models():
        assert cls in tried, (
            f"{cls.__module__}.{cls.__name__} has no case: add a module to tests/conformance/cases"
        )
    return found


def without_objective(experiment: Experiment) -> Any:
    """An experiment but for the loss or likelihood, a bound and a single penalty.

    Cases that share it differ in these alone. (One case has all penalties at once.)
    """
    model = experiment.model
    if isinstance(model, Vae):
        # Neither keeps anything; regularizers neither.
        usual = {"bound": Reconstruction(), "beta": Beta(), "posterior": model.posterior}
        if isinstance(model.posterior, Point | DiagonalGaussian):
            usual["posterior"] = Point()
        model = dataclasses.replace(model, regularizers=(), **usual)
    for field in ("penalties", "generator_penalties"):
        if len(getattr(model, field, ())) == 1:
            model = dataclasses.replace(model, **{field: ()})
    alone = not getattr(model, "auxiliaries", ())
    if type(getattr(model, "loss", None)) in suited.SUITED and alone:
        # Nor does it matter what else a discriminator returns because its loss reads it.
        plain = suited.discriminator(None)
        model = dataclasses.replace(model, discriminator=plain, loss=gan_losses.NonSaturating())
    kept = {
        field.name: value
        for field in dataclasses.fields(model)
        if not isinstance(value := getattr(model, field.name), GanLoss | Likelihood)
    }
    return type(model), tuple(kept.items()), dataclasses.replace(experiment, model=Model())
