"""Terms of classes and codes train perceptrons and convolutions, and reach the generator."""

import dataclasses
import functools

import jax
import numpy as np
import pytest
import tiny

from jaxgan.algorithms.infogan import InfoGan
from jaxgan.data import splits
from jaxgan.data.pipeline import Data
from jaxgan.networks.auxiliary import AuxiliaryDcganDiscriminator, AuxiliaryMlpDiscriminator
from jaxgan.networks.class_information import (
    EmbeddingDcganDiscriminator,
    EmbeddingMlpDiscriminator,
    TwinDcganDiscriminator,
    TwinMlpDiscriminator,
)
from jaxgan.networks.class_or_fake import (
    ClassOrFakeDcganDiscriminator,
    ClassOrFakeMlpDiscriminator,
)
from jaxgan.networks.conditional import LabelledGenerator
from jaxgan.networks.dcgan import DcganGenerator
from jaxgan.networks.information import (
    CodesGenerator,
    InformationDcganDiscriminator,
    InformationMlpDiscriminator,
)
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.class_terms import HingeClassifier, TwinClassifier
from jaxgan.objectives.gan.contrastive import ConditionalContrastive, DataToDataCrossEntropy
from jaxgan.objectives.gan.information import Information
from jaxgan.objectives.gan.multi_hinge import MultiHinge
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.program import compile_program, example_batch

pytestmark = pytest.mark.slow

STEPS = 3
MLP, DCGAN = MlpGenerator((16,)), DcganGenerator(width=4)
TERMS = {
    "classifier": (
        (AuxiliaryClassifier(),),
        (AuxiliaryMlpDiscriminator((16,)), AuxiliaryDcganDiscriminator(width=4)),
    ),
    "hinge": (
        (HingeClassifier(),),
        (AuxiliaryMlpDiscriminator((16,)), AuxiliaryDcganDiscriminator(width=4)),
    ),
    "multi-hinge": (
        (MultiHinge(),),
        (ClassOrFakeMlpDiscriminator((16,)), ClassOrFakeDcganDiscriminator(width=4)),
    ),
    "twins": (
        (AuxiliaryClassifier(), TwinClassifier()),
        (TwinMlpDiscriminator((16,)), TwinDcganDiscriminator(width=4)),
    ),
    "contrastive": (
        (ConditionalContrastive(),),
        (EmbeddingMlpDiscriminator((16,)), EmbeddingDcganDiscriminator(width=4)),
    ),
    "data to data": (
        (DataToDataCrossEntropy(),),
        (EmbeddingMlpDiscriminator((16,)), EmbeddingDcganDiscriminator(width=4)),
    ),
    "information": (
        (Information(),),
        (InformationMlpDiscriminator((16,)), InformationDcganDiscriminator(width=4)),
    ),
}
# Codes of a fixed spread have no use for the layer that would learn it.
IDLE = ("log_variance",)


def model_of(term, is_convolutional, weight):
    terms, discriminators = TERMS[term]
    heavy = [{"categorical": weight, "continuous": weight} if isinstance(one, Information)
             else {"weight": weight} for one in terms]  # fmt: skip
    changed = {
        "auxiliaries": tuple(
            dataclasses.replace(one, **more) for one, more in zip(terms, heavy, strict=True)
        )
    }
    body = DCGAN if is_convolutional else MLP
    of_codes = term == "information"
    plain = tiny.gan().model
    kept = {
        name: getattr(plain, name) for name in ("generator_optimizer", "discriminator_optimizer")
    }
    return (InfoGan if of_codes else type(plain))(
        generator=(CodesGenerator if of_codes else LabelledGenerator)(body),
        discriminator=discriminators[is_convolutional],
        prior=Codes(Normal(4)) if of_codes else Labelled(Normal(4)),
        **kept,
        **changed,
    )


@functools.cache
def trained(term, is_convolutional, weight=1.0):
    """Parameters before and after, and the metrics of each step."""
    model = model_of(term, is_convolutional, weight)
    experiment = dataclasses.replace(
        tiny.gan(steps=STEPS), model=model, data=Data(classes=10), batch_size=32
    )
    program = compile_program(experiment, "none")
    arrays = jax.device_put(splits.in_memory(experiment.data, "train"))
    state = program.init(0, example_batch(experiment))
    before, metrics = jax.device_get(state.parameters), []
    for _ in range(STEPS):
        state, found = program.phases[0].resident_step(state, arrays, np.uint32(0))
        metrics.append(jax.device_get(found))
    return before, jax.device_get(state.parameters), metrics


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("is_convolutional", [False, True], ids=["mlp", "dcgan"])
def test_trains(term, is_convolutional):
    """Everything moves, nothing is lost, and a heavier term takes the generator elsewhere."""
    before, after, metrics = trained(term, is_convolutional)
    for values in metrics:
        assert all(np.isfinite(value).all() for value in values.values())
        assert values["generator_grad_norm"] > 0.0
    for player in ("generator", "discriminator"):
        moves = jax.tree.map(lambda a, b: np.abs(b - a).max(), before[player], after[player])
        still = [
            jax.tree_util.keystr(path)
            for path, move in jax.tree_util.tree_leaves_with_path(moves)
            if move == 0.0
        ]
        assert all(any(name in path for name in IDLE) for path in still), still
    if is_convolutional:
        return
    # One path is enough: how the images are made has no part in it.
    _, heavier, _ = trained(term, is_convolutional, 3.0)
    moved = jax.tree.map(
        lambda one, other, start: np.abs(one - other).max() / np.abs(one - start).max(),
        after["generator"], heavier["generator"], before["generator"],
    )  # fmt: skip
    assert max(jax.tree.leaves(moved)) > 1e-3
