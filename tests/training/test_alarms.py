"""Rules over logged numbers: what raises an alarm, what does not, and that a log tells it again."""

import json

import jax.numpy as jnp
import pytest

from jaxgan.run.logs import Logger, read_jsonl
from jaxgan.training import alarms
from jaxgan.training.alarms import LOGS, RULES, STEPS, Watch, watched
from jaxgan.training.recorder import Recorder

HEALTHY = {
    "loss/discriminator": 1.2,
    "loss/generator": 0.8,
    "logits/real": 0.4,
    "logits/fake": -0.3,
    "generator_grad_norm": 0.1,
    "diagnostics/spread": 0.7,
}
COLLAPSED = {
    "no_variety": {"diagnostics/spread": 0.02},
    "discriminator_won": {"loss/discriminator": 2e-3, "logits/real": 7.0, "logits/fake": -8.0},
    "generator_stuck": {"generator_grad_norm": 1e-6},
    "logits_exploded": {"logits/real": 2e4, "logits/fake": 1.9e4},
    "standing_still": {"loss/discriminator": 1.0, "loss/generator": 1.0},
}


def log(changes, *, healthy=3, logs=12, every=100, wobble=True):
    """Records of a run that is healthy at first, and then as ``changes`` say."""
    records = []
    for place in range(logs):
        values = HEALTHY if place < healthy else {**HEALTHY, **changes}
        factor = 1.0 + 0.01 * (place % 3) * (wobble and "loss/generator" not in changes)
        moved = {n: v * factor if n.startswith("loss/") else v for n, v in values.items()}
        records.append({"step": every * (place + 1), **moved})
    return records


def raised(records):
    return [(alarm.name, alarm.since, alarm.raised) for alarm in watched(records).alarms]


def test_every_rule_is_tried():
    assert [*COLLAPSED] == [rule.name for rule in RULES]


@pytest.mark.parametrize("name", COLLAPSED)
def test_a_collapse_is_told_once_and_since_when(name):
    records = log(COLLAPSED[name])
    # Bad from log 4 on (a loss that stands still is noticed one log later).
    first = 400 + 100 * (name == "standing_still")
    assert raised(records) == [(name, first, first + STEPS)]
    # Of a shorter time nothing is said.
    assert raised(records[: (first + STEPS) // 100 - 1]) == []


def test_healthy_runs_raise_none():
    assert raised(log({})) == []


@pytest.mark.parametrize("name", COLLAPSED)
def test_a_run_that_recovers_raises_none(name):
    """Bad in every log but each fourth."""
    bad, good = log(COLLAPSED[name], logs=40), log({}, logs=40)
    mixed = [good[place] if place % 4 == 0 else bad[place] for place in range(40)]
    assert raised(mixed) == []


@pytest.mark.parametrize("name", COLLAPSED)
def test_rules_wait_for_steps_and_for_logs(name):
    often = log(COLLAPSED[name], healthy=3, logs=3 + STEPS // 10, every=10)
    assert raised(often) == []
    seldom = log(COLLAPSED[name], healthy=3, logs=20, every=1000)
    ((_, since, told),) = raised(seldom)
    assert (told - since) / 1000 == LOGS - 1


def test_what_is_not_logged_is_not_judged():
    for name, changes in COLLAPSED.items():
        needs = next(rule.needs for rule in RULES if rule.name == name)
        for missing in needs:
            records = [
                {key: value for key, value in record.items() if key != missing}
                for record in log(changes)
            ]
            assert name not in {found[0] for found in raised(records)}


def test_records_of_evaluations_neither_prolong_nor_end_a_streak():
    records = log(COLLAPSED["no_variety"])
    between = [{"step": 410 + 100 * place, "fid[x]": 3.0} for place in range(8)]
    everything = sorted([*records, *between], key=lambda record: record["step"])
    assert raised(everything) == raised(records) != []
    # Nor does what is measured of a run that has few logs.
    assert raised([*records[:6], *({"step": 2000 + n, "fid[x]": 3.0} for n in range(9))]) == []


def test_a_wasserstein_critic_whose_loss_is_near_zero_has_not_won():
    """Clipped critics have logits of some thousandths, and the loss is their difference."""
    clipped = {"loss/discriminator": -3e-3, "logits/real": 2e-3, "logits/fake": -1e-3}
    assert raised(log(clipped)) == []
    assert raised(log({**clipped, "logits/real": 0.6}))[0][0] == "discriminator_won"


def test_a_gradient_that_never_was_has_vanished():
    records = [{**record, "generator_grad_norm": 0.0} for record in log({})]
    assert raised(records)[0][:2] == ("generator_stuck", 100)
    small = [{**record, "generator_grad_norm": 1e-9} for record in log({})]
    assert raised(small) == []


def test_parameters_that_do_not_move_stand_still_whatever_the_batches():
    rates = {"diagnostics/generator_update": 0.0, "diagnostics/discriminator_update": 1e-12}
    assert raised(log(rates)) == [("standing_still", 400, 900)]
    assert raised(log({**rates, "diagnostics/generator_update": 1e-5})) == []


def test_several_alarms_are_told_in_the_order_of_the_log():
    records = log(COLLAPSED["no_variety"], logs=20)
    for record in records[8:]:
        record["generator_grad_norm"] = 0.0
    assert [name for name, *_ in raised(records)] == ["no_variety", "generator_stuck"]


class Saved:
    def steps(self):
        return []


def test_the_log_of_a_run_says_so_and_says_it_again_when_resumed(tmp_path, capsys):
    def write(records, resume, watch):
        with Logger(tmp_path, total_steps=9999, resume_step=resume, tensorboard=False) as logger:
            recorder = Recorder(logger, 1, Saved(), watch=watch)
            for record in records:
                values = {n: jnp.float32(v) for n, v in record.items() if n != "step"}
                recorder.add(record["step"], values)
                recorder.flush()
        return [line for line in capsys.readouterr().out.splitlines() if "alarm" in line]

    records = log(COLLAPSED["no_variety"])
    (line,) = write(records[:7], None, Watch()) + write(records[7:], 700, alarms.so_far(tmp_path))
    assert line.startswith("alarm, since step 400: generated images vary less than 10% as much")
    # What files hold is what was seen.
    stored = watched(read_jsonl(tmp_path / "metrics.jsonl")).alarms
    assert alarms.so_far(tmp_path).alarms == stored
    (document,) = json.loads(json.dumps(alarms.documents(stored)))
    assert document == {
        "name": "no_variety", "since": 400, "raised": 900,
        "text": line.partition(": ")[2],
    }  # fmt: skip
    assert alarms.so_far(tmp_path / "nowhere") == Watch()
    # Told already, so not again.
    assert write(log(COLLAPSED["no_variety"])[10:], 1000, alarms.so_far(tmp_path)) == []
