"""Parts of a model by their names on the command line."""

import dataclasses
import importlib
import inspect
import json
import pkgutil
from typing import Any

import pytest
import suited
import tiny

import jaxgan.objectives
from jaxgan import optim
from jaxgan.algorithms.gan import Gan
from jaxgan.cli import datasets, names, options, spelling
from jaxgan.config import ConfigError, Model
from jaxgan.data.pipeline import Data
from jaxgan.measurement import rehearsal
from jaxgan.networks.autoencoder import MlpAutoencoder
from jaxgan.networks.auxiliary import AuxiliaryMlpDiscriminator
from jaxgan.networks.class_information import EmbeddingMlpDiscriminator, TwinMlpDiscriminator
from jaxgan.networks.class_or_fake import ClassOrFakeMlpDiscriminator
from jaxgan.networks.conditional import LabelledGenerator
from jaxgan.networks.information import CodesGenerator, InformationMlpDiscriminator
from jaxgan.networks.mlp import MlpGenerator
from jaxgan.objectives.codes import Codes
from jaxgan.objectives.gan import constraints
from jaxgan.objectives.gan.augmentations import DiffAugment
from jaxgan.objectives.gan.constraints import Clip
from jaxgan.objectives.gan.losses import GanLoss, Hinge, LeastSquares, Minimax, Wasserstein
from jaxgan.objectives.gan.penalties import R1, R2, GradientPenalty, Penalty
from jaxgan.objectives.priors import Labelled, Normal, Uniform
from jaxgan.objectives.vae.bounds import Beta
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.objectives.vae.mixtures import Picked
from jaxgan.optim import Adam, AdamW, RmsProp, Schedule, Sgd
from jaxgan.program import compile_program
from jaxgan.run.config_json import to_json
from jaxgan.study.comparison import Entry


def parse(arguments, experiment=None):
    return options.parse(experiment or tiny.gan(), arguments.split(), program="x").experiment


def refused(arguments, experiment=None):
    with pytest.raises(ConfigError) as raised:
        parse(arguments, experiment)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def gan(**changes):
    """The tiny GAN with some fields of its model replaced, as in Python."""
    return tiny.gan(model=dataclasses.replace(tiny.gan().model, **changes))


def vae(**changes):
    return tiny.vae(model=dataclasses.replace(tiny.vae().model, **changes))


class TestOneName:
    @pytest.mark.parametrize(
        ("arguments", "changes"),
        [
            ("--loss hinge", {"loss": Hinge()}),
            ("--loss=wasserstein", {"loss": Wasserstein()}),
            ("--loss minimax --loss.real-label 0.9", {"loss": Minimax(real_label=0.9)}),
            ("--loss.real-label 0.9 --loss minimax", {"loss": Minimax(real_label=0.9)}),
            ("--loss minimax --model.loss.real-label 0.9", {"loss": Minimax(real_label=0.9)}),
            ("--loss minimax --loss hinge", {"loss": Hinge()}),
            ("--loss least-squares", {"loss": LeastSquares()}),
            ("--loss LeastSquares", {"loss": LeastSquares()}),
            ("--prior uniform --prior.size 5", {"prior": Uniform(5)}),
            ("--prior.size 5", {"prior": Normal(5)}),
            ("--prior labelled --prior.noise.size 5", {"prior": Labelled(Normal(5))}),
            ("--constraint clip", {"constraints": (Clip(),)}),
            ("--constraint clip --constraint.bound 0.5", {"constraints": (Clip(0.5),)}),
            ("--augment diff_augment", {"augmentations": (DiffAugment(),)}),
            (
                "--augment.no-color --augment diff_augment",
                {"augmentations": (DiffAugment(color=False),)},
            ),
        ],
    )
    def test_replaces_a_field_of_the_model(self, arguments, changes):
        assert parse(arguments) == gan(**changes)

    @pytest.mark.parametrize(
        ("arguments", "changes"),
        [
            ("--likelihood gaussian", {"likelihood": Gaussian()}),
            ("--likelihood gaussian --likelihood.scale 0.1", {"likelihood": Gaussian(0.1)}),
            ("--beta warmup", {"beta": Beta(warmup_steps=1000)}),
            ("--beta warmup --beta.warmup-steps 3", {"beta": Beta(warmup_steps=3)}),
            ("--beta.value 4", {"beta": Beta(4.0)}),
            ("--optimizer adam", {"optimizer": Adam()}),
            (
                "--optimizer adamw --optimizer.weight-decay 0.1 --optimizer.b1 0.9",
                {"optimizer": AdamW(b1=0.9, weight_decay=0.1)},
            ),
            ("--optimizer.learning-rate 0.5", {"optimizer": Sgd(0.5)}),
        ],
    )
    def test_replaces_a_field_of_a_vae(self, arguments, changes):
        assert parse(arguments, tiny.vae()) == vae(**changes)

    def test_is_as_if_written_in_python(self):
        """The configuration of a run says the same, to the last word."""
        parsed = parse("--loss hinge --penalty r1 --penalty.every 16 --steps 9")
        written = dataclasses.replace(gan(loss=Hinge(), penalties=(R1(every=16),)), steps=9)
        assert json.dumps(to_json(parsed)) == json.dumps(to_json(written))
        assert hash(parsed) == hash(written)

    def test_brings_nothing_else_along(self):
        changed = to_json(parse("--loss wasserstein"))
        assert changed["model"].pop("loss") != (before := to_json(tiny.gan()))["model"].pop("loss")
        assert changed == before

    def test_goes_together_with_a_data_set(self):
        found = parse("--prior.size 3 --dataset ring --loss hinge --data.validation 100")
        expected = gan(loss=Hinge(), prior=Normal(3))
        data = dataclasses.replace(datasets.DATASETS["ring"], validation=100)
        assert found == dataclasses.replace(expected, data=data)


class TestSeveral:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ("--penalty r1", (R1(),)),
            ("--penalty r1 --penalty.every 16 --penalty.weight 1.0", (R1(1.0, every=16),)),
            ("--penalty.every 16 --penalty r1", (R1(every=16),)),
            (
                "--penalty r1 --penalty.every 16 --penalty gradient_penalty",
                (R1(every=16), GradientPenalty()),
            ),
            (
                "--penalty gradient_penalty --steps 6 --penalty r1 --penalty.every=16",
                (GradientPenalty(), R1(every=16)),
            ),
            (
                "--penalty r1 --penalty.weight 2 --penalty r2 --penalty.weight 3 --penalty.every 4",
                (R1(2.0), R2(3.0, every=4)),
            ),
            ("--penalty r1 --penalty r2 --model.penalties.0.every 4", (R1(every=4), R2())),
        ],
    )
    def test_are_kept_in_order_each_with_the_fields_behind_it(self, arguments, expected):
        assert parse(arguments) == gan(penalties=expected)

    def test_replace_those_that_were_there(self):
        before = gan(penalties=(GradientPenalty(), R2()), constraints=(Clip(),))
        assert parse("--penalty r1", before) == gan(penalties=(R1(),), constraints=(Clip(),))

    def test_none_leaves_all_out(self):
        before = gan(penalties=(GradientPenalty(), R2()), constraints=(Clip(),))
        assert parse("--penalty none --constraint none", before) == tiny.gan()

    def test_the_only_one_there_need_not_be_named(self):
        assert parse("--penalty.every 4", gan(penalties=(R1(),))) == gan(penalties=(R1(every=4),))

    @pytest.mark.parametrize(
        ("arguments", "there", "complaint"),
        [
            (
                "--penalty.every 4",
                (),
                "--penalty.every: there is no penalty; name one by --penalty NAME",
            ),
            (
                "--penalty none --penalty.every 4",
                (R1(),),
                "--penalty.every: there is no penalty; name one by --penalty NAME",
            ),
            (
                "--penalty.every 4",
                (R1(), R2()),
                "--penalty.every: of which penalty? Write --model.penalties.0.every or"
                " --model.penalties.1.every",
            ),
            (
                "--penalty.every 4 --penalty r1 --penalty r2",
                (),
                "--penalty.every: of which penalty? Put it behind --penalty NAME",
            ),
            (
                "--penalty none --penalty r1",
                (),
                "--penalty none leaves out all others: say it alone",
            ),
            (
                "--penalty r1 none",
                (),
                "--penalty r1 none: one name a flag: for several, --penalty r1 --penalty none",
            ),
            (
                "--penalty r1 --penalty r1",
                (),
                "model: two penalties or auxiliary terms are called 'r1'",
            ),
        ],
    )
    def test_what_is_unclear_is_refused(self, arguments, there, complaint):
        assert refused(arguments, gan(penalties=there)) == complaint

    def test_do_not_stand_in_the_way_of_what_makes_them_possible(self):
        """A critic's batch norm may be switched off before or after the penalty is named."""
        off = "--model.discriminator.no-batch-norm"
        model: Any = tiny.dcgan().model
        critic = model.discriminator.copy(batch_norm=False)
        expected = dataclasses.replace(model, discriminator=critic, penalties=(R1(),))
        for line in (f"--penalty r1 {off}", f"{off} --penalty r1"):
            assert parse(line, tiny.dcgan()).model == expected
        assert refused("--penalty r1", tiny.dcgan()).endswith(f": set {off}")


class TestPlayers:
    def test_share_the_optimizer_that_is_named(self):
        both = Adam(learning_rate=1e-4, schedule=Schedule("linear"))
        assert parse(
            "--optimizer adam --optimizer.learning-rate 1e-4 --optimizer.schedule.kind linear"
        ) == gan(generator_optimizer=both, discriminator_optimizer=both)

    def test_keep_theirs_where_only_a_field_is_said(self):
        before = gan(generator_optimizer=Adam(), discriminator_optimizer=RmsProp())
        assert parse("--optimizer.learning-rate 0.5", before) == gan(
            generator_optimizer=Adam(0.5), discriminator_optimizer=RmsProp(0.5)
        )

    @pytest.mark.parametrize(
        "arguments",
        [
            "--optimizer adam --discriminator-optimizer rmsprop --optimizer.learning-rate 0.5 "
            "--generator-optimizer.learning-rate 0.25",
            "--generator-optimizer.learning-rate 0.25 --discriminator-optimizer rmsprop "
            "--optimizer.learning-rate 0.5 --optimizer adam",
            "--model.generator-optimizer.learning-rate 0.25 --discriminator-optimizer rmsprop "
            "--optimizer.learning-rate=0.5 --optimizer=adam",
        ],
    )
    def test_one_by_itself_has_the_last_word_whatever_the_order(self, arguments):
        assert parse(arguments) == gan(
            generator_optimizer=Adam(0.25), discriminator_optimizer=RmsProp(0.5)
        )

    def test_all_must_have_a_field_that_is_said_of_all(self):
        assert refused("--generator-optimizer adam --optimizer.b1 0.3").startswith(
            "--optimizer.b1: Sgd has no such field; there are --optimizer.learning-rate, "
        )


def every(known):
    *first, last = known
    return f"{', '.join(first)} and {last}"


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (
                "--loss hing",
                f"there is no loss 'hing', did you mean hinge? There are {every(names.LOSSES)}",
            ),
            (
                "--penalty gp",
                f"there is no penalty 'gp'; there are {every([*names.PENALTIES, 'none'])}",
            ),
            (
                "--loss --steps 3",
                f"--loss needs a name; there are {every(names.LOSSES)}",
            ),
            (
                "--penalty r1 --penalty.evry 3",
                "--penalty.evry: R1 has no such field, did you mean --penalty.every? There are"
                " --penalty.weight and --penalty.every",
            ),
            ("--loss hinge --loss.real-label 0.9", "--loss.real-label: Hinge has no fields"),
            (
                "--penalty r1 --penalty.every often",
                "--penalty.every: 'often' is no whole number",
            ),
            ("--penalty r2 --penalty r1 --penalty.every", "--penalty.every needs a value"),
            ("--optimizer.learning-rate fast", "--optimizer.learning-rate: 'fast' is no number"),
            (
                "--penalty r1 --penalty.weight -1",
                "model.penalties.0: weight = -1.0: must be above 0 and finite; no penalty is said"
                " by leaving it out",
            ),
            ("--likelihood bernoulli", "--likelihood: the model, Gan, has no likelihood"),
            ("--beta.value 3", "--beta.value: the model, Gan, has no beta"),
            (
                "--prior 64",
                "--prior 64: wants a name, numbers are for its fields, such as --prior.size; there"
                " are codes, labelled, normal, one_hots, sphere and uniform",
            ),
        ],
    )
    def test_are_told_on_one_line(self, arguments, complaint):
        assert refused(arguments) == complaint

    def test_names_of_other_models_are_told_too(self):
        assert refused("--penalty r1", tiny.vae()) == ("--penalty: the model, Vae, has no penalty")

    def test_models_of_ones_own_have_what_their_fields_are_for(self):
        regression = tiny.gan(model=tiny.Regression())
        assert refused("--loss hinge", regression) == ("--loss: the model, Regression, has no loss")
        assert parse("--model.rate 3", regression).model == tiny.Regression(3.0)


@dataclasses.dataclass(frozen=True)
class Own(Model):
    """A model with parts under names of its own."""

    critic_loss: GanLoss = Hinge()
    solver: optim.Optimizer = Sgd()
    terms: tuple[Penalty, ...] = ()


def test_fields_are_found_by_what_they_are_for():
    own = tiny.gan(model=Own())
    assert parse("--loss minimax", own).model == Own(Minimax())
    assert parse("--optimizer adam --optimizer.b1 0.25", own).model == Own(solver=Adam(b1=0.25))
    assert parse("--penalty r1 --penalty.every 2", own).model == Own(terms=(R1(every=2),))


def test_entries_of_studies_take_names(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("import tiny\nexperiment = tiny.gan()\n")
    entry = Entry(str(file), ("--loss", "hinge", "--penalty", "r1", "--name", "other"))
    found, _ = options.read_entry(entry)
    assert found == dataclasses.replace(gan(loss=Hinge(), penalties=(R1(),)), name="other")


def test_a_line_in_a_dictionary_is_a_name(monkeypatch):
    @dataclasses.dataclass(frozen=True)
    class Paired(Wasserstein):
        margin: float = 1.0

    monkeypatch.setitem(names.LOSSES, "paired", Paired)
    assert parse("--loss paired --loss.margin 2") == gan(loss=Paired(2.0))


MODULES = {
    # What these kinds' members have in common does not tell them from others.
    "constraint": constraints,
    "optimizer": optim,
}


BESIDE = {optim.Schedule, optim.Ema, Picked}
"""Dataclasses in these modules that are no parts of such a kind: what belongs to one alone."""


def classes_of(kind):
    """The package's parts of a kind, wherever they are."""
    if kind.flag in MODULES:
        modules = [MODULES[kind.flag]]
    else:
        found = pkgutil.walk_packages(jaxgan.objectives.__path__, "jaxgan.objectives.")
        modules = [importlib.import_module(module.name) for module in found]
    return {
        found
        for module in modules
        for _, found in inspect.getmembers(module, inspect.isclass)
        if found.__module__ == module.__name__
        and not found.__name__.startswith("_")
        and dataclasses.is_dataclass(found)
        and (kind.flag in MODULES or issubclass(found, kind.protocol))
    } - BESIDE


@pytest.mark.parametrize("kind", names.KINDS, ids=lambda kind: kind.flag)
def test_every_class_of_the_package_has_a_name(kind):
    """A new loss without one would be noticed here."""
    named = {known if isinstance(known, type) else type(known) for known in kind.names.values()}
    assert named == classes_of(kind)


def test_the_known_classes_are_found():
    found = {kind.flag: classes_of(kind) for kind in names.KINDS}
    assert found["loss"] >= {Hinge, LeastSquares, Minimax, Wasserstein}
    assert found["penalty"] >= {R1, R2, GradientPenalty}
    assert found["augment"] >= {DiffAugment}
    assert found["prior"] >= {Labelled, Normal, Uniform}
    assert found["likelihood"] >= {Gaussian}


GAN = tiny.gan()
LABELLED = tiny.gan(
    data=Data(classes=10),
    model=Gan(
        generator=LabelledGenerator(body=MlpGenerator(widths=(8,))),
        discriminator=AuxiliaryMlpDiscriminator(widths=(8,)),
        prior=Labelled(Normal(4)),
    ),
)
CODED = tiny.gan(
    model=Gan(
        generator=CodesGenerator(body=MlpGenerator(widths=(8,))),
        discriminator=InformationMlpDiscriminator(widths=(8,)),
        prior=Codes(Normal(4)),
    ),
)


def judged_by(discriminator):
    """The conditional GAN with another discriminator."""
    model = dataclasses.replace(LABELLED.model, discriminator=discriminator)
    return dataclasses.replace(LABELLED, model=model)


ENERGIES = tiny.gan(model=Gan(MlpGenerator((8,)), MlpAutoencoder((8,)), prior=Normal(4)))
REHEARSED = [
    (ENERGIES, "loss began, auxiliary pull_away"),
    (GAN, "loss hinge, penalty gradient_penalty, constraint clip, augment diff_augment"),
    (GAN, "loss least_squares, penalty r1, prior normal, optimizer adam, augment ada"),
    (GAN, "loss minimax, penalty r2, prior uniform, optimizer rmsprop"),
    (GAN, "loss non_saturating, penalty none, optimizer sgd"),
    (GAN, "optimizer adamw, generator-penalty gradient_regularization"),
    (GAN, "loss zero_sum, penalty consensus, generator-penalty consensus"),
    (GAN, "augment flip, augment instance_noise, augment scheduled_ada, augment apa"),
    (GAN, "prior sphere"),
    (GAN, "prior one_hots"),
    (tiny.gan(data=Data()), "penalty balanced_consistency, penalty consistency, penalty drift"),
    (GAN, "penalty dragan, penalty lecam, penalty orthogonal"),
    (GAN, "penalty latent_consistency, generator-penalty latent_spread"),
    (LABELLED, "loss wasserstein, auxiliary classifier, prior labelled"),
    (LABELLED, "auxiliary hinge_classifier"),
    (judged_by(TwinMlpDiscriminator((8,))), "auxiliary classifier, auxiliary twin_classifier"),
    (judged_by(ClassOrFakeMlpDiscriminator((8,))), "auxiliary multi_hinge"),
    (judged_by(EmbeddingMlpDiscriminator((8,))), "auxiliary conditional_contrastive"),
    (judged_by(EmbeddingMlpDiscriminator((8,))), "auxiliary data_to_data_cross_entropy"),
    (CODED, "prior codes, auxiliary information"),
    (tiny.vae(), "likelihood bernoulli, beta constant"),
    (tiny.vae(), "likelihood gaussian, beta warmup"),
    (tiny.vae(), "bound elbo, posterior gaussian, code-prior standard_normal"),
    (tiny.vae(), "bound monte_carlo_elbo, code-prior vamp_prior"),
    (tiny.vae(), "bound sticking_the_landing, code-prior mixture_of_gaussians"),
    (tiny.vae(), "bound reconstruction, posterior point, regularizer code_norm"),
    (tiny.vae(), "bound monte_carlo_elbo, posterior planar_flow"),
    (tiny.vae(), "bound monte_carlo_elbo, posterior inverse_autoregressive_flow"),
    (tiny.vae(), "posterior von_mises_fisher, code-prior uniform_sphere"),
    (
        tiny.vae(),
        "posterior gumbel_softmax, posterior.categories 2, code-prior uniform_categorical,"
        " code-prior.categories 2",
    ),
    (
        tiny.vae(),
        "posterior straight_through_gumbel, posterior.categories 2,"
        " code-prior uniform_categorical, code-prior.categories 2",
    ),
    (tiny.vae(), "beta capacity"),
    *((tiny.vae(), f"bound {bound}") for bound in ("ciwae", "dreg", "iwae", "miwae", "piwae")),
    (tiny.vae(), "bound sticking_the_landing, beta cyclical"),
    (tiny.vae(), "beta free_bits"),
    (tiny.vae(), "regularizer code_mmd, regularizer decoder_norm, regularizer decoder_slope"),
    (tiny.vae(), "regularizer dip_i, regularizer dip_ii"),
    (tiny.vae(), "regularizer total_correlation, regularizer.examples 1500"),
    (tiny.vae(), "regularizer mutual_information, regularizer.examples 1500"),
    (tiny.vae(), "regularizer dimensionwise_kl, regularizer.examples 1500"),
]
"""Every name, several at once because each rehearsal takes a second."""


def test_every_name_is_rehearsed():
    rehearsed = {tuple(said.split()) for _, line in REHEARSED for said in line.split(", ")}
    # Some names mean nothing without a number beside them.
    rehearsed = {said for said in rehearsed if "." not in said[0]}
    # Losses and likelihoods have tests of their own besides, below: a model has one.
    rehearsed |= {("loss", name) for name in names.LOSSES}
    rehearsed |= {("likelihood", name) for name in names.LIKELIHOODS}
    assert rehearsed - {("penalty", "none")} == {
        (kind.flag, name) for kind in names.KINDS for name in kind.names
    }


# Every fourth at once, the others by CI.
@pytest.mark.parametrize(
    ("base", "line"),
    [
        pytest.param(base, line, id=line, marks=pytest.mark.slow if i % 4 else ())
        for i, (base, line) in enumerate(REHEARSED)
    ],
)
def test_names_pass_the_rehearsal(base, line):
    """Traced, and nothing compiled: a part that does not do what the model asks of it fails."""
    parsed = parse(" ".join(f"--{said}" for said in line.split(", ")), base)
    rehearsal.check(parsed, compile_program(parsed, "none"))


@pytest.mark.slow
@pytest.mark.parametrize("name", names.LIKELIHOODS)
def test_likelihoods_pass_the_rehearsal(name):
    test_names_pass_the_rehearsal(tiny.vae(), f"likelihood {name}")


@pytest.mark.slow
@pytest.mark.parametrize("name", names.LOSSES)
def test_losses_pass_the_rehearsal(name):
    """Each with a discriminator that returns what it reads."""
    judging = suited.discriminator(spelling.value_of("loss", name, names.LOSSES))
    parsed = parse(f"--loss {name}", gan(discriminator=judging))
    rehearsal.check(parsed, compile_program(parsed, "none"))
