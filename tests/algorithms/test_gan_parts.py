"""Lazy penalties and auxiliary terms, without networks."""

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.algorithms import apply
from jaxgan.algorithms.gan_checks import check_parts
from jaxgan.algorithms.gan_parts import auxiliary, penalized
from jaxgan.config import ConfigError
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.objectives.gan.penalties import GradientPenalty, View
from jaxgan.objectives.gan.verdict import Verdict

VALUES = np.array([1.0, 2.0, 6.0], np.float32)


@dataclasses.dataclass(frozen=True)
class Counted:
    """The real images' first pixels, and the number of times that it was asked."""

    name: ClassVar[str] = "counted"
    per_example: ClassVar[bool] = True

    every: int = 1

    def init(self) -> Any:
        return jnp.int32(0)

    def __call__(self, view, state):
        return view.real[:, 0, 0, 0], state + 1


class Other(Counted):
    """Under another name."""

    name: ClassVar[str] = "other"


def view():
    real = jnp.asarray(VALUES).reshape(3, 1, 1, 1)
    return View(
        critic=lambda images: Verdict(images[:, 0, 0, 0]), real=real, fake=real,
        generate=lambda latents: latents, latents=real, draw=lambda role, one: jnp.zeros(3),
    )  # fmt: skip


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_lazy_penalty_is_taken_every_so_many_updates_and_counts_as_many_times(every):
    """From the first update on; skipped, it is 0 and its state is kept; the mean is that of all."""
    penalty, sums = Counted(every), np.zeros(3)
    states = (penalty.init(),)
    step = jax.jit(lambda states, done: penalized((penalty,), states, view(), done))
    for done in range(6):
        values, metrics, states = step(states, jnp.int32(done))
        due = done in {1: range(6), 2: (0, 2, 4), 3: (0, 3)}[every]
        expected = every * VALUES if due else np.zeros(3)
        np.testing.assert_array_equal(values, expected)
        assert {name: float(value) for name, value in metrics.items()} == {
            "penalty/counted": expected.mean()
        }
        assert int(states[0]) == done // every + 1
        sums += values
    np.testing.assert_array_equal(sums / 6, VALUES)


def test_penalties_are_summed_each_with_its_own_state():
    """On the first of update 1, only the one that is never skipped is due."""
    penalties = (Counted(2), Other(1))
    values, metrics, states = penalized(
        penalties, (jnp.int32(5), jnp.int32(8)), view(), jnp.int32(1)
    )
    np.testing.assert_array_equal(values, VALUES)
    assert [int(state) for state in states] == [5, 9]
    assert [float(metrics[f"penalty/{name}"]) for name in ("counted", "other")] == [0.0, 3.0]
    values, _, states = penalized(penalties, (jnp.int32(5), jnp.int32(8)), view(), jnp.int32(2))
    np.testing.assert_array_equal(values, 3 * VALUES)
    assert [int(state) for state in states] == [6, 9]


def test_no_penalty_is_nothing():
    assert penalized((), (), view(), 0) == (0.0, {}, ())


@dataclasses.dataclass(frozen=True)
class Told:
    """What it was told, times a logit; of the generator's loss only a half."""

    name: ClassVar[str] = "told"

    def real(self, verdict, given):
        return verdict.logits * given["code"]

    def fake(self, verdict, given):
        return verdict.logits * given["code"]

    def generator(self, verdict, given):
        return 0.5 * verdict.logits * given["code"]


class OfFakes(Told):
    """Only of generated images, such as a code that no real image has."""

    name: ClassVar[str] = "of-fakes"

    def real(self, verdict, given):
        return None


def test_auxiliary_terms_are_those_that_are_there():
    """Each under its name; features are not gathered, and not shown."""
    judged = Verdict(jnp.asarray([1.0, 2.0]), {"a": jnp.ones(2)}, (jnp.ones(2),))
    given, terms, over = {"code": jnp.asarray([3.0, 5.0])}, (Told(), OfFakes()), apply.reduce(None)
    of_real, of_fake, of_generator = (
        auxiliary(terms, part, over, judged, given)
        for part in (lambda one: one.real, lambda one: one.fake, lambda one: one.generator)
    )
    assert list(of_real) == ["told"]
    assert list(of_fake) == list(of_generator) == ["told", "of-fakes"]
    for term in (*of_real.values(), *of_fake.values()):
        np.testing.assert_array_equal(term, [3.0, 10.0])
    for term in of_generator.values():
        np.testing.assert_array_equal(term, [1.5, 5.0])
    assert auxiliary((), lambda one: one.real, over, judged, None) == {}


def test_two_terms_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="'gradient'"):
        check_parts(MlpDiscriminator(), (GradientPenalty(), GradientPenalty(weight=1.0)), ())
    check_parts(MlpDiscriminator(), (GradientPenalty(),), ())
