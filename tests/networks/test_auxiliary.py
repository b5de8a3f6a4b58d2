"""Discriminators that also say the class: a head more."""

import pytest
from conditional_networks import CLASSES, IMAGES, LABELS, assert_close, evaluated, initialized

from jaxgan.networks.auxiliary import AuxiliaryDcganDiscriminator, AuxiliaryMlpDiscriminator
from jaxgan.networks.dcgan import DcganDiscriminator
from jaxgan.networks.mlp import MlpDiscriminator


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "plain", "trunk"),
    [
        (AuxiliaryDcganDiscriminator(width=4), DcganDiscriminator(width=4), "DownPyramid_0"),
        (AuxiliaryMlpDiscriminator((8,)), MlpDiscriminator((8,)), "HiddenLayers_0"),
    ],
)
def test_auxiliary_is_a_head_more(module, plain, trunk):
    """The logits are those of the unconditional discriminator; labels change nothing."""
    variables = initialized(module, IMAGES)
    params = variables["params"]
    logits, heads = evaluated(module, variables, IMAGES, LABELS)
    inner = {
        **variables,
        "params": {trunk: params[trunk], "LogitHead_0": params["LogitHead_0"]},
    }
    assert_close(logits, plain.apply(inner, IMAGES, train=False))
    assert heads.keys() == {"class"}
    # Classes are read from the features that psi is read from: with its weights, a class is psi.
    head = params["ClassHead_0"]["Dense_0"]
    psi = params["LogitHead_0"]["Dense_0"]
    replaced = {
        "kernel": head["kernel"].at[:, 1].set(psi["kernel"][:, 0]),
        "bias": head["bias"].at[1].set(psi["bias"][0]),
    }
    tree = {**variables, "params": {**params, "ClassHead_0": {"Dense_0": replaced}}}
    _, changed = evaluated(module, tree, IMAGES, LABELS)
    assert_close(changed["class"][:, 1], logits)
    assert_close(changed["class"][:, 2:], heads["class"][:, 2:])
    assert_close(evaluated(module, variables, IMAGES, (LABELS + 1) % CLASSES), (logits, heads))
