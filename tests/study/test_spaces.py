"""Search spaces: against SciPy's distributions, and what the command line makes of the words."""

import math

import numpy as np
import pytest
import tiny
from scipy import stats

from jaxgan.cli import options
from jaxgan.config import ConfigError
from jaxgan.study.comparison import Entry, Study, space_of
from jaxgan.study.spaces import Choice, LogUniform, Uniform, draw, settings, words

SPACE = {
    "rate": LogUniform(1e-5, 1e-2),
    "beta1": Uniform(-1.0, 3.0),
    "critic": Choice((1, 5, 7)),
}


def drawn(flag, distribution, count, seed=3):
    return [one[flag] for one in draw({flag: distribution}, count, seed)]


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_uniform_and_log_uniform_are_scipys(seed):
    uniform = drawn("beta1", Uniform(-1.0, 3.0), 5_000, seed)
    assert stats.kstest(uniform, stats.uniform(-1.0, 4.0).cdf).pvalue > 1e-3
    log_uniform = drawn("rate", LogUniform(1e-5, 1e-2), 5_000, seed)
    assert stats.kstest(log_uniform, stats.loguniform(1e-5, 1e-2).cdf).pvalue > 1e-3
    # That a wrong law would be seen.
    assert stats.kstest(log_uniform, stats.uniform(1e-5, 1e-2).cdf).pvalue < 1e-9


def test_choices_are_alike_likely():
    counts = np.unique(drawn("critic", Choice((1, 5, 7)), 6_000), return_counts=True)[1]
    assert stats.chisquare(counts).pvalue > 1e-3
    twice = drawn("critic", Choice((1, 5, 5)), 6_000)
    assert stats.chisquare([twice.count(1), twice.count(5)], [2_000, 4_000]).pvalue > 1e-3


def test_flags_and_trials_are_independent():
    trials = draw({"a": Uniform(0, 1), "b": Uniform(0, 1)}, 4_000, 0)
    a, b = (np.array([one[flag] for one in trials]) for flag in "ab")
    assert stats.pearsonr(a, b).pvalue > 1e-3
    assert stats.pearsonr(a[1:], a[:-1]).pvalue > 1e-3
    assert stats.pearsonr(a, [one["a"] for one in draw({"a": Uniform(0, 1)}, 4_000, 1)])[1] > 1e-3


def test_draws_do_not_depend_on_what_else_is_drawn():
    all_of_them = draw(SPACE, 20, 5)
    assert draw(SPACE, 7, 5) == all_of_them[:7]
    assert [one["beta1"] for one in all_of_them] == drawn("beta1", SPACE["beta1"], 20, 5)
    assert draw(dict(reversed(SPACE.items())), 20, 5) == all_of_them
    assert draw(SPACE, 20, 6) != all_of_them
    assert draw(SPACE, 0, 5) == ()


def test_draws_stay_what_they_are():
    # Plans that were written say what was drawn; a study that is planned again must draw the same.
    # hashlib.sha256(b"5/0/beta1").hexdigest() begins with 16 digits, of which 53 bits are kept.
    share = (int("b3d0b119e1e34ea2", 16) >> 11) / 2**53
    assert draw(SPACE, 1, 5)[0]["beta1"] == pytest.approx(-1 + 4 * share, abs=1e-15)


@pytest.mark.parametrize("share", [0.0, 1e-17, 0.3, 1 - 2**-53])
def test_values_stay_between_the_ends(share):
    for low, high in [(1e-5, 1e-2), (0.1, 0.3), (1, 3), (1e300, 1e308)]:
        assert low <= Uniform(low, high).at(share) <= high
        assert low <= LogUniform(low, high).at(share) <= high
    for count in (1, 3, 7, 64):
        assert Choice(tuple(range(count))).at(share) == math.floor(share * count)
    assert Uniform(-1e308, 1e308).at(0.5) == 0


def test_words_give_back_the_same_numbers():
    for typed, values in zip(settings(SPACE, 50, 0), draw(SPACE, 50, 0), strict=True):
        command = " ".join(typed).replace("=", " ").split()
        assert command[::2] == ["--rate", "--beta1", "--critic"]
        assert [float(word) for word in command[1::2]] == [*values.values()]
    assert words("rate", np.float64(0.1)) == ("--rate", "0.1")
    assert words("ema.warmup", True) == ("--ema.warmup",)
    assert words("ema.warmup", False) == ("--ema.no-warmup",)
    assert words("quick", False) == ("--no-quick",)
    assert words("clip", None) == ("--clip", "None")
    assert words("widths", (8, 16)) == ("--widths", "8", "16")


@pytest.mark.parametrize(
    ("flag", "value", "there"),
    [
        ("model.optimizer.learning-rate", 1.2345678901234567e-5, "model.optimizer.learning_rate"),
        ("evaluation.metrics", ("fid", "kid"), "evaluation.metrics"),
        ("model.optimizer.schedule.warmup-steps", 3, "model.optimizer.schedule.warmup_steps"),
        ("model.ema.warmup", False, "model.ema.warmup"),
        ("model.ema.warmup", True, "model.ema.warmup"),
        ("model.encoder.slope", -1e-05, "model.encoder.slope"),
    ],
)
def test_command_lines_take_the_words(flag, value, there):
    found = options.parse(tiny.vae(), words(flag, value), program="x.py").experiment
    for name in there.split("."):
        found = getattr(found, name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Uniform(2, 1), r"Uniform\(2, 1\): low must be less than high"),
        (lambda: Uniform(1, 1), r"low must be less than high"),
        (lambda: Uniform(0, math.inf), "both ends must be finite numbers"),
        (lambda: Uniform(math.nan, 1), "both ends must be finite numbers"),
        (lambda: LogUniform(0, 1), r"LogUniform\(0, 1\): both ends must be greater than 0"),
        (lambda: LogUniform(-1, 1), "both ends must be greater than 0"),
        (lambda: LogUniform(1e-2, 1e-5), "low must be less than high"),
        (lambda: LogUniform(1, math.inf), "both ends must be finite numbers"),
        (lambda: Choice(()), "at least one value"),
        (lambda: Choice("abc"), "must be a tuple"),
        (lambda: Choice(({},)), r"\{\} cannot be written on a command line"),
        (lambda: settings({}, -1, 0), "trials = -1: must be at least 0"),
        (lambda: settings({}, 1, -1), "seed = -1: must be at least 0"),
    ],
)
def test_what_cannot_work_is_refused(made, message):
    with pytest.raises(ConfigError, match=message):
        made()


def study(*entries, **changes):
    return Study("s", "S", entries, **changes)


def test_an_entry_changes_the_space_of_its_study():
    narrow, wide = LogUniform(1e-4, 1e-3), LogUniform(1e-5, 1e-2)
    entry = Entry("a.py", space={"rate": narrow, "beta1": None, "weight": Uniform(0, 1)})
    both = study(entry, space={"rate": wide, "beta1": Uniform(0, 1)}, trials=3)
    assert space_of(both, entry) == {"rate": narrow, "weight": Uniform(0, 1)}
    assert space_of(both, Entry("b.py")) == both.space


@pytest.mark.parametrize(
    ("entry", "space", "message"),
    [
        (Entry("a.py", ("--rate", "1")), {"rate": Uniform(0, 1)}, "--rate is among the arguments"),
        (Entry("a.py", ("--a.b-c=1",)), {"a.b_c": Uniform(0, 1)}, "--a.b_c is among the arguments"),
        (Entry("a.py"), {"seed": Choice((1, 2))}, "'seed', which the study itself decides"),
        (Entry("a.py"), {"--rate": Uniform(0, 1)}, "name flags without dashes in front"),
        (Entry("a.py", space={"rate": None}), {"rate": Uniform(0, 1)}, "has 3 trials and a.py has"),
    ],
)
def test_spaces_that_cannot_be_searched_are_refused(entry, space, message):
    with pytest.raises(ConfigError, match=message):
        space_of(study(entry, space=space, trials=3), entry)
