"""The order of a measurement, with workers that only say what they would do."""

import pytest
from side_by_side import measure as measuring
from side_by_side import process
from side_by_side.agreement import Mismatch
from side_by_side.measure import Plan, measure
from side_by_side.process import WorkerError
from small_steps import SIZES

FACTS = {
    "parameters": 3,
    "layers": {"encoder/Dense_0": 100, "decoder/Dense_0": 100},
    "counted": None,
    "losses": [{"autoencoder": 1.0}],
    "moments": {"encoder/Dense_0/kernel": 1.0},
    "versions": {},
    "xla_flags": "",
}
SPEED = {"jaxgan": 0.002, "linen": 0.008, "torch_eager": 0.004, "torch_compile": 0.001}


class Office:
    """Hands out workers, and keeps the minutes."""

    def __init__(self):
        self.minutes, self.facts, self.broken, self.forgets = [], {}, {}, True
        self.others = 0.01

    def worker(self, task, python, log):
        return Scripted(self, task)

    def done(self, *kinds):
        return [(name, do) for name, do in self.minutes if do in kinds]


class Scripted:
    def __init__(self, office, task):
        self.office, self.task = office, task
        self.turns = 0

    def ask(self, do, **arguments):
        name = self.task.implementation
        self.office.minutes.append((name, do))
        if self.office.broken.get(name) == do:
            raise WorkerError("OutOfMemoryError: no more")
        if do == "run":
            self.turns += 1
            # One slow turn, which a median does not see and a mean would.
            slow = 10 if self.turns == 2 else 1
            seconds = SPEED[name] * arguments["steps"] * slow
            return {"seconds": seconds, "others": self.office.others * seconds}
        return {
            "make": {**FACTS, **self.office.facts.get(name, {})},
            "warm": {"steps": 5},
            "forget": {"forgotten": self.office.forgets},
            "peak": {"peak_mb": 7.0},
            "rate": {"flops": 1e6},
        }[do]

    def close(self):
        self.office.minutes.append((self.task.implementation, "close"))


@pytest.fixture
def office(monkeypatch):
    office = Office()
    monkeypatch.setattr(measuring, "Worker", office.worker)
    return office


def run(implementations, rounds=3, say=lambda line: None):
    pythons = dict.fromkeys(SPEED, "python")
    return measure(
        "mlp_vae", "float32", implementations, SIZES["mlp_vae"], Plan(rounds, 0.01, pythons, say)
    )


def test_rows_are_medians_of_turns(office):
    group = run(["jaxgan", "linen", "torch_eager"])
    found = {row.implementation: row for row in group.rows}
    assert {n: r.ms_per_step for n, r in found.items()} == pytest.approx(
        {"jaxgan": 2.0, "linen": 8.0, "torch_eager": 4.0}
    )
    # 4 images a step of 2 ms.
    assert found["jaxgan"].images_per_s == pytest.approx(2000.0)
    assert found["linen"].peak_mb == 7.0
    assert group.rounds["linen"] == pytest.approx([8.0, 80.0, 8.0])
    assert group.matrix_rate == 1e6
    assert group.flops == 3 * 200 - 100


def test_turns_alternate_and_the_first_one_changes(office):
    run(["jaxgan", "linen", "torch_eager"])
    turns = [name for name, _ in office.done("run")]
    assert turns == [
        *("jaxgan", "linen", "torch_eager"),
        *("linen", "torch_eager", "jaxgan"),
        *("torch_eager", "jaxgan", "linen"),
    ]


def test_memory_counts_from_warm_to_the_last_turn(office):
    run(["jaxgan", "linen"])
    order = [do for name, do in office.minutes if name == "jaxgan"]
    assert order == ["make", "warm", "forget", "run", "run", "run", "peak", *["rate"] * 3, "close"]


def test_memory_is_not_told_where_the_peak_cannot_be_forgotten(office):
    office.forgets = False
    assert [row.peak_mb for row in run(["jaxgan"]).rows] == [None]


def test_unequal_things_are_not_timed(office):
    office.facts["linen"] = {"losses": [{"autoencoder": 1.1}]}
    with pytest.raises(Mismatch, match=r"linen, step 1: loss of the autoencoder is 1\.1"):
        run(["jaxgan", "linen"])
    assert not office.done("run", "warm")
    assert len(office.done("close")) == 2


def test_the_reference_is_asked_even_if_it_is_not_timed(office):
    group = run(["linen"])
    assert [row.implementation for row in group.rows] == ["linen"]
    assert ("jaxgan", "make") in office.minutes
    assert ("jaxgan", "warm") not in office.minutes


def test_a_compiler_that_fails_costs_its_row_only(office):
    office.broken["torch_compile"] = "make"
    said = []
    group = run(["jaxgan", "torch_compile"], say=said.append)
    assert [row.implementation for row in group.rows] == ["jaxgan"]
    reason = "torch_compile of mlp_vae in float32 failed: OutOfMemoryError: no more"
    assert group.notes == [f"left out: {reason}"]
    assert group.notes[0] in said


@pytest.mark.parametrize(("name", "do"), [("linen", "make"), ("jaxgan", "make"), ("linen", "run")])
def test_any_other_failure_ends_the_measurement(office, name, do):
    office.broken[name] = do
    with pytest.raises(WorkerError, match=f"{name} of mlp_vae in float32 failed: OutOfMemory"):
        run(["jaxgan", "linen"])
    assert {worker for worker, _ in office.done("close")} == {w for w, _ in office.minutes}


@pytest.mark.parametrize("implementations", [["jaxgan"], ["jaxgan", "linen"]])
def test_a_busy_machine_is_noted(office, implementations):
    assert run(implementations).notes == []
    office.others = 1.5
    (note,) = run(implementations).notes
    assert "mlp_vae in float32: other processes used 1.5 cores" in note


def test_the_last_line_is_that_of_the_error():
    plain = "Traceback\n  File x\nValueError: bad\n\n"
    assert process.last_line(plain) == "ValueError: bad"
    hint = f"{plain}{'-' * 20}\nFor simplicity, JAX has removed its internal frames\n"
    assert process.last_line(hint) == "ValueError: bad"
    assert process.last_line("\n") == "it wrote nothing"
