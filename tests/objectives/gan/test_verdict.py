import doctest

import jax
import jax.numpy as jnp
import pytest

from jaxgan.objectives.gan import verdict as module
from jaxgan.objectives.gan.verdict import Verdict, verdict

LOGITS = jnp.array([2.0, -1.0])


def test_plain_logits_are_wrapped():
    found = verdict(LOGITS)
    assert isinstance(found, Verdict)
    assert found.logits is LOGITS
    assert found.heads == {}
    assert found.features == ()


def test_a_verdict_stays():
    judged = Verdict(LOGITS, {"class": jnp.zeros((2, 3))}, (jnp.ones((2, 4)),))
    assert verdict(judged) is judged


def test_is_a_pytree():
    """It comes out of compiled and differentiated functions, with heads and without."""
    assert len(jax.tree.leaves(verdict(LOGITS))) == 1
    judged = Verdict(LOGITS, {"class": jnp.zeros((2, 3))}, (jnp.ones((2, 4)),))
    doubled = jax.jit(lambda found: jax.tree.map(lambda leaf: 2 * leaf, found))(judged)
    assert isinstance(doubled, Verdict)
    assert doubled.logits.tolist() == [4.0, -2.0]
    assert doubled.heads["class"].shape == (2, 3)
    assert doubled.features[0].tolist() == [[2.0] * 4] * 2


def test_examples():
    result = doctest.testmod(module)
    assert result.attempted >= 4
    assert result.failed == 0


def test_parts_in_a_tuple_are_a_verdict():
    logits, heads = jnp.array([2.0, -1.0]), {"class": jnp.arange(6.0).reshape(2, 3)}
    judged = verdict((logits, heads))
    assert isinstance(judged, Verdict)
    assert judged.logits is logits
    assert judged.heads is heads
    assert judged.features == ()


def test_heads_have_names():
    with pytest.raises(ValueError, match="heads by name: its second is a"):
        verdict((LOGITS, LOGITS))
