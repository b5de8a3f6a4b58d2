"""Every penalty with every normalization that it may meet, trained by the real program.

One program a normalization has all penalties, each with a switch in its state: those that are off
are measured all the same and teach nothing.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.algorithms.gan import Gan
from jaxgan.config import Experiment
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.objectives.gan.consistency import BalancedConsistency, LatentConsistency
from jaxgan.objectives.gan.dragan import Dragan
from jaxgan.objectives.gan.drift import Drift
from jaxgan.objectives.gan.lecam import LeCam
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.orthogonal import Orthogonal
from jaxgan.objectives.gan.penalties import R1, R2, GradientPenalty
from jaxgan.objectives.priors import Normal
from jaxgan.optim import Adam, Sgd
from jaxgan.program import compile_program, example_batch

pytestmark = pytest.mark.slow

STEPS = 30
PENALTIES = (
    GradientPenalty(10.0),
    Dragan(10.0),
    R1(10.0),
    R2(10.0),
    LeCam(3.0, start=0),
    BalancedConsistency(100.0, 100.0),
    LatentConsistency(1000.0, noise=0.3),
    Orthogonal(1.0),
    Drift(1.0),
)
NORMALIZATIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "batch": {"batch_norm": True},
    "layer": {"norm": "layer"},
    "instance": {"norm": "instance"},
    "spectral": {"weight_norm": "spectral"},
    "weight": {"weight_norm": "weight"},
}


@pytest.fixture(autouse=True, scope="module")
def compile_quickly(quick_compilation):
    """Programs are large, and run for some steps."""


@dataclasses.dataclass(frozen=True)
class Switched:
    """A penalty whose state says whether the discriminator learns from it."""

    inner: Any

    every = 1

    @property
    def name(self):
        return self.inner.name

    @property
    def per_example(self):
        return self.inner.per_example

    def init(self):
        return jnp.zeros(()), self.inner.init()

    def __call__(self, view, state):
        on, inner = state
        values, inner = self.inner(view, inner)
        still = jax.lax.stop_gradient(values)
        return still + on * (values - still), (on, inner)


def penalties_with(normalization):
    """Batch norm mixes examples, which most penalties on gradients do not allow."""
    return [p for p in PENALTIES if normalization != "batch" or not p.per_example]


@functools.cache
def program_of(normalization):
    network = DcganDiscriminator(
        width=4, **{"batch_norm": False, "init_std": 0.1, **NORMALIZATIONS[normalization]}
    )
    model = Gan(
        DcganGenerator(width=4),
        network,
        loss=NonSaturating(),
        # Fakes stay what they are: two runs are then about the same images.
        generator_optimizer=Sgd(1e-30),
        discriminator_optimizer=Adam(2e-3, b1=0.5),
        prior=Normal(8),
        penalties=tuple(Switched(one) for one in penalties_with(normalization)),
    )
    # Of 8 pixels a side there would be no layer to normalize.
    data = Data(image_size=16, resize="bilinear")
    experiment = Experiment("penalties", model, data, steps=STEPS, batch_size=16)
    program = compile_program(experiment, "none")
    first = jax.device_get(program.init(0, example_batch(experiment)))
    return program, first, splits.in_memory(data, "train")


@functools.cache
def trained(normalization, name):
    """The discriminator after one step, and the penalties in all, where one of them is on."""
    program, first, arrays = program_of(normalization)
    states = tuple(
        (np.float32(one.name == name), inner)
        for one, (_, inner) in zip(
            penalties_with(normalization), first.extras["penalties"], strict=True
        )
    )
    put = program.plan.replicate
    state = put(first.replace(extras={**first.extras, "penalties": states}))
    given = put(arrays), put(np.uint32(0))
    run = program.phases[0].resident_steps
    state, metrics = run(state, *given, np.int32(1))
    after = jax.device_get(state.players["discriminator"].params)
    state, metrics = run(state, *given, np.int32(STEPS - 1))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.device_get(state)))
    found = {name: np.asarray(values)[: STEPS - 1] for name, values in metrics.items()}
    assert all(np.isfinite(values).all() for values in found.values())
    return after, found


CASES = [(n, p.name) for n in NORMALIZATIONS for p in penalties_with(n)]


@pytest.mark.parametrize(("normalization", "name"), CASES)
def test_a_penalty_falls_where_it_is_trained(normalization, name):
    """By a third at least, beside the same run without it; and it reaches every kernel."""
    without, base = trained(normalization, None)
    with_it, found = trained(normalization, name)
    late = slice(-10, None)
    key = f"penalty/{name}"
    assert found[key].min() >= 0.0
    assert found[key][late].mean() < 0.67 * base[key][late].mean()
    for path, leaf in jax.tree_util.tree_leaves_with_path(with_it):
        layer = without
        for part in path:
            layer = layer[part.key]
        if path[-1].key == "kernel" and (name != "orthogonal" or leaf.shape[-1] > 1):
            assert np.abs(leaf - layer).max() > 0.0, jax.tree_util.keystr(path)
