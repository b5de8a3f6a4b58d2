"""What the log of a run says when it has collapsed: rules over logged numbers, told once each.

The rules read nothing but what is logged, so a log that is read again raises the same alarms. Each
needs certain numbers and keeps quiet where they are not logged; those of
`jaxgan.algorithms.gan_diagnostics` are there when ``--model.diagnostics`` is on.

A rule has to hold in `LOGS` logs in a row that are at least `STEPS` steps apart from the first to
the last: every GAN is in a bad state for a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from jaxgan.run import workdir
from jaxgan.run.logs import read_jsonl

LOGS = 5
"""Logs in a row in which a rule has to hold."""
STEPS = 500
"""Steps that these have to span."""
SPREAD = 0.1
"""Share of the real images' spread below which generated images are all but one image. Measured on
digits (``tests/training/test_alarms_of_runs.py``): 0.6 to 0.95 in healthy runs, 0.02 and less in
one that has collapsed."""
NO_LOSS = 0.01
"""A discriminator's loss below this is zero, where its logits tell real from generated images."""
GAP = 0.5
"""Distance of the mean logits from which they do: least squares asks for 1, hinge for 2."""
VANISHED = 1e-4
"""Share of the largest gradient so far below which a gradient has vanished."""
LOGIT = 1e3
"""Mean logits that no loss asks for."""
STILL = 1e-6
"""Relative change from log to log below which a loss stands still."""
NO_UPDATE = 1e-8
"""Share of its parameters below which an update is none: float32 has no place for it."""

LOSSES, UPDATE = "loss/", "_update"
"""Start of the names of losses, and end of those of updates' sizes."""


class Alarm(NamedTuple):
    """What has happened to a run."""

    name: str
    """Of the rule."""
    since: int
    """First log of those in which it held."""
    raised: int
    """Log in which it was told."""
    text: str
    """For people: what, and what may help."""

    @property
    def line(self) -> str:
        """The text with the step."""
        return f"alarm, since step {self.since:,}: {self.text}"


class Seen(NamedTuple):
    """What rules look at."""

    now: Mapping[str, float | int]
    """Numbers of this log."""
    before: Mapping[str, float | int]
    """Each number as it was last logged before."""
    most: Mapping[str, float | int]
    """The largest that each has been, this log included."""


class Rule(NamedTuple):
    """One way to collapse."""

    name: str
    needs: tuple[str, ...]
    """Names of numbers without which it says nothing."""
    holds: Callable[[Seen], bool]
    text: str


def _gap(seen: Seen) -> float:
    return seen.now["logits/real"] - seen.now["logits/fake"]


def _still(seen: Seen) -> bool:
    """Whether every loss is what it was, or no player moves."""
    updates = [value for name, value in seen.now.items() if name.endswith(UPDATE)]
    if updates and max(updates) < NO_UPDATE:
        return True
    losses = {name: value for name, value in seen.now.items() if name.startswith(LOSSES)}
    return bool(losses) and all(
        name in seen.before
        and abs(value - seen.before[name]) <= STILL * max(abs(value), abs(seen.before[name]))
        for name, value in losses.items()
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "no_variety",
        ("diagnostics/spread",),
        lambda seen: seen.now["diagnostics/spread"] < SPREAD,
        f"generated images vary less than {SPREAD:.0%} as much as real ones: the generator has"
        " collapsed. R1 (--penalty r1), packing (--model.pack 2) or a smaller rate of the"
        " discriminator may help",
    ),
    Rule(
        "discriminator_won",
        ("loss/discriminator", "logits/real", "logits/fake"),
        lambda seen: abs(seen.now["loss/discriminator"]) < NO_LOSS and _gap(seen) > GAP,
        "the discriminator tells all images apart and its loss is 0: it learns no more, and the"
        " generator hardly. A gradient penalty (--penalty r1), augmentation (--augment"
        " diff_augment) or a smaller rate of the discriminator may help",
    ),
    Rule(
        "generator_stuck",
        ("generator_grad_norm",),
        lambda seen: seen.now["generator_grad_norm"] <= VANISHED * seen.most["generator_grad_norm"],
        f"the generator's gradient is below {VANISHED:g} of what it was: it learns no more. A loss"
        " that does not saturate (--loss non_saturating, --loss hinge) or a gradient penalty"
        " (--penalty r1) may help",
    ),
    Rule(
        "logits_exploded",
        ("logits/real", "logits/fake"),
        lambda seen: max(abs(seen.now["logits/real"]), abs(seen.now["logits/fake"])) > LOGIT,
        f"the discriminator's logits are beyond {LOGIT:,.0f}: nothing holds it. A gradient penalty"
        " (--penalty gradient_penalty), spectral normalization or a smaller rate may help",
    ),
    Rule(
        "standing_still",
        (),
        _still,
        "no loss changes, or no parameter does: nothing is learned. The rates may be too small, or"
        " every unit of a network dead, which smaller rates may prevent",
    ),
)
"""In the order in which they are told."""


class Streak(NamedTuple):
    """Logs in a row in which a rule has held."""

    since: int
    logs: int


class Watch(NamedTuple):
    """What is remembered of a log, so that every record is looked at once."""

    before: Mapping[str, float | int] = {}
    most: Mapping[str, float | int] = {}
    streaks: Mapping[str, Streak] = {}
    alarms: tuple[Alarm, ...] = ()
    """All that have been raised, each rule at most once."""

    def after(self, step: int, values: Mapping[str, float | int]) -> Watch:
        """After one more record of the log.

        Args:
            step: of the record.
            values: its numbers by name; other things than these may be among them.
        """
        most = {name: max(value, self.most.get(name, value)) for name, value in values.items()}
        seen = Seen(values, self.before, {**self.most, **most})
        streaks, alarms = dict(self.streaks), self.alarms
        told = {alarm.name for alarm in alarms}
        # Records of something else, such as of an evaluation, neither prolong nor end a streak.
        training = any(name.startswith(LOSSES) for name in values)
        for rule in RULES:
            if not training or rule.name in told or not {*rule.needs} <= values.keys():
                continue
            if not rule.holds(seen):
                streaks.pop(rule.name, None)
                continue
            streak = streaks.get(rule.name, Streak(step, 0))
            streak = streak._replace(logs=streak.logs + 1)
            streaks[rule.name] = streak
            if streak.logs >= LOGS and step - streak.since >= STEPS:
                alarms = (*alarms, Alarm(rule.name, streak.since, step, rule.text))
        return Watch({**self.before, **values}, seen.most, streaks, alarms)


def watched(records: Iterable[Mapping[str, float | int]]) -> Watch:
    """What is remembered of a whole log.

    >>> dead = [{"step": 100 * n, "loss/discriminator": 1.0} for n in range(8)]
    >>> [(alarm.name, alarm.since, alarm.raised) for alarm in watched(dead).alarms]
    [('standing_still', 100, 600)]

    Args:
        records: such as `jaxgan.run.logs.read_jsonl` gives.
    """
    watch = Watch()
    for record in records:
        values = {name: value for name, value in record.items() if name != "step"}
        watch = watch.after(int(record["step"]), values)
    return watch


def so_far(folder: Path) -> Watch:
    """What is remembered of a run's log; nothing where there is none yet.

    Raises:
        LogError: the log cannot be read.
    """
    path = folder / workdir.METRICS
    return watched(read_jsonl(path)) if path.exists() else Watch()


def documents(alarms: Iterable[Alarm]) -> list[dict[str, str | int]]:
    """Alarms as JSON data, for ``result.json``."""
    return [{**alarm._asdict()} for alarm in alarms]
