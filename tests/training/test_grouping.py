"""Which experiments become members of one population."""

from dataclasses import replace

import pytest
import tiny

from jaxgan.config import EarlyStopping, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.training import grouping, varied
from jaxgan.training.grouping import grouped

RATE = "model.optimizer.learning_rate"
MOMENTUM = "model.optimizer.momentum"
BETA = "model.beta.value"


def vae(seed=0, values=(), **changes):
    experiment = replace(tiny.vae(), **changes)
    return replace(varied.replaced(experiment, dict(values)), name=f"vae{seed}", seed=seed)


def test_seeds_and_numbers_go_together_and_nothing_else():
    those = [
        vae(0),
        vae(1, {RATE: 0.5}),
        vae(2, batch_size=8),
        vae(3, {RATE: 0.1}),
        vae(4, batch_size=8),
        vae(5, precision="bfloat16"),
        vae(6, data=Data(validation=50)),
    ]
    assert grouped(those) == [(0, 1, 3), (2, 4), (5,), (6,)]
    assert grouped(those, "never") == [(place,) for place in range(7)]
    assert grouped([]) == []


def test_members_without_a_part_are_apart():
    """Without momentum there is nothing to keep in the state, and it has another structure."""
    those = [vae(n, {RATE: 0.1 + n, MOMENTUM: m}) for n, m in enumerate((0.0, 0.5, 0.0, 0.9))]
    assert grouped(those) == [(0, 2), (1, 3)]


def test_what_may_not_vary_is_equal_in_a_group():
    """Whether there is dropout is asked while tracing."""
    first = tiny.gan()
    path = "model.discriminator.dropout"
    rate = "model.generator_optimizer.learning_rate"
    those = [
        varied.replaced(first, {path: dropout, rate: 0.1 + n})
        for n, dropout in enumerate((0.3, 0.5, 0.3, 0.5, 0.3))
    ]
    assert grouped(those) == [(0, 2, 4), (1, 3)]


def test_where_it_does_not_pay_or_cannot_be_done_there_are_no_groups():
    convolutions = [tiny.dcgan(seed=0), tiny.dcgan(seed=1)]
    assert grouped(convolutions) == [(0,), (1,)]
    assert grouped(convolutions, "always") == [(0, 1)]
    stopping = {
        "data": Data(validation=50),
        "evaluation": Evaluation(every=2),
        "early_stopping": EarlyStopping("elbo"),
    }
    for changes in (stopping, {"init_from": "runs/x"}, {"data": Data(streaming="always")}):
        those = [vae(0, **changes), vae(1, **changes)]
        assert grouped(those, "always") == [(0,), (1,)]


@pytest.mark.parametrize("limit", ["MOST", "STATE_BYTES"])
def test_groups_have_a_size_at_most(monkeypatch, limit):
    size = grouping._state_bytes(tiny.vae())
    monkeypatch.setattr(grouping, limit, 2 if limit == "MOST" else 3 * size - 1)
    assert grouped([vae(n) for n in range(5)]) == [(0, 1), (2, 3), (4,)]


def test_a_population_of_one_kind_is_refused_with_the_field_that_differs():
    with pytest.raises(ValueError, match=r"vae1 and vae0 cannot .*: data.validation is 50 and 0"):
        grouping.check([vae(0), vae(1, data=Data(validation=50))])
    assert grouping.check([vae(0), vae(1, {RATE: 0.5, BETA: 3.0})]) == (BETA, RATE)
    with pytest.raises(ValueError, match=f"{MOMENTUM} may not be 0 for some members"):
        grouping.check([vae(0, {MOMENTUM: 0.5}), vae(1)])
