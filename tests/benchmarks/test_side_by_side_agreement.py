"""What counts as two implementations doing the same."""

import copy
import math

import pytest
from side_by_side.agreement import Mismatch, compare

RIGHT = {
    "parameters": 12,
    "layers": {"encoder/Dense_0": 10, "decoder/Dense_0": 20},
    "counted": None,
    "losses": [{"autoencoder": 50.0}, {"autoencoder": 40.0}],
    "moments": {"encoder/Dense_0/kernel": 2.0, "encoder/Dense_0/bias": 1e-9},
}


def check(change, precision="float32"):
    found = copy.deepcopy(RIGHT)
    change(found)
    compare("mlp_vae", precision, "linen", RIGHT, found)


def set_loss(step, value):
    return lambda found: found["losses"][step].update(autoencoder=value)


def test_equal_is_equal():
    check(lambda found: None)
    check(lambda found: found.update(counted=80))  # 3 x 30 less the 10 of the first layer


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.update(parameters=13), "linen has 13 parameters, jaxgan 12"),
        (lambda f: f["layers"].update({"decoder/Dense_0": 21}), "decoder/Dense_0"),
        (lambda f: f["layers"].pop("encoder/Dense_0"), "encoder/Dense_0"),
        (lambda f: f.update(counted=90), "does 90 operations a step by its own counter, not 80"),
        (lambda f: f["losses"].pop(), "number of steps"),
        (lambda f: f["losses"][0].update(generator=1.0), "losses autoencoder, generator"),
        (lambda f: f["moments"].update({"encoder/Dense_0/kernel": 2.1}), "length 2.1 "),
        (lambda f: f["moments"].update({"encoder/Dense_0/kernel": -2.0}), "length -2 "),
        (lambda f: f["moments"].pop("encoder/Dense_0/bias"), "other parameters"),
        (set_loss(0, math.nan), "step 1: loss of the autoencoder is nan, jaxgan's 50"),
    ],
)
def test_a_difference_is_named(change, message):
    with pytest.raises(Mismatch, match="mlp_vae in float32: linen") as raised:
        check(change)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("precision", "step", "relative"),
    [("float32", 0, 1e-4), ("float32", 1, 2e-3), ("bfloat16", 0, 2e-2), ("bfloat16", 1, 5e-2)],
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_losses_may_differ_by_rounding_only(precision, step, relative, sign):
    value = RIGHT["losses"][step]["autoencoder"]
    check(set_loss(step, value * (1 + 0.9 * sign * relative)), precision)
    with pytest.raises(Mismatch, match=f"step {step + 1}"):
        check(set_loss(step, value * (1 + 1.1 * sign * relative)), precision)


def test_small_gradients_are_measured_by_the_largest_of_their_network():
    check(lambda found: found["moments"].update({"encoder/Dense_0/bias": 3e-9}))
    with pytest.raises(Mismatch, match="bias"):
        check(lambda found: found["moments"].update({"encoder/Dense_0/bias": 0.03}))
