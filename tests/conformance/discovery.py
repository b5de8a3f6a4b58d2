"""Finds every loss, likelihood, network and algorithm there is, so that none escapes the suites."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import flax.linen as nn

import jaxgan.algorithms
import jaxgan.networks
import jaxgan.objectives
from jaxgan.config import Experiment, Model
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDecoder, MlpDiscriminator, MlpEncoder, MlpGenerator
from jaxgan.networks.vae import ConvDecoder, ConvEncoder
from jaxgan.objectives.gan import losses as gan_objectives
from jaxgan.objectives.gan.losses import GanLoss
from jaxgan.objectives.gan.penalties import GradientPenalty
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.likelihoods import Likelihood
from jaxgan.optim import Optimizer, Sgd

PARTS = {"HiddenLayers", "DownPyramid", "UpPyramid"}
"""Pieces of networks: what they need is said by the network that they are a piece of."""

DIGITS = Data()
BATCH = 8
LATENT_SIZE = 3


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
        if cls.__module__ == gan_objectives.__name__ or issubclass(cls, GanLoss):
            found[cls.__name__] = default(cls)
            assert isinstance(found[cls.__name__], GanLoss), f"{cls.__name__} is no GanLoss"
    return found


def likelihoods() -> dict[str, Likelihood]:
    """Every likelihood."""
    return {c.__name__: default(c) for c in classes(jaxgan.objectives) if issubclass(c, Likelihood)}


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
    changes = {"width": 4, "widths": (8,), "dropout": 0.2, "batch_norm": True}
    names = {field.name for field in dataclasses.fields(network)}
    return dataclasses.replace(network, **{k: v for k, v in changes.items() if k in names})


@dataclasses.dataclass(frozen=True)
class Counted(Model):
    """A model that writes down whenever its train step is traced."""

    inner: Model
    traces: list = dataclasses.field(default_factory=list, compare=False)

    @property
    def batches_per_step(self):
        return self.inner.batches_per_step

    def build(self, experiment, *, axis_name=None):
        inner = dataclasses.replace(experiment, model=self.inner)
        algorithm = self.inner.build(inner, axis_name=axis_name)

        def train_step(state, batch, key):
            self.traces.append((experiment.precision, axis_name))
            return algorithm.train_step(state, batch, key)

        return algorithm._replace(train_step=train_step)


def experiment(model: Model, data: Data = DIGITS) -> Experiment:
    """A short experiment. Momentum gives the optimizers a state; Adam would blow up rounding."""
    optimizers = {
        field.name: Sgd(learning_rate=0.02, momentum=0.5)
        for field in dataclasses.fields(model)
        if isinstance(getattr(model, field.name), Optimizer)
        and not isinstance(getattr(model, field.name), Model)
    }
    model = dataclasses.replace(model, latent_size=LATENT_SIZE, **optimizers)
    return Experiment(name="conformance", model=model, data=data, steps=10, batch_size=BATCH)


def objectives_of_algorithms() -> dict[str, Experiment]:
    """Every algorithm with every objective that it can be given."""
    networks_by_role: dict[str, nn.Module] = {
        "generator": MlpGenerator((8,)),
        "discriminator": MlpDiscriminator((8,)),
        "encoder": MlpEncoder((8,)),
        "decoder": MlpDecoder((8,)),
    }
    found = {}
    for cls in models():
        needed = [f.name for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING]
        if unknown := set(needed) - networks_by_role.keys():
            raise AssertionError(
                f"{cls.__name__} needs {', '.join(sorted(unknown))}: name a small network for it"
                " in tests/conformance/discovery.py, or give it a default"
            )
        model = cls(**{name: networks_by_role[name] for name in needed})
        choices = [
            (field.name, name, choice)
            for field in dataclasses.fields(cls)
            for kind, every in ((GanLoss, losses()), (Likelihood, likelihoods()))
            if isinstance(field.default, kind)
            for name, choice in every.items()
        ]
        for field, name, choice in choices:
            chosen = dataclasses.replace(model, **{field: choice})
            found[f"{cls.__name__}-{name}"] = experiment(chosen)
        if not choices:
            found[cls.__name__] = experiment(model)
        if "gradient_penalty" in {field.name for field in dataclasses.fields(cls)}:
            penalized = dataclasses.replace(model, gradient_penalty=GradientPenalty())
            found[f"{cls.__name__}-GradientPenalty"] = experiment(penalized)
    return found


def variants() -> dict[str, Experiment]:
    """Algorithms with batch statistics, dropout, several critic updates, warm-ups, and points."""
    by_name: dict[str, Any] = {cls.__name__: cls for cls in models()}
    gan, vae = by_name["Gan"], by_name["Vae"]
    critic = gan(
        generator=DcganGenerator(width=4),
        discriminator=DcganDiscriminator(width=4),
        loss=losses()["Wasserstein"],
        n_critic=2,
        clip_weights=0.05,
    )
    penalized = gan(
        generator=DcganGenerator(width=4),
        discriminator=DcganDiscriminator(width=4, batch_norm=False),
        loss=losses()["Wasserstein"],
        n_critic=2,
        gradient_penalty=GradientPenalty(),
    )
    convolutional = vae(
        encoder=ConvEncoder(width=4, batch_norm=True),
        decoder=ConvDecoder(width=4, batch_norm=True),
        beta=Beta(value=2.0, warmup_steps=5),
    )
    points = gan(
        generator=MlpGenerator((8,), bounded=False),
        discriminator=MlpDiscriminator((8,), pieces=2, dropout=0.2),
    )
    return {
        # On 8 pixels a side the discriminator would have no layer to normalize.
        "critic": experiment(critic, Data(image_size=16, resize="bilinear")),
        "penalized": experiment(penalized),
        "convolutional": experiment(convolutional),
        "points": experiment(points, Data(source=Ring(), image_size=1, channels=2)),
    }
