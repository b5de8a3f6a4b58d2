"""What ``--help`` shows: enough to begin with, on a screen or two, with the values there are."""

import dataclasses
import re
from pathlib import Path

import pytest
import tiny

from jaxgan.cli import flags, names, options
from jaxgan.cli.datasets import DATASETS
from jaxgan.cli.resume import TRUST_HELP, resume
from jaxgan.config import Run
from jaxgan.objectives.gan.penalties import R1, GradientPenalty
from jaxgan.optim import Adam
from jaxgan.run import experiment_file, workdir

DIGITS = DATASETS["digits"]
EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def shown(capsys, monkeypatch):
    def text(arguments="--help", experiment=None, run=None, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as stopped:
            options.parse(
                experiment or tiny.gan(), arguments.split(), program="jaxgan train x.py", run=run
            )
        seen = capsys.readouterr()
        assert (stopped.value.code, seen.err) == (0, "")
        return seen.out

    return text


def rows(text):
    """Flags and what stands behind them: values, and on the right what they are for."""
    found = re.findall(r"^  --([\w.-]+) ?(.*(?:\n {10,}.*)*)$", text, re.MULTILINE)
    return {flag: re.sub(r"\n *", " ", behind).strip() for flag, behind in found}


@pytest.mark.parametrize("name", ["dcgan", "wgan_gp", "acgan", "vae", "cvae", "conv_beta_vae"])
def test_fits_on_two_screens_of_eighty_columns(shown, name):
    experiment = experiment_file.load_experiment(EXPERIMENTS / f"{name}.py")
    lines = shown(experiment=experiment).splitlines()
    assert 35 <= len(lines) <= 84
    assert max(map(len, lines)) <= 80
    assert lines[0] == "usage: jaxgan train x.py [OPTIONS]"


def test_uses_the_room_there_is(shown):
    narrow, wide = (shown(columns=columns).splitlines() for columns in (80, 120))
    assert len(wide) < len(narrow)
    assert 80 < max(map(len, wide)) <= 100


def test_shows_what_people_change_with_its_value(shown):
    experiment = tiny.gan(steps=7, seed=3, precision="bfloat16")
    found = rows(shown(experiment=experiment, run=Run(workdir="here", log_every=5)))
    begin = {
        "steps": "7 ",
        "batch-size": "16 ",
        "seed": "3 ",
        "precision": "bfloat16 ",
        "dataset": "digits ",
        "loss": "non_saturating ",
        "loss.real-label": "1.0 ",
        "penalty": "none ",
        "prior": "normal ",
        "prior.size": "8 ",
        "optimizer": "NAME ",
        "generator-optimizer": "sgd ",
        "generator-optimizer.learning-rate": "0.05 ",
        "discriminator-optimizer.learning-rate": "0.05 ",
        "model.n-critic": "2 ",
        "evaluation.metrics": "fid kid ",
        "evaluation.samples": "100 ",
        "evaluation.every": "0 ",
        "workdir": "here ",
        "log-every": "5 ",
        "resume": "",
        "parallel": "auto ",
    }
    assert {flag: found[flag][: len(start)] for flag, start in begin.items()} == begin


def test_says_what_could_be_named_instead(shown):
    found = rows(shown(columns=100))
    # Of many names, the first five: the page is to stay short.
    for flag, value, known in (
        ("loss", "non_saturating", names.LOSSES),
        ("penalty", "none", names.PENALTIES),
        ("constraint", "none", names.CONSTRAINTS),
    ):
        others = [name for name in known if name != value]
        few = (
            ", ".join(others) if len(others) <= 6 else f"{', '.join(others[:5])}, ... (--help-all)"
        )
        assert re.sub(" +", " ", found[flag]) == f"{value} or {few}"
    assert found["optimizer"].endswith("of all players: adam, adamw, rmsprop, sgd")
    assert found["precision"].endswith("or bfloat16")
    assert "--likelihood" not in shown()
    of_vae = re.sub(" +", " ", rows(shown(experiment=tiny.vae()))["likelihood"])
    others = [name for name in names.LIKELIHOODS if name != "bernoulli"]
    assert of_vae == f"bernoulli or {', '.join(others[:5])}, ... (--help-all)"


def test_shows_what_is_named_beside_it(shown):
    """The values are those that flags of fields would start from."""
    found = rows(shown("--loss hinge --dataset ring --optimizer adam --penalty r1 --help"))
    assert found["loss"].startswith("hinge ")
    assert found["dataset"].startswith("ring ")
    assert found["generator-optimizer.learning-rate"].startswith(f"{Adam().learning_rate} ")
    assert found["penalty.every"].startswith("1 ")
    assert "loss.real-label" not in found


def test_shows_several_parts_as_they_would_be_typed(shown):
    model = dataclasses.replace(tiny.gan().model, penalties=(R1(), GradientPenalty()))
    assert "  --penalty r1 --penalty gradient_penalty" in shown(experiment=tiny.gan(model=model))


def test_switches_are_those_that_change_something(shown):
    model = dataclasses.replace(tiny.vae().model, conditional=True)
    assert "model.conditional" in rows(shown(experiment=tiny.vae()))
    found = shown(experiment=tiny.vae(model=model))
    assert "model.conditional" not in rows(found)
    assert "model.no-conditional" in rows(found)


@pytest.mark.parametrize(
    "experiment",
    [tiny.gan(data=DIGITS), tiny.vae(data=DIGITS), tiny.gan(data=DIGITS, model=tiny.Regression())],
)
def test_every_flag_in_it_works(shown, experiment):
    """What is shown with its value can be typed like that, and changes nothing."""
    known = rows(shown(experiment=experiment))
    words = []
    for line in shown(experiment=experiment).splitlines():
        if started := re.match(r"  --([\w.-]+) (\S.*?)(  |$)", line):
            flag, value = started[1], started[2]
            if value not in ("NAME", "''") and not flag.endswith(".FIELD"):
                words += [f"--{flag}", *value.split()]
    assert len(words) > 25
    parsed = options.parse(experiment, words, program="x")
    assert parsed.experiment == experiment
    assert parsed.run == Run()
    assert {"quiet", "resume"} <= set(known)


def test_ends_with_how_to_see_all(shown):
    """As many as the whole help has defaults."""
    number = re.search(r"\nall (\d+) fields: --help-all\n$", shown())
    assert number
    assert int(number[1]) == shown("--help-all").count("(default:")


def test_the_whole_help_has_the_names_as_well(shown):
    text = shown("--help-all")
    assert "--dataset NAME" in text
    every = " ".join(text.partition("--penalty NAME")[2].partition("--")[0].split())
    assert every == ", ".join([*names.PENALTIES, "none"])
    assert "--model.discriminator-optimizer.schedule.warmup-steps INT" in text


def test_first_sentences_are_whole():
    assert flags.sentences(Run)["checkpoint_every"] == (
        "Steps between checkpoints, or images seen (50kimg); the last step is always saved"
    )
    model = type(tiny.vae().model)
    assert flags.sentences(model)["conditional"] == (
        "Whether encoder and decoder are given the image's class (Sohn et al. 2015)"
    )
    # A class without a source has none, and that is no error.
    assert flags.sentences(dataclasses.make_dataclass("Made", ["x"])) == {}


def test_going_on_says_how_a_runs_own_code_is_allowed(tmp_path, capsys):
    run = tmp_path / "run"
    workdir.create(run, tiny.gan(), Run(workdir=str(run)), file=None, command="")
    with pytest.raises(SystemExit):
        resume([str(run), "--help"])
    out = capsys.readouterr().out
    assert out.endswith(f"{TRUST_HELP}\n")
    assert re.search(r"--trust .*--file FILE", TRUST_HELP, re.DOTALL)
    assert "--steps 6 " in out
