"""Types of a configuration's values."""

import dataclasses
from typing import Any, ClassVar, Literal

import flax.linen as nn
import pytest

from jaxgan.objectives.gan.losses import Hinge
from jaxgan.objectives.priors import Normal, Prior
from jaxgan.optim import Adam, Optimizer
from jaxgan.run.field_types import misfit


@dataclasses.dataclass(frozen=True)
class Every:
    """One field of each kind."""

    kind: ClassVar[str] = "x"
    count: int = 1
    rate: float = 1.0
    name: str = ""
    on: bool = False
    either: Literal["a", "b", 3] = "a"
    maybe: float | None = None
    widths: tuple[int, ...] = ()
    pair: tuple[int, str] = (1, "a")
    prior: Prior = Normal(2)
    optimizer: Optimizer = Adam()
    anything: Any = None


class Net(nn.Module):
    width: int = 3
    dtype: Any = None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"count": 3, "rate": 2, "name": "x", "on": True},
        {"rate": 1e-3, "either": 3, "maybe": None, "widths": (1, 2), "pair": (1, "x")},
        {"maybe": 0.5, "widths": (), "prior": Normal(3), "optimizer": Adam(), "anything": (1, {})},
        {"unknown": object()},
    ],
)
def test_what_fits(values):
    assert misfit(Every, values) is None


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"count": 1.5}, "count = 1.5: must be a whole number"),
        ({"count": True}, "count = True: must be a whole number"),
        ({"count": "3"}, "count = '3': must be a whole number"),
        ({"rate": "fast"}, "rate = 'fast': must be a number"),
        ({"rate": True}, "rate = True: must be a number"),
        ({"name": 3}, "name = 3: must be text"),
        ({"on": 1}, "on = 1: must be true or false"),
        ({"either": "c"}, "either = 'c': must be one of a, b, 3"),
        ({"maybe": "no"}, "maybe = 'no': must be a number or null"),
        ({"widths": 3}, "widths = 3: must be a list of a whole number"),
        ({"widths": (1, "2")}, "widths = (1, '2'): must be a list of a whole number"),
        ({"pair": (1,)}, "pair = (1,): must be a list of a whole number and text"),
        ({"pair": ("a", 1)}, "pair = ('a', 1): must be a list of a whole number and text"),
        ({"prior": "normal"}, "prior = 'normal': must be a Prior"),
        ({"optimizer": Hinge()}, "optimizer = Hinge: must be a Optimizer"),
        ({"count": 1, "name": None}, "name = None: must be text"),
        ({"name": ("x" * 500,)}, f"name = ('{'x' * 75}...: must be text"),
    ],
)
def test_what_does_not_fit_is_named(values, line):
    assert misfit(Every, values) == line


def test_networks_too():
    assert misfit(Net, {"width": 4, "dtype": "float32"}) is None
    assert misfit(Net, {"width": "wide"}) == "width = 'wide': must be a whole number"
